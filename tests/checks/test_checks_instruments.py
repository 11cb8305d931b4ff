"""Instruments check: the real list is as the exchanges' rules have it, and each defect is told as what it is."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from g6.checks import instruments
from g6.checks.desk import Desk
from g6.model.contracts import CALL, FUTURE, ContractTable
from g6.model.provider_report import DumpReport
from g6.providers.kite.instruments import decode_instruments

ALL = ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "SENSEX", "BANKEX", "SENSEX50")
FRESH = DumpReport(date(2026, 8, 18), 9281)
Bend = Callable[[ContractTable], ContractTable]


@pytest.fixture(scope="module")
def real(market_data: Path) -> ContractTable:
    """The index derivatives that were listed on 18 August 2026."""
    file = market_data / "instruments" / "kite_index_derivatives_2026-08-18.csv.gz"
    return decode_instruments(gzip.decompress(file.read_bytes())).contracts


def test_the_real_list_of_all_indices_is_as_the_rules_have_it(
    real: ContractTable, desk_of: Callable[..., Desk]
) -> None:
    report = instruments.examine(desk_of(real, dump=FRESH, names=ALL))
    assert report.problems == ()
    assert report.age_days == 0
    assert sum(index.options + index.futures for index in report.indices) == np.isin(real.index, ALL).sum()
    assert not any(index.missing or index.beyond or index.deviations for index in report.indices)


def without(day: str) -> Bend:
    return lambda table: table.take(table.expiry != np.datetime64(day))


def with_lot(lot: int) -> Bend:
    return lambda t: replace(t, lot=np.where((t.index == "NIFTY") & (t.kind == FUTURE), lot, t.lot))


def with_tick(tick: float) -> Bend:
    return lambda t: replace(t, tick=np.where((t.index == "NIFTY") & (t.kind != FUTURE), tick, t.tick))


def without_puts_of(day: str) -> Bend:
    return lambda t: t.take((t.expiry != np.datetime64(day)) | np.isin(t.kind, (CALL, FUTURE)))


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        pytest.param(without("2026-09-01"), "NIFTY: 2026-09-01 should be listed and is not", id="missing-week"),
        pytest.param(with_lot(75), "NIFTY: the lot of 3 contracts expiring from 2026-08-25 to 2026-10-27 is 75, "
                                   "indices.yaml says 65", id="lot"),
        pytest.param(with_tick(0.01), "NIFTY: the option tick of 1722 contracts of them is 0.01, "
                                      "indices.yaml says 0.05", id="tick"),
        pytest.param(without_puts_of("2026-08-25"), "strikes have one side alone", id="one-sided"),
        pytest.param(lambda t: t.take(t.kind != FUTURE), "NIFTY: no futures are listed", id="no-futures"),
        pytest.param(lambda t: t.take(t.index != "NIFTY"), "NIFTY: no options are listed", id="nothing"),
    ],
)  # fmt: skip
def test_a_defect_of_the_list_is_one_problem_with_what_to_do(
    real: ContractTable, desk_of: Callable[..., Desk], bend: Bend, words: str
) -> None:
    (problem,) = instruments.examine(desk_of(bend(real), dump=FRESH)).problems
    assert words in problem
    assert "; " in problem


def test_a_dump_of_another_day_and_its_bad_rows_are_problems(real: ContractTable, desk_of: Callable[..., Desk]) -> None:
    stale = DumpReport(
        date(2026, 8, 17), 9300, {"strike": 3, "token": 1}, "NFO uses the instruments of 2026-08-17: late"
    )
    report = instruments.examine(desk_of(real, dump=stale))
    assert report.age_days == 1
    of_dump, of_rows = report.problems
    assert of_dump.startswith("the dump is of 2026-08-17: NFO uses")
    assert of_rows.startswith("4 rows of the dump make no sense (strike 3, token 1)")


def test_an_expiry_that_the_rules_do_not_foresee_is_counted_and_no_problem(
    real: ContractTable, desk_of: Callable[..., Desk]
) -> None:
    moved = replace(
        real, expiry=np.where(real.expiry == np.datetime64("2026-09-01"), np.datetime64("2026-09-02"), real.expiry)
    )
    (nifty,) = instruments.examine(desk_of(moved, dump=FRESH)).indices
    assert (nifty.missing, nifty.beyond) == ((date(2026, 9, 1),), (date(2026, 9, 2),))


def test_the_command_tells_of_every_configured_index(
    checked: Callable[..., tuple[int, str]], checked_json: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    at = ("--at", "2026-11-20T10:00+05:30", "--indices", "NIFTY,SENSEX")
    code, out = checked("instruments", *at)
    assert code == 0
    assert "none is needed" in out
    code, report = checked_json("instruments", *at)
    assert code == 0
    assert [index["index"] for index in report["indices"]] == ["NIFTY", "SENSEX"]
    assert report["contracts"] == sum(index["options"] + index["futures"] for index in report["indices"])
    assert report["dump"] is None


def test_a_recording_of_other_days_is_counted_and_not_blamed(
    market_data: Path, checked_json: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    folder = str(market_data / "nse_option_chain")
    code, report = checked_json("instruments", "--provider", "replay", "--source", folder)
    assert (code, report["problems"]) == (0, [])
    assert report["indices"][0]["one_sided"] > 0
