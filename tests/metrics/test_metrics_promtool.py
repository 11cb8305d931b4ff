"""Both pages in the eyes of Prometheus' own checker."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from g6.analytics import MEASURES
from g6.metrics.exposition import Exposition
from g6.metrics.instruments import Instruments, Known
from g6.metrics.observe import Observer
from g6.metrics.options_page import OptionsPage
from g6.model.chain import OptionChain
from g6.model.report import CycleReport
from g6.model.snapshot import Snapshot


@pytest.fixture
def check() -> Callable[[bytes], None]:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")

    def run(page: bytes) -> None:
        checked = subprocess.run(
            [promtool, "check", "metrics"],
            check=False,
            input=page,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        assert (checked.returncode, checked.stdout.decode()) == (0, "")

    return run


def test_promtool_finds_nothing_wrong_with_the_page_of_the_agent(
    check: Callable[[bytes], None], instruments: Instruments, observer: Observer, report: Callable[..., CycleReport]
) -> None:
    check(Exposition(instruments).page()[0])
    observer.session({"NSE": True, "BSE": True}, date(2026, 12, 31))
    observer.cycle(report())
    check(Exposition(instruments).page()[0])


def test_promtool_finds_nothing_wrong_with_the_page_of_options(
    check: Callable[[bytes], None],
    instruments: Instruments,
    snapshot: Callable[..., Snapshot],
    chain: Callable[..., OptionChain],
) -> None:
    page = OptionsPage(instruments)
    check(page.current.plain)
    page.render(snapshot())
    check(page.current.plain)
    page.render(snapshot(chain("NIFTY", 40), chain("SENSEX", 20)))
    check(page.current.plain)


def test_promtool_finds_nothing_wrong_with_the_measures(
    check: Callable[[bytes], None],
    known: Known,
    snapshot: Callable[..., Snapshot],
    chain: Callable[..., OptionChain],
) -> None:
    values = {measure.name: 1.5 for measure in MEASURES}
    minute = snapshot(chain("NIFTY", aggregates=values))
    (index,) = minute.indices
    page = OptionsPage(Instruments(replace(known, measures=MEASURES)))
    page.render(replace(minute, indices=(replace(index, aggregates=values),)))
    assert b"g6_index_net_gex_rupees" in page.current.plain
    check(page.current.plain)
