"""The log: one line an entry, for people or for machines, and never a second copy of what the terminal shows."""

import json
import logging

import pytest

from g6.console.logs import MINUTES, set_up_logs
from g6.errors import ConfigError


@pytest.fixture(autouse=True)
def root_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)


def test_machines_get_one_object_a_line_minutes_included(capsys):
    set_up_logs("INFO", "json", None)
    logging.getLogger("g6.storage").warning("torn %s", "line")
    logging.getLogger(MINUTES).info("ok: …")
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(e["level"], e["logger"], e["message"]) for e in entries] == [
        ("WARNING", "g6.storage", "torn line"), ("INFO", MINUTES, "ok: …"),
    ]  # fmt: skip
    assert all(e["ts"].endswith("Z") for e in entries)


def test_people_see_a_minute_once_and_their_file_has_it(capsys, tmp_path):
    file = tmp_path / "logs" / "g6.log"
    set_up_logs("INFO", "text", file)
    logging.getLogger(MINUTES).info("ok: 868/868 quotes")
    logging.getLogger("g6.wiring").warning("look here")
    told = capsys.readouterr().err
    assert "868" not in told
    assert told.rstrip().endswith("WARNING wiring: look here")
    assert "868/868" in file.read_text()


def test_a_log_file_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"logging\.file .*name a file that can be written"):
        set_up_logs("INFO", "text", tmp_path / "file" / "g6.log")
