"""What each level leaves out, in one table. Journal and CSV of what is collected go on at every level."""

from collections.abc import Mapping

# Level → what goes in addition to the levels below it, in the words of `SHED_KINDS`.
SHED_AT: Mapping[int, tuple[str, ...]] = {
    1: ("options_page", "caches"),
    2: ("greeks", "derived"),
    3: ("strike_depth", "far_expiries"),
}

# Where `far_expiries` is in force: the nearest one of each index.
CRITICAL_EXPIRIES = 1


def shed_at(level: int) -> tuple[str, ...]:
    """Return everything that is left out at a level, in the order in which it goes."""
    return tuple(kind for step, kinds in SHED_AT.items() if step <= level for kind in kinds)
