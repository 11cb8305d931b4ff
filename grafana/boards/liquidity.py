"""Liquidity and pricing: what trading costs, where it happens, how premium decays."""

from boards.board import Board, Panel, Query, Row, graph, stat

EX = '{index="$index",expiry_code="$expiry_code"}'
IX = '{index="$index"}'
DT = 'index="$index",expiry="$expiry"'

BOARD = Board(
    "g6-liquidity",
    "G6 / Liquidity and pricing",
    "Spreads, depth, volume and open interest by strike, and the decay of the straddle.",
    (
        Row("Now", (
            stat("Spread at the money", "percentunit", "Of the mid price. Wide: trading is dear, and mids mean less.",
                 f"g6_chain_spread_atm_ratio{EX}", decimals=2, height=5),
            stat("In ticks", "none", "Of the exchange's smallest step.", f"g6_chain_spread_atm_ticks{EX}", height=5),
            stat("Stale share", "percentunit", "Legs around the money that have not traded for long.",
                 f"g6_chain_stale_share_window_ratio{EX}", bad_above=0.5, height=5),
            stat("Turnover", "currencyINR", "Premium traded today.", f"g6_chain_turnover_rupees{EX}", height=5),
        )),
        Row("Spreads and depth", (
            graph("Relative spread", "percentunit", "At the money, and the median of the window.",
                  Query(f"g6_chain_spread_atm_ratio{EX}", "at the money"),
                  Query(f"g6_chain_spread_window_ratio{EX}", "window"), decimals=2),
            graph("Spread in rupees", "currencyINR", "The same, absolute.",
                  Query(f"g6_chain_spread_atm_rupees{EX}", "at the money"),
                  Query(f"g6_chain_spread_window_rupees{EX}", "window")),
            graph("Depth", "short", "Quantity at the best prices, and over five levels, of the window.",
                  Query(f"g6_chain_best_quantity_window_units{EX}", "best"),
                  Query(f"g6_chain_depth_window_units{EX}", "five levels")),
            graph("Imbalance", "percentunit", "Bids less asks over both: above zero buyers wait.",
                  Query(f"g6_chain_call_depth_imbalance_window_ratio{EX}", "calls"),
                  Query(f"g6_chain_put_depth_imbalance_window_ratio{EX}", "puts")),
            graph("Age of the last trade", "s", "Median of the window.",
                  Query(f"g6_chain_trade_age_window_seconds{EX}", "age")),
        )),
        Row("By strike", (
            Panel("Volume", "by_strike", "short", "Traded today; the tallest bars are where the day is decided.",
                  tuple(Query(f'sum by (strike) (g6_option_volume_units{{{DT},side="{side}"}})', name)
                        for side, name in (("CE", "calls"), ("PE", "puts")))),
            Panel("Open interest", "by_strike", "short", "Held; tall calls above the spot resist, tall puts below "
                  "support.",
                  tuple(Query(f'sum by (strike) (g6_option_oi_units{{{DT},side="{side}"}})', name)
                        for side, name in (("CE", "calls"), ("PE", "puts")))),
            Panel("Bid, ask and last of the calls", "by_strike", "currencyINR", "An ask far above its bid is a strike "
                  "that nobody makes.",
                  tuple(Query(f'avg by (strike) (g6_option_{name}_rupees{{{DT},side="CE"}})', name)
                        for name in ("bid", "ask", "last"))),
        )),
        Row("Volume profile", (
            graph("Where the volume is", "none", "Point of control, value area of 70 %, volume-weighted strike, spot.",
                  Query(f"g6_chain_volume_poc_points{EX}", "point of control"),
                  Query(f"g6_chain_value_area_low_points{EX}", "value area, low"),
                  Query(f"g6_chain_value_area_high_points{EX}", "value area, high"),
                  Query(f"g6_chain_volume_weighted_strike_points{EX}", "weighted"),
                  Query(f"g6_index_spot_points{IX}", "spot")),
            graph("Straddle and its decay", "currencyINR", "Change since the day's first minute, what time alone "
                  "explains, and what lies beyond it.",
                  Query(f"g6_chain_straddle_change_rupees{EX}", "change"),
                  Query(f"g6_chain_straddle_decay_rupees{EX}", "by time alone"),
                  Query(f"g6_chain_straddle_change_beyond_decay_rupees{EX}", "beyond it")),
        )),
    ),
    ("index", "expiry_code", "expiry"),
)  # fmt: skip
