"""The at-the-money strike, and every leg's place relative to it."""

from dataclasses import replace

import numpy as np

from g6.analytics.conventions import Conventions
from g6.analytics.strikes import strikes_of
from g6.model.chain import OptionChain


def add_atm(chain: OptionChain, conventions: Conventions) -> OptionChain:  # noqa: ARG001  (an enricher's form)
    """Set `atm`, `atm_reference` and `offset`; needs the forward.

    The strike with both legs that is nearest to the spot, to the forward while the spot is frozen; of two as near, the
    lower. In 15 of 47 recorded chains the two references give different strikes, so which one it was is kept.
    """
    use_forward = chain.spot_frozen and np.isfinite(chain.forward)
    reference = chain.forward if use_forward else chain.spot
    strikes = strikes_of(chain)
    candidates = np.flatnonzero(strikes.both)
    if not len(candidates):
        return chain
    atm = candidates[np.argmin(np.abs(strikes.strike[candidates] - reference))]
    return replace(
        chain,
        atm=float(strikes.strike[atm]),
        atm_reference="forward" if use_forward else "spot",
        offset=(strikes.place - atm).astype(np.float64),
    )
