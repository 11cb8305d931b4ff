"""After the close a day is folded, verified and archived by itself; a step that fails costs no other one."""

import json

import pytest
from bent_agent import DAY, run_bent, two_indices

from g6 import history

LAST_MINUTES = {"clock__at": f"{DAY}T15:35+05:30", "collection__expiries": "this_week"}
MONDAY = "2026-11-23"


@pytest.fixture
def last_minutes(settings_for):
    return lambda **changes: two_indices(settings_for, **LAST_MINUTES, **changes)


def score_of(tmp_path, day=DAY):
    return json.loads((tmp_path / "data" / "verify" / f"{day}.json").read_text())["score"]


def test_the_last_minute_of_a_session_is_followed_by_its_close(last_minutes, tmp_path):
    code, _ = run_bent(last_minutes(), cycles=5)
    assert code == 0
    root = tmp_path / "data"
    assert 0 < score_of(tmp_path) < 100, "five minutes of a day"
    assert (root / "archive" / "manifest" / f"{DAY}.json").exists()
    assert (root / "masters" / "NIFTY" / "this_week" / "atm" / "friday.csv").exists()
    rows = history.chain("NIFTY", DAY, expiry="this_week", offset="atm", data_dir=root).rows()
    assert len(rows) == 5


def test_a_day_in_hand_is_not_closed(last_minutes, tmp_path):
    run_bent(last_minutes(), cycles=4)
    assert not (tmp_path / "data" / "verify").exists()
    assert not list((tmp_path / "data").glob("archive/manifest/*"))


def test_a_loop_that_goes_on_closes_the_day_before_the_next_one(last_minutes, tmp_path):
    run_bent(last_minutes(), cycles=7)
    assert score_of(tmp_path) > 0
    assert not (tmp_path / "data" / "verify" / f"{MONDAY}.json").exists()
    assert len(list((tmp_path / "data" / "journal").glob("*.sqlite3"))) == 2


def test_one_minute_alone_is_no_day(settings_for, tmp_path):
    run_bent(two_indices(settings_for, clock__at=f"{DAY}T15:39+05:30"), cycles=1)
    assert not (tmp_path / "data" / "verify").exists()


def test_what_is_switched_off_is_not_done(last_minutes, tmp_path):
    off = {"storage__archive__enabled": "false", "storage__verify__after_close": "false"}
    run_bent(last_minutes(**off, storage__masters__enabled="false"), cycles=5)
    assert not [name for name in ("archive", "verify", "masters") if (tmp_path / "data" / name).exists()]


def test_a_step_that_cannot_be_done_is_told_and_the_others_are(last_minutes, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "archive").write_text("in the way")
    code, _ = run_bent(last_minutes(), cycles=5)
    assert code == 0, "the minutes were recorded"
    assert score_of(tmp_path) > 0
    assert (tmp_path / "data" / "masters" / "NIFTY").exists()
