"""Faults of what the minutes are written to."""

import resource
import threading
from collections.abc import Mapping
from pathlib import Path

from g6.drill.database import REFUSED, TAKEN
from g6.drill.fault import Fault
from g6.drill.world import WHOLE_DAY, World
from g6.storage.archive_manifest import ARCHIVE

INFLUX = {"storage.influx.enabled": "true", "storage.influx.url": "{database}", "storage.influx.compress": "false"}
# No journal is smaller; what tries whether a folder can be written is.
LARGEST_FILE_BYTES = 4096
BEFORE_CLOSE = "2026-11-20T15:33"
MEGABYTE = 1_000_000
DISK_BYTES = 160 * MEGABYTE


def _nothing(_world: World) -> None:
    """Do nothing: it ends by itself."""


def _ballast(world: World) -> Path:
    return world.agent.seen_data / "ballast"


def _fill(world: World) -> None:
    with _ballast(world).open("wb") as file:
        try:
            while True:
                file.write(bytes(MEGABYTE))
                file.flush()
        except OSError:  # it is full
            return


def _make_room(world: World) -> None:
    _ballast(world).unlink()


def _fill_slowly(world: World) -> None:
    """Fill half of the disk at once, and the rest little by little."""
    path = _ballast(world)
    path.write_bytes(bytes(world.agent_disk_bytes // 2))

    def fill() -> None:
        while path.exists():
            try:
                with path.open("r+b") as file:
                    file.seek(0, 2)
                    file.write(bytes(MEGABYTE))
            except OSError:
                return
            world.pause(0.5)

    threading.Thread(target=fill, daemon=True).start()


def _elsewhere(world: World) -> Path:
    return world.agent.data.with_name("elsewhere")


def _move_away(world: World) -> None:
    world.agent.data.rename(_elsewhere(world))


def _move_back(world: World) -> None:
    _elsewhere(world).rename(world.agent.data)


def _small_files(world: World) -> None:
    _, hard = resource.prlimit(world.agent.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(world.agent.pid, resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, hard))


def _any_files(world: World) -> None:
    _, hard = resource.prlimit(world.agent.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(world.agent.pid, resource.RLIMIT_FSIZE, (hard, hard))


def _database_gone(world: World) -> None:
    world.database.stop()


def _database_back(world: World) -> None:
    world.database.start()


def _refuses(world: World) -> None:
    world.database.status = REFUSED


def _takes(world: World) -> None:
    world.database.status = TAKEN


def _change_a_file(world: World) -> None:
    """Write another total into a row of a daily file, as somebody with an editor does."""
    path = world.agent.data / "csv" / "NIFTY" / "this_week" / "atm" / f"{world.at:%Y-%m-%d}.csv"
    head, first, *_ = path.read_text("utf-8").splitlines(keepends=True)
    row, place = first.split(","), head.split(",").index("total_premium")
    row[place] = row[place][::-1].replace(".", "9")[: len(row[place])]
    with path.open("r+", encoding="utf-8") as file:
        file.seek(len(head))
        file.write(",".join(row))


def _no_archive(world: World) -> None:
    (world.agent.data / ARCHIVE).write_text("no folder", "utf-8")


def _archive_again(world: World) -> None:
    """Let the day that is left behind be closed before the next one opens."""
    (world.agent.data / ARCHIVE).unlink()
    world.agent.restart({"clock.at": "2026-11-23T08:30+05:30"})


def _too_late(_world: World) -> None:
    """Nothing more is needed: the agent was started when the session was nearly over."""


def _whole_day(world: World) -> None:
    """Record another session from its beginning to its end."""
    world.agent.restart({"clock.at": f"{WHOLE_DAY}T09:58+05:30"})
    world.wait_for("a day without gaps", lambda: world.agent.metric("g6_verify_score_ratio") > 0.99, 60)


STORAGE: Mapping[str, Fault] = {
    "journal_refused": Fault(
        "no file may be longer than a page", _small_files, _any_files, linux=True
    ),
    "directory_unwritable": Fault("the data directory is moved away while g6 writes it", _move_away, _move_back),
    "disk_full": Fault("a small disk is filled to the last byte", _fill, _make_room, disk_bytes=DISK_BYTES),
    "disk_filling": Fault(
        "half of a disk is taken, and more of it each minute", _fill_slowly, _make_room, disk_bytes=DISK_BYTES, fires=40
    ),
    "influx_gone": Fault("nobody listens where the database was", _database_gone, _database_back, settings=INFLUX),
    "masters_bent": Fault(
        "a total in a daily file is changed before the close", _change_a_file, _nothing, at=BEFORE_CLOSE, calm=1,
        rules_pace=40, heals=60, fires=20,
    ),
    "day_with_gaps": Fault(
        "minutes are recorded only shortly before the close", _too_late, _whole_day, at=BEFORE_CLOSE, calm=1, fires=20,
        settings={"market.calendar_override_file": "{calendar}"},
    ),
    "closing_refused": Fault(
        "a file lies where the archive's folder should be", _no_archive, _archive_again, at=BEFORE_CLOSE, calm=1,
        settings={"storage.archive.enabled": "true"}, fires=20,
    ),
    "influx_refuses": Fault("the database calls every line invalid", _refuses, _takes, settings=INFLUX, heals=50),
}  # fmt: skip
