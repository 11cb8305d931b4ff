"""Keeps the connections alive and the board up to date: the stream's state, without threads or sockets.

One pass (`attend`), several times a second:

1. what the connections said since the last pass: openings, endings, frames (`_take`, `_read`)
2. a login that is new, gone or refused (`_check_token`)
3. links that are silent, and exchanges that are (`_check_silence`, `_check_mute`)
4. links to begin, as far as the waits between tries allow (`_connect`)
5. subscriptions that are not yet what is wanted (`_subscribe`)
"""

import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import numpy as np
import orjson

from g6.clock import Clock
from g6.errors import G6Error
from g6.model.columns import Bools, Ints
from g6.model.provider_report import ConnectionReport
from g6.providers.kite_stream.board import Board
from g6.providers.kite_stream.inbox import Closed, Event, Inbox, Message, Opened, Overflow
from g6.providers.kite_stream.instruments import NO_INSTRUMENTS, Instruments
from g6.providers.kite_stream.line import Line
from g6.providers.kite_stream.link import LinkMaker
from g6.providers.kite_stream.needs import AccessToken
from g6.providers.kite_stream.options import StreamOptions
from g6.providers.kite_stream.packets import Wire, decode
from g6.providers.kite_stream.subscriptions import Subscriptions
from g6.providers.kite_stream.watchdog import ExchangeWatch, Silence, wait_seconds

log = logging.getLogger(__name__)

SHORTEST_MUTE_SECONDS = 1.0  # of the machine: on a fast clock an exchange's tick may be late by less
NO_LOGIN = "nobody is logged in"
REFUSED = "the broker refused the stream (403): the token is dead, or the app has no market data"

IsOpen = Callable[[str, datetime], bool]


