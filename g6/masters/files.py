"""The master files: `<root>/masters/<INDEX>/<expiry code>/<offset or pair>/<weekday>.csv`, a row per IST minute.

A file is put in place complete and durable, and left alone where it already says the same.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import orjson

from g6.errors import SinkError
from g6.masters.database import MASTERS
from g6.masters.profile import Profile
from g6.masters.store import MasterStore
from g6.masters.totals import PER_RUPEE, Group
from g6.model.columns import Floats
from g6.storage.data_directory import path_within
from g6.storage.sync import sync_file_system

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HEADER = b"index,expiry_code,offset,weekday,minute,n,sum,mean,min,max,exponential_mean\n"
DECIMALS = 4
TEMPORARY = ".tmp"


def write_streaming(store: MasterStore) -> int:
    """Bring the files up to the minutes that streamed in since they were written; return how many files changed.

    A day in hand is in them as if it were folded. SinkError leaves the minutes to the next call.
    """
    written = 0
    for weekday in sorted({day.weekday() for day in store.unfiled_days()}):
        days = [day for day in store.unfiled_days() if day.weekday() == weekday]
        versions = {day: store.versions(day) for day in days}
        written += write_weekday(store, weekday, groups=None)
        for day in days:
            store.set_filed(day, versions[day])
    return written


def write_weekday(store: MasterStore, weekday: int, groups: Iterable[Group] | None) -> int:
    """Write the files of groups on a weekday, those of the days not folded yet when None; return how many changed."""
    days = [day for day in store.unsettled_days() if day.weekday() == weekday]
    streaming = {day: store.latest(day) for day in days}
    named = groups if groups is not None else (group for totals in streaming.values() for group in totals)
    names = store.display_names()
    files: dict[Path, bytes | None] = {}
    for group in sorted(set(named)):
        profile = store.profile(weekday, group, streaming)
        folder = path_within(store.root / MASTERS, *group)
        wanted = rendered(profile, weekday, group, names.get(group.index_name, group.index_name))
        name = f"{WEEKDAYS[weekday]}.csv"
        files |= dict.fromkeys(folder.glob(f"*/{name}"))
        files |= {path_within(folder, label) / name: data for label, data in wanted.items()}
    return _put(store.root / MASTERS, files)


def rendered(profile: Profile, weekday: int, group: Group, display_name: str) -> dict[str, bytes]:
    """Return label → the content of its file. Rupees with four decimals at most; minutes without days have no row."""
    minutes = [b"%02d:%02d" % divmod(minute, 60) for minute in profile.minutes.tolist()]
    exact = (profile.total, profile.mean, profile.lowest, profile.highest, profile.exponential)
    tables = [np.round(np.rint(column) / PER_RUPEE, DECIMALS) for column in exact]
    files = {}
    for row, label in enumerate(profile.labels):
        context = f"{_quoted(display_name)},{group.expiry_code},{label},{WEEKDAYS[weekday]},".encode()
        here = profile.n[row] > 0
        cells = [_cells(profile.n[row].astype(np.float64)), *(_cells(table[row]) for table in tables)]
        lines = (context + b",".join(line) for keep, *line in zip(here.tolist(), minutes, *cells, strict=True) if keep)
        if here.any():
            files[label] = HEADER + b"\n".join(lines) + b"\n"
    return files


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set('",\n') else name


def _cells(values: Floats) -> list[bytes]:
    text = orjson.dumps(values + 0.0, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] + b","
    return text.replace(b".0,", b",").split(b",")[:-1]


def _put(root: Path, files: Mapping[Path, bytes | None]) -> int:
    """Put new contents in place, all or none of a file, and take away what is None; return how many changed."""
    try:
        changed = {path: data for path, data in files.items() if data is not None and _content(path) != data}
        gone = [path for path, data in files.items() if data is None]
        for path, data in changed.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _temporary(path).write_bytes(data)
        if changed:
            sync_file_system(root)
        for path in changed:
            _temporary(path).replace(path)
        for path in gone:
            path.unlink(missing_ok=True)
        if changed or gone:
            sync_file_system(root)
    except OSError as error:
        raise SinkError(f"cannot write {error.filename or root}: {error.strerror}") from error
    return len(changed) + len(gone)


def _temporary(path: Path) -> Path:
    return path.with_name(path.name + TEMPORARY)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
