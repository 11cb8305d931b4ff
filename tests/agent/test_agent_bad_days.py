"""Days without a session, and mistakes that a person must mend: a clear line and the right exit code."""

import socket

import pytest
from agent_process import rows_of, tree_of
from bent_agent import DAY, PLAIN, minutes, overview

from g6 import cli

# The clock and the calendar.


def test_the_end_of_the_calendar_ends_the_run_by_one_line_after_its_last_minute(here, capsys):
    assert cli.main([*PLAIN, "--at", "2026-12-31T15:43+05:30", "--cycles", "6"]) == 2
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert "2027-01-01 is outside the session calendar, which covers 2024-01-01 to 2026-12-31" in line
    assert minutes(overview(here, "NIFTY", "2026-12-31")) == ["15:43", "15:44"]
    # What was written until then is durable: the next run has nothing to supply.
    assert cli.main([*PLAIN, "--at", "2026-12-31T15:44+05:30", "--run-once"]) == 0
    assert "supplied" not in capsys.readouterr().err


@pytest.mark.parametrize("at", ["2023-12-29T10:00+05:30", "2027-01-04T10:00+05:30", "0001-01-01T00:00+00:00"])
def test_a_day_outside_the_calendar_is_refused(here, capsys, at):
    assert cli.main([*PLAIN, "--at", at, "--run-once"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "outside the session calendar" in line
    assert "calendar.yaml" in line


@pytest.mark.parametrize(
    ("at", "first"),
    [
        ("2026-11-20T08:00+05:30", "2026-11-20 09:15"),  # before the open
        ("2026-11-21T10:00+05:30", "2026-11-23 09:15"),  # a Saturday
        ("2026-01-26T10:00+05:30", "2026-01-27 09:15"),  # Republic Day
        ("2026-11-08T18:20+05:30", "2026-11-08 18:20"),  # Muhurat trading, on a Sunday evening
        ("2024-03-02T10:00+05:30", "2024-03-02 11:30"),  # between the two windows of a Saturday's live drill
    ],
)
def test_the_first_minute_is_the_next_one_of_a_session(here, capsys, at, first):
    assert cli.main([*PLAIN, "--at", at, "--run-once"]) == 0
    told = capsys.readouterr()
    (minute,) = [line for line in told.out.splitlines() if " ok: " in line]
    assert minute.startswith(first)
    assert ("closed; the next minute is" in told.err) == (at[:16].replace("T", " ") != first)


@pytest.mark.long
def test_a_run_goes_on_over_the_close_and_the_weekend(here):
    assert cli.main([*PLAIN, "--at", f"{DAY}T15:38+05:30", "--cycles", "4"]) == 0
    assert minutes(overview(here, "NIFTY")) == ["15:38", "15:39"]
    assert minutes(overview(here, "NIFTY", "2026-11-23")) == ["09:15", "09:16"]


def test_of_several_ticks_in_a_minute_the_last_one_is_stored(here):
    run = [*PLAIN[:-2], "--interval", "15", "--data-dir"]
    assert cli.main([*run, "data", "--at", f"{DAY}T10:00+05:30", "--cycles", "4"]) == 0
    assert cli.main([*run, "last", "--at", f"{DAY}T10:00:45+05:30", "--run-once"]) == 0
    assert tree_of(here / "data") == tree_of(here / "last")
    assert minutes(overview(here, "NIFTY")) == ["10:00"]


def test_a_long_interval_is_aligned_to_the_clock(here):
    assert cli.main([*PLAIN, "--interval", "300", "--at", f"{DAY}T10:02+05:30", "--cycles", "3"]) == 0
    assert minutes(overview(here, "NIFTY")) == ["10:00", "10:05", "10:10"]


# Arguments and files that a person must mend: one line each, exit 2, nothing collected.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--indices", "NIFTY,NIFTI"], "NIFTI is not defined in indices.yaml; did you mean NIFTY?"),
        (["--set", "colection.interval_seconds=30"], "the nearest known key is collection"),
        (["--set", "collection.interval_seconds=soon"], "soon is not allowed; allowed: a whole number from 1"),
        (["--set", "market.calendar_override_file=absent.yaml"], "absent.yaml: cannot be read"),
        (["--set", "market.calendar_override_file=torn.yaml"], "torn.yaml: not readable as YAML"),
        (["--set", "market.calendar_file=torn.yaml"], "torn.yaml: not readable as YAML"),
        (["--set", "market.indices_file=other.yaml"], "other.yaml: top level: 'holidays'"),
        (["--set", "market.calendar_override_file=other.yaml"], "other.yaml: holidays: 3 is not of type 'array'"),
        (["--set", "logging.file=file/x.log"], "name a file that can be written"),
        (["--data-dir", "file"], "file is not a directory; remove it or choose another --data-dir"),
        (["--data-dir", "file/below"], "choose another --data-dir"),
        (["--provider", "replay", "--source", "absent"], "absent is not a folder"),
        (["--provider", "replay", "--source", "."], "nothing can be replayed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_nothing_is_collected(here, capsys, arguments, said):
    (here / "file").write_text("x")
    (here / "torn.yaml").write_text("covers: [")
    (here / "other.yaml").write_text("holidays: 3")
    assert cli.main(["--run-once", "--port", "0", "--concise", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not list(here.rglob("*.sqlite3"))


def test_a_taken_port_is_one_line_and_nothing_is_collected(here, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main([*PLAIN[2:], "--port", str(port), "--run-once"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"port {port} on 127.0.0.1 is taken; choose another with --port" in line
    assert not list(here.rglob("*.sqlite3"))


def test_a_replay_from_after_its_last_minute_says_so(here, capsys):
    assert cli.main([*PLAIN, "--at", f"{DAY}T10:00+05:30", "--cycles", "2"]) == 0
    replay = ["--provider", "replay", "--source", "data", "--data-dir", "again", "--port", "0", "--at"]
    assert cli.main([*replay, "2026-11-21T00:00+05:30"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "after the last minute of" in line


def test_a_data_directory_may_have_any_name(here):
    assert cli.main([*PLAIN[:-1], "Daten für अ & b", "--at", f"{DAY}T10:00+05:30", "--run-once"]) == 0
    assert len(rows_of(here / "Daten für अ & b" / "csv" / "NIFTY" / "overview" / f"{DAY}.csv")) == 1
