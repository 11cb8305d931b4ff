"""What a seed decides of a trading day: the market and its failures, what the disk refuses, how processes die."""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from saboteur import EVERYTHING, JOURNAL, REFUSALS, Death

from g6.errors import AuthError, BadResponse, TransientError
from g6.market.sessions import SessionCalendar
from g6.model.quotes import QUOTE_COLUMNS, Quotes, Spot
from g6.settings import shipped

# From August on the index stands still in a closing auction, and strikes are planned by the forwards of the minute
# before. Who restarts in it with a journal that cannot be read does not know them: such days are of before August.
CLOSING_AUCTION = date(2026, 8, 3)
DAYS = {True: (date(2026, 1, 1), 210), False: (CLOSING_AUCTION, 145)}
MINUTE = timedelta(minutes=1)
MARKETS: tuple[Mapping[str, str], ...] = (
    {"collection.indices": "NIFTY", "collection.expiries": "this_week"},
    {"collection.indices": "NIFTY", "collection.expiries": "this_week,this_month"},
    {"collection.indices": "SENSEX", "collection.expiries": "this_week"},
    {"collection.indices": "BANKNIFTY", "collection.expiries": "this_month,next_month"},
    {"collection.indices": "NIFTY,SENSEX", "collection.expiries": "this_week"},
)
OPTIONS = {
    "greeks.enabled": ("true", "false"),
    "collection.strikes_itm": ("0", "1", "2"),
    "storage.journal.pending_cycles_limit": ("3", "30"),
}


class Outage(NamedTuple):
    """What the disk refuses, from one minute of the day to another."""

    what: str
    begin: datetime
    end: datetime


class Life(NamedTuple):
    """A process: how it dies, and how long after its last begun minute the next one starts; back when negative."""

    death: Death | None
    pause: timedelta


@dataclass(frozen=True)
class Plan:
    """Everything that a seed decides."""

    seed: int
    day: date
    begin: datetime
    end: datetime
    settings: Mapping[str, str]
    lives: Sequence[Life]
    outages: Sequence[Outage]
    steps: Mapping[datetime, timedelta]  # minutes in which the wall clock is set
    trouble: float  # the share of minutes in which the market answers badly

    def __str__(self) -> str:
        faults = ", ".join(f"{outage.what} from {outage.begin:%H:%M} to {outage.end:%H:%M}" for outage in self.outages)
        deaths = ", ".join(f"{life.death.where} step {life.death.steps}" for life in self.lives if life.death)
        indices = self.settings["collection.indices"]
        return f"{self.day} {indices}; dies {deaths or 'never'}; refused: {faults or 'nothing'}"


def plan_of(seed: int, minutes: int | None = None) -> Plan:
    """Return the plan of a seed; of a whole session, or of its first and its last minutes when so many are given."""
    choice = random.Random(seed)
    calendar = SessionCalendar.load(shipped("calendar.yaml"))
    outages = [(choice.choice(REFUSALS), choice.random(), choice.randint(1, 40)) for _ in range(choice.randint(0, 3))]
    first, number = DAYS[any(what in {JOURNAL, EVERYTHING} for what, *_ in outages)]
    days = [first + timedelta(days=n) for n in range(number)]
    day = choice.choice([day for day in days if calendar.windows(day, "NSE") and calendar.windows(day, "BSE")])
    window = calendar.windows(day, "NSE")[0]
    begin = window.open if minutes is None or choice.random() < 0.5 else window.close - minutes * MINUTE
    end = window.close if minutes is None else min(begin + minutes * MINUTE, window.close)
    length = int((end - begin) / MINUTE)
    market = dict(choice.choice(MARKETS)) | {name: choice.choice(words) for name, words in OPTIONS.items()}
    return Plan(
        seed=seed,
        day=day,
        begin=begin,
        end=end,
        settings=market | {"providers.simulated.seed": str(choice.randrange(1000))},
        lives=[*_lives(choice, length), Life(None, timedelta(0))],
        outages=[_outage(begin, length, *outage) for outage in outages],
        steps={begin + choice.randrange(length) * MINUTE: _step(choice) for _ in range(choice.randint(0, 2))},
        trouble=choice.choice((0.0, 0.02, 0.2)),
    )


def _lives(choice: random.Random, length: int) -> Iterator[Life]:
    """Most die within the day; now and then one dies while it starts."""
    for _ in range(choice.randint(1, 6)):
        steps = choice.randint(1, 12) if choice.random() < 0.2 else choice.randint(1, max(2, length * 5))
        pause = choice.choice((0, 0, 1, 20, 30, 59, 60, 150, 600, -60, -150))
        yield Life(Death(steps, choice.choice(("before", "within", "after"))), timedelta(seconds=pause))


def _outage(begin: datetime, length: int, what: str, place: float, minutes: int) -> Outage:
    first = int(place * length)
    return Outage(what, begin + first * MINUTE, begin + min(length - 2, first + minutes) * MINUTE)


def _step(choice: random.Random) -> timedelta:
    return timedelta(seconds=choice.choice((-300, -61, 61, 90, 185, 1200)))


class Answers:
    """How the market answers badly: a pure function of the seed and the instant, the same for whoever asks."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def bends(self) -> dict[str, Callable[..., Any]]:
        return {"contracts": self.contracts, "spots": self.spots, "quotes": self.quotes}

    def contracts(self, table: Any, at: datetime) -> Any:
        self._fail("contracts", at)
        return table

    def spots(self, spots: dict[str, Spot], at: datetime) -> dict[str, Spot]:
        choice = self._fail("spots", at)
        if choice.random() < self._plan.trouble / 2:
            spots[choice.choice(sorted(spots))] = Spot(choice.choice((0.0, math.nan, -1.0)), at)
        return spots

    def quotes(self, quotes: Quotes, _contracts: Any, at: datetime) -> Quotes:
        choice = self._fail("quotes", at)
        if choice.random() >= self._plan.trouble:
            return quotes
        silent = np.random.default_rng(choice.randrange(1 << 30)).random(len(quotes)) < choice.choice((0.1, 0.5, 1.0))
        columns = {name: np.where(silent, np.nan, getattr(quotes, name)) for name in QUOTE_COLUMNS}
        return replace(quotes, answered=quotes.answered & ~silent, **columns)

    def _fail(self, call: str, at: datetime) -> random.Random:
        choice = random.Random(f"{self._plan.seed} {call} {at.isoformat()}")
        if choice.random() < self._plan.trouble / 3:
            kind = choice.choice((TransientError, AuthError, BadResponse, ValueError))
            raise kind(f"{call} fail at {at:%H:%M:%S}")
        return choice
