"""The at-the-money strike, and every leg's place relative to it."""

from dataclasses import replace

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.strikes import strikes_of
from g6.model.chain import OptionChain


def add_atm(chain: OptionChain, conventions: Conventions) -> OptionChain:  # noqa: ARG001  (an enricher's form)
    """Set `atm`, `atm_reference` and `offset`; needs the forward.

    The strike with both legs that is nearest to the level that the chain was planned around: the spot, or the expiry's
    last forward while the spot is frozen; of two as near, the lower. A chain without such a level takes its spot or,
    frozen, its own forward. In 15 of 47 recorded chains spot and forward give different strikes, so which one it was is
    kept.
    """
    reference, word = _reference(chain)
    strikes = strikes_of(chain)
    candidates = np.flatnonzero(strikes.both)
    if not len(candidates):
        return chain
    atm = candidates[np.argmin(np.abs(strikes.strike[candidates] - reference))]
    return replace(
        chain,
        atm=float(strikes.strike[atm]),
        atm_reference=word,
        offset=(strikes.place - atm).astype(np.float64),
    )


def _reference(chain: OptionChain) -> tuple[float, str]:
    if np.isfinite(chain.reference):
        return chain.reference, "spot" if chain.reference == chain.spot else "forward"
    if chain.spot_frozen and np.isfinite(chain.forward):
        return chain.forward, "forward"
    return chain.spot, "spot"
