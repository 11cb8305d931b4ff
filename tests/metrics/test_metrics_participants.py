"""How old what is stored of participants is, and how they stand, on the two pages."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime

from prometheus_client.parser import text_string_to_metric_families

from g6.metrics.exposition import Exposition
from g6.metrics.instruments import Instruments
from g6.metrics.observe import Observer
from g6.metrics.options_page import OptionsPage
from g6.model.chain import OptionChain
from g6.model.participants_report import ParticipantsReport, Standing
from g6.model.snapshot import Snapshot

Samples = set[tuple[str, tuple[str, ...], float]]
REPORT = ParticipantsReport(
    {"oi": date(2026, 11, 19), "cash": date(2026, 11, 20)},
    {("FII", "future_index"): Standing(-60.0, 0.25), ("DII", "option_index_put"): Standing(30.0, math.nan)},
    {"FII": -1.5},
)


def told(page: bytes) -> Samples:
    return {
        (sample.name, tuple(sample.labels.values()), sample.value)
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
        if sample.name.startswith("g6_participants_")
    }


def test_the_age_of_each_kind_and_what_a_fetch_lacks_are_on_the_agent_s_page(
    instruments: Instruments, observer: Observer
) -> None:
    exposition = Exposition(instruments)
    assert told(exposition.page()[0]) == {("g6_participants_missing_files", (), 0.0)}
    observer.participants(REPORT)
    observer.participants_fetched(4)
    # Midnight in India is half past six in the evening of the day before in Greenwich.
    midnights = {kind: datetime(2026, 11, day, 18, 30, tzinfo=UTC) for kind, day in (("oi", 18), ("cash", 19))}
    name = "g6_participants_last_day_timestamp_seconds"
    assert told(exposition.page()[0]) == {
        ("g6_participants_missing_files", (), 4.0),
        *((name, (kind,), midnight.timestamp()) for kind, midnight in midnights.items()),
    }


def test_standings_and_cash_are_on_the_page_of_options_and_what_is_not_known_is_not(
    instruments: Instruments, snapshot: Callable[..., Snapshot], chain: Callable[..., OptionChain]
) -> None:
    page = OptionsPage(instruments)
    page.render(snapshot(chain()), participants=REPORT)
    assert told(page.current.plain) == {
        ("g6_participants_net_contracts", ("FII", "future_index"), -60.0),
        ("g6_participants_net_contracts", ("DII", "option_index_put"), 30.0),
        ("g6_participants_long_short_ratio", ("FII", "future_index"), 0.25),
        ("g6_participants_cash_net_rupees", ("FII",), -15_000_000.0),
    }
    families = text_string_to_metric_families(page.current.plain.decode())
    assert page.current.series == sum(len(family.samples) for family in families)
