"""`g6 participants`: who holds and who trades what, from the exchange's daily files: fetched, imported, shown."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from g6.cli.arguments import DIRECTORY, Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.clock import IST, SystemClock
from g6.errors import ConfigError
from g6.settings import Settings, load
from g6.settings.wording import shown

if TYPE_CHECKING:
    from g6.market.sessions import SessionCalendar
    from g6.participants.taking import Outcome, Report

DONE, INCOMPLETE = 0, 3
KINDS = ("oi", "volume", "cash")
DAYS_AT_ONCE = 400

EPILOG = """\
NSE publishes some three hours after the close: open interest and volumes by class of participant (clients, domestic
institutions, foreign investors, members' own), and what institutions bought and sold in the cash market. What is stored
lies in participants/ of the data directory; `g6 query` has it as the views participants and participant_cash.

examples:
  g6 participants fetch                                  the last day that should be published
  g6 participants fetch --from 2026-09-01 --to 2026-09-30 --kind oi
  g6 participants import ~/Downloads/fao_participant_oi_08102026.csv
  g6 participants show --all

The exchange refuses many machines (403). Then download its files with a browser and import them:
  https://www.nseindia.com/all-reports-derivatives  and  https://www.nseindia.com/reports/fii-dii

exit codes: 0 everything was taken, or shown; 2 bad configuration or arguments, or nothing is stored; 3 something is
absent or of no use, each with its reason"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Fetch, import or show."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    return ACTIONS[namespace.action](namespace, settings, around)


def _fetch(namespace: argparse.Namespace, settings: Settings, _around: Surroundings) -> int:
    from g6.checks.snapshot import source_of  # noqa: PLC0415  heavy, as all that knows the data directory
    from g6.participants.site import NseSite  # noqa: PLC0415
    from g6.participants.store import ParticipantStore  # noqa: PLC0415
    from g6.participants.taking import Ask, fetch  # noqa: PLC0415
    from g6.wiring.participants import site_options  # noqa: PLC0415
    from g6.wiring.sources import load_market  # noqa: PLC0415

    days = _days(namespace, load_market(settings).calendar, settings.clock.at or datetime.now(IST))
    asks = [Ask(kind, day) for day in days for kind in namespace.kind if kind != "cash"]
    if "cash" in namespace.kind:  # the site has the last day alone
        asks.append(Ask("cash", days[-1]))
    options = site_options(settings.participants)
    tell = (lambda _outcome: None) if namespace.json else _say
    store = ParticipantStore(source_of(settings))
    return _end(fetch(asks, NseSite(options, SystemClock()), store, again=namespace.again, on_outcome=tell), namespace)


def _import(namespace: argparse.Namespace, settings: Settings, around: Surroundings) -> int:
    from g6.checks.snapshot import source_of  # noqa: PLC0415
    from g6.participants.store import ParticipantStore  # noqa: PLC0415
    from g6.participants.taking import import_files  # noqa: PLC0415

    paths = [around.cwd / path.expanduser() for path in namespace.paths]
    report = import_files(paths, ParticipantStore(source_of(settings)))
    if not namespace.json:
        for outcome in report.outcomes:
            _say(outcome)
    return _end(report, namespace)


def _show(namespace: argparse.Namespace, settings: Settings, _around: Surroundings) -> int:
    from g6.checks.page import Page  # noqa: PLC0415
    from g6.checks.participants import as_document, participants_on, show  # noqa: PLC0415
    from g6.checks.snapshot import source_of  # noqa: PLC0415
    from g6.participants.store import ParticipantStore  # noqa: PLC0415

    found = participants_on(ParticipantStore(source_of(settings)), namespace.date)
    if namespace.json:
        sys.stdout.write(orjson.dumps(as_document(found), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        show(Page(settings), found, everything=namespace.all)
    return DONE


ACTIONS: Mapping[str, Callable[[argparse.Namespace, Settings, Surroundings], int]] = {
    "fetch": _fetch, "import": _import, "show": _show,
}  # fmt: skip


def _say(outcome: "Outcome") -> None:
    sys.stdout.write(f"{outcome}\n")
    sys.stdout.flush()


def _end(report: "Report", namespace: argparse.Namespace) -> int:
    if namespace.json:
        document = {"complete": report.complete, "outcomes": [asdict(outcome) for outcome in report.outcomes]}
        sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    return DONE if report.complete else INCOMPLETE


def _days(namespace: argparse.Namespace, calendar: "SessionCalendar", now: datetime) -> list[date]:
    """Return the days to ask for, ascending: trading days, and where the calendar does not reach, weekdays."""
    from g6.participants.evening import EXCHANGE, last_published  # noqa: PLC0415

    if namespace.date and (namespace.first or namespace.last):
        raise ConfigError("--date is one day; leave out --from and --to")
    last = namespace.date or namespace.last or last_published(calendar, now)
    first = namespace.date or namespace.first or last
    if last > now.date() or first > last:
        raise ConfigError(f"no day from {first} to {last} has been published by {now:%Y-%m-%d}")
    if (last - first).days > DAYS_AT_ONCE:
        raise ConfigError(f"{first} to {last} is too much to ask for at once: take {DAYS_AT_ONCE} days at most")
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    traded = [
        d for d in days if (calendar.is_trading_day(d, EXCHANGE) if calendar.covers(d) else d.weekday() < 5)
    ]  # fmt: skip
    if not traded:
        raise ConfigError(f"{first} is no trading day" if first == last else f"{first} to {last} has no trading day")
    return traded


def _parser() -> Parser:
    parser = Parser(
        prog="g6 participants", description="Who holds and who trades what, from the exchange's daily files.",
        epilog=EPILOG, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", required=True, metavar="fetch|import|show")
    fetch = actions.add_parser("fetch", help="ask the exchange for its files", allow_abbrev=False)
    fetch.add_argument("--date", type=day_of, metavar="D", help="day, YYYY-MM-DD (default: the last one published)")
    fetch.add_argument("--from", dest="first", type=day_of, metavar="D", help="first day")
    fetch.add_argument("--to", dest="last", type=day_of, metavar="D", help="last day")
    fetch.add_argument("--kind", type=_kinds, default=KINDS, metavar="A,B", help="oi, volume, cash (default: all)")
    fetch.add_argument("--again", action="store_true", help="ask for what is stored already, too")
    take = actions.add_parser("import", help="take files that a person downloaded", allow_abbrev=False)
    take.add_argument("paths", type=Path, nargs="+", metavar="FILE|DIR", help="files, or folders of them")
    show = actions.add_parser("show", help="show one day", allow_abbrev=False)
    show.add_argument("--date", type=day_of, metavar="D", help="day, YYYY-MM-DD (default: the last one stored)")
    show.add_argument("--all", action="store_true", help="stocks and totals, too")
    for action, heeded in ((fetch, "--at"), (take, ""), (show, "--ascii")):
        action.add_argument("--json", action="store_true", help="one JSON object")
        add_settings(action, (*DIRECTORY, heeded))
    return parser


def _kinds(text: str) -> tuple[str, ...]:
    wanted = {word.strip() for word in text.split(",")}
    if not wanted <= set(KINDS):
        raise argparse.ArgumentTypeError(f"{shown(text)} is none of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in wanted)
