"""Python's own last words, in processes of their own: told, and told without secrets."""

import subprocess
import sys

import pytest

SECRET = "Qm7xGuardedZw09vR"
BEGIN = f"""
import gc, logging, sys, threading, warnings
from g6.logs import guard_process, register_secret, set_up_logs
guard_process()
register_secret({SECRET!r})
"""
LOGS = {"with a log": 'set_up_logs("INFO", "text", None)\n', "without": ""}
WORDS = {
    "uncaught": (f"raise ValueError('of {SECRET}')", 1, "ended by an error that nobody expected"),
    "in a thread": (
        f"t = threading.Thread(target=lambda: int('{SECRET}'), name='worker'); t.start(); t.join()", 0,
        "the thread worker ended by an error that nobody expected",
    ),
    "in a destructor": (
        f"class A:\n    def __del__(self): raise ValueError('{SECRET}')\nA(); gc.collect()", 0,
        "an error that could not be raised in A.__del__",
    ),
    "a warning": (f"warnings.warn('of {SECRET}', RuntimeWarning)", 0, "RuntimeWarning: of ***"),
    "a line before the log is set up": (f"logging.getLogger('x').warning('of %s', '{SECRET}')", 0, "of ***"),
}  # fmt: skip


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("logs", LOGS)
@pytest.mark.parametrize("what", WORDS)
def test_last_words_are_told_without_the_secret(what, logs):
    script, code, words = WORDS[what]
    done = run(BEGIN + LOGS[logs] + script)
    assert done.returncode == code
    assert words in done.stderr
    assert SECRET not in done.stderr
    assert ("Traceback" in done.stderr) == ("error that" in words)


def test_without_the_guard_they_would_have_shown_it():
    for script, _, _ in WORDS.values():
        assert SECRET in run("import gc, logging, sys, threading, warnings\n" + script).stderr


def test_a_thread_that_leaves_says_nothing():
    assert run(BEGIN + "t = threading.Thread(target=sys.exit); t.start(); t.join()").stderr == ""


def test_an_interrupt_is_no_traceback():
    done = run(BEGIN + "raise KeyboardInterrupt")
    assert done.stderr == ""
    assert done.returncode in {130, -2}


def test_counts_that_are_open_at_the_end_are_shown():
    done = run(BEGIN + LOGS["with a log"] + "for _ in range(5): logging.error('refused')")
    lines = [line[9:] for line in done.stderr.splitlines()]
    assert lines == ["ERROR refused", "ERROR … repeated 4 times in 1 s: refused"]


def test_a_reader_of_standard_error_that_leaves_ends_nothing():
    script = BEGIN + LOGS["with a log"] + "for n in range(5000): logging.info('line %d', n)\nprint('done')"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stderr is not None
    process.stderr.readline()
    process.stderr.close()
    assert process.stdout is not None
    assert process.stdout.read() == "done\n"
    assert process.wait(60) == 0
