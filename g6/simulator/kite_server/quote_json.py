"""Quotes as Kite's JSON: full quotes, OHLC and last prices of contracts and of indices."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from g6.model.columns import Floats, Ints
from g6.simulator.kite_server.ticks import DEPTH, IndexTicks, Ticks

LEVELS = DEPTH // 2
CIRCUIT_PAISE = 5  # prices of the circuit limits are whole multiples of it
IST_SECONDS = 19_800

Quote = dict[str, Any]


def full_quotes(ticks: Ticks) -> list[Quote]:
    """Return one quote per row; a row that does not answer has one too, which the caller leaves out."""
    depth = zip(_levels(ticks, slice(0, LEVELS)), _levels(ticks, slice(LEVELS, DEPTH)), strict=True)
    rows = zip(
        ticks.token.tolist(), stamps(ticks.quoted_at), stamps(ticks.traded_at), _rupees(ticks.last),
        ticks.last_quantity.tolist(), ticks.buy_quantity.tolist(), ticks.sell_quantity.tolist(),
        ticks.volume.tolist(), _rupees(ticks.average), ticks.oi.tolist(), ticks.oi_high.tolist(),
        ticks.oi_low.tolist(), _circuits(ticks.close), _ohlc(ticks), depth,
        strict=True,
    )  # fmt: skip
    return [
        {
            "instrument_token": token,
            "timestamp": quoted_at,
            "last_trade_time": traded_at,
            "last_price": last,
            "last_quantity": last_quantity,
            "buy_quantity": buy_quantity,
            "sell_quantity": sell_quantity,
            "volume": volume,
            "average_price": average,
            "oi": oi,
            "oi_day_high": oi_high,
            "oi_day_low": oi_low,
            "net_change": 0,
            "lower_circuit_limit": lower,
            "upper_circuit_limit": upper,
            "ohlc": ohlc,
            "depth": {"buy": buy, "sell": sell},
        }
        for token, quoted_at, traded_at, last, last_quantity, buy_quantity, sell_quantity, volume, average, oi,
        oi_high, oi_low, (lower, upper), ohlc, (buy, sell) in rows
    ]  # fmt: skip


def full_index_quotes(ticks: IndexTicks) -> list[Quote]:
    """Return one quote per index, which has neither depth nor volume."""
    rows = zip(
        ticks.token.tolist(), stamps(ticks.quoted_at), _rupees(ticks.last), _rupees(ticks.change), _ohlc(ticks),
        strict=True,
    )  # fmt: skip
    return [
        {"instrument_token": token, "timestamp": stamp, "last_price": last, "net_change": change, "ohlc": ohlc}
        for token, stamp, last, change, ohlc in rows
    ]


def ohlc_quotes(ticks: Ticks | IndexTicks) -> list[Quote]:
    """Return token, last price and OHLC of each row."""
    rows = zip(ticks.token.tolist(), _rupees(ticks.last), _ohlc(ticks), strict=True)
    return [{"instrument_token": token, "last_price": last, "ohlc": ohlc} for token, last, ohlc in rows]


def last_prices(ticks: Ticks | IndexTicks) -> list[Quote]:
    """Return token and last price of each row."""
    rows = zip(ticks.token.tolist(), _rupees(ticks.last), strict=True)
    return [{"instrument_token": token, "last_price": last} for token, last in rows]


def stamps(epoch_seconds: Ints) -> list[str | None]:
    """Return naive IST texts such as "2026-11-20 10:00:00"; None where there is no stamp."""
    local = (epoch_seconds + IST_SECONDS).astype("datetime64[s]")
    texts = np.datetime_as_string(local).tolist()
    return [text.replace("T", " ") if there else None for text, there in zip(texts, epoch_seconds > 0, strict=True)]


def _levels(ticks: Ticks, side: slice) -> Iterator[list[Mapping[str, float]]]:
    prices = (ticks.depth_price[:, side] / 100).tolist()
    columns = zip(prices, ticks.depth_quantity[:, side].tolist(), ticks.depth_orders[:, side].tolist(), strict=True)
    for price, quantity, orders in columns:
        yield [
            {"price": p, "quantity": q, "orders": o} for p, q, o in zip(price, quantity, orders, strict=True)
        ]  # fmt: skip


def _ohlc(ticks: Ticks | IndexTicks) -> list[Mapping[str, float]]:
    columns = (_rupees(column) for column in (ticks.open, ticks.high, ticks.low, ticks.close))
    return [
        {"open": opened, "high": high, "low": low, "close": close}
        for opened, high, low, close in zip(*columns, strict=True)
    ]


def _circuits(close: Ints) -> Iterator[tuple[float, float]]:
    """Give each row's price band; around yesterday's close, and wide, as options' are."""
    lower = np.maximum(CIRCUIT_PAISE, close // 5 // CIRCUIT_PAISE * CIRCUIT_PAISE)
    upper = np.maximum(2000 * CIRCUIT_PAISE, close * 3)
    return zip(_rupees(lower), _rupees(upper), strict=True)


def _rupees(paise: Ints) -> list[float]:
    prices: Floats = paise / 100
    listed: list[float] = prices.tolist()
    return listed
