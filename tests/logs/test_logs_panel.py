"""While a live panel is on the terminal, it prints the lines; whatever becomes of it, none is lost."""

import io
import logging
import sys
import threading

import pytest

from g6.logs import register_secret, set_terminal_writer, set_up_logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    set_up_logs("INFO", "text", None)
    return shown


log = logging.getLogger("g6.x")


def test_the_panel_prints_redacted_lines_while_it_is_there(terminal):
    register_secret("panel-canary-token")
    above: list[str] = []
    set_terminal_writer(above.append)
    log.warning("token is panel-canary-token")
    set_terminal_writer(None)
    log.warning("afterwards")
    assert [line[8:] for line in above] == [" WARNING token is ***"]
    assert terminal.getvalue()[8:] == " WARNING afterwards\n"


def test_a_panel_that_breaks_costs_no_line(terminal):
    def broken(_line: str) -> None:
        raise RuntimeError("no panel")

    set_terminal_writer(broken)
    log.warning("kept")
    assert "kept" in terminal.getvalue()


def test_what_the_panel_logs_while_it_prints_goes_past_it(terminal):
    above: list[str] = []

    def chatty(line: str) -> None:
        above.append(line)
        log.warning("the panel itself")

    set_terminal_writer(chatty)
    log.warning("of a stage")
    assert len(above) == 1
    assert "the panel itself" in terminal.getvalue()


def test_a_panel_that_logs_under_its_own_lock_and_a_stage_do_not_wait_for_each_other(terminal):
    panels = threading.Lock()
    stage_prints = threading.Event()

    def writer(_line: str) -> None:
        stage_prints.set()
        with panels:
            pass

    set_terminal_writer(writer)
    with panels:
        stage = threading.Thread(target=log.warning, args=("of a stage",), daemon=True)
        stage.start()
        assert stage_prints.wait(10)
        # The panel's own thread logs while the stage's line waits for the panel.
        other = threading.Thread(target=_past_the_panel, daemon=True)
        other.start()
        other.join(10)
        assert not other.is_alive()
    stage.join(10)
    assert not stage.is_alive()


def _past_the_panel() -> None:
    set_terminal_writer(None)
    log.error("of the panel's thread")


def test_lines_that_go_to_a_file_or_a_pipe_do_not_go_to_the_panel(capsys):
    set_up_logs("INFO", "text", None)
    above: list[str] = []
    set_terminal_writer(above.append)
    log.warning("for the pipe")
    assert above == []
    assert "for the pipe" in capsys.readouterr().err
