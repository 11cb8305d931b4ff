"""Greeks and IV quality: how far the values can be trusted."""

from boards.board import Board, Query, Row, graph, stat

IX = '{index="$index"}'
EX = '{index="$index",expiry_code="$expiry_code"}'
DT = '{index="$index",expiry="$expiry"}'

BOARD = Board(
    "g6-quality",
    "G6 / Greeks and IV quality",
    "Can the values be trusted? What could not be solved, what was refused, and how well the surface fits.",
    (
        Row("Now", (
            stat("Legs without a volatility", "percentunit", "Share of legs whose price no volatility explains. Above "
                 "a fifth the level, the clock or the quotes are wrong.",
                 f"index:g6_iv_legs_unsolved:ratio_increase10m{IX}", bad_above=0.2, alerts=("G6IvFailureSurge",),
                 height=5),
            stat("Quotes that make no sense", "percentunit", "Crossed, zero or negative, of ten minutes.",
                 f"index:g6_legs_refused:ratio_increase10m{IX}", bad_above=0.05, alerts=("G6QuoteQuality",), height=5),
            stat("Quotes that are old", "percentunit", "Of ten minutes: older than collection.stale_after_seconds. "
                 "Above three tenths the market is quiet, or the source stands still.",
                 f"index:g6_legs_stale:ratio_increase10m{IX}", bad_above=0.3, alerts=("G6LegsStale",), height=5),
            stat("Strikes with a volatility", "percentunit", "Share of the chain's strikes.",
                 f"g6_chain_iv_coverage_ratio{EX}", good_above=0.5, height=5),
            stat("Surface quality", "percentunit", "How well the expiries' smiles fit their quotes without arbitrage; "
                 "low is a surface not to be used.", f"g6_index_surface_quality_ratio{IX}", height=5),
        )),
        Row("Implied volatility", (
            graph("Legs by what became of their volatility", "short", "Of five minutes. Solved should be most; "
                  "not_identifiable are deep in the money, and harmless.",
                  Query(f"sum by (status) (increase(g6_iv_legs_total{IX}[5m]))", "{{status}}")),
            graph("Call against put at the money", "percentunit", "Difference of the two legs' volatilities. Far from "
                  "zero the forward is wrong.", Query(f"g6_chain_iv_gap_ratio{IX}", "{{expiry_code}}"), decimals=2),
            graph("The smile of this minute", "percentunit", "Volatility by strike as a line each over time: lines "
                  "that cross or jump alone are bad quotes.",
                  Query('avg by (strike) (g6_option_iv_ratio{index="$index",expiry="$expiry",side="CE"})',
                        "{{strike}}"), decimals=2),
        )),
        Row("The surface", (
            graph("Fit", "none", "Root mean square error of each expiry's smile, in volatility points. Jumps say that "
                  "the fit fell.", Query(f"g6_chain_smile_rmse_vol_points{IX}", "{{expiry_code}}")),
            graph("The fitted smile", "percentunit", "Volatility by strike on the fitted smile. It should lie on the "
                  "quotes' own above, and never jump.",
                  Query('avg by (strike) (g6_option_fitted_iv_ratio{index="$index",expiry="$expiry"})', "{{strike}}"),
                  decimals=2),
            graph("Quality and status", "none", "1 is whole; status 0 is fitted, others say why not: 1 too few quotes, "
                  "2 one-sided, 3 poor fit, 4 butterfly arbitrage, 5 settling.",
                  Query(f"g6_chain_smile_quality_ratio{IX}", "{{expiry_code}}"),
                  Query(f"g6_chain_smile_status{IX}", "{{expiry_code}} status")),
            graph("Calendar violations", "short", "Expiries whose total variance lies below a nearer one's.",
                  Query(f"g6_index_calendar_violations_expiries{IX}", "expiries")),
        )),
        Row("Greeks", (
            graph("Delta", "none", "By strike of the calls; from 1 deep in the money to 0 far out.",
                  Query('avg by (strike) (g6_option_delta_ratio{index="$index",expiry="$expiry",side="CE"})',
                        "{{strike}}")),
            graph("Gamma", "none", "Change of delta per point, by strike: the highest at the money, and the higher the "
                  "nearer the expiry.", Query(f"avg by (strike) (g6_option_gamma_per_point{DT})", "{{strike}}")),
            graph("Theta", "currencyINR", "Rupees a calendar day, by strike: most negative at the money.",
                  Query(f"avg by (strike) (g6_option_theta_rupees_per_day{DT})", "{{strike}}")),
            graph("Vega", "currencyINR", "Rupees a point of volatility, by strike.",
                  Query(f"avg by (strike) (g6_option_vega_rupees_per_vol_point{DT})", "{{strike}}")),
        )),
    ),
    ("index", "expiry_code", "expiry"),
)  # fmt: skip
