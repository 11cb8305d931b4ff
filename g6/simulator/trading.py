"""Trades of a day: how many were made by an instant, when the last one was, and what they amount to.

A contract's n trades of the day lie at (j + u_j)/n on the day's activity clock, j = 0 … n−1, u_j its own draw:
one in each n-th of the day's business. So the last trade before any instant is found without walking through
the ones before it, and volume can only grow.
"""

from dataclasses import dataclass

import numpy as np

from g6.model.columns import Bools, Floats
from g6.simulator.book import Pricer
from g6.simulator.grid import SessionGrid
from g6.simulator.hashing import derive, uniform
from g6.simulator.legs import Legs

PLACE, SIZE, SIDE = range(32, 35)  # streams of a trade's draws
AVERAGED_AT = (0.125, 0.375, 0.625, 0.875)  # shares of the business so far, for the average price
AVERAGED_FROM = 4  # trades; fewer and the average is the last price
INTEREST_WOBBLE = 0.01  # of the interest, at midday
INTEREST_SECONDS = 60.0  # how often open interest is published


@dataclass(frozen=True, slots=True)
class Trades:
    """What trading amounts to by an instant. `seconds` is the last trade's, from midnight; NaN when never."""

    count: Floats
    seconds: Floats
    last: Floats  # rupees
    lots: Floats
    average: Floats  # rupees; NaN before the day's first trade


def trades_until(legs: Legs, seconds: Floats, grid: SessionGrid, pricer: Pricer, before: float) -> Trades:
    """Return each leg's trades up to its own instant; a leg untraded today keeps the last price of `before`.

    `before` is the second, negative, at which the session before ended.
    """
    business = grid.activity(seconds)
    count, last = _last_trade(legs, business)
    drawn = derive(legs.day_key, last.astype(np.int64) + 2**33)
    traded = count > 0
    # The clock runs through a pause between two windows, so its inverse must not overtake the instant.
    when = np.minimum(grid.when((last + uniform(derive(drawn, PLACE))) / np.maximum(legs.trades, 1)), seconds)
    when = np.where(traded, when, before - 900 * uniform(derive(legs.day_key, PLACE)))
    price = np.where(
        traded | legs.traded_before, _traded_price(legs, when, pricer, uniform(derive(drawn, SIDE))), np.nan
    )
    lots = count + np.floor(
        (legs.lots - legs.trades) * (last + uniform(derive(drawn, SIZE))) / np.maximum(legs.trades, 1)
    )
    average = _average(legs, business, grid, pricer)
    return Trades(
        count=count,
        seconds=np.where(np.isfinite(price), when, np.nan),
        last=price,
        lots=np.where(traded, lots, 0.0),
        average=np.where(traded, np.where(count >= AVERAGED_FROM, average, price), np.nan),
    )


def interest(legs: Legs, seconds: Floats, grid: SessionGrid) -> Floats:
    """Return the lots held, published once a minute: from yesterday's to tonight's with the day's business."""
    minute = np.floor(seconds / INTEREST_SECONDS)
    business = grid.activity(minute * INTEREST_SECONDS)
    drawn = uniform(derive(legs.day_key, minute.astype(np.int64) + 2**34))
    wobble = INTEREST_WOBBLE * (2 * drawn - 1) * 4 * business * (1 - business)
    held = legs.interest_before + (legs.interest_after - legs.interest_before) * business
    lots: Floats = np.maximum(np.round(held * (1 + wobble)), 0.0)
    return lots


def _last_trade(legs: Legs, business: Floats) -> tuple[Floats, Floats]:
    """Return how many trades were made, and the number of the last one (0 when there was none)."""
    place = business * legs.trades
    begun = np.minimum(np.floor(place), np.maximum(legs.trades - 1, 0))
    drawn = uniform(derive(legs.day_key, begun.astype(np.int64) + 2**33, PLACE))
    count = begun + ((drawn <= place - begun) & (legs.trades > 0))
    return count, np.maximum(count - 1, 0)


def _traded_price(legs: Legs, seconds: Floats, pricer: Pricer, drawn: Floats) -> Floats:
    """Return the bid or the ask of that instant, or now and then the tick in the middle."""
    bid, ask = pricer.prices(legs, seconds)
    middle = np.round(np.floor((bid + ask) / (2 * legs.tick)) * legs.tick, 2)
    price = np.select([drawn < 0.45, drawn < 0.9], [bid, ask], np.maximum(middle, bid))
    no_bid: Bools = np.isnan(bid)
    return np.where(no_bid, ask, price)


def _average(legs: Legs, business: Floats, grid: SessionGrid, pricer: Pricer) -> Floats:
    """Return the mean true price over the day's business so far, from a few instants of it."""
    prices = [pricer.true_price(legs, grid.when(share * business)) for share in AVERAGED_AT]
    average: Floats = np.maximum(np.mean(np.stack(prices), axis=0), legs.tick)
    return np.round(average, 2)
