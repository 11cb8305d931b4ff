"""How each leg ended the trading day before: its last price and its open interest. The exchange tells neither."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np

from g6.background.recorded import last_minutes_of
from g6.model.chain import OptionChain
from g6.model.columns import Bools, Floats, Ints
from g6.model.snapshot import Snapshot

# A recording that stopped earlier before the close does not say how the day ended.
CLOSE_WINDOW = timedelta(minutes=30)
# A chain that was refused in the last minute is looked for in those before it.
MINUTES_BACK = 15

ChainKey = tuple[str, date]


@dataclass(frozen=True, slots=True)
class PreviousDay:
    """The last accepted chain of every index and expiry; nothing where none is known."""

    chains: Mapping[ChainKey, OptionChain] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def read(cls, root: Path, day: date, closes: Mapping[str, datetime]) -> "PreviousDay":
        """Read the end of a day. `closes` is when each index's session ended on it. Raises SinkError."""
        return cls.of(last_minutes_of(root, day, MINUTES_BACK), closes)

    @classmethod
    def of(cls, newest_first: Iterable[Snapshot], closes: Mapping[str, datetime]) -> "PreviousDay":
        """Take the newest chain of each key that is near its index's close."""
        chains: dict[ChainKey, OptionChain] = {}
        for snapshot in newest_first:
            for index in snapshot.indices:
                if index.index not in closes or closes[index.index] - snapshot.minute > CLOSE_WINDOW:
                    continue
                for chain in index.chains:
                    chains.setdefault((chain.index, chain.expiry), chain)
        return cls(MappingProxyType(chains))

    def annotate(self, chain: OptionChain) -> OptionChain:
        """Return the chain with `previous_close` and `previous_oi`; NaN for a leg that was not recorded then."""
        before = self.chains.get((chain.index, chain.expiry))
        if before is None or not len(before) or not len(chain):
            return chain
        rows, known = _rows(before, chain)
        return replace(
            chain,
            previous_close=np.where(known, before.last[rows], np.nan),
            previous_oi=np.where(known, before.oi[rows], np.nan),
        )


def _rows(before: OptionChain, chain: OptionChain) -> tuple[Ints, Bools]:
    """Return where each leg of `chain` lies in `before`, and whether it does."""
    keys, wanted = _keys(before), _keys(chain)
    order = np.argsort(keys)
    places = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    rows = order[places]
    return rows, keys[rows] == wanted


def _keys(chain: OptionChain) -> Floats:
    # Strikes are positive, so the sign tells the side.
    return np.where(chain.is_call, chain.strike, -chain.strike)
