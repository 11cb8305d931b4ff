"""`g6 rebuild`: any store made again from the journals, identical to the original."""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from g6 import __version__
from g6.cli.arguments import DIRECTORY, Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError
from g6.settings import Settings, load
from g6.settings.wording import shown

if TYPE_CHECKING:
    from g6.maintenance.rebuild import Outcome, Runner, Store

EPILOG = """\
examples:
  g6 rebuild                                          every day, every store that is switched on
  g6 rebuild --from 2026-11-01 --to 2026-11-20 --what csv
  g6 rebuild --what influx                            into the database that storage.influx names
  g6 rebuild --dask tcp://10.0.0.5:8786               on a cluster that sees the data directory at the same path

A day is built beside what is there and swapped in by rename. A run that was interrupted goes on where it was. A file
that holds minutes which the journal has not is left alone, and told, unless --discard is given; masters likewise. Of
a day whose journal was removed, masters are made from its archive, or from its daily files; the other stores keep what
they have of it. A database is sent every point again, which replaces what it has; rebuild masters before it, or with
it, where both were lost.

exit codes: 0 every day was rebuilt; 2 bad arguments; 3 some days were not, a line each; 75 a collector is running on
the data directory (stop it, or wait for the close)"""


class Asked(NamedTuple):
    """What the stores are rebuilt by; `note` takes a few words on how far one is."""

    settings: Settings
    discard: bool
    environ: Mapping[str, str]
    note: Callable[[str], None]


def _csv(asked: Asked) -> "Store":
    from g6.analytics import MEASURES  # noqa: PLC0415  heavy, as all that a store needs
    from g6.maintenance.rebuild import Store  # noqa: PLC0415
    from g6.maintenance.rebuild_csv import csv_digest, rebuild_csv  # noqa: PLC0415
    from g6.storage.csv_layout import PREMIUM_COLUMNS  # noqa: PLC0415

    aggregates = MEASURES
    basis = PREMIUM_COLUMNS[asked.settings.greeks.price_basis]
    day = partial(rebuild_csv, aggregates=aggregates, price_basis=basis, discard=asked.discard)
    return Store(day, f"g6 {__version__}, premiums of {basis}", digest=csv_digest)


def _masters(asked: Asked) -> "Store":
    from g6.maintenance.rebuild import Store  # noqa: PLC0415  heavy, as all that a store needs
    from g6.maintenance.rebuild_masters import days_without_journal, rebuild_masters  # noqa: PLC0415
    from g6.storage.csv_layout import PREMIUM_COLUMNS  # noqa: PLC0415
    from g6.wiring.sources import load_market  # noqa: PLC0415

    settings = asked.settings
    names = {name: definition.display_name for name, definition in load_market(settings).indices.items()}
    basis, smoothing = PREMIUM_COLUMNS[settings.greeks.price_basis], settings.storage.masters.smoothing
    day = partial(
        rebuild_masters, display_names=names, price_basis=basis, smoothing=smoothing, discard=asked.discard
    )  # fmt: skip
    facts = f"g6 {__version__}, premiums of {basis}, smoothing {smoothing:g}"
    return Store(day, facts, parallel=False, further_days=days_without_journal)


def _influx(asked: Asked) -> "Store":
    settings = asked.settings
    if not settings.storage.influx.enabled:
        raise ConfigError(
            "--what influx: storage.influx is switched off; set storage.influx.enabled and url, org and bucket of the"
            " database, and its token in INFLUXDB_TOKEN"
        )
    from g6.analytics import MEASURES  # noqa: PLC0415  heavy, as all that a store needs
    from g6.maintenance.rebuild import Store  # noqa: PLC0415
    from g6.maintenance.rebuild_influx import InfluxDays  # noqa: PLC0415
    from g6.storage.csv_layout import PREMIUM_COLUMNS  # noqa: PLC0415
    from g6.wiring.influx import influx_options, master_updates  # noqa: PLC0415

    options = influx_options(settings, asked.environ)
    basis, masters = PREMIUM_COLUMNS[settings.greeks.price_basis], settings.storage.masters.enabled
    masters_of = partial(master_updates, settings, price_basis=basis)
    days = InfluxDays(options, MEASURES, masters_of, note=asked.note, discard=asked.discard)
    where = f"{options.url} {options.org}/{options.bucket}"
    facts = f"g6 {__version__}, {where}, premiums of {basis}, {'with' if masters else 'without'} masters"
    return Store(days.day, facts, runner=days)


