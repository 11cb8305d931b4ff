"""`g6 participants`: exit codes, words and figures."""

import json
from datetime import date

import pytest
from participant_files import cash_json, contracts_rows, contracts_text

from g6 import history
from g6.cli.participants import main
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError

DAY, BEFORE = date(2026, 10, 8), date(2026, 10, 6)


@pytest.fixture
def command(tmp_path, capsys):
    def run(*arguments):
        code = main([*arguments, "--data-dir", str(tmp_path / "data")], Surroundings({}, tmp_path))
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def imported(command, tmp_path):
    (tmp_path / "a.csv").write_text(contracts_text(BEFORE))
    (tmp_path / "b.csv").write_text(contracts_text(DAY, rows=contracts_rows(1000)))
    (tmp_path / "c.json").write_text(cash_json(DAY, ("10", "4", "6"), ("1", "3", "-2")))
    assert command("import", "a.csv", "b.csv", "c.json")[0] == 0
    return command


def test_a_day_is_shown_with_its_changes_and_against_which_day(imported):
    code, page = imported("show")
    assert code == 0
    assert "open interest, contracts, Thu 08 Oct 2026; changes against Tue 06 Oct 2026" in page
    assert "volume, contracts bought and sold: nothing is stored of Thu 08 Oct 2026" in page
    assert "no earlier day to compare with" in page  # the cash
    fii = next(line.split() for line in page.splitlines() if "FII" in line and "futures" in line)
    assert fii == ["FII", "index", "futures", "20,000", "80,000", "-60,000", "-59,940", "0.25"]
    assert "stock" not in page
    assert "\x1b" not in page
    assert "stock puts" in imported("show", "--all")[1]


def test_json_has_null_where_nothing_is_known(imported):
    document = json.loads(imported("show", "--json")[1])
    assert document["date"] == "2026-10-08"
    rows = {(row["participant"], row["instrument"]): row for row in document["oi"]}
    assert rows["DII", "option_index_put"]["long_short_ratio"] is None
    assert rows["FII", "future_index"]["previous_date"] == "2026-10-06"
    assert document["volume"] == []
    assert document["cash"][0]["change_net"] is None
    assert json.loads(imported("show", "--json", "--date", "2026-10-06")[1])["oi"][0]["change_net"] is None


def test_history_answers_what_is_stored(imported, tmp_path):
    asked = {"kind": "oi", "participant": "FII", "instrument": "future_index", "data_dir": tmp_path / "data"}
    rows = history.participants(BEFORE, DAY, **asked).rows()
    assert [(row["date"], row["net"], row["change_net"]) for row in rows] == [
        (BEFORE, -60, None),
        (DAY, -60000, -59940),
    ]
    assert len(history.participants(DAY, data_dir=tmp_path / "data")) == 35
    assert len(history.participants(DAY, kind="volume", data_dir=tmp_path / "data")) == 0
    cash = history.participant_cash(DAY, data_dir=tmp_path / "data").rows()
    assert [(row["participant"], row["net"]) for row in cash] == [("DII", 6.0), ("FII", -2.0)]
    counted = history.sql("SELECT kind, count(*) AS n FROM participants GROUP BY kind", data_dir=tmp_path / "data")
    assert counted.rows() == [{"kind": "oi", "n": 70}]
    for wrong in ({"kind": "open"}, {"participant": "fii"}, {"instrument": "futures"}):
        with pytest.raises(ConfigError, match="they are"):
            history.participants(DAY, data_dir=tmp_path / "data", **wrong)


def test_views_are_there_and_empty_where_nothing_is_stored(tmp_path):
    assert len(history.participants(DAY, data_dir=tmp_path)) == 0
    assert len(history.participant_cash(DAY, data_dir=tmp_path)) == 0


def test_fetch_tells_each_file_and_ends_by_what_became_of_them(command, serve):
    server = serve(lambda path, _number: (200, contracts_text(DAY), None) if "_oi_" in path else (404, "", None))
    where = ["--set", f"participants.archives_url={server.url}", "--set", f"participants.site_url={server.url}"]
    patience = ["--set", "participants.pause_seconds=0", "--set", "participants.attempts=1"]
    code, said = command("fetch", "--date", "2026-10-08", "--kind", "oi,volume", *where, *patience)
    assert code == 3
    assert said.splitlines()[0] == "oi of 2026-10-08: stored"
    assert said.splitlines()[1].startswith("volume of 2026-10-08: absent, ")
    code, said = command("fetch", "--date", "2026-10-08", "--kind", "oi", "--json", *where, *patience)
    assert code == 0
    assert json.loads(said) == {
        "complete": True,
        "outcomes": [{"what": "oi of 2026-10-08", "state": "unchanged", "reason": "stored already", "notes": []}],
    }


def test_days_without_trade_are_not_asked_for(command, serve):
    server = serve(lambda _path, _number: (404, "", None))
    where = ["--set", f"participants.archives_url={server.url}", "--set", "participants.pause_seconds=0"]
    command("fetch", "--from", "2026-10-01", "--to", "2026-10-05", "--kind", "oi", *where)
    days = [path[-12:-4] for path in server.paths]
    assert days == ["01102026", "05102026"]  # the 2nd is a holiday, then comes the week's end


@pytest.mark.parametrize(
    "arguments",
    [
        ["show"],
        ["import", "nowhere.csv"],
        ["fetch", "--date", "2026-10-04"],
        ["fetch", "--date", "2026-10-08", "--from", "2026-10-01"],
        ["fetch", "--from", "2026-10-08", "--to", "2026-10-01"],
        ["fetch", "--date", "2099-01-01"],
        ["fetch", "--from", "2020-01-01", "--to", "2026-01-01"],
        ["fetch", "--kind", "options"],
        ["fetch", "--date", "yesterday"],
        [],
    ],
)
def test_mistakes_are_told_before_anything_is_asked(command, arguments):
    with pytest.raises(ConfigError):
        command(*arguments)


def test_a_day_that_is_not_stored_is_told_with_those_that_are(imported):
    with pytest.raises(ConfigError, match="2 days from 2026-10-06 to 2026-10-08"):
        imported("show", "--date", "2026-10-07")
