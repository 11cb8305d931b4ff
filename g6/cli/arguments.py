"""The agent's arguments: which flag sets which key. Everything else about a key is in the schema."""

import argparse
import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NoReturn

from g6 import __version__
from g6.errors import ConfigError
from g6.settings import Argument
from g6.settings.schema import find
from g6.settings.wording import allowed, shown


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag for one key. Without `metavar` it is a switch that means true; `many` takes several words."""

    name: str
    key: str
    metavar: str | None = None
    many: bool = False


# Heading of the help → the flags below it.
FLAGS: Mapping[str, tuple[Flag, ...]] = {
    "what to collect": (
        Flag("--interval", "collection.interval_seconds", "S"),
        Flag("--indices", "collection.indices", "A,B", many=True),
    ),
    "where from": (
        Flag("--provider", "providers.order", "NAME"),
        Flag("--root", "providers.kite.root", "URL"),
        Flag("--source", "providers.replay.source", "DIR"),
        Flag("--seed", "providers.simulated.seed", "N"),
    ),
    "when": (
        Flag("--at", "clock.at", "ISO"),
        Flag("--speed", "clock.speed", "K"),
    ),
    "where to": (
        Flag("--data-dir", "storage.data_dir", "DIR"),
        Flag("--port", "metrics.port", "N"),
    ),
    "what is said": (
        Flag("--log-level", "logging.level", "LEVEL"),
        Flag("--log-format", "logging.format", "FORMAT"),
        Flag("--verbose", "logging.verbose"),
        Flag("--concise", "console.concise"),
        Flag("--ascii", "console.force_ascii"),
        Flag("--live", "console.live", "WHEN"),
    ),
}

# What commands beside the agent take of the flags, and what these are to them: each takes those that it heeds.
DIRECTORY = ("--data-dir", "--provider", "--root", "--source")
BRIEFLY: Mapping[str, str] = {
    "--interval": "time between two cycles of that day's collecting",
    "--indices": "the indices that are collected",
    "--provider": "provider, whose market has a data directory of its own",
    "--root": "where the broker's API is; a simulator's quotes have a data directory of their own",
    "--source": "folder of recordings; what --provider replay wants",
    "--at": "instant to take for now, like 2026-11-20T15:40+05:30",
    "--data-dir": "the data directory itself",
    "--port": "where the agent serves",
    "--ascii": "draw in ASCII",
}

SUBJECT = "Records the option chains of Indian index derivatives, minute after minute."

EPILOG = """\
examples:
  g6 --run-once                                   one minute on the embedded simulator
  g6 --provider replay --source recordings/       play recorded chains again
  g6 --at 2026-11-20T10:00+05:30 --speed 60       an hour of that day in a minute
  g6 --indices NIFTY,SENSEX --set greeks.model=nse

exit codes:
  0 done; 2 bad configuration or arguments; 3 the cycle failed (--run-once); 4 a person must log in;
  75 another G6 holds the data directory; 130 interrupted

