"""The governor's report arrives in /metrics as it was; what happened adds up, how things stand is the last word."""

import math

from g6.metrics.exposition import Exposition
from g6.metrics.instruments import Instruments
from g6.metrics.observe import Observer
from g6.model.pressure_report import SHED_KINDS, LevelChange, PressureReport, Reclaim

CALM = PressureReport(0, 300_000_000, None, "")
CRITICAL = PressureReport(
    level=3, rss_bytes=950_000_000, limit_bytes=1_000_000_000, limit_source="cgroup v1 limit", shed=SHED_KINDS,
    changes=(LevelChange(0, 1, "rss"), LevelChange(1, 3, "high_events")),
    reclaims=(Reclaim(50_000_000, effective=True), Reclaim(10, effective=False)),
    psi_some_ratio=0.12, uss_bytes=900_000_000,
)  # fmt: skip


def page_of(instruments: Instruments) -> dict[str, float]:
    lines = Exposition(instruments).page()[0].decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_before_anything_is_known_levels_and_counts_are_zero_and_sizes_unknown(
    instruments: Instruments, observer: Observer
) -> None:
    page = {name: value for name, value in page_of(instruments).items() if name.startswith("g6_governor")}
    unknown = {name for name, value in page.items() if math.isnan(value)}
    assert unknown == {f"g6_governor_{n}" for n in ("rss_bytes", "limit_bytes", "uss_bytes", "stalled_ratio")}
    assert all(value == 0 for name, value in page.items() if name not in unknown)
    assert {f'g6_governor_shed{{kind="{kind}"}}' for kind in SHED_KINDS} <= set(page)


def test_what_happened_adds_up_and_how_things_stand_is_the_last_word(
    instruments: Instruments, observer: Observer
) -> None:
    observer.pressure(CRITICAL)
    observer.pressure(CRITICAL)
    page = page_of(instruments)
    assert (page["g6_governor_level"], page["g6_governor_limit_bytes"]) == (3, 1e9)
    assert page['g6_governor_shed{kind="far_expiries"}'] == 1
    assert page["g6_governor_stalled_ratio"] == 0.12
    observer.pressure(CALM)
    page = page_of(instruments)
    assert (page["g6_governor_level"], page["g6_governor_rss_bytes"]) == (0, 3e8)
    assert page['g6_governor_shed{kind="far_expiries"}'] == 0
    assert math.isnan(page["g6_governor_limit_bytes"])
    assert math.isnan(page["g6_governor_stalled_ratio"])
    assert page['g6_governor_transitions_total{reason="rss"}'] == 2
    assert page['g6_governor_transitions_total{reason="high_events"}'] == 2
    assert page['g6_governor_transitions_total{reason="recovered"}'] == 0
    assert page["g6_governor_reclaims_total"] == 4
    assert page["g6_governor_reclaims_ineffective_total"] == 2
    assert page["g6_governor_reclaimed_bytes_total"] == 100_000_020


def test_memory_that_could_not_be_read_is_not_shown_as_none_in_use(
    instruments: Instruments, observer: Observer
) -> None:
    observer.pressure(PressureReport(0, 0, 1_000, "machine"))
    assert math.isnan(page_of(instruments)["g6_governor_rss_bytes"])


def test_a_page_that_follows_the_governor_needs_no_cycle(instruments: Instruments, observer: Observer) -> None:
    now = [CALM]
    observer.follow_pressure(lambda: now[0])
    assert page_of(instruments)["g6_governor_level"] == 0
    now[0] = CRITICAL
    page = page_of(instruments)
    assert (page["g6_governor_level"], page["g6_governor_uss_bytes"]) == (3, 9e8)
    assert page['g6_governor_shed{kind="greeks"}'] == 1
    assert page['g6_governor_transitions_total{reason="rss"}'] == 0, "a change is counted with its cycle"
