"""Faults of the market's data, and what the market itself may do."""

from collections.abc import Mapping
from typing import Any

from g6.drill.fault import Fault
from g6.drill.world import World


def _bend(world: World) -> None:
    world.bend()


def _straighten(world: World) -> None:
    world.straighten()


def _bent(says: str, name: str, **more: Any) -> Fault:
    return Fault(says, _bend, _straighten, bend=name, **more)


MARKET: Mapping[str, Fault] = {
    "spot_frozen": _bent("levels stand still with new stamps", "spot_frozen", fires=20, calm=12),
    "spot_shifted": _bent("calls are worth a tenth of what they are", "spot_shifted", fires=20, heals=30),
    "volatility_jumps": _bent(
        "volatility is two and a half times what it was", "volatility_jumps", pace=4, calm=60, heals=90,
        settings={"collection.expiries": "this_month"},
    ),
    "vix_apart": _bent(
        "India VIX rises when volatility falls", "vix_apart", pace=4, calm=20, fires=90, heals=200,
        settings={
            "analytics.fewest_vix_pairs": "10", "collection.market.enabled": "true",
            "collection.expiries": "this_week,next_week,this_month,next_month", "collection.market.breadth": "false",
        },
    ),
    "puts_piled_up": _bent("eight times as many puts are held", "puts_piled_up"),
    "calls_traded": _bent("twelve times as many calls are traded", "calls_traded"),
    "gamma_turns": _bent("puts are held instead of calls", "gamma_turns", heals=60),
    "index_jumps": _bent("the indices jump by four percent", "index_jumps", at="2026-11-20T09:11"),
}  # fmt: skip
