"""Which control groups this process is in, as folders: version 2, version 1, or both at once (hybrid).

`/proc/self/cgroup` names the group within its hierarchy, `/proc/self/mountinfo` where the hierarchy is mounted and
which part of it (cgroups(7), proc_pid_mountinfo(5)).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from g6.governor.files import text_of

OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Groups:
    """The own group first, then each above it as far as this process can see; empty where there is none."""

    v2: tuple[Path, ...] = ()
    v1_memory: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Mount:
    """A hierarchy below `point`, from its group `top` on; `is_v2` or the memory controller of version 1."""

    top: str
    point: str
    is_v2: bool


def find_groups(root: Path, membership: str) -> Groups:
    """Return the folders of the groups in `membership`, the text of `/proc/self/cgroup`."""
    own = dict(_memberships(membership))
    v1, v2 = own.get("memory"), own.get("")
    found: dict[bool, tuple[Path, ...]] = {}
    for mount in _mounts(text_of(root / "proc/self/mountinfo")):
        group = v2 if mount.is_v2 else v1
        if group is not None:
            found.setdefault(mount.is_v2, tuple(_upwards(root, mount, group)))
    return Groups(v2=found.get(True, ()), v1_memory=found.get(False, ()))


def _memberships(text: str) -> Iterator[tuple[str, str]]:
    """Yield (controller, group) of lines like `4:memory:/a/b`; the controller of version 2 is empty."""
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, colon, group = rest.partition(":")
        if number.isdigit() and colon and group.startswith("/"):
            for controller in controllers.split(","):
                yield controller, group


def _mounts(text: str) -> Iterator[Mount]:
    for line in text.splitlines():
        place, dash, kind = line.partition(" - ")
        fields, options = place.split(" "), kind.split(" ")
        if not dash or len(fields) < 6 or len(options) < 3:
            continue
        if options[0] == "cgroup2" or (options[0] == "cgroup" and "memory" in options[2].split(",")):
            yield Mount(_plain(fields[3]), _plain(fields[4]), options[0] == "cgroup2")


def _upwards(root: Path, mount: Mount, group: str) -> Iterator[Path]:
    """Yield the group's folder and those above it up to the mount point.

    A group outside what is mounted (a container that sees its host's names) leaves the mount point alone: in a
    container that is its own group.
    """
    top = mount.top.rstrip("/")
    inside = group == top or group.startswith(f"{top}/")
    parts = [part for part in group.removeprefix(top).split("/") if part] if inside else []
    if ".." in parts:
        parts = []
    point = root / mount.point.lstrip("/")
    for count in range(len(parts), -1, -1):
        yield point.joinpath(*parts[:count])


def _plain(text: str) -> str:
    """Undo the kernel's way of writing blanks, in octal."""
    return OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
