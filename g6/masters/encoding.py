"""Ticks, days and profiles as bytes. Equal contents give equal bytes; damage is told, by zlib's own checksum."""

import zlib
from collections.abc import Sequence

import numpy as np
import orjson

from g6.masters.profile import Profile
from g6.masters.totals import Group, Tick, Totals
from g6.model.columns import Ints, freeze
from g6.storage.encoding import DamagedRecord

COMPRESSION_LEVEL = 1
PROFILE_COLUMNS = 5


def encode_tick(tick: Tick) -> bytes:
    """Return the payload of a minute: {"INDEX code": {label: total}}."""
    document = {f"{group.index_name} {group.expiry_code}": totals for group, totals in tick.items()}
    return zlib.compress(orjson.dumps(document, option=orjson.OPT_SORT_KEYS), COMPRESSION_LEVEL)


def decode_tick(payload: bytes) -> Tick:
    """Return the minute of a payload; DamagedRecord when it is not one."""
    try:
        document = orjson.loads(zlib.decompress(payload))
        return {Group(*name.split(" ")): totals for name, totals in document.items()}
    except (zlib.error, ValueError, AttributeError, TypeError) as error:
        raise DamagedRecord(f"not a minute of the masters: {error}") from error


def encode_totals(totals: Totals) -> bytes:
    """Return the payload of a day's totals."""
    return _pack(totals.labels, totals.minutes, [totals.values])


def decode_totals(payload: bytes) -> Totals:
    """Return the totals of a payload; DamagedRecord when it is not one."""
    labels, minutes, (values,) = _unpack(payload, 1)
    return Totals(labels, minutes, values)


def encode_profile(profile: Profile) -> bytes:
    """Return the payload of a profile."""
    wholes = [profile.n, profile.total, profile.lowest, profile.highest]
    return _pack(profile.labels, profile.minutes, [*wholes, profile.exponential.view(np.int64)])


def decode_profile(payload: bytes) -> Profile:
    """Return the profile of a payload; DamagedRecord when it is not one."""
    labels, minutes, (n, total, lowest, highest, bits) = _unpack(payload, PROFILE_COLUMNS)
    return Profile(labels, minutes, n, total, lowest, highest, bits.view(np.float64))


def _pack(labels: Sequence[str], minutes: Ints, columns: Sequence[Ints]) -> bytes:
    """Return a line of JSON for the grid, and the columns: steps from minute to minute, like bytes together.

    Differences of 64-bit numbers wrap around and their sums wrap back, so nothing is lost.
    """
    head = orjson.dumps({"labels": labels, "minutes": minutes.tolist()})
    steps = np.stack([np.diff(column, axis=1, prepend=np.int64(0)) for column in columns]).astype("<i8")
    shuffled = steps.reshape(-1).view(np.uint8).reshape(-1, 8).T.tobytes()
    return zlib.compress(head + b"\n" + shuffled, COMPRESSION_LEVEL)


def _unpack(payload: bytes, columns: int) -> tuple[tuple[str, ...], Ints, list[Ints]]:
    try:
        head, _, shuffled = zlib.decompress(payload).partition(b"\n")
        grid = orjson.loads(head)
        labels, minutes = tuple(grid["labels"]), np.array(grid["minutes"], np.int64)
        together = np.frombuffer(shuffled, np.uint8).reshape(8, -1).T.copy().view("<i8").astype(np.int64)
        steps = together.reshape(columns, len(labels), len(minutes))
        return labels, freeze(minutes), [freeze(column) for column in np.cumsum(steps, axis=2)]
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise DamagedRecord(f"not a record of the masters: {error}") from error
