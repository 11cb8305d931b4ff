"""One account's calls: signed with the token of the moment, paced, retried within the minute, and counted."""

import json
import logging
import threading
from datetime import datetime, timedelta
from itertools import cycle, pairwise

import pytest
from kite_accounts import NOON, SECRET, Desk, desk, token
from scripted_broker import JSON, Asked, Reply, ScriptedBroker

from g6.clock import IST, SystemClock
from g6.errors import AuthError, BadResponse, G6Error, RateLimited, TransientError
from g6.providers.kite.options import KiteOptions
from g6.resilience.breaker import BreakerOpen

FINE = Reply(200, b'{"status":"success","data":{"NFO:X":{}}}')
TOKEN = "Qm7xK2pL9vRtY4wZ1nB8cD5fG3hJ6sA0"


def error(status: int, error_type: str, **headers: str) -> Reply:
    document = {"status": "error", "message": "Said so.", "error_type": error_type}
    return Reply(status, json.dumps(document).encode(), {"Content-Type": JSON, **headers})


DOWN = error(503, "NetworkException")
REFUSED = error(403, "TokenException")


@pytest.fixture
def broker():
    with ScriptedBroker(FINE) as broker:
        yield broker


@pytest.fixture
def at_desk(broker, tmp_path) -> Desk:
    made = desk(tmp_path, broker.url)
    made.log_in(TOKEN)
    return made


def ask(at_desk: Desk) -> bytes:
    return at_desk.session.quote(["NFO:X"], lambda body: body)


def replies(*given: Reply):
    """Answer in turn, then with the last for ever."""
    left = list(given)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


# The token


def test_without_a_token_nobody_is_asked(broker, tmp_path):
    at_desk = desk(tmp_path, broker.url)
    with pytest.raises(AuthError, match=f"g6 login --root {broker.url}"):
        ask(at_desk)
    assert broker.asked == []
    assert at_desk.session.token is None
    assert at_desk.session.token_report().state == "absent"


def test_a_refused_token_is_a_latch_until_there_is_another(broker, at_desk):
    live = {TOKEN}
    broker.script = lambda asked: FINE if asked.authorization.rpartition(":")[2] in live else REFUSED
    assert ask(at_desk) == FINE.body
    live.clear()
    for call in (ask, ask, lambda d: d.session.profile(), lambda d: d.session.instruments("NFO")):
        with pytest.raises(AuthError, match="run `g6 login"):
            call(at_desk)
    assert len(broker.asked) == 2  # the one that was answered, and the one that was refused
    assert at_desk.session.token_report().state == "dead"
    live.add("another")
    at_desk.log_in("another")
    assert ask(at_desk) == FINE.body
    assert at_desk.session.token_report().state == "valid"


def test_a_token_that_was_replaced_beside_the_call_costs_no_minute(broker, at_desk):
    def script(asked: Asked) -> Reply:
        if asked.authorization.endswith(TOKEN):
            at_desk.log_in("another")  # a person logs in just now, which kills the older token
            return REFUSED
        return FINE

    broker.script = script
    assert ask(at_desk) == FINE.body
    assert at_desk.counts()["quote"] == (2, {"auth": 1})


def test_a_refusal_is_neither_retried_nor_an_outage(broker, at_desk):
    broker.script = replies(REFUSED)
    for number in range(10):
        at_desk.log_in(f"token{number}")
        with pytest.raises(AuthError):
            ask(at_desk)
    report = next(r for r in at_desk.session.endpoint_reports() if r.name == "kite.quote")
    assert (report.calls, report.retries, report.breaker, dict(report.failures)) == (10, 0, "closed", {"auth": 10})


def test_an_app_without_market_data_is_told_what_to_buy_and_asked_no_more(broker, at_desk):
    broker.script = replies(error(403, "PermissionException"))
    for _ in range(3):
        with pytest.raises(AuthError, match="subscribe to the Connect plan"):
            ask(at_desk)
    assert len(broker.asked) == 1


