"""The log file: rotated by size; a disk that is full or a folder that goes costs lines, not the agent, and says so."""

import errno
import json
import logging
import os
import resource
import subprocess
import sys
import threading

import pytest

from g6.logs import set_up_logs, take_down_logs

log = logging.getLogger("g6.x")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "logs" / "g6.log"


def messages(path) -> list[str]:
    return [json.loads(line)["message"] for line in path.read_text().splitlines()]


def test_full_files_are_moved_aside_and_the_oldest_goes(file):
    set_up_logs("INFO", "json", file, max_bytes=1000, backups=2)
    for number in range(60):
        log.info("line %d", number)
    kept = [file.with_name("g6.log.2"), file.with_name("g6.log.1"), file]
    assert sorted(file.parent.iterdir()) == sorted(kept)
    assert all(path.stat().st_size <= 1000 for path in kept)
    told = [message for path in kept for message in messages(path)]
    assert told == [f"line {number}" for number in range(60 - len(told), 60)]
    assert len(told) > 20


def test_without_backups_a_full_file_begins_anew(file):
    set_up_logs("INFO", "json", file, max_bytes=1000, backups=0)
    for number in range(60):
        log.info("line %d", number)
    assert list(file.parent.iterdir()) == [file]
    assert messages(file)[-1] == "line 59"
    assert file.stat().st_size <= 1000


def test_without_a_limit_the_file_grows(file):
    set_up_logs("INFO", "json", file, max_bytes=0)
    for number in range(60):
        log.info("line %d", number)
    assert messages(file) == [f"line {number}" for number in range(60)]


def test_a_line_that_is_longer_than_a_file_is_written_whole(file):
    set_up_logs("INFO", "json", file, max_bytes=1000, backups=1)
    log.info("before")
    log.info("%s", "a" * 5000)
    assert messages(file) == ["a" * 5000]


def test_the_file_is_not_everybodys_to_read(file):
    set_up_logs("INFO", "text", file)
    assert file.stat().st_mode & 0o007 == 0


def test_a_restart_goes_on_in_the_same_file(file):
    for number in range(2):
        set_up_logs("INFO", "json", file)
        log.info("run %d", number)
    assert messages(file) == ["run 0", "run 1"]


def test_a_file_that_was_moved_from_outside_is_made_anew(file):
    set_up_logs("INFO", "json", file)
    log.info("one")
    file.rename(file.with_name("elsewhere"))
    log.info("two")
    assert messages(file.with_name("elsewhere")) == ["one"]
    assert messages(file) == ["two"]


def test_a_folder_that_was_removed_is_made_anew(file):
    set_up_logs("INFO", "json", file)
    log.info("one")
    file.unlink()
    file.parent.rmdir()
    log.info("two")
    assert messages(file) == ["two"]


def test_a_folder_that_cannot_be_made_is_told_once_and_its_end_too(file, capsys):
    set_up_logs("INFO", "text", file)
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("in the way")
    for number in range(50):
        log.info("line %d", number)
    told = capsys.readouterr().err
    assert told.count("cannot be written") == 1
    assert told.count("line ") == 50
    file.parent.unlink()
    log.info("line 50")
    assert "is written again; lines lost: 50" in capsys.readouterr().err
    assert file.read_text().splitlines()[-1].endswith("line 50")


def test_a_full_file_that_cannot_be_moved_aside_grows_on_and_loses_nothing(file, capsys):
    set_up_logs("INFO", "json", file, max_bytes=500, backups=1)
    (file.with_name("g6.log.1") / "in the way").mkdir(parents=True)
    for number in range(50):
        log.info("line %d", number)
    assert messages(file) == [f"line {number}" for number in range(50)]
    assert capsys.readouterr().err.count("it grows on") == 1


def test_a_full_disk_is_told_once_tears_no_second_line_and_stops_nobody(tmp_path):
    # A limit on the size of files is a disk that fills up in the middle of a line.
    script = f"""
import logging, resource, signal
from pathlib import Path
from g6.logs import set_up_logs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
set_up_logs("INFO", "text", Path({str(tmp_path / "g6.log")!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (1010, {resource.RLIM_INFINITY}))
for number in range(100):
    logging.getLogger("g6.x").info("line %d", number)
resource.setrlimit(resource.RLIMIT_FSIZE, ({resource.RLIM_INFINITY}, {resource.RLIM_INFINITY}))
logging.getLogger("g6.x").info("room again")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    trouble = [line for line in done.stderr.splitlines() if "log file" in line]
    assert len(trouble) == 2
    assert os.strerror(errno.EFBIG) in trouble[0] or os.strerror(errno.ENOSPC) in trouble[0]
    assert "is written again" in trouble[1]
    lines = (tmp_path / "g6.log").read_text().splitlines()
    torn = [line for line in lines if " x line " not in line and " x room again" not in line]
    assert len(torn) <= 1
    assert lines[-1].endswith("room again")


def test_threads_mix_no_lines_and_lose_none_over_rotations(file):
    set_up_logs("INFO", "json", file, max_bytes=20_000, backups=100)
    threads = [
        threading.Thread(target=lambda name=name: [log.info("%s %d", name, n) for n in range(500)]) for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    take_down_logs()
    told = [message for path in file.parent.iterdir() for message in messages(path)]
    assert sorted(told) == sorted(f"{name} {number}" for name in "abcd" for number in range(500))