class Supervisor:
    """One thread calls at a time: the provider holds a lock around every call. Nothing here waits.

    `is_open` tells whether an exchange (NFO, BFO, NSE, BSE) trades at an instant, and so has to tick.
    """

    def __init__(
        self, inbox: Inbox, make_link: LinkMaker, options: StreamOptions, clock: Clock, is_open: IsOpen
    ) -> None:
        self.board = Board()
        self._words = ""  # what the broker last said is wrong
        self._inbox = inbox
        self._make_link = make_link
        self._options = options
        self._clock = clock
        self._is_open = is_open
        self._subscriptions = Subscriptions(options.connections, options.instruments_per_connection)
        self._lines = tuple(Line(number) for number in range(1, options.connections + 1))
        self._numbers = itertools.count(1)
        mute_seconds = max(options.mute_seconds / clock.speed, SHORTEST_MUTE_SECONDS)
        self._stall: Silence[int] = Silence(options.stall_seconds)  # key: a connection
        self._exchanges = ExchangeWatch(mute_seconds)
        self._mute_lines: Silence[int] = Silence(mute_seconds)  # key: a connection
        self._asked_again_at: dict[int, float] = {}  # line's number
        self._wanted = NO_INSTRUMENTS
        self._exchanges_on: dict[int, frozenset[str]] = {}  # line's number
        self.refused = ""  # the access token that the broker refused last, until there is another
        self.has_login = False  # a token that the broker has not refused
        self._dropped = 0
        self.beyond_room = 0  # instruments

    # What the provider asks

    def want(self, instruments: Instruments) -> None:
        """Want exactly these, most important first."""
        if instruments.same_as(self._wanted):
            return
        self._wanted = instruments
        self.board.follow(instruments)
        self.beyond_room = len(self._subscriptions.follow(instruments.token.tolist()))
        exchange_of = dict(zip(instruments.token.tolist(), instruments.exchange.tolist(), strict=True))
        self._exchanges_on = {
            line.number: frozenset(exchange_of[token] for token in self._subscriptions.carried_by(line.number))
            for line in self._lines
        }

    def read(self, token: Ints) -> tuple[Wire, Bools]:
        """Return the board's rows of these tokens, and which of them hold."""
        return self.board.read(token, [line.connection for line in self._lines if line.is_open])

    @property
    def alive(self) -> bool:
        """Tell whether any connection is open."""
        return any(line.is_open for line in self._lines)

    @property
    def hopeful(self) -> bool:
        """Tell whether any connection is open, or being made now."""
        return any(line.link is not None for line in self._lines)

    def down(self) -> dict[int, str]:
        """Return the connections that ought to be open and are not, and why."""
        return {line.number: line.reason for line in self._lines if self._is_needed(line) and not line.is_open}

    def reports(self) -> tuple[ConnectionReport, ...]:
        """Return a report for each connection that is in use."""
        now = self._clock.monotonic()
        return tuple(
            line.report(self._subscriptions.told(line.number) if line.is_open else 0, now)
            for line in self._lines
            if self._is_needed(line) or line.losses
        )

    def tick_ages(self) -> dict[str, float]:
        """Return exchange → seconds since its last tick, of the exchanges that are followed."""
        return self._exchanges.ages(self.board.exchanges, self._clock.monotonic())

    @property
    def mute(self) -> Mapping[str, float]:
        """Return exchange → seconds without a tick, of those that should tick and do not."""
        return self._exchanges.mute

    def take_dropped(self) -> int:
        """Return how many frames found no room or made no sense since this was last asked."""
        dropped, self._dropped = self._dropped + self._inbox.dropped(), 0
        return dropped

    def take_words(self) -> str:
        """Return what the broker last said is wrong, since this was last asked."""
        words, self._words = self._words, ""
        return words

    def leave(self) -> None:
        """End every connection for good."""
        for line in self._lines:
            line.lost()

    # One pass

    def attend(self, events: Sequence[Event], token: AccessToken | None) -> None:
        """Do what there is to do, in the order of the module's head."""
        for event in events:
            self._take(event)
        self._check_token(token)
        self.has_login = token is not None and token.access_token != self.refused
        now = self._clock.monotonic()
        self._check_silence(now)
        self._check_mute(now)
        for line in self._lines:
            if token is not None and self.has_login:
                self._connect(line, token, now)
            self._subscribe(line, now)

    def _take(self, event: Event) -> None:
        line = next((line for line in self._lines if line.connection == event.connection), None)
        if line is None:
            return  # of a link that was given up
        match event:
            case Opened(at=at):
                line.opened_at, line.reason = at, ""
                self._stall.heard(line.connection, at)
                self._subscriptions.opened(line.number)
                log.info("stream connection %d is open", line.number)
            case Closed(status=403):
                self.refused = line.access_token
                self._lose(line, "refused", REFUSED)
            case Closed(status=int(status)):
                self._lose(line, "refused", f"the broker refused the stream ({status})")
            case Closed(detail=detail):
                self._lose(line, "closed" if line.is_open else "unreachable", detail)
            case Overflow():
                self._lose(line, "queue_full", "more was said than could be read in time")
            case Message():
                line.heard_at = event.at
                self._stall.heard(line.connection, event.at)
                self._read_message(line, event)

    def _read_message(self, line: Line, message: Message) -> None:
        line.messages += 1
        if not message.is_binary:
            self._read_text(message.payload)
            return
        packets = decode(message.payload)
        line.ticks += len(packets)
        self._exchanges.heard(self.board.update(packets, line.connection), message.at)
        if len(packets):
            self._mute_lines.heard(line.connection, message.at)
        if packets.malformed:
            self._dropped += 1
        if packets.broken:
            # Which instruments changed in what was lost nobody knows, and only changes are sent.
            line.in_doubt = True
            self.board.distrust(connection=line.connection)

    def _read_text(self, payload: bytes) -> None:
        """Keep what the broker says is wrong; orders and other messages are not for us."""
        try:
            said = orjson.loads(payload)
        except orjson.JSONDecodeError:
            self._dropped += 1
            return
        if isinstance(said, dict) and said.get("type") == "error":
            self._words = " ".join(str(said.get("data")).split())[:200]
            log.warning("the stream says: %s", self._words)

    def _check_token(self, token: AccessToken | None) -> None:
        """Leave links of an older login: it died when the new one was made."""
        if token is None:
            for line in self._lines:
                if line.link is None and not line.reason:
                    line.reason = NO_LOGIN
            return
        if self.refused and token.access_token != self.refused:
            self.refused = ""
            for line in self._lines:
                line.retry_at, line.failures = 0.0, 0
        for line in self._lines:
            if line.link is not None and line.access_token != token.access_token:
                self._lose(line, "new_token", "there is a new login")
                line.retry_at, line.failures = 0.0, 0

    def _check_silence(self, now: float) -> None:
        for line in self._lines:
            if line.link is None:
                continue
            silent = self._stall.too_long(line.connection, now)
            if silent is not None:
                self._lose(line, "stalled", f"nothing was heard for {silent:.0f} s, not even a heartbeat")

    def _check_mute(self, now: float) -> None:
        at = self._clock.now()
        trading = {name for name in self.board.exchanges if self._trades(name, at)}
        for line in self._lines:
            if not line.is_open:
                continue
            expected = bool(self._exchanges_on.get(line.number, frozenset()) & trading)
            if (silent := self._mute_lines.too_long(line.connection, now, expected=expected)) is not None:
                self._lose(line, "mute", f"it lives, but nothing ticked for {silent:.0f} s")
        for exchange in self._exchanges.check({n: n in trading and self.alive for n in self.board.exchanges}, now):
            # Asked for afresh; until it ticks, nothing of it is believed.
            self.board.distrust(exchange=exchange)
            self._subscriptions.ask_again(self.board.tokens_of(exchange))

    def _trades(self, exchange: str, at: datetime) -> bool:
        try:
            return self._is_open(exchange, at)
        except G6Error:  # a day that the calendar does not cover: nothing can be expected of it
            return False

    def _is_needed(self, line: Line) -> bool:
        # The first is there before anything is wanted, so that a session begins connected.
        return line.number == 1 or bool(self._subscriptions.carried_by(line.number))

    def _connect(self, line: Line, token: AccessToken, now: float) -> None:
        if not self._is_needed(line):
            if line.link is not None:
                line.lost()
            return
        if line.link is not None or self._clock.elapsed() < line.retry_at:
            return
        connection = next(self._numbers)
        link = self._make_link(connection, token, self._inbox)
        line.carried(link, connection, token.access_token, now)
        self._stall.heard(connection, now)
        link.begin()

    def _subscribe(self, line: Line, now: float) -> None:
        if not line.is_open or line.link is None:
            return
        last = self._asked_again_at.get(line.number, -np.inf)
        if line.in_doubt and now - last >= self._options.stall_seconds:
            line.in_doubt, self._asked_again_at[line.number] = False, now
            self._subscriptions.ask_again(self._subscriptions.carried_by(line.number))
        change = self._subscriptions.take_change(line.number)
        if change:
            line.link.tell(change)

    def _lose(self, line: Line, word: str, reason: str) -> None:
        """Give up a link; the next is made after a wait that doubles while links do not last."""
        lasted = line.opened_at is not None and self._clock.monotonic() - line.opened_at >= self._options.stall_seconds
        line.failures = 0 if lasted else line.failures
        wait = wait_seconds(line.failures, self._options.reconnect_first_seconds, self._options.reconnect_max_seconds)
        line.failures += 1
        line.retry_at = self._clock.elapsed() + wait
        self._stall.forget(line.connection)
        self._mute_lines.forget(line.connection)
        line.losses[word] += 1
        if reason != line.reason:
            log.warning("stream connection %d is down: %s", line.number, reason)
        line.reason = reason
        line.lost()
