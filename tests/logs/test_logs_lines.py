"""A line: for people or for machines, with its cycle, and never a second copy of what the terminal shows."""

import contextvars
import json
import logging
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from g6.errors import ConfigError
from g6.logs import CYCLE, MINUTES, cycle, set_up_logs
from g6.logs.setup import LIBRARIES

MINUTE = "2026-11-20T10:01/v1"


def entries(capsys) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_machines_get_one_object_a_line_minutes_included(capsys):
    set_up_logs("INFO", "json", None)
    logging.getLogger("g6.storage").warning("torn %s", "line")
    logging.getLogger(MINUTES).info("ok: …")
    told = entries(capsys)
    assert [(e["level"], e["logger"], e["message"]) for e in told] == [
        ("WARNING", "g6.storage", "torn line"), ("INFO", MINUTES, "ok: …"),
    ]  # fmt: skip
    assert all(e["ts"].endswith("Z") for e in told)


def test_people_see_a_minute_once_and_their_file_has_it(capsys, tmp_path):
    file = tmp_path / "logs" / "g6.log"
    set_up_logs("INFO", "text", file)
    logging.getLogger(MINUTES).info("ok: 868/868 quotes")
    logging.getLogger("g6.wiring").warning("look here")
    told = capsys.readouterr().err
    assert "868" not in told
    assert re.fullmatch(r"\d\d:\d\d:\d\d WARNING look here\n", told)
    first, second = file.read_text().splitlines()
    assert first.endswith("INFO minute ok: 868/868 quotes")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARNING wiring look here", second)


def test_verbose_shows_all_there_is_with_the_loggers_names_libraries_too(capsys):
    set_up_logs("ERROR", "text", None, verbose=True)
    logging.getLogger("g6.storage.journal").debug("a page")
    logging.getLogger("urllib3.connectionpool").debug("a connection")
    told = capsys.readouterr().err
    assert "DEBUG storage.journal a page" in told
    assert "DEBUG urllib3.connectionpool a connection" in told


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_is_heard_from_a_warning_on(capsys, name):
    set_up_logs("DEBUG", "text", None)
    logging.getLogger(f"{name}.part").info("chatter")
    logging.getLogger(f"{name}.part").warning("trouble")
    told = capsys.readouterr().err
    assert "chatter" not in told
    assert "trouble" in told


def test_a_library_is_no_louder_than_the_level_asked_for(capsys):
    set_up_logs("ERROR", "text", None)
    logging.getLogger("urllib3.connectionpool").warning("trouble")
    assert capsys.readouterr().err == ""


def test_every_line_of_a_cycle_carries_it_and_none_outside_does(capsys):
    set_up_logs("INFO", "json", None)
    log = logging.getLogger("g6.x")
    log.info("before")
    with cycle(MINUTE):
        log.info("within")
    log.info("after")
    assert [e.get("cycle") for e in entries(capsys)] == [None, MINUTE, None]


def test_people_get_the_cycles_minute(capsys):
    set_up_logs("INFO", "text", None)
    with cycle(MINUTE):
        logging.getLogger("g6.x").info("within")
    assert capsys.readouterr().err.rstrip().endswith("INFO [10:01] within")


def test_a_cycle_that_breaks_off_is_over(capsys):
    def broken():
        with cycle(MINUTE):
            raise ValueError

    set_up_logs("INFO", "json", None)
    with pytest.raises(ValueError, match=r"^$"):
        broken()
    assert CYCLE.get() == ""


def test_workers_with_a_copied_context_carry_the_cycle_and_strangers_do_not(capsys):
    set_up_logs("INFO", "json", None)
    log = logging.getLogger("g6.x")
    with cycle(MINUTE), ThreadPoolExecutor(1) as pool:
        pool.submit(contextvars.copy_context().run, log.info, "worker").result()
        stranger = threading.Thread(target=log.info, args=("stranger",))
        stranger.start()
        stranger.join()
    assert {e["message"]: e.get("cycle") for e in entries(capsys)} == {"worker": MINUTE, "stranger": None}


def test_a_vendors_words_cannot_pass_for_a_line_or_move_the_cursor(capsys):
    set_up_logs("INFO", "text", None)
    try:
        raise ValueError("x\n10:00:00 CRITICAL forged")
    except ValueError:
        logging.getLogger("g6.x").exception("said: %s", "a\n10:00:00 CRITICAL forged\x1b[2J\rb")
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if not line.startswith("    ")] == [lines[0]]
    assert "\x1b" not in "".join(lines)
    assert "\\x1b" in "".join(lines)


def test_a_call_whose_arguments_do_not_fit_is_a_line_all_the_same(capsys):
    class Sullen:
        def __str__(self) -> str:
            raise RuntimeError("no")

    set_up_logs("INFO", "text", None)
    logging.getLogger("g6.x").warning(*("%d of %d", "one"))
    logging.getLogger("g6.x").warning("it is %s", Sullen())
    told = capsys.readouterr().err
    assert "%d of %d (its arguments do not fit: TypeError)" in told
    assert "it is %s (its arguments do not fit: RuntimeError)" in told
    assert "Logging error" not in told


def test_machines_get_what_a_call_gave_beside_its_text(capsys):
    set_up_logs("INFO", "json", None)
    extra = {"index": "NIFTY", "legs": 217, "ratio": float("nan"), "codes": ("a", "b"), "level": "mine", "path": {1: 2}}
    logging.getLogger("g6.x").info("told", extra=extra)
    (told,) = entries(capsys)
    assert {name: told[name] for name in ("index", "legs", "ratio", "codes", "path")} == {
        "index": "NIFTY", "legs": 217, "ratio": None, "codes": ["a", "b"], "path": {"1": 2},
    }  # fmt: skip
    assert told["level"] == "INFO"


def test_a_line_has_an_end(capsys):
    set_up_logs("INFO", "json", None)
    logging.getLogger("g6.x").info("%s", "a" * 1_000_000)
    (told,) = entries(capsys)
    assert len(told["message"]) < 33_000
    assert told["message"].endswith("967232 characters more)")


def test_setting_up_again_replaces_what_was(capsys, tmp_path):
    set_up_logs("INFO", "text", tmp_path / "one.log")
    set_up_logs("INFO", "text", tmp_path / "two.log")
    logging.getLogger("g6.x").info("once")
    assert capsys.readouterr().err.count("once") == 1
    assert (tmp_path / "one.log").read_text() == ""
    assert (tmp_path / "two.log").read_text().count("once") == 1


def test_a_log_file_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"logging\.file .*name a file that can be written"):
        set_up_logs("INFO", "text", tmp_path / "file" / "g6.log")


def test_no_standard_error_loses_lines_and_stops_nobody(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stderr", None)
    set_up_logs("INFO", "text", tmp_path / "g6.log")
    logging.getLogger("g6.x").info("heard by the file")
    assert "heard by the file" in (tmp_path / "g6.log").read_text()
