"""The wire: what is sent, what a server's answer means for what to do next, and what never leaks."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from influx_front import Answer, HttpFront
from victoria_metrics import Key, VictoriaMetrics, free_port

from g6.errors import AuthError, G6Error, RateLimited, TransientError
from g6.storage.influx_writer import InfluxOptions, InfluxWriter, Poison, Server

LINES = [b"option_data,index=NIFTY last=1.5 1795150000", b"option_data,index=SENSEX last=2 1795150000"]


DROPS = b"""vm_rows_invalid_total{type="influx"} 3
vm_rows_invalid_total{type="csvimport"} 9
vm_rows_ignored_total{reason="small_timestamp"} 4
"""


@pytest.fixture
def fronted(options: InfluxOptions) -> Iterator[Callable[[Answer | None], tuple[HttpFront, InfluxWriter]]]:
    """A server that gives one answer to every write, and a writer to it."""
    opened: list[HttpFront | InfluxWriter] = []

    def make(answer: Answer | None) -> tuple[HttpFront, InfluxWriter]:
        front = HttpFront(lambda _: answer)
        writer = InfluxWriter(replace(options, url=front.url, timeout_seconds=1))
        opened.extend((writer, front))
        return front, writer

    yield make
    for each in opened:
        each.close()


def test_lines_go_out_compressed_with_seconds_and_to_the_bucket(fronted: Callable) -> None:
    front, writer = fronted(None)
    assert writer.write(LINES) > 0
    ((query, headers, lines),) = front.writes
    assert query == {"org": ["org"], "bucket": ["bucket"], "precision": ["s"]}
    assert headers["Authorization"] == "Token canary-token"
    assert headers["Content-Encoding"] == "gzip"
    assert lines == LINES


def test_lines_go_out_as_they_are_where_that_is_wanted(options: InfluxOptions) -> None:
    with closing(HttpFront(lambda _: None)) as front:
        writer = InfluxWriter(replace(options, url=front.url, compress=False))
        assert writer.write(LINES) == len(b"\n".join(LINES))
        ((_, headers, lines),) = front.writes
        writer.close()
    assert "Content-Encoding" not in headers
    assert lines == LINES


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Poison), (413, Poison), (422, Poison), (401, AuthError), (403, AuthError), (404, TransientError),
        (429, RateLimited), (500, TransientError), (502, TransientError), (503, TransientError),
    ],
)  # fmt: skip
def test_an_answer_is_named_by_what_to_do_next(fronted: Callable, status: int, error: type[G6Error]) -> None:
    _, writer = fronted((status, {"Retry-After": "7"}, b'{"code":"x","message":"because\\nof this"}'))
    with pytest.raises(error, match=f"answers {status}: because of this") as raised:
        writer.write(LINES)
    assert type(raised.value) is error
    assert "canary" not in str(raised.value)
    assert "\n" not in str(raised.value)
    if isinstance(raised.value, TransientError) and status != 404:
        assert raised.value.retry_after == 7


def test_a_server_that_is_absent_is_unreachable(options: InfluxOptions) -> None:
    writer = InfluxWriter(replace(options, url=f"http://127.0.0.1:{free_port()}"))
    for call in (lambda: writer.write(LINES), writer.server):
        with pytest.raises(TransientError, match="Connection refused") as raised:
            call()
        assert raised.value.kind == "unreachable"
    writer.close()


def test_a_server_that_is_silent_is_given_up(options: InfluxOptions) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        writer = InfluxWriter(replace(options, url=url, timeout_seconds=0.2))
        with pytest.raises(TransientError, match=r"does not answer within 0\.2 s") as raised:
            writer.write(LINES)
        assert raised.value.kind == "timeout"
        writer.close()


def test_nobody_tries_again_behind_the_delivery(fronted: Callable) -> None:
    front, writer = fronted((503, {}, b""))
    with pytest.raises(TransientError):
        writer.write(LINES)
    assert len(front.writes) == 1


@pytest.mark.parametrize(
    ("answer", "server"),
    [
        ((200, {}, b"# TYPE x gauge\nprocess_start_time_seconds 1.7952497991e+09\n"), Server(1795249799.1)),
        ((200, {}, b"go_threads 5\n"), Server()),
        ((404, {}, b"process_start_time_seconds 5\n"), Server()),
        ((401, {}, b""), Server()),
        ((200, {}, DROPS), Server(None, 7)),
    ],
)  # fmt: skip
def test_a_server_says_when_it_was_started_or_nothing(fronted: Callable, answer: Answer, server: Server) -> None:
    front, writer = fronted(None)
    front.metrics = answer
    assert writer.server() == server


def test_a_server_in_trouble_says_nothing_of_itself(fronted: Callable) -> None:
    front, writer = fronted(None)
    front.metrics = (503, {}, b"")
    with pytest.raises(TransientError):
        writer.server()


def test_a_real_server_takes_the_lines_and_tells_its_start(victoria: VictoriaMetrics, options: InfluxOptions) -> None:
    writer = InfluxWriter(replace(options, url=victoria.url))
    before = writer.server()
    writer.write(LINES)
    assert set(victoria.keys()) == {
        Key("option_data_last", (("index", index),), 1795150000) for index in ("NIFTY", "SENSEX")
    }
    victoria.kill()
    victoria.start()
    assert before.started_at is not None
    assert before.started_at <= (writer.server().started_at or 0) <= before.started_at + 60  # whole seconds
    writer.close()


def test_a_real_server_counts_the_lines_that_it_drops_in_silence(
    victoria: VictoriaMetrics, options: InfluxOptions
) -> None:
    writer = InfluxWriter(replace(options, url=victoria.url))
    writer.write([*LINES, b"no field at all"])
    assert writer.server().dropped_rows == 1
    writer.close()


def test_options_do_not_show_the_token(options: InfluxOptions) -> None:
    assert "canary" not in repr(options)
