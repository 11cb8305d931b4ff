"""What is no tick at all: random bytes, packets cut short, lengths that lie, and text that is no JSON."""

import numpy as np

from g6.simulator.hashing import derive

NOT_JSON = "<html>upstream went away</html>"
FULL_BYTES = 184


def garbage(number: int) -> bytes:
    """Return one binary message that cannot be right; successive numbers give each kind in turn."""
    drawn = derive(number, np.arange(64)).tobytes()
    kinds = (
        drawn[:64],
        (3).to_bytes(2, "big") + FULL_BYTES.to_bytes(2, "big") + drawn[:100],  # the first of three is cut short
        (1).to_bytes(2, "big") + (57).to_bytes(2, "big") + drawn[:57],  # nothing is 57 bytes long
        (65535).to_bytes(2, "big"),  # packets without end, and none there
        (1).to_bytes(2, "big") + (65535).to_bytes(2, "big") + drawn[:8],  # longer than the message
        drawn[:3],
    )
    return kinds[number % len(kinds)]
