"""The commands as a person types them: recorded by the agent, then rebuilt, copied, put back and imported."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from g6.cli.backup import main as backup
from g6.cli.importing import main as import_older
from g6.cli.rebuild import main as rebuild
from g6.cli.restore import main as restore
from g6.cli.surroundings import Surroundings
from g6.cli.verify import main as verify
from g6.errors import ConfigError, DataDirectoryBusy
from g6.settings import load
from g6.storage.archive import archive_day
from g6.storage.data_directory import DataDirectory
from g6.unified_main import run
from g6.verification import report_file


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """Three minutes of two indices, recorded by the agent on the simulator."""
    root = tmp_path_factory.mktemp("recorded") / "data"
    arguments = {
        "collection.indices": "NIFTY,SENSEX", "collection.strikes_itm": "2", "collection.strikes_otm": "2",
        "clock.at": "2026-11-20T10:00+05:30", "clock.speed": "max", "storage.data_dir": str(root),
        "metrics.enabled": "false", "console.concise": "true", "logging.level": "ERROR",
    }  # fmt: skip
    assert run(load(arguments, {}, root.parent), cycles=3) == 0
    return root


@pytest.fixture
def recorded(day, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(day, root)
    return root


@pytest.fixture
def around(tmp_path):
    return Surroundings({}, tmp_path)


def test_rebuild_gives_back_what_the_agent_wrote(recorded, around, tree, capsys):
    original = tree(recorded)
    shutil.rmtree(recorded / "csv")
    argv = ["--data-dir", str(recorded), "--workers", "1", "--from", "2026-11-20", "--to", "2026-11-20"]
    assert rebuild([*argv, "--what", "csv"], around) == 0
    assert tree(recorded) == original
    assert f"2026-11-20 csv: 3 minutes, {len(original)} files" in capsys.readouterr().out


def test_rebuild_waits_for_no_collector(recorded, around):
    with DataDirectory(recorded).hold(), pytest.raises(DataDirectoryBusy):
        rebuild(["--data-dir", str(recorded), "--what", "csv"], around)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--what", "cvs"], "known are csv"),
        (["--from", "someday"], "no day like 2026-11-20"),
        (["--workers", "0"], "from 1 to 999"),
    ],
)
def test_rebuild_names_what_it_does_not_understand(recorded, around, argv, said):
    with pytest.raises(ConfigError, match=said):
        rebuild(["--data-dir", str(recorded), *argv], around)


def test_a_day_that_fails_is_told_and_the_exit_code_says_so(recorded, around, tree, capsys):
    (recorded / next(iter(tree(recorded)))).write_bytes(b"a,b\n1,2\n")
    assert rebuild(["--data-dir", str(recorded), "--what", "csv", "--workers", "1"], around) == 3
    assert "2026-11-20 csv: failed: " in capsys.readouterr().out


def test_of_an_archived_day_masters_are_rebuilt_and_what_is_left_out_is_told(recorded, around, capsys):
    day, before = date(2026, 11, 20), tree_of(recorded / "masters")
    archive_day(recorded, day)
    (recorded / "journal" / f"{day}.sqlite3").unlink()
    shutil.rmtree(recorded / "masters")
    assert rebuild(["--data-dir", str(recorded), "--what", "csv,masters", "--workers", "1"], around) == 0
    said = capsys.readouterr().out
    assert "2026-11-20 csv: left as it is, the journal was removed" in said
    assert "2026-11-20 masters: 3 minutes" in said
    assert tree_of(recorded / "masters") == before
    with pytest.raises(ConfigError, match="no journal of the days asked for"):
        rebuild(["--data-dir", str(recorded), "--what", "csv"], around)
    with pytest.raises(ConfigError, match="--from 2026-11-21 is after --to 2026-11-20"):
        rebuild(["--data-dir", str(recorded), "--from", "2026-11-21", "--to", "2026-11-20"], around)


def tree_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.csv"))}


def test_backup_and_restore_give_back_every_file(recorded, around, tmp_path, tree, capsys):
    assert backup(["copies/one", "--data-dir", str(recorded)], around) == 0
    assert "1 journals of 3 minutes" in capsys.readouterr().out
    assert restore(["copies/one", "again"], around) == 0
    assert "every checksum right, 3 minutes" in capsys.readouterr().out
    assert tree(tmp_path / "again") == tree(recorded)


def bytes_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_backup_that_was_verified_is_what_it_was_and_can_be_restored(recorded, around, tmp_path, capsys):
    own = ["--data-dir", str(recorded), "--threshold", "0"]
    assert verify(own, around) == 0  # so that the copy has a report
    assert backup(["copies/one", "--data-dir", str(recorded)], around) == 0
    copy = tmp_path / "copies" / "one"
    before = bytes_in(copy)
    assert verify(["--data-dir", str(copy), "--threshold", "0"], around) == 0
    assert "left as it is" in capsys.readouterr().err
    after = bytes_in(copy)
    assert {name: after[name] for name in before} == before
    (copy / "verify" / "2026-11-20.json").write_text("{}")  # as releases before this one left it
    assert restore(["copies/one", "again"], around) == 0
    (copy / "verify" / "2026-11-20.json").unlink()
    assert restore(["copies/one", "once more"], around) == 0


def test_restored_days_are_verified_and_one_that_is_worth_less_than_its_report_is_told(
    recorded, around, tmp_path, capsys
):
    assert backup(["unverified", "--data-dir", str(recorded)], around) == 0
    assert restore(["unverified", "first"], around) == 0
    report = report_file.load(tmp_path / "first", date(2026, 11, 20))
    assert f"2026-11-20: verified, {report.score:.2f} of 100\n" in capsys.readouterr().out
    assert report.collected_minutes == 3
    report_file.store(recorded, replace(report, score=report.score + 1))
    assert backup(["worse", "--data-dir", str(recorded)], around) == 0
    assert restore(["worse", "second"], around) == 3
    assert f"of 100; its report said {report.score + 1:.2f}" in capsys.readouterr().out
    assert report_file.load(tmp_path / "second", date(2026, 11, 20)).score == report.score
    assert restore(["worse", "third", "--no-verify"], around) == 0


def test_import_values_the_chains_and_writes_the_present_files(around, tmp_path, capsys):
    for offset, strike, call, put in (("ITM_1", 23950, 131, 71), ("ATM", 24000, 100, 90), ("OTM_1", 24050, 74, 114)):
        path = tmp_path / "older" / "NIFTY" / "this_week" / offset / "2026-11-20.csv"
        path.parent.mkdir(parents=True)
        head = "timestamp,expiry,strike,atm,spot,call_last_price,put_last_price,tp_sum"
        path.write_text(f"{head}\n2026-11-20 10:00:02,2026-11-23,{strike},24000,24004,{call},{put},{call + put}\n")
    assert import_older(["older", "--data-dir", "data", "--json"], around) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["files"], report["minutes"], report["legs"]) == (3, 1, 6)
    header, row = (tmp_path / "data/csv/NIFTY/this_week/p1/2026-11-20.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert (cells["strike"], cells["atm"], cells["total_premium"]) == ("24050", "24000", "188")
    assert 0.05 < float(cells["ce_iv"]) < 0.4
    header, row = (tmp_path / "data/csv/NIFTY/overview/2026-11-20.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert (cells["this_week_straddle"], cells["this_week_atm_strike"]) == ("190", "24000")
    assert (Path(tmp_path) / "data" / "market").read_text() == "live\n"


def test_what_import_could_not_take_is_said_line_by_line(around, tmp_path, capsys):
    path = tmp_path / "older" / "NIFTX" / "this_week" / "ATM" / "2026-11-20.csv"
    path.parent.mkdir(parents=True)
    path.write_text("timestamp,strike\n")
    assert import_older(["older", "--data-dir", "data"], around) == 3
    assert "not taken: 1 x index NIFTX is not defined" in capsys.readouterr().out
