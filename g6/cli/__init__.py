"""The command `g6`: arguments in, one call out, an exit code."""

import difflib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from g6.cli.arguments import parse_agent
from g6.cli.surroundings import Surroundings
from g6.errors import AuthError, ConfigError, DataDirectoryBusy, G6Error
from g6.logs import guard_process, redact
from g6.settings import load
from g6.settings.wording import shown


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its line in the help, and what it does with the arguments that follow it."""

    help: str
    run: Callable[[Sequence[str], Surroundings], int]


def run_agent(argv: Sequence[str], around: Surroundings) -> int:
    """Load the settings and run the agent until it is done; return its exit code."""
    line = parse_agent(argv, {name: command.help for name, command in COMMANDS.items()})
    settings = load(line.settings, around.environ, around.cwd, line.config_file)
    from g6 import unified_main  # noqa: PLC0415  what collects is heavy; the other commands do without it

    return unified_main.run(settings, run_once=line.run_once, cycles=line.cycles)


def _of(module: str) -> Callable[[Sequence[str], Surroundings], int]:
    """Return the `main` of a module of this package, imported when it is called: some are heavy, and one is wanted."""

    def run(argv: Sequence[str], around: Surroundings) -> int:
        main: Callable[[Sequence[str], Surroundings], int] = import_module(f"{__name__}.{module}").main
        return main(argv, around)

    return run


COMMANDS: Mapping[str, Command] = {
    "run": Command("collect, minute after minute (also without the word)", run_agent),
    "backfill": Command("fetch the minutes that a day lacks, as candles", _of("backfill")),
    "status": Command("how the agent is: components, problems, what to do", _of("status")),
    "runbook": Command("what an alert means, and what to do about it", _of("runbook")),
    "login": Command("log in to the broker, once a day", _of("login")),
    "check": Command("how providers, contracts, expiries or a stored minute are", _of("check")),
    "chain": Command("a stored option chain, calls left and puts right", _of("chain")),
    "verify": Command("how whole a recorded day is, with a score", _of("verify")),
    "query": Command("ask the recorded days in SQL", _of("query")),
    "overlay": Command("today's premium over its weekday profile, as a page", _of("overlay")),
    "report": Command("the story of a recorded day, as one page", _of("report")),
    "anomalies": Command("what was out of the ordinary on a day", _of("anomalies")),
    "basis": Command("how noisy premiums are by last and by average prices", _of("basis")),
    "dictionary": Command("what every number is, and where it appears", _of("dictionary")),
    "rebuild": Command("make any store anew from the journals", _of("rebuild")),
    "participants": Command("who holds what: the exchange's daily files", _of("participants")),
    "import": Command("take older CSV trees in", _of("importing")),
    "backup": Command("copy a data directory, while it is written to", _of("backup")),
    "restore": Command("put a backup in place, checked", _of("restore")),
    "simulate": Command("serve the broker's protocol from a simulated market", _of("simulate")),
    "drill": Command("provoke every alert by the fault that it is for", _of("drill")),
    "config": Command("show, check or write the configuration", _of("config")),
}

# The first that fits.
EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (ConfigError, 2),
    (AuthError, 4),
    (DataDirectoryBusy, 75),
    (G6Error, 3),
)
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run `g6` with these arguments (None: the process's own) and return the exit code; errors become lines."""
    if argv is None:  # called by others, they keep the interpreter's hooks as they have them
        guard_process()
    try:
        code = _exit_code(list(sys.argv[1:] if argv is None else argv))
        if sys.stdout is not None:  # None where it was closed before the start
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has left (`g6 config show | head`); keep the interpreter's last flush from complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _exit_code(arguments: Sequence[str]) -> int:
    try:
        return _dispatch(arguments)
    except SystemExit as leaving:  # argparse leaves by itself after --help and --version
        return leaving.code if isinstance(leaving.code, int) else 0
    except G6Error as error:
        _say(str(error))
        return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    except KeyboardInterrupt:
        return INTERRUPTED


def _dispatch(arguments: Sequence[str]) -> int:
    around = Surroundings.of_process()
    if not arguments or arguments[0].startswith("-"):
        return run_agent(arguments, around)
    name = arguments[0]
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"the nearest is {close[0]}" if close else "known are " + ", ".join(COMMANDS)
        raise ConfigError(f"unknown command {shown(name)}; {hint}; see `g6 --help`")
    return COMMANDS[name].run(arguments[1:], around)


def _say(text: str) -> None:
    for line in redact(text).splitlines():
        sys.stderr.write(f"g6: {line}\n")
