"""The day's dump: asked for once, kept, judged, and yesterday's where today's cannot be had."""

import errno
import gzip
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from g6.clock import IST, VirtualClock
from g6.errors import AuthError, BadResponse, G6Error, TransientError
from g6.model.contracts import ContractTable
from g6.providers.kite.dump_cache import DumpCache
from g6.providers.kite.dump_files import DumpFiles

HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)
TUESDAY = date(2026, 8, 18)
MORNING = datetime(2026, 8, 18, 9, 0, tzinfo=IST)
UNDERLYINGS = {"NFO": ("NIFTY", "BANKNIFTY"), "BFO": ("SENSEX", "BANKEX")}
FIVE_MINUTES = 300.0


def contracts_csv(exchange: str, *expiries: date, strikes: int = 30) -> bytes:
    """Calls of both underlyings at these expiries."""
    rows = [
        f"{1000 + strike},1,{name}{expiry:%y%m%d}{strike}CE,{name},0,{expiry},{strike},0.05,65,CE,"
        f"{exchange}-OPT,{exchange}"
        for name in UNDERLYINGS[exchange]
        for expiry in expiries
        for strike in range(1, strikes + 1)
    ]
    return "\n".join([HEADER, *rows, ""]).encode()


def index_csv(exchange: str) -> bytes:
    symbol, token = {"NSE": ("NIFTY 50", 256265), "BSE": ("SENSEX", 265)}[exchange]
    return f"{HEADER}\n{token},1,{symbol},{symbol},0,,0,0,0,EQ,INDICES,{exchange}\n".encode()


class Broker:
    """Answers for each exchange what it is told to; `calls` counts who was asked for."""

    def __init__(self, *expiries: date) -> None:
        self.calls: Counter[str] = Counter()
        self.answers: dict[str, bytes | G6Error] = {}
        self.publish(*expiries or (TUESDAY, TUESDAY + timedelta(7)))

    def publish(self, *expiries: date, strikes: int = 30) -> None:
        self.answers = {e: contracts_csv(e, *expiries, strikes=strikes) for e in UNDERLYINGS}
        self.answers |= {e: index_csv(e) for e in ("NSE", "BSE")}

    def fail(self, error: G6Error, *exchanges: str) -> None:
        self.answers |= dict.fromkeys(exchanges or tuple(self.answers), error)

    def fetch(self, exchange: str) -> bytes:
        self.calls[exchange] += 1
        answer = self.answers[exchange]
        if isinstance(answer, G6Error):
            raise answer
        return answer


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(MORNING, float("inf"))


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def opened(tmp_path: Path, broker: Broker, clock: VirtualClock) -> Callable[[], DumpCache]:
    """A new process's cache on the same folder."""
    return lambda: DumpCache(tmp_path / "dumps", broker.fetch, clock)


def expiries(table: ContractTable) -> list[date]:
    return list(table.option_expiries())


def test_a_day_needs_one_dump_per_exchange_and_gives_one_table(opened, broker, clock):
    cache = opened()
    table = cache.contracts(TUESDAY)
    clock.pause(6 * 3600)
    assert cache.contracts(TUESDAY) is table
    assert cache.index_tokens(TUESDAY) == {"NSE:NIFTY 50": 256265, "BSE:SENSEX": 265}
    assert broker.calls == {"NFO": 1, "BFO": 1, "NSE": 1, "BSE": 1}
    assert len(table) == 2 * 2 * 2 * 30
    report = cache.report()
    assert (report.day, report.rows, dict(report.bad_rows), report.reason) == (TUESDAY, 242, {}, "")


def test_a_restart_reads_the_dump_from_disk(opened, broker):
    before = opened().contracts(TUESDAY)
    broker.fail(TransientError("the broker is away"))
    after = opened().contracts(TUESDAY)
    assert after.symbol.tolist() == before.symbol.tolist()
    assert set(broker.calls.values()) == {1}


