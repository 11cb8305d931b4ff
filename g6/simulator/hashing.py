"""Randomness without a sequence: every draw is a hash of what it belongs to, so asking order cannot matter.

`mix` is the output function of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014); `derive(key, n)` is the n-th output of the stream that begins at `key`.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from g6.model.columns import Floats, Ints, Texts

Keys = npt.NDArray[np.uint64]
Part = int | Ints | Keys

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LETTER = np.uint64(0x100000001B3)
_53_BITS = 2.0**-53


def mix(key: Keys) -> Keys:
    """Return keys scattered over all 64 bits; one-to-one."""
    key = (key ^ (key >> np.uint64(30))) * _FIRST
    key = (key ^ (key >> np.uint64(27))) * _SECOND
    return key ^ (key >> np.uint64(31))


def derive(key: Part, *parts: Part) -> Keys:
    """Return the keys of `parts` under `key`, one part after the other; arrays broadcast."""
    derived = _unsigned(key)
    with np.errstate(over="ignore"):  # wrapping around 2**64 is the point
        for part in parts:
            derived = mix(derived + GOLDEN * (_unsigned(part) + np.uint64(1)))
    return derived


def uniform(key: Keys) -> Floats:
    """Return numbers in (0, 1), both ends excluded."""
    drawn: Floats = ((key >> np.uint64(11)).astype(np.float64) + 0.5) * _53_BITS
    return drawn


def normal(key: Keys) -> Floats:
    """Return standard normal numbers."""
    drawn: Floats = ndtri(uniform(key))
    return drawn


def text_keys(texts: Texts) -> Keys:
    """Return one key per text, the same whatever width the array was stored with."""
    letters = np.ascontiguousarray(texts).view(np.uint32).astype(np.uint64)
    keys = np.full(len(texts), GOLDEN)
    for column in letters.reshape(len(texts), texts.dtype.itemsize // 4).T:
        keys = np.where(column > 0, (keys ^ column) * _LETTER, keys)
    return mix(keys)


def text_key(text: str) -> int:
    """Return the key of one text, as `text_keys` gives it."""
    return int(text_keys(np.array([text]))[0])


def _unsigned(part: Part) -> Keys:
    return np.asarray(part).astype(np.uint64)
