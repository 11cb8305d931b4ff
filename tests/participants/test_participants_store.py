"""What is stored is a function of the days, in whatever order and however often they come."""

import io
import itertools
import threading
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from participant_files import cash_json, contracts_rows, contracts_text

from g6.errors import SinkError
from g6.participants.contracts_file import parse_contracts
from g6.participants.days import CLASSES, Cash, Flow
from g6.participants.recognise import days_in
from g6.participants.store import ParticipantStore

DAYS = [date(2026, 10, d) for d in (6, 7, 9)]


def contracts(day, scale=1, word="oi"):
    return parse_contracts(contracts_text(day, word, contracts_rows(scale)))


def files(root):
    return {path.name: path.read_bytes() for path in (root / "participants").glob("*.csv")}


def test_order_and_repetition_change_nothing(tmp_path):
    days = [contracts(day, scale) for scale, day in enumerate(DAYS, start=1)]
    ParticipantStore(tmp_path / "once").take(days)
    wanted = files(tmp_path / "once")
    for number, order in enumerate(itertools.permutations(days)):
        root = tmp_path / str(number)
        for day in order:
            assert [one.change for one in ParticipantStore(root).take([day])] == ["stored"]
        assert [one.change for one in ParticipantStore(root).take(order)] == ["unchanged"] * 3
        assert files(root) == wanted


def test_what_is_stored_is_what_was_taken(tmp_path):
    store = ParticipantStore(tmp_path)
    days = [contracts(day, 3, word) for day in DAYS for word in ("oi", "vol")]
    (cash,) = days_in(cash_json(DAYS[0], ("10.1", "7.05", "3.05"), ("1", "2", "-1")).encode())
    store.take([*days, cash])
    assert list(store.contracts("oi").values()) == [day for day in days if day.kind == "oi"]
    assert list(store.contracts("volume").values()) == [day for day in days if day.kind == "volume"]
    assert store.cash() == {DAYS[0]: cash}


def test_changes_are_those_between_stored_days_by_another_library(tmp_path):
    ParticipantStore(tmp_path).take(contracts(day, scale) for scale, day in zip((5, 2, 11), DAYS, strict=True))
    frame = pd.read_csv(io.BytesIO(files(tmp_path)["oi.csv"]), parse_dates=["date", "previous_date"])
    assert frame["date"].is_monotonic_increasing
    assert (frame["net"] == frame["long"] - frame["short"]).all()
    groups = frame.groupby(["participant", "instrument"])
    for name in ("long", "short", "net"):
        pd.testing.assert_series_equal(groups[name].diff(), frame[f"change_{name}"], check_names=False)
    pd.testing.assert_series_equal(groups["date"].shift(), frame["previous_date"], check_names=False)
    ratio = (frame["long"] / frame["short"]).where(frame["short"] > 0)
    pd.testing.assert_series_equal(ratio, frame["long_short_ratio"], check_names=False, atol=1e-6)
    assert frame["long_short_ratio"].isna().sum() == 3  # nobody of DII is short of index puts
    assert (frame.loc[frame["participant"] == "TOTAL", "net"] == 0).all()
    sums = frame[frame["participant"].isin(CLASSES)].groupby(["date", "instrument"])["net"].sum()
    assert (sums == 0).all()


def test_cash_changes_are_those_of_the_net(tmp_path):
    flows = {day: Flow(10.0 * n, 4.0, round(10.0 * n - 4.0, 2)) for n, day in enumerate(DAYS, start=1)}
    ParticipantStore(tmp_path).take(Cash(day, {"DII": flow, "FII": flow}) for day, flow in flows.items())
    frame = pd.read_csv(io.BytesIO(files(tmp_path)["cash.csv"]))
    assert frame["change_net"].isna().tolist() == [True, True, False, False, False, False]
    assert set(frame["change_net"].dropna()) == {10.0}


def test_a_day_that_the_exchange_has_changed_replaces_the_earlier_one(tmp_path):
    store = ParticipantStore(tmp_path)
    store.take([contracts(DAYS[0]), contracts(DAYS[1])])
    assert [one.change for one in store.take([contracts(DAYS[0], 2)])] == ["replaced"]
    assert store.contracts("oi") == {DAYS[0]: contracts(DAYS[0], 2), DAYS[1]: contracts(DAYS[1])}


def test_oddities_that_were_tolerated_are_no_difference(tmp_path):
    store = ParticipantStore(tmp_path)
    store.take([replace(contracts(DAYS[0]), notes=("odd",))])
    assert [one.change for one in store.take([contracts(DAYS[0])])] == ["unchanged"]


def test_a_file_that_says_the_same_is_left_alone(tmp_path):
    store = ParticipantStore(tmp_path)
    store.take([contracts(DAYS[0])])
    before = store.path("oi").stat()
    store.take([contracts(DAYS[0])])
    after = store.path("oi").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_writers_at_once_lose_nothing(tmp_path):
    days = [contracts(date(2026, 10, d)) for d in range(1, 13)]
    threads = [threading.Thread(target=ParticipantStore(tmp_path).take, args=([day],)) for day in days]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(ParticipantStore(tmp_path).contracts("oi")) == [day.day for day in days]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "".join(text.splitlines(keepends=True)[:-1]),
        lambda text: text.replace("2026-10-06", "2026-13-06", 1),
        lambda text: text.replace("date,", "day,", 1),
        lambda text: text.replace("FII,future_index,20", "FII,future_index,x"),
    ],
)
def test_a_damaged_file_is_told_and_not_written_over(tmp_path, damage):
    store = ParticipantStore(tmp_path)
    store.take([contracts(DAYS[0])])
    store.path("oi").write_text(damage(store.path("oi").read_text()))
    before = files(tmp_path)
    with pytest.raises(SinkError, match="fetch or import the days of oi again"):
        store.take([contracts(DAYS[1])])
    assert files(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_a_store_that_fails(tmp_path):
    (tmp_path / "participants").write_text("a file in its place")
    with pytest.raises(SinkError, match="cannot write below"):
        ParticipantStore(tmp_path).take([contracts(DAYS[0])])
