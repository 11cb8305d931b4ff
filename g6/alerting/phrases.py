"""What many expressions say in the same words."""

INSTANCE = "job, instance"

# The exchanges of the collected indices; one of them in session is an open market. A scrape that fails, or a restart,
# does not close it. Both pages of an instance are jobs of their own.
MARKET_OPEN = "max by (instance) (max_over_time(g6_market_open[5m])) == 1"
WHILE_OPEN = f"and on (instance) ({MARKET_OPEN})"


def problem(name: str, window: str = "2m") -> str:
    """Return an expression that holds while the agent itself names a problem (`g6 status` says the same words).

    One missed scrape, or a problem that goes for a moment, does not start its time anew.
    """
    return f'max_over_time(g6_problem_active{{problem="{name}"}}[{window}]) == 1'


def increase_by(metric: str, labels: str, window: str, matcher: str = "") -> str:
    """Return what a counter grew in a window, per instance and these labels."""
    by = f"{INSTANCE}, {labels}" if labels else INSTANCE
    return f"sum by ({by}) (increase({metric}{matcher}[{window}]))"
