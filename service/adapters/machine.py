"""What this process may really use of its machine, and how it takes memory from it."""

from __future__ import annotations

import ctypes
import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""As glibc's malloc.h has them."""
OWN_MAPPING_BYTES = 32 * 2**20
"""What is larger goes back to the system at once; glibc takes no higher limit."""
KEPT_BYTES = 128 * 2**20
"""What may lie free at the end; a photo of 12 megapixels takes less than the half of it."""
UNKNOWN_MEMORY_BYTES = 2_000_000_000
"""Assumed where the system does not tell."""


def usable_cpus(cgroup: Path = CGROUP) -> int:
    """At least 1; a container's quota of 1.5 CPUs counts as 2 threads."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota_v2(cgroup / "cpu.max") or _quota_v1(cgroup / "cpu")
    return max(1, min(affinity or 1, math.ceil(quota) if quota else affinity or 1))


def usable_memory_bytes(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> int:
    """The smaller of what the machine has available and what the container may still take."""
    limits = (
        _available(meminfo),
        _left(cgroup / "memory.max", cgroup / "memory.current"),
        _left(cgroup / "memory/memory.limit_in_bytes", cgroup / "memory/memory.usage_in_bytes"),
    )
    return min((limit for limit in limits if limit is not None), default=UNKNOWN_MEMORY_BYTES)


def keep_memory_at_hand() -> None:
    """For a process whose threads work on photos by turns: what one gives back the next one takes.

    glibc gives each thread a place of its own, and what a photo took there, or at the end of the
    only place, back to the system right after it; to have it again, page by page, costs up to a
    fifth of a photo's time. Does nothing where there is no glibc. To be called before there are
    many threads.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_ARENA_MAX, 1)
    mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES)
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def _quota_v2(cpu_max: Path) -> float | None:
    words = _words(cpu_max)
    if len(words) != 2 or words[0] == "max":
        return None
    return int(words[0]) / int(words[1])


def _quota_v1(controller: Path) -> float | None:
    quota = _words(controller / "cpu.cfs_quota_us")
    period = _words(controller / "cpu.cfs_period_us")
    if not quota or not period or int(quota[0]) <= 0:
        return None
    return int(quota[0]) / int(period[0])


def _available(meminfo: Path) -> int | None:
    words = _words(meminfo)
    if "MemAvailable:" not in words:
        return None
    return int(words[words.index("MemAvailable:") + 1]) * 1024


def _left(limit: Path, used: Path) -> int | None:
    limit_words, used_words = _words(limit), _words(used)
    if not limit_words or not used_words or limit_words[0] == "max":
        return None
    return max(0, int(limit_words[0]) - int(used_words[0]))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