# Store → how it is rebuilt. A name that is also a sink's is rebuilt without being asked for when the sink is on. The
# database comes last: it shows the masters.
STORES: Mapping[str, Callable[[Asked], "Store"]] = {
    "csv": _csv,
    "masters": _masters,
    "influx": _influx,
}


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Rebuild, telling each day as it is done."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    from g6.checks.snapshot import source_of  # noqa: PLC0415  heavy
    from g6.console.progress import Progress  # noqa: PLC0415
    from g6.maintenance.rebuild import choose_days, rebuild, without_source  # noqa: PLC0415
    from g6.storage.data_directory import DataDirectory  # noqa: PLC0415

    root = source_of(settings)
    names = [name for name in STORES if name in (namespace.what or _switched_on(settings))]
    bar = Progress("rebuilding", "days", force_ascii=settings.console.force_ascii)
    asked = Asked(settings, namespace.discard, around.environ, note=partial(bar.advance, 0))
    stores = {name: STORES[name](asked) for name in names}
    further = {day for store in stores.values() for day in store.further_days(root)}
    days = choose_days(root, namespace.first, namespace.last, further)
    left = {name: without_source(root, days, store) for name, store in stores.items()}
    bar.update(0, sum(len(days) - len(lacking) for lacking in left.values()))
    for name, lacking in left.items():
        _say_left(name, lacking)
    directory = DataDirectory(root)
    with directory.hold(), bar:

        def done(what: str, day: date) -> None:
            _say_done(what, day)
            bar.advance()

        outcomes = rebuild(directory.root, days, stores, _runner(namespace), fresh=namespace.fresh, done=done)
        failed = sum(not _told(outcome) for outcome in bar.over(outcomes))
    return 3 if failed else 0


def _switched_on(settings: Settings) -> list[str]:
    from g6.wiring import SINK_SWITCHES  # noqa: PLC0415  heavy

    names = [name for name in STORES if name not in SINK_SWITCHES or SINK_SWITCHES[name](settings)]
    if not names:
        raise ConfigError(f"every store is switched off; name what to rebuild: --what {','.join(STORES)}")
    return names


def _runner(namespace: argparse.Namespace) -> "Runner":
    from g6.maintenance import runners  # noqa: PLC0415  heavy

    return runners.dask(namespace.dask) if namespace.dask else runners.local(namespace.workers)


def _told(outcome: "Outcome") -> bool:
    rebuilt, name = outcome.rebuilt, f"{outcome.task.day} {outcome.task.what}"
    if rebuilt is None:
        _say(f"{name}: failed: {outcome.error}")
        return False
    if outcome.task.what == "influx":
        counted = f"{rebuilt.minutes} minutes, {rebuilt.rows} points sent"
    else:
        changed = f"{rebuilt.changed} changed" if rebuilt.changed else "nothing changed"
        counted = f"{rebuilt.minutes} minutes, {rebuilt.files} files, {rebuilt.rows} rows, {changed}"
    _say(f"{name}: {counted}, {outcome.seconds:.1f} s")
    return True


def _say_left(what: str, days: Sequence[date]) -> None:
    if days:
        span = f"{days[0]}" if len(days) == 1 else f"{len(days)} days from {days[0]} to {days[-1]}"
        _say(f"{span} {what}: left as it is, the journal was removed")


def _say_done(what: str, day: date) -> None:
    _say(f"{day} {what}: done by the run that was interrupted")


def _parser() -> Parser:
    parser = Parser(
        prog="g6 rebuild", description="Makes stores again from the journals.", epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--from", type=day_of, dest="first", metavar="DAY", help="first day, YYYY-MM-DD")
    parser.add_argument("--to", type=day_of, dest="last", metavar="DAY", help="last day, itself included")
    parser.add_argument("--what", type=_stores, metavar="A,B", help=f"of {', '.join(STORES)} (default: those in use)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=_workers, metavar="N", help="processes (default: one a core)")
    where.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler, as tcp://10.0.0.5:8786")
    parser.add_argument("--fresh", action="store_true", help="do again what an interrupted run has done")
    parser.add_argument("--discard", action="store_true", help="give up rows that the journal cannot supply")
    add_settings(parser, (*DIRECTORY, "--ascii"))
    return parser


def _workers(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text):
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a number from 1 to 999")
    return int(text)


def _stores(text: str) -> list[str]:
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        if name not in STORES:
            raise argparse.ArgumentTypeError(f"{shown(name)} is no store; known are {', '.join(STORES)}")
    return names


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
