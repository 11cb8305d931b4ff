"""Expiry diagnosis: what the exchange's own list says of its codes, and what is said when it lacks something."""

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from g6.checks import expiries
from g6.checks.desk import Desk
from g6.model.contracts import FUTURE, PUT, ContractTable
from g6.providers.kite.instruments import decode_instruments

DAY = date(2026, 8, 18)  # a Tuesday: NIFTY's weeklies expire on it, its monthly on the month's last, the 25th
MEANT = {
    "NIFTY": {
        "this_week": date(2026, 8, 18), "next_week": date(2026, 8, 25),
        "this_month": date(2026, 8, 25), "next_month": date(2026, 9, 29),
    },
    "BANKNIFTY": {"this_month": date(2026, 8, 25), "next_month": date(2026, 9, 29)},
    "SENSEX": {
        "this_week": date(2026, 8, 20), "next_week": date(2026, 8, 27),
        "this_month": date(2026, 8, 27), "next_month": date(2026, 9, 24),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def real(market_data: Path) -> ContractTable:
    """The index derivatives that were listed on 18 August 2026."""
    file = market_data / "instruments" / "kite_index_derivatives_2026-08-18.csv.gz"
    return decode_instruments(gzip.decompress(file.read_bytes())).contracts


def test_the_real_list_gives_the_days_that_the_exchanges_published(
    real: ContractTable, desk_of: Callable[..., Desk]
) -> None:
    report = expiries.examine(desk_of(real, names=tuple(MEANT)))
    assert report.problems == ()
    for index in report.indices:
        assert {c.code: c.expiry for c in index.codes if c.expiry} == MEANT[index.index]
        assert all(code.reason for code in index.codes)


def test_every_contract_is_counted_once_and_every_expiry_has_its_codes_or_none(
    real: ContractTable, desk_of: Callable[..., Desk]
) -> None:
    (nifty,) = expiries.examine(desk_of(real)).indices
    assert sum(listed.calls + listed.puts + listed.futures for listed in nifty.listed) == nifty.contracts
    assert [listed.expiry for listed in nifty.listed if listed.futures] == [
        date(2026, 8, 25), date(2026, 9, 29), date(2026, 10, 27),
    ]  # fmt: skip
    for listed in nifty.listed:
        assert listed.codes == tuple(c.code for c in nifty.codes if c.expiry == listed.expiry)
        assert listed.days == (listed.expiry - DAY).days


def test_an_expiry_that_has_closed_is_listed_and_no_longer_meant(
    real: ContractTable, desk_of: Callable[..., Desk]
) -> None:
    (nifty,) = expiries.examine(desk_of(real, at="2026-08-18T15:45")).indices
    today = nifty.listed[0]
    assert (today.expiry, today.closed, today.codes) == (DAY, True, ())
    assert nifty.codes[0].expiry == date(2026, 8, 25)


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        pytest.param(lambda t: t.index != "NIFTY", "NIFTY: no contracts are listed; ", id="nothing"),
        pytest.param(
            lambda t: (t.kind != PUT) | (t.expiry != np.datetime64("2026-08-18")), "NIFTY 2026-08-18: no puts are",
            id="calls-only",
        ),
        pytest.param(
            lambda t: t.expiry == np.datetime64("2026-08-25"),
            "NIFTY next_month: no second monthly expiry is listed; the exchange should list one, ", id="one-month",
        ),
    ],
)  # fmt: skip
def test_what_is_lacking_is_a_problem_that_says_where_to_look(
    real: ContractTable, desk_of: Callable[..., Desk], kept: Callable[[ContractTable], Any], sentence: str
) -> None:
    problems = expiries.examine(desk_of(real.take(kept(real)))).problems
    assert any(problem.startswith(sentence) for problem in problems)
    assert all("; " in problem for problem in problems)


def test_a_week_code_of_an_index_without_weeklies_is_no_problem(
    real: ContractTable, desk_of: Callable[..., Desk]
) -> None:
    report = expiries.examine(desk_of(real, names=("BANKNIFTY",)))
    codes = {code.code: code for code in report.indices[0].codes}
    assert codes["this_week"].wanted
    assert (codes["this_week"].expiry, codes["this_week"].reason) == (None, "no weekly expiry is listed")
    assert report.problems == ()


def test_a_brokers_list_of_today_is_not_taken_for_that_of_an_earlier_day(
    real: ContractTable, desk_of: Callable[..., Desk]
) -> None:
    later = expiries.examine(desk_of(real), date(2026, 8, 19))
    assert later.problems == ()
    assert later.indices[0].codes[0].expiry == date(2026, 8, 25)
    (problem,) = expiries.examine(desk_of(real), date(2026, 8, 11)).problems
    assert "expired since 2026-08-11" in problem


def test_a_future_without_options_is_not_mistaken_for_an_expiry(
    real: ContractTable, desk_of: Callable[..., Desk]
) -> None:
    alone = (real.kind == FUTURE) | (real.expiry != np.datetime64("2026-10-27"))
    (nifty,) = expiries.examine(desk_of(real.take(alone))).indices
    october = next(listed for listed in nifty.listed if listed.expiry == date(2026, 10, 27))
    assert (october.calls, october.puts, october.futures, october.codes) == (0, 0, 1, ())


def test_the_command_tells_each_code_and_leaves_with_0(checked: Callable[..., tuple[int, str]]) -> None:
    code, out = checked("expiries", "--indices", "NIFTY,BANKNIFTY", "--at", "2026-11-20T10:00+05:30", "--set",
                        "console.force_ascii=true")  # fmt: skip
    assert code == 0
    assert out.isascii()
    lines = [" ".join(line.replace("|", " ").split()) for line in out.splitlines()]
    # Tuesday 24 November 2026 is a holiday (Guru Nanak Jayanti): the month's last Tuesday moves to the Monday before.
    assert any(line.startswith("this_month Mon 23 Nov 2026 3 ") for line in lines)
    assert "this_week - - - - - - no weekly expiry is listed" in lines
    assert lines[-1] == "ok"


def test_another_day_and_the_form_for_machines(checked_json: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    code, report = checked_json(
        "expiries", "--indices", "SENSEX", "--at", "2026-11-20T10:00+05:30", "--date", "2026-12-28"
    )
    assert code == 0
    meant = {c["code"]: c["expiry"] for c in report["indices"][0]["codes"]}
    assert meant["this_week"] == meant["this_month"] == "2026-12-31"  # the year's last Thursday
