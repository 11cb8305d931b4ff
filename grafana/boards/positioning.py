"""Greeks and positioning: what holders of options do to the index when it moves."""

from boards.board import Board, Panel, Query, Row, graph, stat

IX = '{index="$index"}'
EX = '{index="$index",expiry_code="$expiry_code"}'
DT = 'index="$index",expiry="$expiry"'

NO_FLIP, DAY_BEFORE = "there may be no such level", "needs the day before"


def _gex(side: str) -> str:
    return _by_strike("gex_rupees", side)


def _by_strike(column: str, side: str) -> str:
    return f'sum by (strike) (g6_option_{column}{{{DT},side="{side}"}})'


BOARD = Board(
    "g6-positioning",
    "G6 / Greeks and positioning",
    "Gamma exposure by strike and in total, charm and vanna, changes of open interest. Net figures hold under the "
    "stated assumption on who holds what (greeks settings).",
    (
        Row("Now", (
            stat("Net gamma exposure", "currencyINR", "Of the index, per 1 %. Below zero, hedging adds to moves.",
                 f"g6_index_net_gex_rupees{IX}", alerts=("G6GexFlipCrossed",), height=5),
            stat("Flip level", "none", "Where net gamma exposure would be zero.", f"g6_index_gex_flip_points{IX}",
                 decimals=0, height=5, quiet=NO_FLIP),
            stat("Spot less flip", "none", "Below zero the index is where moves are added to.",
                 f"g6_index_spot_points{IX} - on (instance, index) g6_index_gex_flip_points{IX}", height=5,
                 quiet=NO_FLIP),
            stat("Net delta of open interest", "short", "Of the index, in units.", f"g6_index_net_delta_oi_units{IX}",
                 height=5),
        )),
        Row("Gamma", (
            Panel("Gamma exposure by strike", "by_strike", "currencyINR", "Per 1 % of the forward, as in the totals "
                  "beside: calls and puts, gross. The tallest strikes hold the index near them.",
                  (Query(_gex("CE"), "calls"), Query(_gex("PE"), "puts"))),
            graph("Gross and net", "currencyINR", "Of the expiry, per 1 %.",
                  Query(f"g6_chain_call_gex_rupees{EX}", "calls"), Query(f"g6_chain_put_gex_rupees{EX}", "puts"),
                  Query(f"g6_chain_net_gex_rupees{EX}", "net")),
            graph("Of the whole index", "currencyINR", "Over all collected expiries.",
                  Query(f"g6_index_call_gex_rupees{IX}", "calls"), Query(f"g6_index_put_gex_rupees{IX}", "puts"),
                  Query(f"g6_index_net_gex_rupees{IX}", "net"), alerts=("G6GexFlipCrossed",)),
        )),
        Row("Charm and vanna", (
            graph("Charm", "currencyINR", "Delta to be hedged by the passing of a day.",
                  Query(f"g6_chain_call_charm_rupees_per_day{EX}", "calls"),
                  Query(f"g6_chain_put_charm_rupees_per_day{EX}", "puts"),
                  Query(f"g6_chain_net_charm_rupees_per_day{EX}", "net")),
            graph("Vanna", "currencyINR", "Delta to be hedged by a point of volatility.",
                  Query(f"g6_chain_call_vanna_rupees_per_vol_point{EX}", "calls"),
                  Query(f"g6_chain_put_vanna_rupees_per_vol_point{EX}", "puts"),
                  Query(f"g6_chain_net_vanna_rupees_per_vol_point{EX}", "net")),
            graph("Flip level and forward", "none", "The flip is a level of the expiry's forward, not of the spot: "
                  "where the two cross, hedging changes sides.",
                  Query(f"g6_chain_gex_flip_points{EX}", "flip", quiet=NO_FLIP),
                  Query(f"g6_chain_forward_points{EX}", "forward")),
        )),
        Row("Open interest", (
            graph("Held", "short", "Calls and puts of the expiry.",
                  Query(f"g6_chain_call_oi_units{EX}", "calls"), Query(f"g6_chain_put_oi_units{EX}", "puts")),
            graph("Delta of open interest", "short", "In units of the index.",
                  Query(f"g6_chain_call_delta_oi_units{EX}", "calls"),
                  Query(f"g6_chain_put_delta_oi_units{EX}", "puts"),
                  Query(f"g6_chain_net_delta_oi_units{EX}", "net")),
            graph("Change since yesterday", "short", "Of the expiry; needs yesterday's close in the store.",
                  Query(f"g6_chain_call_oi_change_units{EX}", "calls", quiet=DAY_BEFORE),
                  Query(f"g6_chain_put_oi_change_units{EX}", "puts", quiet=DAY_BEFORE)),
            Panel("Change since yesterday, by strike", "by_strike", "short", "Where open interest was added today, and "
                  "where it was closed.",
                  (Query(_by_strike("oi_change_units", "CE"), "calls", quiet=DAY_BEFORE),
                   Query(_by_strike("oi_change_units", "PE"), "puts", quiet=DAY_BEFORE))),
            graph("Build-up", "short", "Legs by what price and open interest did since yesterday.",
                  Query(f"g6_chain_long_build_ups_legs{EX}", "long build-up", quiet=DAY_BEFORE),
                  Query(f"g6_chain_short_build_ups_legs{EX}", "short build-up", quiet=DAY_BEFORE),
                  Query(f"g6_chain_short_coverings_legs{EX}", "short covering", quiet=DAY_BEFORE),
                  Query(f"g6_chain_long_unwindings_legs{EX}", "long unwinding", quiet=DAY_BEFORE)),
        )),
    ),
    ("index", "expiry_code", "expiry"),
)  # fmt: skip
