"""What many expressions say in the same words."""

INSTANCE = "job, instance"

# The exchanges of the collected indices; one of them in session is an open market. A scrape that fails, or a restart,
# does not close it, and the close does so at once. Both pages of an instance are jobs of their own.
MARKET_OPEN = "max by (instance) (last_over_time(g6_market_open[5m])) == 1"
WHILE_OPEN = f"and on (instance) ({MARKET_OPEN})"


# Seconds until a session opens; nothing where the calendar does not say.
UNTIL_OPEN = "max by (instance) (last_over_time(g6_market_next_open_timestamp_seconds[5m])) - time()"
# `kite` is the main account's provider, and `kite-second` that of the account second.
_OPTION = ' --account {{ reReplaceAll "^kite-" "" $labels.account }}'
LOGIN = f'`g6 login{{{{ if match "^kite-" $labels.account }}}}{_OPTION}{{{{ end }}}}`'


def token_in(states: str, *labels: str) -> str:
    """Return an expression that holds while a token is in one of these states, per instance and these labels."""
    by = ", ".join((INSTANCE, *labels))
    return f'max by ({by}) (last_over_time(g6_token_state{{state=~"{states}"}}[2m])) == 1'


def problem(*names: str) -> str:
    """Return an expression that holds while the agent itself names one of these problems, in `g6 status`' words.

    One missed scrape does not start its time anew, nor does one of them that becomes another; and it is over as soon as
    the agent says so, so that what lasts for one scrape never fires.
    """
    matcher = f'problem="{names[0]}"' if len(names) == 1 else f'problem=~"{"|".join(names)}"'
    return f"max by ({INSTANCE}) (last_over_time(g6_problem_active{{{matcher}}}[2m])) == 1"


def increase_by(metric: str, labels: str, window: str, matcher: str = "") -> str:
    """Return what a counter grew in a window, per instance and these labels.

    It is a hair more than what was counted: Prometheus extends what lies between two scrapes to the ends of the window.
    A count is compared with a half, so that three of three are exactly that.
    """
    by = f"{INSTANCE}, {labels}" if labels else INSTANCE
    return f"sum by ({by}) (increase({metric}{matcher}[{window}]))"
