"""What asking a broker went through arrives in /metrics as it was, and counts add up over minutes."""

import dataclasses
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import get_args

from g6.clock import IST
from g6.metrics.exposition import Exposition
from g6.metrics.instruments import Instruments
from g6.metrics.observe import Observer
from g6.model.provider_report import MarketReport, TokenReport, TokenState
from g6.model.report import CycleReport

NOW = 1_800_000_000.0


def page_of(instruments: Instruments) -> dict[str, float]:
    lines = Exposition(instruments).page()[0].decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_calls_and_failures_add_up_over_the_minutes(
    instruments: Instruments, observer: Observer, report: Callable[..., CycleReport]
) -> None:
    for _ in range(3):
        observer.cycle(report())
    page = page_of(instruments)
    assert page['g6_provider_requests_total{endpoint="kite.quote"}'] == 15
    assert page['g6_provider_request_failures_total{endpoint="kite.quote"}'] == 6
    assert page['g6_provider_request_failures_total{endpoint="kite.historical"}'] == 0, "the breaker let none out"
    assert page['g6_provider_failures_total{kind="breaker_open"}'] == 12
    assert page['g6_provider_failures_total{kind="timeout"}'] == 3
    assert page['g6_provider_failures_total{kind="auth"}'] == 0, "a kind that never came is there, at 0"
    assert page["g6_provider_request_seconds_count"] == 9
    assert page['g6_provider_request_seconds_bucket{le="5.0"}'] == 6
    assert page['g6_provider_limiter_wait_seconds_total{endpoint="kite.quote"}'] == 7.5
    assert page["g6_stream_filled_legs_total"] == 93
    assert page['g6_stream_reconnects_total{connection="2"}'] == 3


def test_states_are_those_of_the_last_minute(
    instruments: Instruments, observer: Observer, report: Callable[..., CycleReport]
) -> None:
    observer.cycle(report())
    page = page_of(instruments)
    assert page['g6_breaker_state{endpoint="kite.historical"}'] == 2
    assert page['g6_token_state{account="kite",state="expiring"}'] == 1
    assert page['g6_token_state{account="kite",state="valid"}'] == 0
    assert page['g6_stream_connected{connection="2"}'] == 0
    assert page['g6_stream_last_tick_timestamp_seconds{exchange="BSE"}'] == NOW - 90
    assert (page['g6_provider_active{provider="kite"}'], page['g6_provider_active{provider="kite-stream"}']) == (1, 0)
    healed = MarketReport(active="kite-stream", preferred="kite-stream", before="kite")
    observer.cycle(dataclasses.replace(report(), market=healed))
    page = page_of(instruments)
    assert (page['g6_provider_active{provider="kite"}'], page['g6_provider_active{provider="kite-stream"}']) == (0, 1)
    assert page['g6_provider_failovers_total{provider="kite-stream"}'] == 1
    assert page['g6_breaker_state{endpoint="kite.historical"}'] == 2, "nothing was said of it: it stays"


def test_a_token_that_is_followed_ends_and_comes_back_by_itself(instruments: Instruments, observer: Observer) -> None:
    ends, reports = datetime(2026, 11, 21, 6, 0, tzinfo=IST), []
    observer.follow_tokens(lambda: reports)
    series = 'g6_token_state{{account="kite",state="{}"}}'
    for state, end in (("valid", ends), ("dead", ends), ("absent", None), ("valid", ends + timedelta(days=1))):
        reports[:] = [TokenReport("kite-second", "valid", ends), TokenReport("kite", state, end)]
        page = page_of(instruments)
        assert [word for word in get_args(TokenState) if page[series.format(word)]] == [state]
        told = page['g6_token_expiry_timestamp_seconds{account="kite"}']
        assert told == end.timestamp() if end else math.isnan(told)
    assert page['g6_token_expiry_timestamp_seconds{account="kite-second"}'] == ends.timestamp()


def test_a_cycle_that_knew_less_does_not_undo_what_a_scrape_sees(
    instruments: Instruments, observer: Observer, report: Callable[..., CycleReport]
) -> None:
    observer.follow_tokens(lambda: [TokenReport("kite", "valid")])
    observer.cycle(report())  # which found it expiring
    page = page_of(instruments)
    assert page['g6_token_state{account="kite",state="valid"}'] == 1
    assert page['g6_token_state{account="kite",state="expiring"}'] == 0


def test_the_next_open_is_an_instant_of_the_machine(instruments: Instruments, observer: Observer) -> None:
    assert "g6_market_next_open_timestamp_seconds" not in page_of(instruments)
    left = [5400.0]
    observer.follow_next_open(lambda: left[0])
    assert page_of(instruments)["g6_market_next_open_timestamp_seconds"] == NOW + 5400
    left[0] = math.nan
    assert math.isnan(page_of(instruments)["g6_market_next_open_timestamp_seconds"])
