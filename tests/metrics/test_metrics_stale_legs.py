"""A leg is stale by the age of its own quote, and one without a stamp is not known to be."""

from collections.abc import Callable

import numpy as np

from g6.metrics.instruments import Instruments
from g6.metrics.observe import Observer
from g6.model.chain import OptionChain
from g6.model.report import CycleReport, ExpiryReport, IndexReport
from g6.model.snapshot import Snapshot


def test_legs_beyond_the_limit_are_counted_per_index(
    instruments: Instruments,
    observer: Observer,
    report: Callable[..., CycleReport],
    chain: Callable[..., OptionChain],
    snapshot: Callable[..., Snapshot],
) -> None:
    ages = np.array([0.0, 180.0, 180.5, 4000.0, np.nan, np.nan])
    minute = snapshot(chain("NIFTY", quote_age_seconds=ages), chain("SENSEX"))  # SENSEX has no stamps at all
    told = report(indices=tuple(IndexReport.of(index, 180.0) for index in minute.indices))
    for _ in range(2):
        observer.cycle(told)
    stale = [instruments.registry.get_sample_value("g6_legs_stale_total", {"index": i}) for i in ("NIFTY", "SENSEX")]
    assert stale == [4, 0]


def test_without_a_limit_no_leg_is_stale(chain: Callable[..., OptionChain]) -> None:
    assert ExpiryReport.of(chain(quote_age_seconds=np.full(6, 1e9))).stale == 0
