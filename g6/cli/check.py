"""`g6 check`: the operator's tools. Who answers, which expiries there are, what is listed, what a minute holds."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from g6.cli.arguments import Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.clock import IST
from g6.settings import Settings, load
from g6.settings.wording import shown

if TYPE_CHECKING:
    from g6.checks.page import Page, Report

FINE, WRONG, LOGIN_NEEDED = 0, 3, 4
SOURCE = "providers.replay.source"  # where argparse keeps --source

EXIT_CODES = """\
exit codes:
  0 nothing is wrong; 2 bad configuration or arguments; 3 something is wrong, one line each; 4 a person must log in"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Run one of the checks; raise the errors of `g6.errors` where nothing could be examined at all."""
    namespace = _parser().parse_strictly(argv)
    return CHECKS[namespace.check].run(namespace, around)


def _provider(namespace: argparse.Namespace, around: Surroundings) -> int:
    # What examines is heavy; the other commands do without it.
    from g6.checks import provider  # noqa: PLC0415
    from g6.checks.desk import open_desk  # noqa: PLC0415

    settings = _settings(namespace, around)
    with open_desk(settings) as desk:
        report = provider.examine(desk)
    return _told(namespace, settings, report, lambda page: provider.show(report, page))


def _expiries(namespace: argparse.Namespace, around: Surroundings) -> int:
    from g6.checks import expiries  # noqa: PLC0415
    from g6.checks.desk import open_desk  # noqa: PLC0415

    settings = _settings(namespace, around)
    with open_desk(settings) as desk:
        report = expiries.examine(desk, namespace.date)
    return _told(namespace, settings, report, lambda page: expiries.show(report, page))


def _instruments(namespace: argparse.Namespace, around: Surroundings) -> int:
    from g6.checks import instruments  # noqa: PLC0415
    from g6.checks.desk import open_desk  # noqa: PLC0415

    settings = _settings(namespace, around)
    with open_desk(settings) as desk:
        report = instruments.examine(desk)
    return _told(namespace, settings, report, lambda page: instruments.show(report, page))


def _snapshot(namespace: argparse.Namespace, around: Surroundings) -> int:
    from g6.checks import snapshot  # noqa: PLC0415

    named = getattr(namespace, SOURCE)
    setattr(namespace, SOURCE, None)  # here it names what is looked at, and no provider's recordings
    settings = _settings(namespace, around)
    source = around.cwd / named if named else snapshot.source_of(settings)
    stored = snapshot.read(source, namespace.minute, namespace.index)
    report = snapshot.examine(stored, legs=namespace.legs)
    return _told(namespace, settings, report, lambda page: snapshot.show(stored, report, page, legs=namespace.legs))


def _add_date(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--date", type=day_of, metavar="DAY", help="the beginning of another day, as 2026-11-24")


def _add_minute(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minute", type=_minute, metavar="ISO", help="as 2026-11-20T10:00, IST (default: the last)")
    parser.add_argument("--index", metavar="NAME", help="this index alone")
    parser.add_argument("--legs", action="store_true", help="every leg, too")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its line in the help, what runs it, and the arguments that it has beside the agent's."""

    help: str
    run: Callable[[argparse.Namespace, Surroundings], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None
    examples: str = ""


CHECKS: Mapping[str, Check] = {
    "provider": Check(
        "who answers, how fast, and what the key may do", _provider,
        examples="  g6 check provider --provider kite\n  g6 check provider --provider kite-stream,kite-second --json",
    ),
    "expiries": Check(
        "what each expiry code means, and why", _expiries, _add_date,
        "  g6 check expiries --indices NIFTY,SENSEX\n  g6 check expiries --date 2026-12-31",
    ),
    "instruments": Check(
        "what is listed, and what is wrong with it", _instruments,
        examples="  g6 check instruments --provider kite",
    ),
    "snapshot": Check(
        "a stored minute", _snapshot, _add_minute,
        "  g6 check snapshot --provider kite                    the last minute of its data directory\n"
        "  g6 check snapshot --source data/live --minute 2026-11-20T10:00 --index NIFTY --legs",
    ),
}  # fmt: skip


def _parser() -> Parser:
    names = "|".join(CHECKS)
    parser = Parser(prog="g6 check", description="Shows how things are, and says what is wrong.", allow_abbrev=False)
    checks = parser.add_subparsers(dest="check", required=True, metavar=names)
    for name, check in CHECKS.items():
        epilog = f"examples:\n{check.examples}\n\n{EXIT_CODES}"
        one = checks.add_parser(
            name, help=check.help, allow_abbrev=False, epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        one.add_argument("--json", action="store_true", help="one JSON object")
        check.add_arguments(one)
        add_settings(one)
    return parser


def _settings(namespace: argparse.Namespace, around: Surroundings) -> Settings:
    from g6.logs import set_up_logs  # noqa: PLC0415

    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    # What is wrong is in the report; the log is for those who ask for it, and the agent's own file stays the agent's.
    logs = settings.logging
    asked = settings.origins.get("logging.level", "default") != "default"
    set_up_logs(logs.level if asked else "CRITICAL", logs.format, None, verbose=logs.verbose)
    return settings


def _told(namespace: argparse.Namespace, settings: Settings, report: "Report", show: "Callable[[Page], None]") -> int:
    """Print the report in the form that was asked for, and return what it amounts to."""
    from g6.checks.page import Page, as_json  # noqa: PLC0415

    if namespace.json:
        sys.stdout.write(f"{as_json(report)}\n")
    else:
        show(Page(settings))
    if report.login_needed:
        return LOGIN_NEEDED
    return WRONG if report.problems else FINE


def _minute(text: str) -> datetime:
    try:
        minute = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a minute such as 2026-11-20T10:00") from None
    return minute if minute.tzinfo else minute.replace(tzinfo=IST)