def test_an_app_without_history_still_gets_quotes(broker, at_desk):
    broker.script = lambda asked: FINE if asked.path == "/quote" else error(403, "PermissionException")
    with pytest.raises(AuthError):
        at_desk.session.candles(1, NOON - timedelta(hours=1), NOON)
    assert ask(at_desk) == FINE.body


def test_a_refusal_that_the_stream_met_stops_rest_too(broker, at_desk):
    at_desk.session.on_auth_failure("the upgrade was refused")
    with pytest.raises(AuthError, match="the upgrade was refused"):
        ask(at_desk)
    assert broker.asked == []


# Pacing, retrying, leaving alone


def test_quotes_are_a_second_apart_and_share_nothing_with_the_rest(at_desk):
    began = at_desk.clock.elapsed()
    for _ in range(5):
        ask(at_desk)
        at_desk.session.profile()
    assert at_desk.clock.elapsed() - began == pytest.approx(4 * KiteOptions().quote_interval_seconds, abs=0.01)


def test_one_failure_is_retried_and_counted(broker, at_desk):
    broker.script = replies(DOWN, FINE)
    assert ask(at_desk) == FINE.body
    report = next(r for r in at_desk.session.endpoint_reports() if r.name == "kite.quote")
    assert (report.calls, report.retries, dict(report.failures)) == (2, 1, {"server_error": 1})
    assert len(report.latencies_seconds) == 2


def test_a_pause_that_was_asked_for_is_kept_and_is_no_outage(broker, at_desk):
    broker.script = replies(error(429, "NetworkException", **{"Retry-After": "7"}), FINE)
    began = at_desk.clock.elapsed()
    assert ask(at_desk) == FINE.body
    assert at_desk.clock.elapsed() - began >= 7
    assert at_desk.counts()["quote"] == (2, {"rate_limited": 1})


def test_a_pause_beyond_the_minute_ends_the_call(broker, at_desk):
    broker.script = replies(error(429, "NetworkException", **{"Retry-After": "120"}))
    at_desk.deadline.restart()
    with pytest.raises(RateLimited):
        ask(at_desk)
    assert len(broker.asked) == 1
    assert at_desk.clock.elapsed() < 55


def test_a_broken_endpoint_is_left_alone_then_probed_and_heals(broker, at_desk):
    broker.script = replies(DOWN)
    for _ in range(5):
        with pytest.raises(TransientError):
            ask(at_desk)
    sent = len(broker.asked)
    assert sent == 3
    with pytest.raises(BreakerOpen, match="HTTP 503"):
        ask(at_desk)
    broker.script = replies(FINE)
    assert at_desk.session.profile() == {"NFO:X": {}}  # each endpoint has a breaker of its own
    at_desk.clock.pause(30)
    assert ask(at_desk) == FINE.body
    report = next(r for r in at_desk.session.endpoint_reports() if r.name == "kite.quote")
    assert (report.breaker, report.breaker_opens) == ("closed", 1)


def test_an_answer_that_does_not_come_is_given_up(broker, tmp_path):
    release = threading.Event()
    broker.script = lambda _: Reply(hold=release)
    at_desk = desk(tmp_path, broker.url, call_timeout_seconds=0.3, retry_attempts=1)
    at_desk.log_in(TOKEN)
    with pytest.raises(TransientError, match=r"kite\.quote: no complete answer within 0\.3 s"):
        ask(at_desk)
    release.set()
    assert at_desk.counts()["quote"] == (1, {"timeout": 1})


def test_what_the_decoder_refuses_is_a_failure_of_the_call(at_desk):
    def refuse(body: bytes) -> None:
        raise BadResponse("nothing in it")

    with pytest.raises(BadResponse, match="nothing in it"):
        at_desk.session.quote(["NFO:X"], refuse)
    assert at_desk.counts()["quote"] == (1, {"bad_response": 1})


def test_a_decoder_that_breaks_is_no_more_than_a_bad_answer(at_desk):
    with pytest.raises(BadResponse):
        at_desk.session.quote(["NFO:X"], lambda body: body["x"])


