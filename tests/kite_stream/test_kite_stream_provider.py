"""The provider's answers, with links that are scripted and a REST provider that counts what it is asked for."""

import threading
import time
from datetime import datetime, timedelta

import numpy as np
import pytest

from g6.clock import IST, VirtualClock
from g6.errors import AuthError, ConfigError, TransientError
from g6.model.quotes import Quotes, Spot
from g6.providers.kite_stream.inbox import Closed, Message, Opened
from g6.providers.kite_stream.options import StreamOptions
from g6.providers.kite_stream.provider import KiteStreamProvider

START = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
LEGS = [n << 8 | 2 for n in range(1, 5)]
OPTIONS = StreamOptions(settle_seconds=0.2)


class Rest:
    """Answers every leg with a last price of 77, as of two seconds after it was asked."""

    name = "kite"

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.error: Exception | None = None
        self.tokens = {"NIFTY": 256265}

    def index_tokens(self, indices, at):
        return {index.name: self.tokens[index.name] for index in indices if index.name in self.tokens}

    def contracts(self, indices, at):
        return "the dump's"

    def spots(self, indices, at):
        self.asked.append([index.name for index in indices])
        if self.error:
            raise self.error
        return {index.name: Spot(1.0, at) for index in indices}

    def quotes(self, contracts, at):
        self.asked.append(contracts.token.tolist())
        if self.error:
            raise self.error
        n = len(contracts)
        ages = np.full(n, 3.0)
        return Quotes(at=at + timedelta(seconds=2), answered=np.ones(n, bool), last=np.full(n, 77.0),
                      quote_age_seconds=ages)  # fmt: skip


class Broker:
    """Makes links that open at once and answer a subscription with these packets."""

    def __init__(self, wire) -> None:
        self.wire = wire
        self.packets: dict[int, bytes] = {}
        self.end: Closed | None = None
        self.links: list = []

    def __call__(self, connection, token, inbox):
        self.connection, self.inbox = connection, inbox
        self.links.append(self)
        return self

    def begin(self) -> None:
        self.inbox.put(
            Closed(self.connection, "no route", self.end) if self.end else Opened(self.connection, time.monotonic())
        )

    def tell(self, change) -> None:
        packets = [self.packets[token] for token in change.subscribe if token in self.packets]
        self.inbox.put(Message(self.connection, time.monotonic(), self.wire.message(*packets), is_binary=True))

    def leave(self) -> None:
        pass


@pytest.fixture
def rest() -> Rest:
    return Rest()


@pytest.fixture
def broker(wire) -> Broker:
    broker = Broker(wire)
    broker.packets = {token: wire.full(token, 5.0 + n, at=wire.STAMP - 40 * n) for n, token in enumerate(LEGS)}
    return broker


@pytest.fixture
def provider(session, rest, broker):
    made = KiteStreamProvider(
        session, rest, OPTIONS, VirtualClock(START, float("inf")), lambda exchange, at: False, make_link=broker
    )
    yield made
    made.close()


def test_an_answer_of_the_stream_alone_asks_nothing_of_rest(provider, rest, table):
    quotes = provider.quotes(table(*reversed(LEGS)), START)
    assert quotes.last.tolist() == [8.0, 7.0, 6.0, 5.0]
    assert quotes.answered.all()
    assert rest.asked == []


def test_the_age_of_a_leg_is_counted_from_the_exchanges_stamp(provider, table):
    quotes = provider.quotes(table(*LEGS), START + timedelta(seconds=10))
    assert quotes.quote_age_seconds.tolist() == [10.0, 50.0, 90.0, 130.0]
    assert np.isnan(quotes.trade_age_seconds).all()


def test_legs_that_the_stream_lacks_are_filled_in_one_call_and_counted(provider, rest, broker, wire, table):
    del broker.packets[LEGS[0]]
    broker.packets[LEGS[2]] = wire.quote(LEGS[2], 9.0)  # a cached tick: no open interest, no depth
    quotes = provider.quotes(table(*LEGS), START)
    assert quotes.last.tolist() == [77.0, 6.0, 77.0, 8.0]
    assert rest.asked == [[LEGS[0], LEGS[2]]]
    assert provider.report().stream.filled_by_rest == 2
    assert provider.report().stream.filled_by_rest == 0
    # All ages are counted to the last answer's instant, two seconds later.
    assert quotes.at == START + timedelta(seconds=2)
    assert quotes.quote_age_seconds.tolist() == [3.0, 42.0, 3.0, 122.0]


