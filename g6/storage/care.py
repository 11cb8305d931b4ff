"""How long work on a whole day goes easy on the process that it is done in, which has other things to do as well."""

from collections.abc import Callable
from dataclasses import dataclass


def _nothing() -> None: ...


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Care:
    """What such work calls on its way; by default nobody minds.

    `alive` follows progress, a minute or a row group at a time, so that whoever watches the process knows it is not
    stuck. `is_short` tells whether memory is short now: less is then held at a time. `give_back` hands what was freed
    to the system.
    """

    alive: Callable[[], None] = _nothing
    is_short: Callable[[], bool] = _never
    give_back: Callable[[], None] = _nothing


CAREFREE = Care()
