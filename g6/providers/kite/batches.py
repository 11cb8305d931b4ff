"""Cutting a minute's instruments into as few quote requests as the broker takes."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import quote_plus


def batches(keys: Sequence[str], max_bytes: int = 12_000, max_count: int = 450) -> Iterator[Sequence[str]]:
    """Yield runs of `keys`, in order, of at most `max_count` keys and `max_bytes` of encoded query each.

    A key that is longer than `max_bytes` by itself goes alone.
    """
    begin, used = 0, 0
    for position, key in enumerate(keys):
        cost = query_bytes(key)
        if position > begin and (used + cost > max_bytes or position - begin >= max_count):
            yield keys[begin:position]
            begin, used = position, 0
        used += cost
    if begin < len(keys):
        yield keys[begin:]


@lru_cache(maxsize=32_768)  # the same instruments are asked for minute after minute
def query_bytes(key: str) -> int:
    """Return how long `&i=KEY` is in an address, form-encoded as the client does."""
    return len(quote_plus(key)) + len("&i=")
