"""The status document: one form on the wire and on the disk, that a later reader can still read."""

import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from g6.clock import IST
from g6.errors import ConfigError
from g6.health import DiskReading, ExporterReading, Health, Readers, StartReading
from g6.health.document import VERSION, About, NotAStatus, StatusDocument, decode, encode
from g6.health.last_words import last_words
from g6.health.state_file import StateFile, read_state
from g6.model.closing_report import ClosingReport
from g6.model.part_report import PartReport
from g6.model.pressure_report import PressureReport
from g6.model.provider_report import EndpointReport, MarketReport, ProviderReport, TokenReport
from g6.model.report import CycleReport, SinkReport

STARTED = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
# What a reader may rely on; fields are added, never taken away.
FIELDS = {
    "": "version status at written_at agent live ready reasons session components problems cycle provider journal "
    "sinks memory disk parts closing ended",
    "agent": "version pid started_at data_directory market url host",
    "session": "market exchanges calendar_known_until calendar_days_ahead waiting",
    "cycle": "minute status sentence seconds provider expected received missed_minutes stages measures",
    "provider": "active preferred reason tokens breakers",
    "provider.tokens.0": "account state expires_at reason",
    "provider.breakers.0": "endpoint state reason",
    "journal": "path bytes_written pending error",
    "sinks.0": "name rows lag_cycles unconfirmed_cycles refused error",
    "memory": "level level_name rss_bytes limit_bytes limit_source shed",
    "disk": "free_bytes total_bytes seconds_until_full",
    "parts.0": "name state restarts reason",
    "closing": "day score gap_minutes troubles",
    "components.0": "name state since sentence",
    "problems.0": "id severity title cause subject since actions runbook",
    "ended": "at clean reason",
}


@pytest.fixture
def health(clock: Any, report: Callable[..., CycleReport]) -> Health:
    """An agent of which everything is known, and one thing is wrong."""
    health = Health(
        clock, 60.0, ("csv",), exchanges={"NIFTY": "NSE"},
        about=About("1.2.3", 4242, STARTED, "/data/live", "live", host="desk"),
        readers=Readers(
            directory=lambda: "",
            disk=lambda: DiskReading(5 * 10**10, 10**11),
            parts=lambda: (PartReport("stream", "running", 1, "OSError: gone"),),
            exporter=lambda: ExporterReading("http://127.0.0.1:9108"),
        ),
    )  # fmt: skip
    health.start(StartReading("/data/live"))
    health.session({"NSE": True}, datetime(2027, 6, 30, tzinfo=IST).date())
    health.pressure(PressureReport(0, 2 * 10**8, 2 * 10**9, "machine"))
    health.closed(ClosingReport(datetime(2026, 11, 19, tzinfo=IST).date()))
    token = TokenReport("kite", "valid", clock.now() + timedelta(hours=9))
    market = MarketReport(
        "kite", "kite",
        providers=(ProviderReport("kite", (EndpointReport("kite.quote"),), token),),
    )  # fmt: skip
    health.cycle(report(market=market, sinks=(SinkReport("csv", 40, lag_cycles=2),)))
    return health


@pytest.fixture
def document(health: Health) -> StatusDocument:
    health.ending("SIGTERM")
    return health.last_words()


def at(told: Any, path: str) -> Any:
    for step in filter(None, path.split(".")):
        told = told[int(step)] if step.isdigit() else told[step]
    return told


@pytest.mark.parametrize("path", FIELDS)
def test_the_fields_that_a_reader_relies_on_are_there(path: str, document: StatusDocument) -> None:
    assert set(FIELDS[path].split()) <= set(at(json.loads(encode(document)), path))


def test_what_is_written_is_what_is_read(document: StatusDocument) -> None:
    assert decode(encode(document)) == document


def test_instants_are_utc_and_what_is_unknown_is_null(document: StatusDocument) -> None:
    told = json.loads(encode(document))
    assert told["at"] == "2026-11-20T04:30:00Z"
    assert told["agent"]["started_at"] == "2026-11-20T03:30:00Z"
    assert told["cycle"]["minute"] == "2026-11-20T04:30:00Z"
    assert told["closing"]["score"] is None
    assert told["disk"]["seconds_until_full"] is None


def test_it_says_how_it_is_what_is_wrong_and_what_to_do(document: StatusDocument) -> None:
    assert document.status == "degraded"
    assert [(p.id, p.subject, p.cause) for p in document.problems] == [("sink_behind", "csv", "2 minutes behind")]
    assert document.problems[0].actions
    assert document.agent.url == "http://127.0.0.1:9108"
    assert document.ended is not None
    assert (document.ended.clean, document.ended.reason) == (True, "SIGTERM")


