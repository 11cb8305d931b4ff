"""The day's contracts as columns of numbers: what does not change between two instants of one day."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from g6.market.indices import IndexDefinition
from g6.model.columns import Bools, Floats, Ints
from g6.model.contracts import ContractTable
from g6.simulator import liquidity
from g6.simulator.business import Moment, Strip
from g6.simulator.contracts import Expiry
from g6.simulator.hashing import Keys, derive, normal, text_keys, uniform
from g6.simulator.walk import DayEnds

STILL_BEYOND = 1.3  # times the quoted edge, from which a few contracts do not answer at all
STILL_SHARE = 0.05
DAY_NOISE, CONTRACT_NOISE = 0.30, 0.35  # standard deviations of log volume and log open interest
FUTURE_SPREAD = 0.00005  # of the price
WIDEST_SPREAD = 0.0012  # of the level

QUOTED, ANSWERS, INTEREST, VOLUME, ROUNDING, BEFORE = range(6)  # streams of a contract's draws


@dataclass(frozen=True, slots=True)
class Legs:
    """Equal-length columns, one row per contract. Quantities in lots, instants in seconds from midnight."""

    row: Ints  # of the index in the day's paths
    day_key: Keys  # what the contract's draws of the day hang from
    is_future: Bools
    is_call: Bools
    strike: Floats  # 1 for futures, which have none
    expires: Floats
    lot: Floats
    tick: Floats
    annual_volatility: Floats
    lots: Floats  # traded by the end of the day
    trades: Floats  # made by the end of the day
    spread: Floats  # ask less bid over the price
    widest: Floats  # rupees; ask less bid is no wider, but for rounding
    interest_before: Floats  # held at yesterday's end
    interest_after: Floats  # held at this day's end
    quoted: Bools  # has a book
    answers: Bools
    traded_before: Bools  # has a last price from the day before

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: Ints | Bools) -> "Legs":
        """Return these rows, in this order."""
        return Legs(*(getattr(self, f.name)[rows] for f in dataclasses.fields(self)))

    @staticmethod
    def concatenate(parts: Sequence["Legs"]) -> "Legs":
        """Stack at least one part, in order."""
        return Legs(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in dataclasses.fields(Legs)))


@dataclass(frozen=True, slots=True)
class IndexDay:
    """One index on one day, as the liquidity of its contracts sees it."""

    index: IndexDefinition
    row: int  # in the day's paths
    day: date
    days_since: int  # calendar days since the trading day before
    open_share: float  # of a full session
    ends: DayEnds
    seed: int

    @property
    def middle(self) -> float:
        """Return the log level that the day's business is centred on."""
        return (self.ends.open + self.ends.close) / 2


def contract_keys(contracts: ContractTable) -> Keys:
    """Return who each contract is, as a number: underlying, kind, expiry and strike; the seed plays no part."""
    hundredths = np.round(contracts.strike * 100).astype(np.int64)
    days = contracts.expiry.astype("datetime64[D]").astype(np.int64)
    return derive(text_keys(contracts.index) ^ text_keys(contracts.kind), days, hundredths)


def legs_of(today: IndexDay, expiry: Expiry, closes: float, rows: ContractTable) -> Legs:
    """Return the columns of one index's contracts of one expiry, which closes at that second."""
    strip = Strip.of(today.index.simulation, expiry, rows)
    key = derive(contract_keys(rows), today.seed)
    day_key = derive(key, today.day.toordinal())
    expected = _expected_volume(today, strip, day_key)
    quoted, answers = _presence(today, strip, key, day_key)
    lots = np.where(quoted, np.floor(expected + uniform(derive(day_key, ROUNDING))), 0.0)
    before, after = _interest(today, strip, key)
    spread = liquidity.relative_spread(expected)
    return Legs(
        row=np.full(len(rows), today.row),
        day_key=day_key,
        is_future=strip.is_future,
        is_call=strip.is_call,
        strike=strip.strike,
        expires=np.full(len(rows), closes),
        lot=strip.lot,
        tick=rows.tick,
        annual_volatility=np.full(len(rows), strip.market.annual_volatility),
        lots=lots,
        trades=liquidity.trades_a_day(lots),
        spread=np.where(strip.is_future, FUTURE_SPREAD, spread),
        widest=np.full(len(rows), WIDEST_SPREAD * np.exp(today.middle)),
        interest_before=before,
        interest_after=after,
        quoted=quoted,
        answers=answers,
        traded_before=quoted & (uniform(derive(day_key, BEFORE)) < expected),
    )


def _expected_volume(today: IndexDay, strip: Strip, day_key: Keys) -> Floats:
    days = (strip.expiry.day - today.day).days
    ordinary = strip.volume(Moment(today.middle, days, today.ends.momentum))
    expected: Floats = today.open_share * ordinary * np.exp(DAY_NOISE * normal(derive(day_key, VOLUME)))
    return expected


def _presence(today: IndexDay, strip: Strip, key: Keys, day_key: Keys) -> tuple[Bools, Bools]:
    """Return who has a book, drawn once in a contract's life, and who answers today."""
    days = (strip.expiry.day - today.day).days
    away = np.where(strip.is_future, 0.0, np.abs(np.log(strip.strike) - today.ends.previous))
    edge = liquidity.quiet_edge(strip.spread(days))
    quoted = uniform(derive(key, QUOTED)) < liquidity.quoted_share(away, edge, days)
    still = (away > STILL_BEYOND * edge) & (uniform(derive(day_key, ANSWERS)) < STILL_SHARE)
    return quoted | strip.is_future, ~still


def _interest(today: IndexDay, strip: Strip, key: Keys) -> tuple[Floats, Floats]:
    """Return lots held at yesterday's end and at this day's, by one formula, so that days join."""
    days, ends = (strip.expiry.day - today.day).days, today.ends
    noise = np.exp(CONTRACT_NOISE * normal(derive(key, INTEREST)))
    rounding = uniform(derive(key, ROUNDING))
    yesterday = Moment(ends.previous, days + today.days_since, ends.previous_momentum)
    tonight = Moment(ends.close, days, ends.momentum)
    before, after = (np.floor(strip.interest(moment) * noise + rounding) for moment in (yesterday, tonight))
    return before, after
