"""The secrets of this process by their values, and the one function that takes them, and their likes, out of a text.

Whoever reads or receives a secret registers it at once; from then on no line of the log, no traceback and no error
line can show it. A value stays registered as long as the process lives: a dead token is still nobody's business.
"""

import json
import threading
from urllib.parse import quote, quote_plus

from g6.logs.patterns import MASK, mask_patterns

# A shorter value is no secret worth the name, and would be found in the middle of words.
SHORTEST = 6


class Secrets:
    """Values that must not be seen, in every spelling that an address, JSON or a repr gives them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spellings: tuple[str, ...] = ()  # replaced as a whole, so that readers need no lock

    def register(self, value: str | None) -> bool:
        """Keep this value out of all texts from now on; return False for one that is too short to be told apart."""
        value = (value or "").strip()
        if len(value) < SHORTEST:
            return False
        with self._lock:
            known = {*self._spellings, *_spellings(value)}
            # The longest first: a part of it, registered too, must not break it up.
            self._spellings = tuple(sorted(known, key=len, reverse=True))
        return True

    def mask(self, text: str) -> str:
        """Return the text without the values."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MASK)
        return text


def _spellings(value: str) -> set[str]:
    return {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1]}


_SECRETS = Secrets()


def register_secret(value: str | None) -> bool:
    """Keep this value out of everything that is logged from now on; return False where it is no secret (too short)."""
    return _SECRETS.register(value)


def redact(text: str) -> str:
    """Return the text without registered values and without what looks like a secret (`g6.logs.patterns`)."""
    return mask_patterns(_SECRETS.mask(text))
