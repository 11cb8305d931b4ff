"""`g6 runbook`: the page about an alert, where no browser is at hand."""

import difflib
import sys
from collections.abc import Sequence

from g6.alerting import ALERTS
from g6.alerting.runbooks import runbook
from g6.cli.arguments import Parser
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError
from g6.settings.wording import shown


def main(argv: Sequence[str], _around: Surroundings) -> int:
    """Print the page about an alert, or without one the alerts' names, a line each."""
    parser = Parser(
        prog="g6 runbook", description="Prints what an alert means and what to do about it.", allow_abbrev=False,
        epilog="exit codes: 0 shown; 2 no alert has this name",
    )  # fmt: skip
    parser.add_argument("alert", nargs="?", metavar="ALERT", help="its name (default: print the names of all)")
    name = parser.parse_strictly(argv).alert
    if name is None:
        sys.stdout.write("".join(f"{alert}\n" for alert in ALERTS))
        return 0
    if name not in ALERTS:
        close = difflib.get_close_matches(name, ALERTS, n=1, cutoff=0.4)
        hint = f"the nearest is {close[0]}" if close else "`g6 runbook` lists them"
        raise ConfigError(f"no alert is called {shown(name)}; {hint}")
    sys.stdout.write(runbook(name))
    return 0