def test_when_rest_fails_too_its_legs_are_missing_and_the_minute_goes_on(provider, rest, broker, table):
    del broker.packets[LEGS[0]]
    rest.error = TransientError("kite.quote: 503")
    quotes = provider.quotes(table(*LEGS), START)
    assert quotes.answered.tolist() == [False, True, True, True]
    assert np.isnan(quotes.last[0])
    assert any("1 legs are missing" in problem and "503" in problem for problem in provider.report().problems)


def test_when_neither_knows_any_leg_rests_error_is_the_answer(provider, rest, broker, table):
    broker.packets.clear()
    rest.error = TransientError("kite.quote: 503")
    with pytest.raises(TransientError, match="503"):
        provider.quotes(table(*LEGS), START)


def test_no_connection_is_an_error_with_the_reason(provider, broker, table):
    broker.end = 502
    with pytest.raises(TransientError, match=r"no connection.*\(502\)"):
        provider.quotes(table(*LEGS), START)


def test_a_refused_token_is_told_to_the_session_and_is_an_auth_error(provider, session, broker, table):
    broker.end = 403
    with pytest.raises((AuthError, TransientError)):
        provider.quotes(table(*LEGS), START)
    provider._keeper.wait(lambda _: bool(session.failures), 5.0)
    with pytest.raises(AuthError, match="g6 login"):
        provider.quotes(table(*LEGS), START)
    assert len(session.failures) == 1


def test_no_login_is_an_auth_error_and_needs_no_connection(provider, session, broker, table):
    session.token = None
    with pytest.raises(AuthError, match=r"nobody is logged in; run `g6 login`"):
        provider.quotes(table(*LEGS), START)
    assert broker.links == []


def test_spots_are_the_streams_and_those_that_it_lacks_are_rests(provider, rest, broker, wire, indices):
    broker.packets[256265] = wire.index(256265, 24_787.85, wire.STAMP - 1)
    spots = provider.spots([indices["SENSEX"], indices["NIFTY"]], START)
    assert spots["NIFTY"] == Spot(24_787.85, START - timedelta(seconds=1))
    assert spots["SENSEX"].last == 1.0
    assert rest.asked == [["SENSEX"]]


def test_spots_stay_subscribed_beside_the_legs(provider, rest, broker, wire, indices, table):
    broker.packets[256265] = wire.index(256265, 24_787.85)
    provider.spots([indices["NIFTY"]], START)
    provider.quotes(table(*LEGS), START)
    assert provider.report().stream.connections[0].instruments == len(LEGS) + 1
    broker.packets.clear()  # a second subscription would find nothing
    assert provider.spots([indices["NIFTY"]], START)["NIFTY"].last == 24_787.85
    assert rest.asked == []


def test_contracts_are_rests(provider, indices):
    assert provider.contracts([indices["NIFTY"]], START) == "the dump's"


def test_a_session_that_cannot_read_its_token_is_no_login(rest, broker, session, table):
    class Unreadable:
        options, login_command = session.options, session.login_command

        @property
        def token(self):
            raise ConfigError("token file: mode 0644")

    provider = KiteStreamProvider(
        Unreadable(), rest, OPTIONS, VirtualClock(START, 60.0), lambda *_: False, make_link=broker
    )
    with pytest.raises(AuthError, match="nobody is logged in"):
        provider.quotes(table(*LEGS), START)
    provider.close()


def test_a_closed_provider_leaves_no_thread_and_closing_twice_is_nothing(provider, table):
    provider.quotes(table(*LEGS), START)
    provider.close()
    provider.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "kite_stream" and thread.is_alive()]


def test_one_that_was_never_asked_has_nothing_to_complain_of(provider):
    report = provider.report()
    assert report.problems == ()
    assert report.stream is not None
