"""`g6 chain` over recorded days: what the journal or the archive holds, as a table and as JSON, and what it refuses."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from recorded_days import DAY, NEXT, journal_of, minutes, record

from g6.cli import main
from g6.storage.archive import archive_day
from g6.storage.data_directory import JOURNAL

BEFORE = DAY - timedelta(days=1)
Ask = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for day in (BEFORE, DAY):
        record(tmp_path / "data", minutes(3, day), csv=False)
    return tmp_path / "data"


@pytest.fixture
def chain(root: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(*arguments: str) -> str:
        assert main(["chain", *arguments, "--data-dir", str(root)]) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def refused(root: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Returns the one line that a request was refused with."""

    def run(*arguments: str, data_dir: Path = root) -> str:
        assert main(["chain", *arguments, "--data-dir", str(data_dir)]) == 2
        told = capsys.readouterr()
        (line,) = told.err.splitlines()
        assert told.out == ""
        return line

    return run


def test_without_more_it_is_the_last_minute_and_the_nearest_expiry(chain: Ask) -> None:
    first = chain("NIFTY").splitlines()[0]
    assert "24 Nov 26" in first
    assert f"{DAY} 09:17" in first


def test_any_minute_of_any_day_and_any_expiry_can_be_asked_for(chain: Ask) -> None:
    for arguments in (
        ("--date", str(BEFORE), "--at", "9:15"), ("--at", f"{BEFORE}T09:15"), ("--at", f"{BEFORE}T03:45+00:00"),
    ):  # fmt: skip
        assert f"{BEFORE} 09:15" in chain("NIFTY", *arguments).splitlines()[0]
    for expiry in ("next_month", str(NEXT[0])):
        assert "29 Dec 26" in chain("SENSEX", "--expiry", expiry).splitlines()[0]


def test_the_json_is_the_recorded_chain_to_the_last_bit(chain: Ask, root: Path) -> None:
    document = json.loads(chain("NIFTY", "--json", "--at", "09:16", "--expiry", "this_month"))
    with closing(journal_of(root)) as journal:
        recorded = journal.at(minutes(2)[1].minute)
    assert recorded is not None
    (stored,) = [c for c in recorded.indices[0].chains if "this_month" in c.codes]
    assert document["minute"] == "2026-11-20T09:16:00+05:30"
    assert document["measures"] == dict(stored.aggregates)
    told = {(row["strike"], side): row[side] for row in document["strikes"] for side in ("call", "put") if row[side]}
    assert len(told) == len(stored)
    for row in range(len(stored)):
        leg = told[float(stored.strike[row]), "call" if stored.is_call[row] else "put"]
        for name, value in leg.items():
            here = float(getattr(stored, name)[row])
            assert value == here or (value is None and np.isnan(here)), name


def test_an_archived_day_is_shown_as_it_was_from_its_journal(chain: Ask, root: Path) -> None:
    asked = ("NIFTY", "--date", str(BEFORE), "--at", "09:16")
    table = chain(*asked)
    archive_day(root, BEFORE)
    (root / JOURNAL / f"{BEFORE}.sqlite3").unlink()
    assert chain(*asked) == table
    assert f"{BEFORE} 09:17" in chain("NIFTY", "--date", str(BEFORE)).splitlines()[0]


def test_a_journal_that_is_being_written_is_read(chain: Ask, root: Path) -> None:
    with closing(journal_of(root)) as journal:
        journal.put(minutes(4)[3])
        assert f"{DAY} 09:18" in chain("NIFTY").splitlines()[0]


def test_ascii_and_columns_are_as_asked_for(chain: Ask) -> None:
    text = chain("NIFTY", "--ascii", "--columns", "ltp,oi", "--strikes", "1")
    assert text.isascii()
    heads = text.split("\n\n")[1].splitlines()[1].split()
    assert heads == ["OI", "LTP", "|", "strike", "|", "LTP", "OI"]
    assert chain("nifty", "--ascii", "--columns", "ltp,oi", "--strikes", "1") == text
    assert chain("NIFTY", "--columns", "build_up,volume", "--strikes", "all")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("NIFTI",), "the nearest is NIFTY"),
        (("NIFTY", "--at", "10:00"), f"{DAY} 10:00 is not recorded; the nearest of 3 minutes is 09:17"),
        (("NIFTY", "--at", "09:00"), "the nearest of 3 minutes is 09:15"),
        (("NIFTY", "--date", "2026-11-02"), "2026-11-02 is not recorded"),
        (("NIFTY", "--expiry", "2026-11-25"), "there are 2026-11-24 (this_week this_month), 2026-12-29 (next_month)"),
        (("NIFTY", "--expiry", "next_week"), "was refused: 3 of 10 legs, 80 % are wanted"),
        (("NIFTY", "--expiry", "weekly"), "none of this_week, next_week, this_month, next_month"),
        (("NIFTY", "--at", "25:99"), "no minute like 10:15"),
        (("NIFTY", "--at", f"{DAY}T09:15", "--date", str(BEFORE)), "leave one of them out"),
        (("NIFTY", "--strikes", "-1"), "--strikes"),
        (("NIFTY", "--columns", "price"), "none of oi, oi_change"),
    ],
)
def test_what_is_not_there_is_told_in_one_line_with_what_is(
    refused: Ask, arguments: tuple[str, ...], told: str
) -> None:
    assert told in refused(*arguments)


def test_a_directory_without_a_day_says_so_and_is_not_made(refused: Ask, tmp_path: Path) -> None:
    assert "holds no recorded day" in refused("NIFTY", data_dir=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_an_index_without_a_chain_says_why(refused: Ask, root: Path) -> None:
    (empty,) = minutes(1, expiries=())
    with closing(journal_of(root, date(2026, 11, 23))) as journal:
        shift = date(2026, 11, 23) - DAY
        from recorded_days import on

        journal.put(on(DAY + shift, empty))
    assert "NIFTY has no chain at 2026-11-23 09:15: 3 of 10 legs" in refused("NIFTY")