def test_an_agent_of_which_nothing_is_known_has_a_document(clock: Any) -> None:
    document = Health(clock, 60.0).document()
    assert decode(encode(document)) == document
    assert (document.status, document.cycle, document.ended) == ("healthy", None, None)


def test_a_reader_passes_over_what_a_later_writer_added(document: StatusDocument) -> None:
    told = json.loads(encode(document)) | {"moon": "full"}
    told["agent"]["colour"] = "blue"
    assert decode(json.dumps(told).encode()) == document


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no status document"),
        (b"<html>", "no status document"),
        (b"\xff\xfe", "no status document"),
        (b"[1]", "no status document"),
        (b'{"version": 2}', "its version is 2, this g6 reads 1"),
        (b'{"version": 1}', "no status document"),
    ],
    ids=["empty", "a page", "not text", "a list", "of the future", "nothing but a version"],
)
def test_what_is_no_document_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(NotAStatus, match=why):
        decode(body)
    assert VERSION == 1


def test_the_file_is_replaced_as_a_whole(tmp_path: Path, health: Health, document: StatusDocument) -> None:
    file = StateFile(tmp_path)
    assert file.write(health.document())
    with file.path.open("rb") as reading:  # someone who reads while it is replaced reads the one before, whole
        assert file.write(document)
        assert decode(reading.read()).ended is None
    assert read_state(tmp_path) == document
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]
    assert stat.S_IMODE(file.path.stat().st_mode) & 0o022 == 0


def test_a_folder_without_a_state_has_none_and_a_torn_one_is_named(tmp_path: Path, document: StatusDocument) -> None:
    assert read_state(tmp_path) is None
    (tmp_path / "status.json").write_bytes(encode(document)[:200])
    with pytest.raises(NotAStatus, match=r"status\.json: it is no status document"):
        read_state(tmp_path)


def test_a_disk_that_takes_nothing_is_said_once_and_stops_nobody(
    tmp_path: Path, document: StatusDocument, caplog: pytest.LogCaptureFixture
) -> None:
    file = StateFile(tmp_path / "gone")
    assert [file.write(document) for _ in range(3)] == [False] * 3
    assert len(caplog.records) == 1
    (tmp_path / "gone").mkdir()
    assert file.write(document)


def test_a_link_in_the_place_of_the_new_file_is_not_followed(tmp_path: Path, document: StatusDocument) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "status.json.tmp").symlink_to("elsewhere")
    assert not StateFile(tmp_path).write(document)
    assert (tmp_path / "elsewhere").read_text() == "mine"


def test_the_file_is_there_from_the_start_and_tells_the_end(tmp_path: Path, health: Health) -> None:
    file = StateFile(tmp_path)
    with last_words(health, file):
        assert ended(tmp_path) is None
        health.ending("SIGTERM")
        health.ending("the loop ended")
    assert ended(tmp_path) == (True, "SIGTERM")


def test_an_end_without_a_word_before_is_that_of_a_bounded_run(tmp_path: Path, health: Health) -> None:
    with last_words(health, StateFile(tmp_path)):
        pass
    assert ended(tmp_path) == (True, "it had done its minutes")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigError("the calendar\nends"), (False, "ConfigError: the calendar ends")),
        (KeyboardInterrupt(), (True, "interrupted")),
        (SystemExit(3), (False, "SystemExit: 3")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_ends_the_agent_is_told_and_goes_on(
    tmp_path: Path, health: Health, error: BaseException, told: tuple[bool, str]
) -> None:
    with pytest.raises(type(error)), last_words(health, StateFile(tmp_path)):
        raise error
    assert ended(tmp_path) == told


def ended(folder: Path) -> tuple[bool, str] | None:
    document = read_state(folder)
    assert document is not None
    return (document.ended.clean, document.ended.reason) if document.ended else None


def test_several_threads_write_one_whole_file(tmp_path: Path, health: Health) -> None:
    file = StateFile(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: file.write(health.document()), range(40)))
    assert read_state(tmp_path) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_the_state_file_of_another_directory_in_the_place_of_ours_is_left_alone(
    document: StatusDocument, tmp_path: Path
) -> None:
    away = [""]
    file = StateFile(tmp_path, lambda: away[0])
    assert file.write(document)
    file.path.write_text("another g6's")
    away[0] = "another directory"
    assert not file.write(document)
    assert file.path.read_text() == "another g6's"
    away[0] = ""
    assert file.write(document)
    assert read_state(tmp_path) == document
