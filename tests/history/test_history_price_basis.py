"""Premiums and profiles on a price basis of one's choice: sums of the stored legs, archived or not."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from recorded_days import DAY, minutes, record

from g6 import history
from g6.errors import ConfigError
from g6.masters.daily_files import read_day
from g6.masters.profile import SMOOTHING
from g6.masters.rebuild import build_masters
from g6.reports.overlay import overlay_of
from g6.storage.archive import archive_day

EARLIER = [DAY - timedelta(weeks=2), DAY - timedelta(weeks=1)]
DAYS = [*EARLIER, DAY]
COLUMN = {"last": "last", "average": "average_price"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three weeks' same weekday, the first archived and without its files; masters of the recorded basis."""
    folder = tmp_path_factory.mktemp("data")
    for day in DAYS:
        record(folder, minutes(3, day))
    build_masters(folder, ((day, read_day(folder, day) or {}) for day in DAYS), {"NIFTY": "NIFTY 50"})
    archive_day(folder, EARLIER[0])
    for path in folder.glob(f"csv/**/{EARLIER[0]}.csv"):
        path.unlink()
    return folder


@pytest.mark.parametrize("basis", list(COLUMN))
@pytest.mark.parametrize("day", [EARLIER[0], DAY])
def test_a_total_is_the_sum_of_the_prices_that_were_asked_for(root: Path, basis: str, day: date) -> None:
    column = COLUMN[basis]
    table = history.chain("NIFTY", day, expiry="this_week", price_basis=basis, data_dir=root)
    assert len(table)
    for row in table.rows():
        call, put = row[f"ce_{column}"], row[f"pe_{column}"]
        assert row["premium_basis"] == column
        assert row["total_premium"] == (None if call is None or put is None else pytest.approx(call + put, abs=1e-4))
    assert table.columns == history.chain("NIFTY", day, expiry="this_week", data_dir=root).columns


def test_the_recorded_basis_gives_what_was_recorded(root: Path) -> None:
    asked = {"expiry": "this_month", "data_dir": root}
    assert history.chain("NIFTY", EARLIER[0], DAY, price_basis="last", **asked).rows() == (
        history.chain("NIFTY", EARLIER[0], DAY, **asked).rows()
    )


@pytest.mark.parametrize("offset", ["atm", "p1", "p1m1"])
def test_masters_of_the_recorded_basis_are_those_that_are_kept(root: Path, offset: str) -> None:
    kept = history.masters("NIFTY", expiry="this_week", offset=offset, data_dir=root)
    anew = history.masters("NIFTY", expiry="this_week", offset=offset, price_basis="last", data_dir=root)
    assert len(kept) == 3
    assert anew.rows() == kept.rows()
    assert anew.columns == kept.columns


def test_masters_of_averages_are_those_of_the_days_sums(root: Path) -> None:
    rows = history.masters("NIFTY", price_basis="average", data_dir=root).rows()
    days = [
        history.chain("NIFTY", day, expiry="this_week", offset="atm", data_dir=root).pandas().set_index("ts")
        for day in DAYS
    ]
    totals = np.array([(day["ce_average_price"] + day["pe_average_price"]).to_numpy() for day in days])
    assert [row["n"] for row in rows] == [3, 3, 3]
    for name, wanted in {"mean": totals.mean(0), "min": totals.min(0), "max": totals.max(0)}.items():
        assert [row[name] for row in rows] == pytest.approx(wanted.tolist(), abs=1e-4)
    smoothed = totals[0]
    for day in totals[1:]:
        smoothed = (1 - SMOOTHING) * smoothed + SMOOTHING * day
    assert [row["exponential_mean"] for row in rows] == pytest.approx(smoothed.tolist(), abs=2e-4)


def test_masters_of_another_weekday_or_index_are_empty(root: Path) -> None:
    other = f"{DAY + timedelta(days=1):%A}"
    assert len(history.masters("NIFTY", weekday=other, price_basis="average", data_dir=root)) == 0
    assert len(history.masters("NIFTY", weekday=f"{DAY:%A}", price_basis="average", data_dir=root)) == 3
    assert len(history.masters("BANKEX", price_basis="average", data_dir=root)) == 0


def test_an_unknown_basis_is_told_with_those_that_there_are(root: Path) -> None:
    for ask in (
        lambda: history.chain("NIFTY", DAY, price_basis="mid", data_dir=root),
        lambda: history.masters("NIFTY", price_basis="mid", data_dir=root),
    ):
        with pytest.raises(ConfigError, match="they are last, average"):
            ask()


def test_noise_has_a_row_per_expiry_code_and_basis(root: Path) -> None:
    rows = history.premium_noise("NIFTY", DAY, data_dir=root).rows()
    codes = list(dict.fromkeys(row["expiry_code"] for row in rows))
    assert codes
    assert [(row["expiry_code"], row["price_basis"]) for row in rows] == [(c, b) for c in codes for b in COLUMN]
    assert all(row["returns"] <= 2 for row in rows)
    assert all(row["deviation"] is None or np.isnan(row["deviation"]) for row in rows)
    assert len(history.premium_noise("NIFTY", DAY + timedelta(days=1), data_dir=root)) == 0


def test_the_words_are_those_of_the_setting(project: Path) -> None:
    from g6.settings import schema
    from g6.storage.csv_layout import PREMIUM_COLUMNS

    assert [*PREMIUM_COLUMNS] == schema.leaves()["greeks.price_basis"]["enum"]


def test_an_overlay_of_the_recorded_basis_is_that_of_the_masters(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from g6.cli.overlay import main
    from g6.cli.surroundings import Surroundings

    arguments = ["--index", "NIFTY", "--date", str(DAY), "--out", str(root / "out"), "--data-dir", str(root)]
    assert main([*arguments, "--price-basis", "last"], Surroundings({}, root)) == 0
    said = capsys.readouterr().out.splitlines()[0]
    assert said.replace(" by last prices", "") == str(overlay_of(root, "NIFTY", "this_week", "atm", DAY))
    assert main([*arguments, "--price-basis", "average"], Surroundings({}, root)) == 0
    said, page, _ = capsys.readouterr().out.splitlines()
    rows = history.chain("NIFTY", DAY, expiry="this_week", offset="atm", price_basis="average", data_dir=root).rows()
    assert f"by average prices, {DAY:%a %d %b %Y}: {rows[-1]['total_premium']:,.2f} at" in said
    assert "by average prices" in Path(page).read_text()
    with pytest.raises(ConfigError, match="nothing of BANKEX this_week atm is recorded"):
        main(["--index", "BANKEX", *arguments[2:], "--price-basis", "last"], Surroundings({}, root))


def test_the_command_shows_noise_as_a_table_and_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from g6.cli.basis import main
    from g6.cli.surroundings import Surroundings

    around, where = Surroundings({}, root), ["--data-dir", str(root), "--index", "NIFTY"]
    assert main(where, around) == 0
    page = capsys.readouterr().out
    assert f"total premium at atm, {DAY:%a %d %b %Y}" in page
    assert "average" in page
    assert main([*where, "--date", str(EARLIER[0]), "--json"], around) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["price_basis"] for row in rows} == set(COLUMN)
    for wrong in (["--date", "2020-01-01"], ["--offset", "far"], ["--date", "today"]):
        with pytest.raises(ConfigError):
            main([*where, *wrong], around)
