"""What is wanted of the stream: instruments as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from g6.market.indices import IndexDefinition
from g6.model.columns import Ints, Texts
from g6.model.contracts import ContractTable


@dataclass(frozen=True, slots=True, eq=False)
class Instruments:
    """Equal-length columns. The token is what the wire says; who it stands for today is exchange and symbol."""

    token: Ints
    symbol: Texts
    exchange: Texts

    def __len__(self) -> int:
        return len(self.token)

    def same_as(self, other: "Instruments") -> bool:
        """Tell whether these are the same instruments in the same order."""
        return all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in ("token", "symbol", "exchange")
        )

    def followed_by(self, other: "Instruments") -> "Instruments":
        """Return these and then the others; of a token that comes twice the first."""
        token = np.concatenate([self.token, other.token])
        first = np.sort(np.unique(token, return_index=True)[1])
        return Instruments(
            token[first],
            np.concatenate([self.symbol, other.symbol])[first],
            np.concatenate([self.exchange, other.exchange])[first],
        )


NO_INSTRUMENTS = Instruments(np.empty(0, np.int64), np.empty(0, "U1"), np.empty(0, "U1"))


def of_contracts(contracts: ContractTable) -> Instruments:
    """Return the rows of a contract table as instruments."""
    return Instruments(contracts.token.astype(np.int64), contracts.symbol, contracts.exchange)


def of_indices(indices: Sequence[IndexDefinition], tokens: Mapping[str, int]) -> Instruments:
    """Return the spots of those indices whose tokens are known; their exchange is NSE or BSE."""
    known = [index for index in indices if index.name in tokens]
    return Instruments(
        np.array([tokens[index.name] for index in known], np.int64),
        np.array([index.spot_symbol for index in known], np.str_),
        np.array([index.exchange for index in known], np.str_),
    )
