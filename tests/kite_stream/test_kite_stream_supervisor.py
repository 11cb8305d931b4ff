"""The supervisor's passes, on a clock and links that a test moves by hand."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from g6.clock import IST
from g6.providers.kite_stream.inbox import Closed, Inbox, Message, Opened, Overflow
from g6.providers.kite_stream.instruments import of_contracts
from g6.providers.kite_stream.options import StreamOptions
from g6.providers.kite_stream.supervisor import Supervisor

START = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
NFO, BFO = 256 << 8 | 2, 256 << 8 | 5
OPTIONS = StreamOptions()


class Clock:
    speed = 1.0

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def now(self):
        return START + timedelta(seconds=self.seconds - 1_000.0)

    def monotonic(self) -> float:
        return self.seconds

    elapsed = monotonic


class Link:
    def __init__(self, connection: int, token) -> None:
        self.connection, self.access_token = connection, token.access_token
        self.told = []
        self.left = False

    def begin(self) -> None:
        pass

    def tell(self, change) -> None:
        self.told.append(change)

    def leave(self) -> None:
        self.left = True


class Stage:
    def __init__(self, session, options: StreamOptions) -> None:
        self.session = session
        self.clock = Clock()
        self.links: list[Link] = []
        self.open_exchanges = {"NFO", "BFO"}
        self.supervisor = Supervisor(
            Inbox(1 << 20), self.make, options, self.clock, lambda exchange, at: exchange in self.open_exchanges
        )

    def make(self, connection, token, inbox) -> Link:
        self.links.append(Link(connection, token))
        return self.links[-1]

    @property
    def link(self) -> Link:
        return self.links[-1]

    def go(self, *events, seconds: float = 0.0) -> None:
        self.clock.seconds += seconds
        self.supervisor.attend(events, self.session.token)

    def opened(self) -> None:
        self.go(Opened(self.link.connection, self.clock.seconds))

    def message(self, payload: bytes, *, is_binary: bool = True) -> Message:
        return Message(self.link.connection, self.clock.seconds, payload, is_binary)

    def says(self, payload: bytes, *, is_binary: bool = True) -> None:
        self.go(self.message(payload, is_binary=is_binary))

    def lives(self, seconds: float, *payloads: bytes) -> None:
        """Let time pass, second by second, with heartbeats and these messages."""
        for _ in range(round(seconds)):
            self.clock.seconds += 1
            self.go(*(self.message(payload) for payload in (b"\x00", *payloads)))

    def holds(self, *tokens: int) -> list[bool]:
        return self.supervisor.read(np.array(tokens))[1].tolist()

    def losses(self) -> dict[str, int]:
        return {w: n for report in self.supervisor.reports() for w, n in report.reconnects.items()}


@pytest.fixture
def stage(session) -> Stage:
    return Stage(session, OPTIONS)


@pytest.fixture
def live(stage, table) -> Stage:
    stage.supervisor.want(of_contracts(table(NFO, BFO)))
    stage.go()
    stage.opened()
    return stage


def test_a_connection_is_there_before_anything_is_wanted(stage):
    stage.go()
    assert len(stage.links) == 1


def test_no_login_means_no_connection(stage):
    stage.session.token = None
    stage.go()
    assert stage.links == []
    assert stage.supervisor.down() == {1: "nobody is logged in"}


def test_subscriptions_are_told_when_the_connection_opens_and_after_that_by_difference(live, table):
    assert [change.subscribe for change in live.link.told] == [(NFO, BFO)]
    live.supervisor.want(of_contracts(table(BFO, 999 << 8 | 2)))
    live.go()
    assert (live.link.told[-1].unsubscribe, live.link.told[-1].subscribe) == ((NFO,), (999 << 8 | 2,))


def test_the_cached_first_tick_confirms_nothing_and_a_full_one_does(live, wire):
    live.says(wire.message(wire.quote(NFO, 5.0)))
    assert live.holds(NFO, BFO) == [False, False]
    live.says(wire.message(wire.full(NFO, 5.0)))
    assert live.holds(NFO, BFO) == [True, False]


def test_a_quiet_leg_holds_as_long_as_its_connection(live, table, wire):
    quiet = 512 << 8 | 2
    live.supervisor.want(of_contracts(table(NFO, quiet)))
    live.says(wire.message(wire.full(quiet, 6.0)))
    live.lives(600, wire.message(wire.full(NFO, 5.0)))
    assert live.holds(quiet) == [True]


def test_what_was_said_before_the_connection_was_made_does_not_hold(live, wire):
    live.says(wire.message(wire.full(NFO, 5.0)))
    late = live.message(wire.message(wire.full(NFO, 5.0)))
    live.go(Closed(live.link.connection, "closed with code 1006"))
    assert live.holds(NFO) == [False]
    live.go(seconds=OPTIONS.reconnect_first_seconds)
    live.opened()
    live.go(late)
    assert live.holds(NFO) == [False]
    assert [change.subscribe for change in live.link.told] == [(NFO, BFO)]


def test_waits_between_tries_double_up_to_the_limit_and_begin_anew_after_one_that_lasted(stage):
    stage.go()
    waits = []
    for _ in range(8):
        stage.go(Closed(stage.link.connection, "no connection could be made"))
        tries, waited = len(stage.links), 0
        while len(stage.links) == tries:
            stage.go(seconds=0.5)
            waited += 0.5
        waits.append(waited)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    stage.opened()
    stage.lives(60)
    stage.go(Closed(stage.link.connection, "closed with code 1001"))
    tries = len(stage.links)
    stage.go(seconds=1.0)
    assert len(stage.links) == tries + 1


def test_silence_ends_a_connection_and_heartbeats_do_not(live):
    live.open_exchanges = set()
    live.lives(300)
    first = live.link
    live.go(seconds=OPTIONS.stall_seconds - 0.1)
    assert not first.left
    live.go(seconds=0.2)
    assert first.left
    assert live.losses() == {"stalled": 1}
    assert "not even a heartbeat" in live.supervisor.down()[1]


def test_a_try_that_never_ends_is_given_up_too(stage):
    stage.go()
    stage.go(seconds=OPTIONS.stall_seconds + 1)
    assert stage.links[0].left
    stage.go(seconds=OPTIONS.reconnect_first_seconds)
    assert len(stage.links) == 2


def test_a_refused_token_is_not_tried_again_and_a_new_one_at_once(stage):
    stage.go()
    stage.go(Closed(stage.link.connection, "", 403))
    stage.go(seconds=3600)
    assert len(stage.links) == 1
    assert stage.supervisor.refused == "first"
    stage.session.log_in("second")
    stage.go()
    assert [link.access_token for link in stage.links] == ["first", "second"]
    assert stage.supervisor.refused == ""


def test_any_other_refusal_is_tried_again(stage):
    stage.go()
    stage.go(Closed(stage.link.connection, "", 429))
    assert stage.supervisor.down() == {1: "the broker refused the stream (429)"}
    stage.go(seconds=OPTIONS.reconnect_first_seconds)
    assert len(stage.links) == 2


def test_a_new_login_replaces_a_living_connection_at_once(live):
    live.session.log_in("second")
    live.go()
    assert [link.left for link in live.links] == [True, False]
    assert live.losses() == {"new_token": 1}


def test_a_full_queue_ends_the_connection_because_changes_were_lost(live, wire):
    live.says(wire.message(wire.full(NFO, 5.0)))
    live.go(Overflow(live.link.connection))
    assert live.holds(NFO) == [False]
    assert live.losses() == {"queue_full": 1}


def test_after_a_broken_message_nothing_holds_and_everything_is_asked_for_afresh_once(live, wire):
    live.says(wire.message(wire.full(NFO, 5.0), wire.full(BFO, 5.0)))
    live.says(wire.message(wire.full(NFO, 5.0), wire.full(BFO, 5.0))[:-7])
    assert live.holds(NFO, BFO) == [False, False]
    told = live.link.told[1:]
    assert [(set(c.unsubscribe), set(c.subscribe)) for c in told] == [({NFO, BFO}, {NFO, BFO})]
    live.says(b"\x00\x07rubbish")
    assert len(live.link.told) == 2
    assert live.supervisor.take_dropped() == 2


def test_text_that_is_no_json_is_counted_and_the_brokers_words_are_kept(live):
    live.says(b"<html>", is_binary=False)
    live.says(b'{"type":"order","data":{}}', is_binary=False)
    live.says(b'{"type":"error","data":"too many\\nsubscriptions"}', is_binary=False)
    live.says(b"[1]", is_binary=False)
    assert live.supervisor.take_dropped() == 1
    assert live.supervisor.take_words() == "too many subscriptions"


def test_a_mute_exchange_is_believed_nothing_and_asked_for_afresh(live, wire):
    live.says(wire.message(wire.full(NFO, 5.0), wire.full(BFO, 6.0)))
    live.lives(OPTIONS.mute_seconds + 1, wire.message(wire.full(NFO, 5.0)))
    assert live.holds(NFO, BFO) == [True, False]
    assert set(live.supervisor.mute) == {"BFO"}
    assert (live.link.told[-1].unsubscribe, live.link.told[-1].subscribe) == ((BFO,), (BFO,))
    live.lives(1, wire.message(wire.full(BFO, 6.0)))
    assert live.holds(BFO) == [True]
    assert live.supervisor.mute == {}
    assert live.losses() == {}


def test_an_exchange_that_is_closed_is_not_mute(live, wire):
    live.open_exchanges = {"NFO"}
    live.says(wire.message(wire.full(BFO, 6.0)))
    live.lives(10 * OPTIONS.mute_seconds, wire.message(wire.full(NFO, 5.0)))
    assert live.supervisor.mute == {}
    assert live.holds(BFO) == [True]


def test_a_connection_on_which_nothing_ticks_at_all_is_made_anew(live):
    first = live.link
    live.lives(OPTIONS.mute_seconds + 1)
    assert first.left
    assert live.losses() == {"mute": 1}


def test_more_instruments_take_more_connections_and_fewer_give_them_back(session, table):
    stage = Stage(session, StreamOptions(connections=2, instruments_per_connection=2))
    tokens = [n << 8 | 2 for n in range(1, 6)]
    stage.supervisor.want(of_contracts(table(*tokens)))
    stage.go()
    assert len(stage.links) == 2
    assert stage.supervisor.beyond_room == 1
    stage.supervisor.want(of_contracts(table(*tokens[:2])))
    stage.go()
    assert [link.left for link in stage.links] == [False, True]
    assert list(stage.supervisor.down()) == [1]


def test_a_token_that_stands_for_something_else_is_forgotten(live, table, wire):
    live.says(wire.message(wire.full(NFO, 5.0)))
    live.supervisor.want(of_contracts(table(NFO, BFO, symbols=["ANOTHER", f"SYM{BFO}"])))
    assert live.holds(NFO) == [False]


def test_reports_count_since_the_last_one(live, wire):
    live.says(wire.message(wire.full(NFO, 5.0), wire.full(BFO, 5.0)))
    live.clock.seconds += 4
    (report,) = live.supervisor.reports()
    assert (report.number, report.connected, report.instruments) == (1, True, 2)
    assert (report.messages, report.ticks, report.silent_seconds) == (1, 2, 4.0)
    assert live.supervisor.tick_ages() == {"NFO": 4.0, "BFO": 4.0}
    (report,) = live.supervisor.reports()
    assert (report.messages, report.ticks) == (0, 0)


def test_one_silent_link_after_another_is_one_silence(live):
    """An alert on the age of the last message would never come if each new link began it anew."""
    live.lives(5)
    for _ in range(6):
        live.go(seconds=OPTIONS.stall_seconds + 1)
        live.go(seconds=OPTIONS.reconnect_max_seconds)
        live.opened()
    (report,) = live.supervisor.reports()
    assert report.connected
    assert report.silent_seconds == 6 * (OPTIONS.stall_seconds + 1 + OPTIONS.reconnect_max_seconds)
    live.lives(1)
    (report,) = live.supervisor.reports()
    assert report.silent_seconds == 0.0


def test_a_stream_that_never_said_anything_is_as_silent_as_its_first_link_is_old(live):
    live.go(seconds=OPTIONS.stall_seconds + 1)
    live.go(seconds=OPTIONS.reconnect_max_seconds)
    live.opened()
    (report,) = live.supervisor.reports()
    assert report.silent_seconds == OPTIONS.stall_seconds + 1 + OPTIONS.reconnect_max_seconds
