"""`g6 status`: how the agent is, from itself or from what it left, on one screen."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence

from g6.checks.snapshot import source_of
from g6.cli.arguments import DIRECTORY, Parser, add_settings, settings_of
from g6.cli.surroundings import Surroundings
from g6.console.status_panel import StatusView
from g6.console.terminal import is_ascii, make_console
from g6.health.document import Overall
from g6.health.seen import Seen
from g6.server.asking import address_of, ask
from g6.settings import Settings, load

EXIT_CODES: Mapping[Overall, int] = {"healthy": 0, "degraded": 1, "down": 2}
WATCH_SECONDS = 5.0

EPILOG = """\
examples:
  g6 status                       the agent that these settings name
  g6 status --watch               again every 5 seconds, until Ctrl-C
  g6 status --json | jq .status   for machines; without an agent's answer "document" is its last state
  g6 status --data-dir data/live  the agent of this data directory, and no other

The running agent is asked at metrics.host and metrics.port. Where none answers, the last state in the data directory
is shown, and since when it is not running.

exit codes: 0 healthy; 1 degraded; 2 down, not running, or bad arguments"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Ask once, or again and again; return the exit code of what was seen last."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    seen = _look(settings)
    try:
        _tell(seen, settings, as_json=namespace.json)
        while namespace.watch is not None:
            time.sleep(namespace.watch)
            seen = _look(settings)
            _tell(seen, settings, as_json=namespace.json, over=True)
    except KeyboardInterrupt:  # the way a watch ends
        pass
    return EXIT_CODES[seen.overall]


def _look(settings: Settings) -> Seen:
    folder = source_of(settings)
    own = {"default", f"provider {settings.providers.order[0]}"}
    chosen = settings.origins.get("storage.data_dir", "default") not in own
    metrics = settings.metrics
    addresses = [address_of(metrics.host, metrics.port)] if metrics.enabled and metrics.port else []
    return ask(addresses, folder, strict=chosen)


def _tell(seen: Seen, settings: Settings, *, as_json: bool, over: bool = False) -> None:
    if as_json:
        sys.stdout.write(seen.as_json())
        sys.stdout.flush()
        return
    forced = settings.console.force_ascii
    console = make_console(force_ascii=forced, color=settings.console.color)
    if over and console.is_terminal:
        console.clear()
    StatusView(console, ascii_only=is_ascii(force_ascii=forced)).show(seen)


def _parser() -> Parser:
    parser = Parser(
        prog="g6 status", description="Shows how the agent is.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--watch", nargs="?", type=_seconds, const=WATCH_SECONDS, metavar="S", help="again every S seconds (default: 5)"
    )
    add_settings(parser, (*DIRECTORY, "--port", "--ascii"))
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 86400")
    return seconds