def test_only_the_wanted_names_are_kept_and_the_rest_is_still_judged(tmp_path, broker, clock):
    cache = DumpCache(tmp_path, broker.fetch, clock, names={"NIFTY"})
    assert set(cache.contracts(TUESDAY).index.tolist()) == {"NIFTY"}
    assert cache.report().rows == 242


def test_a_new_day_is_asked_for_and_its_expired_contracts_are_gone(opened, broker, clock):
    cache = opened()
    assert expiries(cache.contracts(TUESDAY)) == [TUESDAY, TUESDAY + timedelta(7)]
    broker.publish(TUESDAY + timedelta(7), TUESDAY + timedelta(14))
    clock.pause(86_400)
    assert expiries(cache.contracts(TUESDAY + timedelta(1))) == [TUESDAY + timedelta(7), TUESDAY + timedelta(14)]
    assert cache.report().day == TUESDAY + timedelta(1)
    assert cache.report().reason == ""


def test_a_dump_from_before_half_past_eight_is_the_day_befores_and_is_refreshed(tmp_path, broker):
    clock = VirtualClock(datetime(2026, 8, 18, 7, 0, tzinfo=IST), float("inf"))
    cache = DumpCache(tmp_path, broker.fetch, clock)
    early = cache.contracts(TUESDAY)
    clock.pause(89 * 60)
    assert cache.contracts(TUESDAY) is early
    assert (cache.report().day, cache.report().reason) == (TUESDAY - timedelta(1), "")
    clock.pause(60)
    assert cache.contracts(TUESDAY) is not early
    assert (cache.report().day, broker.calls["NFO"]) == (TUESDAY, 2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (TransientError("kite.instruments: HTTP 503"), "HTTP 503"),
        (b"<html>502 Bad Gateway</html>", "no header"),
        (b"", "no header"),
        (HEADER.encode(), "only 0 contracts"),
        (contracts_csv("NFO", TUESDAY + timedelta(7), strikes=3), "only 6 contracts"),
        (contracts_csv("NFO", TUESDAY + timedelta(7)) + b"garbage\n" * 10, "10 of 70 rows make no sense"),
        (contracts_csv("NFO", TUESDAY - timedelta(7), TUESDAY), "expired on 2026-08-18"),
    ],
)
def test_without_todays_the_latest_is_used_and_todays_asked_for_again(opened, broker, clock, caplog, answer, words):
    cache = opened()
    cache.contracts(TUESDAY)
    broker.answers["NFO"] = answer
    clock.pause(86_400)
    wednesday = TUESDAY + timedelta(1)
    with caplog.at_level(logging.WARNING):
        old = cache.contracts(wednesday)
    assert expiries(old.of_index("NIFTY")) == [TUESDAY + timedelta(7)]
    assert f": the instruments of {TUESDAY}" in caplog.text
    assert words in caplog.text
    report = cache.report()
    assert report.day == TUESDAY
    assert words in report.reason
    clock.pause(FIVE_MINUTES - 1)
    assert cache.contracts(wednesday) is old
    assert broker.calls["NFO"] == 2
    clock.pause(1)
    again = cache.contracts(wednesday).of_index("NIFTY")  # still not to be had
    assert expiries(again) == [TUESDAY + timedelta(7)]
    assert broker.calls["NFO"] == 3
    broker.answers["NFO"] = contracts_csv("NFO", TUESDAY + timedelta(7), TUESDAY + timedelta(14))
    clock.pause(FIVE_MINUTES)
    assert expiries(cache.contracts(wednesday)) == [TUESDAY + timedelta(7), TUESDAY + timedelta(14)]
    assert caplog.text.count("NFO: the instruments") == 1  # one problem, one warning


def test_a_restart_without_the_broker_takes_the_latest_dump_that_still_has_contracts(opened, broker, clock):
    opened().contracts(TUESDAY)
    broker.fail(TransientError("the broker is away"))
    clock.pause(3 * 86_400)
    cache = opened()
    assert expiries(cache.contracts(TUESDAY + timedelta(3))) == [TUESDAY + timedelta(7)]
    assert cache.index_tokens(TUESDAY + timedelta(3))["NSE:NIFTY 50"] == 256265
    clock.pause(11 * 86_400)
    with pytest.raises(TransientError, match="away"):
        opened().contracts(TUESDAY + timedelta(14))


