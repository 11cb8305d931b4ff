"""What asking the market went through, as numbers."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import get_args

from g6.clock import IST
from g6.metrics.instruments import Instruments
from g6.model.provider_report import (
    BreakerState,
    DumpReport,
    EndpointReport,
    MarketReport,
    StreamReport,
    TokenReport,
    TokenState,
)

BREAKER_STATES: Mapping[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}


def observe_market(to: Instruments, market: MarketReport, now: float) -> None:
    """Count a minute's calls and set what they left behind; `now` is the machine's own, in seconds since 1970."""
    for name in dict.fromkeys((*to.known.providers, market.active)):
        to.set("g6_provider_active", name == market.active, name)
    if market.before:
        to.add("g6_provider_failovers_total", 1, market.active)
    to.set("g6_provider_problems", len(market.sentences))
    for provider in market.providers:
        for endpoint in provider.endpoints:
            _endpoint(to, endpoint)
        if provider.token:
            _token(to, provider.token)
        if provider.dump:
            _dump(to, provider.dump)
        if provider.stream:
            _stream(to, provider.stream, now)


def _endpoint(to: Instruments, report: EndpointReport) -> None:
    to.add("g6_provider_requests_total", report.calls, report.name)
    # What the breaker refused never went out.
    failed = sum(count for kind, count in report.failures.items() if kind != "breaker_open")
    to.add("g6_provider_request_failures_total", failed, report.name)
    for kind, count in report.failures.items():
        to.add("g6_provider_failures_total", count, kind)
    to.add("g6_provider_retries_total", report.retries, report.name)
    to.add("g6_provider_limiter_waits_total", report.waits, report.name)
    to.add("g6_provider_limiter_wait_seconds_total", report.wait_seconds, report.name)
    for seconds in report.latencies_seconds:
        to.observe("g6_provider_request_seconds", seconds)
    to.set("g6_breaker_state", BREAKER_STATES[report.breaker], report.name)
    to.add("g6_breaker_opens_total", report.breaker_opens, report.name)


def _token(to: Instruments, report: TokenReport) -> None:
    for state in get_args(TokenState):
        to.set("g6_token_state", state == report.state, report.account, state)
    if report.expires_at:
        to.set("g6_token_expiry_timestamp_seconds", report.expires_at.timestamp(), report.account)


def follow_tokens(to: Instruments, reports: Callable[[], Sequence[TokenReport]]) -> None:
    """Ask `reports` at each scrape from now on: a token ends, and a person logs in, while no minute tells of it."""
    for account in to.known.accounts:
        for state in get_args(TokenState):
            to.follow("g6_token_state", partial(_is_in, reports, account, state), account, state)
        to.follow("g6_token_expiry_timestamp_seconds", partial(_end_of, reports, account), account)


def _is_in(reports: Callable[[], Sequence[TokenReport]], account: str, state: TokenState) -> float:
    return float(any(report.state == state for report in reports() if report.account == account))


def _end_of(reports: Callable[[], Sequence[TokenReport]], account: str) -> float:
    ends = (report.expires_at for report in reports() if report.account == account)
    return next((end.timestamp() for end in ends if end), math.nan)


def _dump(to: Instruments, report: DumpReport) -> None:
    midnight = datetime.combine(report.day, datetime.min.time(), IST)
    to.set("g6_instruments_day_timestamp_seconds", midnight.timestamp())
    to.set("g6_instruments_rows", report.rows)
    to.set("g6_instruments_bad_rows", sum(report.bad_rows.values()))


def _stream(to: Instruments, report: StreamReport, now: float) -> None:
    for connection in report.connections:
        number = str(connection.number)
        to.set("g6_stream_connected", connection.connected, number)
        to.set("g6_stream_instruments", connection.instruments, number)
        if connection.silent_seconds is not None:
            to.set("g6_stream_last_message_timestamp_seconds", now - connection.silent_seconds, number)
        to.add("g6_stream_reconnects_total", sum(connection.reconnects.values()), number)
        to.add("g6_stream_messages_total", connection.messages)
        to.add("g6_stream_ticks_total", connection.ticks)
    for exchange, age in report.tick_age_seconds.items():
        to.set("g6_stream_last_tick_timestamp_seconds", now - age, exchange)
    to.add("g6_stream_filled_legs_total", report.filled_by_rest)
    to.add("g6_stream_dropped_messages_total", report.dropped_messages)