def test_a_dump_that_is_json_and_a_profile_that_is_none_are_refused(broker, at_desk):
    with pytest.raises(BadResponse, match="CSV"):
        at_desk.session.instruments("NFO")
    broker.script = replies(Reply(200, b'{"status":"success","data":[]}'))
    with pytest.raises(BadResponse):
        at_desk.session.profile()


def test_a_dump_comes_as_it_was_sent(broker, at_desk):
    csv = b"instrument_token,exchange_token\n1,2\n"
    broker.script = lambda asked: Reply(200, csv, {"Content-Type": "text/csv"})
    assert at_desk.session.instruments("BFO") == csv
    assert broker.asked[0].path == "/instruments/BFO"


# Candles


def test_candles_are_minutes_of_ist_with_their_open_interest(broker, at_desk):
    rows = [
        ["2026-11-20T09:16:00+0530", 11, 12, 10, 11.5, 300, 5000],
        ["2026-11-20T09:15:00+0530", 10, 12, 9.5, 11, 150],
    ]
    broker.script = lambda _: Reply(200, json.dumps({"status": "success", "data": {"candles": rows}}).encode())
    first, second = at_desk.session.candles(256265, NOON - timedelta(hours=3), NOON)
    assert second.at == datetime(2026, 11, 20, 9, 16, tzinfo=IST)
    assert (second.open, second.high, second.low, second.close) == (11, 12, 10, 11.5)
    assert (second.volume, second.oi) == (300, 5000)
    assert first.oi != first.oi  # not given is not zero
    asked = broker.asked[0]
    assert asked.path == "/instruments/historical/256265/minute"
    assert (asked.query["from"], asked.query["oi"]) == (["2026-11-20 09:00:00"], ["1"])


@pytest.mark.parametrize("row", [["not a day", 1, 1, 1, 1, 1], ["2026-11-20T09:15:00+0530", 1], [None] * 7, "x", None])
def test_a_candle_that_makes_no_sense_is_refused(broker, at_desk, row):
    broker.script = lambda _: Reply(200, json.dumps({"status": "success", "data": {"candles": [row]}}).encode())
    with pytest.raises(BadResponse):
        at_desk.session.candles(1, NOON - timedelta(hours=1), NOON)


# Secrets


def test_no_token_or_secret_is_in_any_record_error_report_or_repr(broker, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    said: list[object] = []
    odd = cycle([DOWN, REFUSED, Reply(200, b"[]"), Reply(reset=True), Reply(502, TOKEN.encode(), {})])
    broker.script = lambda _: next(odd)
    at_desk = desk(tmp_path, broker.url)
    for number in range(10):
        at_desk.file.write(token(TOKEN[number:] + TOKEN[:number]))
        for call in (ask, lambda d: d.session.profile(), lambda d: d.session.candles(1, NOON, NOON)):
            try:
                said.append(call(at_desk))
            except G6Error as caught:
                said += [caught, repr(caught), caught.args, repr(caught.__cause__), repr(caught.__context__)]
    session = at_desk.session
    said += [repr(session.account), repr(session.token), session, session.token_report(), session.endpoint_reports()]
    said += [caplog.text, *(repr(vars(record)) for record in caplog.records)]
    written = " ".join(map(str, said))
    assert SECRET not in written
    for number in range(10):
        assert TOKEN[number:] + TOKEN[:number] not in written


@pytest.mark.long
def test_on_the_machines_clock_quotes_arrive_no_closer_than_the_broker_allows(broker, tmp_path):
    arrivals: list[float] = []
    clock = SystemClock()

    def script(_: Asked) -> Reply:
        arrivals.append(clock.monotonic())
        return FINE

    broker.script = script
    at_desk = desk(tmp_path, broker.url, clock)
    at_desk.log_in(TOKEN)
    for _ in range(4):
        ask(at_desk)
    assert min(later - earlier for earlier, later in pairwise(arrivals)) > 0.9