def test_with_nothing_known_the_failure_is_raised_and_the_next_minute_asks_again(opened, broker, clock):
    broker.fail(TransientError("no route"))
    cache = opened()
    for _ in range(2):
        with pytest.raises(TransientError, match="no route"):
            cache.contracts(TUESDAY)
        with pytest.raises(TransientError, match="no route"):  # within the minute: the same answer, not asked again
            cache.contracts(TUESDAY)
        clock.pause(60)
    assert cache.report() is None
    assert broker.calls.total() == 2, "one outage serves for all exchanges"
    broker.publish(TUESDAY)
    assert len(cache.contracts(TUESDAY)) == 120


def test_a_login_is_waited_for_and_takes_effect_at_the_next_call(opened, broker, clock):
    broker.fail(AuthError("log in"))
    cache = opened()
    for _ in range(3):
        with pytest.raises(AuthError, match="log in"):
            cache.contracts(TUESDAY)
    broker.publish(TUESDAY)
    assert len(cache.contracts(TUESDAY)) == 120
    assert cache.report().reason == ""


def test_a_first_dump_that_is_no_dump_is_a_bad_response(opened, broker):
    broker.answers |= dict.fromkeys(UNDERLYINGS, b"<html></html>")
    with pytest.raises(BadResponse, match="no header"):
        opened().contracts(TUESDAY)


def test_an_old_dump_is_better_than_none_and_its_expired_contracts_are_dropped(opened, broker, clock):
    broker.publish(TUESDAY - timedelta(3), TUESDAY + timedelta(7), strikes=40)
    cache = opened()
    assert expiries(cache.contracts(TUESDAY)) == [TUESDAY + timedelta(7)]
    assert cache.report().day == TUESDAY - timedelta(3)
    assert "expired on 2026-08-15" in cache.report().reason
    broker.publish(TUESDAY, TUESDAY + timedelta(7))
    clock.pause(FIVE_MINUTES)
    assert expiries(cache.contracts(TUESDAY)) == [TUESDAY, TUESDAY + timedelta(7)]
    assert cache.report().reason == ""


def test_one_exchange_without_a_dump_does_not_take_the_other_one_along(opened, broker, clock, caplog):
    broker.fail(TransientError("HTTP 502"), "BFO", "BSE")
    cache = opened()
    for _ in range(4):
        assert set(cache.contracts(TUESDAY).exchange.tolist()) == {"NFO"}
        clock.pause(60)
    assert cache.index_tokens(TUESDAY) == {"NSE:NIFTY 50": 256265}, "asked in turn, though BFO stays broken"
    assert re.search(r"BFO.*: no instruments: HTTP 502", cache.report().reason)
    assert (broker.calls["NFO"], broker.calls["NSE"]) == (1, 1)
    assert caplog.text.count("BFO: no instruments") == 1
    broker.publish(TUESDAY)
    clock.pause(60)
    assert set(cache.contracts(TUESDAY).exchange.tolist()) == {"NFO", "BFO"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not gzip"),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(path.read_bytes()[:40] + b"\xff" * 40 + path.read_bytes()[80:]),
        lambda path: path.write_bytes(gzip.compress(b"another file")),
        lambda path: path.write_bytes(gzip.compress(contracts_csv("NFO", TUESDAY)[:500])),
    ],
    ids=["empty", "not gzip", "cut off", "overwritten", "another file", "half a dump"],
)
def test_a_damaged_file_is_moved_aside_and_the_dump_asked_for_anew(opened, broker, tmp_path, caplog, damage):
    table = opened().contracts(TUESDAY)
    path = tmp_path / "dumps" / f"NFO-{TUESDAY}.csv.gz"
    sound = path.read_bytes()
    damage(path)
    damaged = path.read_bytes()
    assert opened().contracts(TUESDAY).symbol.tolist() == table.symbol.tolist()
    assert broker.calls == {"NFO": 2, "BFO": 1, "NSE": 1, "BSE": 1}
    assert path.read_bytes() == sound
    assert path.with_name(path.name + ".damaged").read_bytes() == damaged
    assert "is damaged" in caplog.text


