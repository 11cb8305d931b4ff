"""Option-chain JSON as NSE's site publishes it, as a recording: one file an index and instant, plain or gzipped.

Open interest and volume are in lots there and in units here; the exchange's own implied volatility (Black-Scholes on
spot, 10 %, whole days) becomes `broker_iv`. Both layouts of the rows are read: the older one has `bidprice`, the newer
one `buyPrice1`.
"""

import gzip
import logging
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from g6.clock import IST
from g6.errors import BadResponse, ConfigError
from g6.market.indices import IndexDefinition
from g6.market.listing import listed_expiries, lot_on
from g6.market.sessions import SessionCalendar
from g6.model.chain import EXPIRY_CODES
from g6.model.columns import Bools, Floats
from g6.model.contracts import FUTURE, ContractTable
from g6.model.quotes import Quotes, Spot
from g6.providers.recording import RecordedMinute, minute_of

log = logging.getLogger(__name__)

FILE_MAX_BYTES = 64 * 1024 * 1024

# Quote column → the names that it has had in NSE's rows, newest last.
FIELDS = {
    "last": ("lastPrice",),
    "bid": ("bidprice", "buyPrice1"),
    "ask": ("askPrice", "sellPrice1"),
    "bid_quantity": ("bidQty", "buyQuantity1"),
    "ask_quantity": ("askQty", "sellQuantity1"),
    "volume": ("totalTradedVolume",),
    "oi": ("openInterest",),
    "broker_iv": ("impliedVolatility",),
}
PRICES = ("last", "bid", "ask", "broker_iv")
# A lot is read off the quantities on the book when there are this many; their common divisor is then the lot itself.
QUANTITIES_FOR_LOT = 20


@dataclass(frozen=True, slots=True)
class _Chain:
    """One parsed file: parallel lists of legs, each as the site wrote it."""

    index: str
    at: datetime
    spot: float
    expiry: list[date]
    strike: list[float]
    kind: list[str]
    legs: list[Mapping[str, Any]]
    skipped: int


class NseRecording:
    """A folder of NSE option-chain files. A file that cannot be read costs its own minute, and is named."""

    def __init__(self, folder: Path, indices: Mapping[str, IndexDefinition], calendar: SessionCalendar) -> None:
        self._definitions = indices
        self._calendar = calendar
        self._files: dict[datetime, dict[str, Path]] = defaultdict(dict)
        self.unreadable: list[str] = []
        for path in files_in(folder):
            self._admit(path)
        self._load = lru_cache(maxsize=1)(self._read_minute)

    def minutes(self) -> Sequence[datetime]:
        """Return the recorded minutes."""
        return sorted(self._files)

    def indices(self) -> Sequence[str]:
        """Return the recorded indices."""
        return tuple(dict.fromkeys(name for files in self._files.values() for name in files))

    def codes(self) -> Sequence[str]:
        """Return every expiry code: such files hold all expiries."""
        return EXPIRY_CODES

    def load(self, minute: datetime) -> RecordedMinute:
        """Return one minute, all its indices together."""
        return self._load(minute)

    def _admit(self, path: Path) -> None:
        try:
            chain = _parse(path)
            if chain.index not in self._definitions:
                raise BadResponse(f"{path.name}: index {chain.index} is not defined in indices.yaml")
        except BadResponse as error:
            self.unreadable.append(str(error))
            log.warning("skipped %s", error)
            return
        # Several files of a minute: the last one, in the order of their names, wins.
        self._files[minute_of(chain.at)][chain.index] = path

    def _read_minute(self, minute: datetime) -> RecordedMinute:
        if minute not in self._files:
            raise BadResponse(f"no file of {minute:%Y-%m-%d %H:%M} is in the folder that is replayed")
        chains = [_parse(path) for path in self._files[minute].values()]
        at = max(chain.at for chain in chains)
        parts = [self._part(chain, at) for chain in chains]
        return RecordedMinute(
            at=at,
            spots={chain.index: Spot(chain.spot, chain.at) for chain in chains},
            contracts=ContractTable.concatenate(table for table, _ in parts),
            quotes=_stack([quotes for _, quotes in parts], at),
        )

    def _part(self, chain: _Chain, at: datetime) -> tuple[ContractTable, Quotes]:
        definition = self._definitions[chain.index]
        columns = {name: _column(chain.legs, names) for name, names in FIELDS.items()}
        lots = _lots(chain, columns, definition)
        columns["oi"] = np.rint(columns["oi"] * lots)
        columns["volume"] = np.rint(columns["volume"] * lots)
        columns["broker_iv"] /= 100
        for name in PRICES:  # the site writes 0 for "none"
            columns[name][columns[name] == 0] = np.nan
        answered = np.array([bool(leg.get("identifier")) for leg in chain.legs], dtype=bool)
        for values in columns.values():
            values[~answered] = np.nan
        age = np.where(answered, (at - chain.at).total_seconds(), np.nan)
        options = _contracts(chain, definition, lots)
        futures = self._futures(definition, chain, options)
        table = ContractTable.concatenate([options, futures])
        return table, _padded(columns | {"quote_age_seconds": age}, answered, len(futures), at)

    def _futures(self, definition: IndexDefinition, chain: _Chain, options: ContractTable) -> ContractTable:
        """Return the monthly futures, which name the monthly expiries; their prices are not in such files."""
        monthly = listed_expiries(definition, chain.at.date(), self._calendar).monthly
        first = [np.flatnonzero(options.expiry == np.datetime64(day))[:1] for day in monthly]
        base = options.take(np.concatenate([np.empty(0, np.int64), *first]))
        n = len(base)
        return ContractTable(
            base.index, base.exchange, np.char.add(base.symbol, "FUT"), base.token, np.full(n, FUTURE),
            base.expiry, np.zeros(n), base.lot, np.full(n, definition.future_tick),
        )  # fmt: skip


