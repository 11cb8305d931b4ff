"""What stands in for the account's session and REST provider, and contracts to ask for."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from g6.market.indices import IndexDefinition, load_indices
from g6.model.contracts import ContractTable


@pytest.fixture(scope="session")
def indices(project: Path) -> Mapping[str, IndexDefinition]:
    return load_indices(project / "config" / "indices.yaml")


@pytest.fixture(scope="session")
def table() -> Callable[..., ContractTable]:
    """Make contracts of these tokens, each on the exchange that its low byte says."""

    def make(*tokens: int, symbols: list[str] | None = None) -> ContractTable:
        n = len(tokens)
        return ContractTable(
            index=np.full(n, "NIFTY"),
            exchange=np.array(["BFO" if token & 0xFF == 5 else "NFO" for token in tokens], "U3"),
            symbol=np.array(symbols or [f"SYM{token}" for token in tokens], "U20"),
            token=np.array(tokens, np.int64),
            kind=np.full(n, "CE"),
            expiry=np.full(n, "2026-11-24", "datetime64[D]"),
            strike=np.arange(n, dtype=float),
            lot=np.full(n, 65),
            tick=np.full(n, 0.05),
        )

    return make


class Wire:
    """Messages of the broker's, packet by packet, by the published layout."""

    STAMP = 1_795_149_000  # 2026-11-20 10:00 IST

    @staticmethod
    def message(*packets: bytes) -> bytes:
        return struct.pack(">H", len(packets)) + b"".join(struct.pack(">H", len(p)) + p for p in packets)

    @staticmethod
    def quote(token: int, last: float) -> bytes:
        return struct.pack(">11I", token, round(last * 100), 1, 0, 5, 6, 7, 0, 0, 0, 0)

    @classmethod
    def full(
        cls,
        token: int,
        last: float,
        *,
        bid: float = 1.0,
        ask: float = 2.0,
        oi: int = 9,
        at: int = STAMP,
        traded: int = 0,
    ) -> bytes:
        levels = [(75 * (level + 1) if bid else 0, round(bid * 100) - 5 * level if bid else 0) for level in range(5)]
        levels += [(65 * (level + 1) if ask else 0, round(ask * 100) + 5 * level if ask else 0) for level in range(5)]
        depth = b"".join(struct.pack(">IIHH", quantity, price, 1, 0) for quantity, price in levels)
        return cls.quote(token, last) + struct.pack(">5I", traded, oi, oi, oi, at) + depth

    @staticmethod
    def index(token: int, last: float, at: int = STAMP) -> bytes:
        return struct.pack(">8I", token, round(last * 100), 0, 0, 0, 0, 0, at)


@pytest.fixture(scope="session")
def wire() -> type[Wire]:
    return Wire


class Session:
    """An account whose token is whatever a test puts there."""

    def __init__(self) -> None:
        self.options = SimpleNamespace(stream_root="ws://127.0.0.1:1")
        self.login_command = "g6 login"
        self.token: SimpleNamespace | None = None
        self.failures: list[str] = []
        self.log_in("first")

    def log_in(self, access_token: str) -> SimpleNamespace:
        self.token = SimpleNamespace(api_key="key", access_token=access_token)
        return self.token

    def on_auth_failure(self, reason: str) -> None:
        self.failures.append(reason)
        self.token = None


@pytest.fixture
def session() -> Session:
    return Session()
