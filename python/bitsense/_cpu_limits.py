"""How many processors a process may use: its affinity and the CPU quota of its control group."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["available_cpus", "cpu_quota"]


def available_cpus() -> int:
    """Return the number of processors that this process may use, at least 1.

    The affinity says which ones, a quota how much of their time. The quota, which containers have,
    is looked up once a process. Its fraction is dropped: threads that use up a quota together are
    all stopped together until the next period.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this platform
        count = os.cpu_count() or 1
    return max(1, int(min(count, _own_quota())))


@functools.cache
def _own_quota() -> float:
    return cpu_quota(Path("/proc/self"))


class _Mount(NamedTuple):
    type: str
    options: list[str]
    root: str  # the control group that is mounted
    point: Path


def cpu_quota(process: Path) -> float:
    """Return the processors' worth of time that the control groups of a process give it.

    The smallest quota of its group and of those around this one, of version 1 (``cfs_quota_us``)
    or 2 (``cpu.max``); infinity where there is none or no such thing as control groups.

    Parameters
    ----------
    process : Path
        The folder of the process, ``/proc/self``.
    """
    quota = math.inf
    try:
        groups = (process / "cgroup").read_text().splitlines()
        mounts = list(_mounts((process / "mountinfo").read_text()))
    except (OSError, ValueError):
        return quota
    for line in groups:
        number, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        for mount in mounts:
            controlled = "cpu" in controllers.split(",") and "cpu" in mount.options
            if mount.type == "cgroup2" and number == "0":
                read = _quota_2
            elif mount.type == "cgroup" and controlled:
                read = _quota_1
            else:
                continue
            for folder in _folders(mount, group):
                quota = min(quota, read(folder))
    return quota


def _mounts(text: str) -> Iterator[_Mount]:
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) > 4 and kind and kind[0] in ("cgroup", "cgroup2"):
            point = fields[4].replace("\\040", " ")
            yield _Mount(kind[0], kind[-1].split(","), fields[3], Path(point))


def _folders(mount: _Mount, group: str) -> Iterator[Path]:
    """Yield the folders of a group and of those around it, as far as they are mounted."""
    inside = group
    if mount.root != "/":
        within = group == mount.root or group.startswith(mount.root + "/")
        inside = group[len(mount.root) :] if within else ""
    parts = [part for part in inside.split("/") if part]
    if ".." in parts:  # of a group outside of what this process sees
        parts = []
    for length in range(len(parts), -1, -1):
        yield mount.point.joinpath(*parts[:length])


def _quota_1(folder: Path) -> float:
    quota = _number(folder / "cpu.cfs_quota_us", 0)
    period = _number(folder / "cpu.cfs_period_us", 0)
    return quota / period if quota > 0 and period > 0 else math.inf


def _quota_2(folder: Path) -> float:
    quota, period = _number(folder / "cpu.max", 0), _number(folder / "cpu.max", 1)
    return quota / period if quota > 0 and period > 0 else math.inf


def _number(file: Path, place: int) -> int:
    """Return a number of a file, or 0 where there is none."""
    try:
        return int(file.read_text().split()[place])
    except (OSError, ValueError, IndexError):  # "max", in one without a limit
        return 0