def files_in(folder: Path) -> list[Path]:
    """Return the folder's option-chain files by name; raises ConfigError where there are none."""
    if not folder.is_dir():
        raise ConfigError(f"--source {folder} is not a folder; give one with NSE option-chain JSON files or a journal")
    found = sorted(path for path in folder.rglob("*") if path.name.endswith((".json", ".json.gz")))
    if not found:
        raise ConfigError(f"--source {folder} holds no *.json or *.json.gz and no journal; nothing can be replayed")
    return found


def _parse(path: Path) -> _Chain:
    try:
        return _chain(orjson.loads(_bytes(path)), path.name)
    except BadResponse:
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadResponse(f"{path.name}: not an NSE option chain ({type(error).__name__}: {error})") from error


def _bytes(path: Path) -> bytes:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        content = file.read(FILE_MAX_BYTES + 1)
    if len(content) > FILE_MAX_BYTES:
        raise BadResponse(f"{path.name}: larger than {FILE_MAX_BYTES} bytes")
    return content


def _chain(document: Any, name: str) -> _Chain:
    records = document["records"]
    at = datetime.strptime(records["timestamp"], "%d-%b-%Y %H:%M:%S").replace(tzinfo=IST)
    found = list(_legs(records["data"]))
    usable = [leg for leg in found if leg is not None]
    if not usable:
        raise BadResponse(f"{name}: holds no option legs")
    expiry, strike, kind, legs = (list(part) for part in zip(*usable, strict=True))
    index = next((str(leg["underlying"]) for leg in legs if leg.get("underlying")), name.split("_", maxsplit=1)[0])
    if len(usable) < len(found):
        log.warning("%s: %d malformed legs skipped", name, len(found) - len(usable))
    return _Chain(index, at, float(records["underlyingValue"]), expiry, strike, kind, legs, len(found) - len(usable))


def _legs(rows: Sequence[Any]) -> Iterator[tuple[date, float, str, Mapping[str, Any]] | None]:
    """Yield expiry, strike, side and content of each leg; None for a senseless one, which costs that leg only."""
    for row in rows:
        for kind in ("CE", "PE"):
            if not isinstance(row, dict):
                yield None
            elif kind in row:
                yield _leg(row, kind)


def _leg(row: Mapping[str, Any], kind: str) -> tuple[date, float, str, Mapping[str, Any]] | None:
    try:
        leg = row[kind]
        # The newer layout has the expiry on the row in the plural.
        expiry = _day(str(leg.get("expiryDate") or row.get("expiryDate") or row["expiryDates"]))
        strike = float(row["strikePrice"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    return (expiry, strike, kind, leg) if 0 < strike < math.inf else None


@lru_cache(maxsize=256)
def _day(text: str) -> date:
    form = "%d-%b-%Y" if text[3:4].isalpha() else "%d-%m-%Y"
    return datetime.strptime(text, form).replace(tzinfo=IST).date()


def _column(legs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Floats:
    def value(leg: Mapping[str, Any]) -> float:
        found = next((leg[name] for name in names if name in leg), None)
        return float(found) if isinstance(found, int | float) else math.nan

    return np.array([value(leg) for leg in legs])


def _lots(chain: _Chain, columns: Mapping[str, Floats], definition: IndexDefinition) -> Floats:
    """Return units per lot of each leg. Lots differ by expiry while the exchange changes them, so the book is asked."""
    expiries = np.array(chain.expiry, dtype="datetime64[D]")
    lots = np.empty(len(expiries))
    for expiry in np.unique(expiries):
        own = expiries == expiry
        seen = np.concatenate([columns["bid_quantity"][own], columns["ask_quantity"][own]])
        seen = seen[seen > 0]
        read = math.gcd(*seen.astype(int).tolist())
        lots[own] = read if len(seen) >= QUANTITIES_FOR_LOT and read > 1 else lot_on(definition, expiry.item())
    return lots


def _contracts(chain: _Chain, definition: IndexDefinition, lots: Floats) -> ContractTable:
    n = len(chain.legs)
    symbols = [
        f"{chain.index}{expiry:%y%m%d}{strike:g}{kind}"
        for expiry, strike, kind in zip(chain.expiry, chain.strike, chain.kind, strict=True)
    ]
    return ContractTable(
        index=np.full(n, chain.index), exchange=np.full(n, definition.derivative_exchange), symbol=np.array(symbols),
        token=np.zeros(n, np.int64), kind=np.array(chain.kind), expiry=np.array(chain.expiry, dtype="datetime64[D]"),
        strike=np.array(chain.strike), lot=lots.astype(np.int64), tick=np.full(n, definition.option_tick),
    )  # fmt: skip


def _padded(
    columns: Mapping[str, Floats],
    answered: Bools,
    futures: int,
    at: datetime,
) -> Quotes:
    nothing = np.full(futures, np.nan)
    padded = {name: np.concatenate([values, nothing]) for name, values in columns.items()}
    return Quotes(at=at, answered=np.concatenate([answered, np.zeros(futures, dtype=bool)]), **padded)


def _stack(parts: Sequence[Quotes], at: datetime) -> Quotes:
    names = (*FIELDS, "quote_age_seconds")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Quotes(at=at, answered=np.concatenate([part.answered for part in parts]), **columns)
