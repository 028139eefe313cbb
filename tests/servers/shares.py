"""Processes that get a share of a core's time and no more, by Linux's control groups; as root.

So workers can be had that are slower than the cores of the machine, and servers beside them that
have a core to spare, as they have where each runs on a machine of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

PERIOD_US = 10_000
"""Short, so that who has used up its share soon goes on."""
GROUPS = Path("/sys/fs/cgroup")
PARENTS = (GROUPS / "cpu", GROUPS)
"""Of version 1, and of version 2."""
PROCESSES = "cgroup.procs"


@contextmanager
def share_of_a_core(share: float) -> Iterator[Path]:
    """A group whose processes get so much, all together; raises OSError where there is none."""
    parent = next((parent for parent in PARENTS if (parent / PROCESSES).exists()), GROUPS)
    group = parent / f"metercrop-{uuid4().hex[:8]}"
    group.mkdir()
    try:
        _limit(group, share)
        yield group
    finally:
        group.rmdir()


@contextmanager
def within(group: Path) -> Iterator[None]:
    """What is started within the block stays in the group; so does this process, within it."""
    before = _group_of_this_process(group.parent)
    _move_here(group)
    try:
        yield
    finally:
        _move_here(before)


def shares_are_given() -> bool:
    try:
        with share_of_a_core(1.0) as group, within(group):
            return True
    except OSError:
        return False


def _limit(group: Path, share: float) -> None:
    quota_us = int(share * PERIOD_US)
    if (group / "cpu.cfs_quota_us").exists():
        (group / "cpu.cfs_period_us").write_text(f"{PERIOD_US}")
        (group / "cpu.cfs_quota_us").write_text(f"{quota_us}")
    else:
        (group / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")


def _group_of_this_process(parent: Path) -> Path:
    """As /proc tells (cgroups(7)): number, controllers, path."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == ("cpu" if parent != GROUPS else ""):
            return parent / path.lstrip("/")
    return parent


def _move_here(group: Path) -> None:
    (group / PROCESSES).write_text(f"{os.getpid()}")