Any key can be set: --set beats G6_SECTION__KEY in the environment, which beats the file config/g6.yaml."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What the arguments said: settings by dotted key, the file, and how long to run (`cycles` None: for ever)."""

    settings: Mapping[str, Argument] = field(default_factory=dict)
    config_file: str | None = None
    run_once: bool = False
    cycles: int | None = None


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistake by a `ConfigError` of one line."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise ConfigError(f"{message}; see `{self.prog} --help`")

    def parse_strictly(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse all of `argv`; the first word that is no argument is named with the nearest flag."""
        namespace, rest = self.parse_known_args(argv)
        if rest:
            close = difflib.get_close_matches(rest[0].partition("=")[0], self.options(), n=1)
            self.error(f"unknown argument {shown(rest[0])}" + (f"; the nearest is {close[0]}" if close else ""))
        return namespace

    def options(self) -> list[str]:
        """Return every flag of this parser and of its actions."""
        inner = [p for a in self._actions if isinstance(a.choices, dict) for p in a.choices.values()]
        below = [option for parser in inner if isinstance(parser, Parser) for option in parser.options()]
        return [*below, *(option for action in self._actions for option in action.option_strings)]


def agent_parser(commands: Mapping[str, str]) -> Parser:
    """Return the parser of the agent; `commands` are the other commands with a line of help each."""
    width = max(map(len, commands), default=0)
    listed = "\n".join(f"  {name:<{width}} {line}" for name, line in commands.items())
    parser = Parser(
        prog="g6",
        usage="g6 [run] [OPTION ...]\n       g6 COMMAND ...",
        description=f"{SUBJECT}\n\ncommands (g6 COMMAND --help):\n{listed}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"g6 {__version__}")
    how_long = parser.add_argument_group("how long to run").add_mutually_exclusive_group()
    how_long.add_argument("--run-once", action="store_true", help="collect one minute and leave")
    how_long.add_argument("--cycles", type=count_of, metavar="N", help="leave after N cycles")
    add_settings(parser)
    return parser


def add_settings(parser: argparse.ArgumentParser, only: Collection[str] | None = None) -> None:
    """Add --config, --set and every flag of `FLAGS`; of the flags `only` these, in few words."""
    for heading, flags in FLAGS.items() if only is None else ():
        group = parser.add_argument_group(heading)
        for flag in flags:
            _add(group, flag, _explained(flag))
    group = parser.add_argument_group("configuration")
    for flag in (flag for flags in FLAGS.values() for flag in flags if flag.name in (only or ())):
        _add(group, flag, f"{BRIEFLY[flag.name]} ({flag.key})")
    group.add_argument("--config", metavar="FILE", help="YAML or JSON file (default: $G6_CONFIG, or config/g6.yaml)")
    group.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="assignments",
        help="set any key, as often as needed: --set collection.strikes_itm=all",
    )  # fmt: skip


def parse_agent(argv: Sequence[str], commands: Mapping[str, str]) -> CommandLine:
    """Return what the agent's arguments say; raise `ConfigError` on a mistake."""
    namespace = agent_parser(commands).parse_strictly(argv)
    return CommandLine(settings_of(namespace), namespace.config, namespace.run_once, namespace.cycles)


def settings_of(namespace: argparse.Namespace) -> dict[str, Argument]:
    """Return dotted key → argument; of several --set of one key the last wins, beside its flag it is a mistake."""
    found = dict(_flagged(namespace))
    for assignment in namespace.assignments:
        key, sign, text = assignment.partition("=")
        if not sign or not key.strip():
            raise ConfigError(f"--set: {shown(assignment)} is not of the form key=value")
        earlier = found.get(key.strip())
        if earlier and earlier.origin != "--set":
            raise ConfigError(f"{key.strip()}: given twice, by {earlier.origin} and by --set")
        found[key.strip()] = Argument(text)
    return found


def _flagged(namespace: argparse.Namespace) -> Iterable[tuple[str, Argument]]:
    for flag in (flag for flags in FLAGS.values() for flag in flags):
        given = getattr(namespace, flag.key, None)  # a command need not take it
        if given is not None:
            text = ",".join(given) if isinstance(given, list) else str(given)
            yield flag.key, Argument(text, flag.name)


def _explained(flag: Flag) -> str:
    node = find(flag.key) or {}
    limits = f"; {allowed(node)}" if flag.metavar else ""
    return f"{node['description']} ({flag.key}{limits})"


def _add(group: "argparse._ArgumentGroup", flag: Flag, text: str) -> None:
    text = text.replace("%", "%%")
    if flag.metavar is None:
        group.add_argument(flag.name, dest=flag.key, action="store_const", const="true", help=text)
        return
    nargs = "+" if flag.many else None
    group.add_argument(flag.name, dest=flag.key, metavar=flag.metavar, nargs=nargs, help=text)


def count_of(text: str) -> int:
    """Return a whole number from 1."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a whole number from 1")
    return int(text)


def day_of(text: str, otherwise: str = "") -> date:
    """Return the day that an argument names as 2026-11-20; `otherwise` is what else it might have been."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{shown(text)} is no day like 2026-11-20{otherwise}")
