"""A minute as the journal stores it: its key, what can be said of it without decoding it, and the payload."""

from dataclasses import dataclass
from datetime import date, datetime

from g6.clock import IST
from g6.model.snapshot import Snapshot
from g6.storage.encoding import checksum, encode_snapshot


@dataclass(frozen=True, slots=True)
class Record:
    """An encoded snapshot; a tenth to a fifth of the snapshot's own memory."""

    day: date
    minute: str
    cycle_id: str
    provider: str
    legs: int
    chains: int
    crc: int
    payload: bytes

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Record":
        """Encode a snapshot."""
        payload, minute = encode_snapshot(snapshot), minute_text(snapshot.minute)
        return cls(
            day=day_of_minute(snapshot.minute),
            minute=minute,
            cycle_id=snapshot.cycle_id,
            provider=snapshot.provider,
            legs=sum(len(chain) for chain in snapshot.chains),
            chains=len(snapshot.chains),
            crc=checksum(minute, payload),
            payload=payload,
        )


def minute_text(minute: datetime) -> str:
    """Return a minute as the journal and the files write it: IST with its offset, so that text sorts as time does."""
    return minute.astimezone(IST).isoformat(timespec="seconds")


def day_of_minute(minute: datetime) -> date:
    """Return the IST day of a minute, which is the trading day that it is filed under."""
    return minute.astimezone(IST).date()