def test_two_processes_share_a_folder(opened, broker):
    first, second = opened(), opened()
    assert first.contracts(TUESDAY).symbol.tolist() == second.contracts(TUESDAY).symbol.tolist()
    assert broker.calls["NFO"] == 1


def test_what_another_process_fetched_meanwhile_is_taken_from_disk(opened, broker, clock):
    cache = opened()
    cache.contracts(TUESDAY)
    wednesday = TUESDAY + timedelta(1)
    broker.fail(TransientError("the broker is away"))
    clock.pause(86_400)
    cache.contracts(wednesday)
    broker.publish(TUESDAY + timedelta(7))
    opened().contracts(wednesday)
    asked = broker.calls["NFO"]
    clock.pause(FIVE_MINUTES)
    cache.contracts(wednesday)
    assert cache.report().day == wednesday
    assert broker.calls["NFO"] == asked


def test_a_folder_that_cannot_be_written_costs_a_warning(tmp_path, broker, clock, caplog):
    (tmp_path / "file").write_text("in the way")
    cache = DumpCache(tmp_path / "file" / "dumps", broker.fetch, clock)
    table = cache.contracts(TUESDAY)
    clock.pause(3600)
    assert cache.contracts(TUESDAY) is table
    assert broker.calls["NFO"] == 1
    assert caplog.text.count("the instruments dump of NFO cannot be kept") == 1


def test_a_full_disk_leaves_nothing_half_written(tmp_path, broker, clock, caplog, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    cache = DumpCache(tmp_path, broker.fetch, clock)
    assert len(cache.contracts(TUESDAY)) == 240
    assert "No space left on device" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_week_of_files_is_kept(opened, broker, clock, tmp_path):
    folder = tmp_path / "dumps"
    strangers = ["notes.txt", "NFO-2026-99-99.csv.gz", "MCX-2020-01-01.csv.gz"]
    leftovers = ["NFO-2020-01-01.csv.gz", "NFO-2020-01-01.csv.gz.damaged", ".NFO-2020-01-01.csv.gz.x7f"]
    folder.mkdir()
    for name in (*strangers, *leftovers):
        (folder / name).write_bytes(b"")
    cache = opened()
    days = [TUESDAY + timedelta(n) for n in range(9)]
    for day in days:
        broker.publish(TUESDAY + timedelta(30))
        cache.contracts(day)
        clock.pause(86_400)
    names = {path.name for path in folder.iterdir()}
    kept = {f"{exchange}-{day}.csv.gz" for exchange in ("NFO", "BFO", "NSE", "BSE") for day in days[-7:]}
    assert names == kept | set(strangers)


def test_files_of_days_to_come_are_not_todays(tmp_path):
    files = DumpFiles(tmp_path)
    for day in (TUESDAY, TUESDAY + timedelta(1)):
        files.write("NFO", day, b"x")
    assert files.days("NFO", TUESDAY) == [TUESDAY]
    assert files.days("BFO", TUESDAY) == []


def test_threads_that_ask_together_cause_one_fetch(opened, broker):
    cache = opened()
    tables: list[ContractTable] = []
    threads = [threading.Thread(target=lambda: tables.append(cache.contracts(TUESDAY))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(table) for table in tables}) == 1
    assert broker.calls["NFO"] == 1


def test_bad_rows_are_counted_by_reason_over_all_exchanges(opened, broker):
    broker.answers["NFO"] += b"garbage\n1,2,A,NIFTY,0,bad,1,0.05,65,CE,NFO-OPT,NFO\n"
    broker.answers["BFO"] += b"garbage\n"
    cache = opened()
    assert len(cache.contracts(TUESDAY)) == 240
    assert dict(cache.report().bad_rows) == {"fields": 2, "expiry": 1}
    assert cache.report().rows == 245
