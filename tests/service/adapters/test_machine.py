"""Over files as Linux writes them, since no test can change the machine that it runs on."""

import os
import subprocess
import sys
from pathlib import Path
from platform import libc_ver

import pytest

from service.adapters.machine import UNKNOWN_MEMORY_BYTES, usable_cpus, usable_memory_bytes

MEMINFO = "MemTotal: 16000000 kB\nMemFree: 1000 kB\nMemAvailable: 8000000 kB\nBuffers: 5 kB\n"


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    file = tmp_path / "meminfo"
    file.write_text(MEMINFO)
    return file


def cgroup(folder: Path, **files: str) -> Path:
    """Files of a control group; `__` stands for a folder, a dot for itself."""
    for name, content in files.items():
        file = folder / "cgroup" / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n")
    return folder / "cgroup"


def own_cpus() -> int:
    return len(os.sched_getaffinity(0))


def test_machine_without_a_quota_gives_every_cpu_of_the_affinity(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path / "nothing") == own_cpus()
    assert usable_cpus(cgroup(tmp_path, cpu_dot_max="max 100000")) == own_cpus()


def test_process_tied_to_one_cpu_uses_one(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert usable_cpus(tmp_path / "nothing") == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("quota", "cpus"), [("50000 100000", 1), ("100000 100000", 1), ("150000 100000", 2)]
)
def test_quota_of_a_container_counts_begun_cpus(tmp_path: Path, quota: str, cpus: int) -> None:
    assert usable_cpus(cgroup(tmp_path, cpu_dot_max=quota)) == min(cpus, own_cpus())


def test_quota_of_the_older_control_groups_counts_too(tmp_path: Path) -> None:
    folder = cgroup(
        tmp_path, cpu__cpu_dot_cfs_quota_us="50000", cpu__cpu_dot_cfs_period_us="100000"
    )
    assert usable_cpus(folder) == 1


def test_older_control_group_without_a_quota_says_minus_one(tmp_path: Path) -> None:
    folder = cgroup(tmp_path, cpu__cpu_dot_cfs_quota_us="-1", cpu__cpu_dot_cfs_period_us="100000")
    assert usable_cpus(folder) == own_cpus()


def test_memory_is_what_the_machine_has_available(tmp_path: Path, meminfo: Path) -> None:
    assert usable_memory_bytes(tmp_path / "nothing", meminfo) == 8_000_000 * 1024


def test_memory_of_a_container_is_what_its_limit_leaves(tmp_path: Path, meminfo: Path) -> None:
    folder = cgroup(tmp_path, memory_dot_max="2000000000", memory_dot_current="500000000")
    assert usable_memory_bytes(folder, meminfo) == 1_500_000_000


def test_limit_over_what_the_machine_has_is_no_memory(tmp_path: Path, meminfo: Path) -> None:
    folder = cgroup(tmp_path, memory_dot_max="64000000000", memory_dot_current="0")
    assert usable_memory_bytes(folder, meminfo) == 8_000_000 * 1024


def test_container_without_a_limit_counts_as_the_machine(tmp_path: Path, meminfo: Path) -> None:
    folder = cgroup(tmp_path, memory_dot_max="max", memory_dot_current="500000000")
    assert usable_memory_bytes(folder, meminfo) == 8_000_000 * 1024


def test_memory_of_the_older_control_groups_counts_too(tmp_path: Path, meminfo: Path) -> None:
    folder = cgroup(
        tmp_path,
        memory__memory_dot_limit_in_bytes="1000000000",
        memory__memory_dot_usage_in_bytes="400000000",
    )
    assert usable_memory_bytes(folder, meminfo) == 600_000_000


def test_overdrawn_container_has_no_memory_left(tmp_path: Path, meminfo: Path) -> None:
    folder = cgroup(tmp_path, memory_dot_max="1000", memory_dot_current="2000")
    assert usable_memory_bytes(folder, meminfo) == 0


def test_system_that_tells_nothing_is_taken_for_a_small_one(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    assert usable_memory_bytes(nothing, nothing) == UNKNOWN_MEMORY_BYTES


def test_this_machine_has_some_of_both() -> None:
    assert 1 <= usable_cpus() <= own_cpus()
    assert usable_memory_bytes() > 0


ARENAS = """
import ctypes, sys, threading
from service.adapters.machine import keep_memory_at_hand
if sys.argv[1] == "shared":
    keep_memory_at_hand()
together = threading.Barrier(4)

def work():
    together.wait()
    taken = bytes(100_000)
    together.wait()

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
output = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, output)
libc.fflush(output)
"""


@pytest.mark.parametrize("how", ["shared", "apart"])
def test_threads_take_their_memory_from_one_place_where_they_are_told_to(how: str) -> None:
    if libc_ver()[0] != "glibc":
        return

    said = subprocess.check_output([sys.executable, "-c", ARENAS, how], text=True)

    assert (said.count("<heap ") == 1) is (how == "shared")


FAULTS = """
import resource, sys
from service.adapters.machine import keep_memory_at_hand
if sys.argv[1] == "kept":
    keep_memory_at_hand()

def faults_of_60_mb():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pieces = [b"x" * 100_000 for _ in range(600)]
    del pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults_of_60_mb()
print(faults_of_60_mb())
"""


@pytest.mark.parametrize("how", ["kept", "given back"])
def test_memory_that_was_freed_is_had_again_without_the_system(how: str) -> None:
    if libc_ver()[0] != "glibc":
        return

    faults = int(subprocess.check_output([sys.executable, "-c", FAULTS, how], text=True))

    assert (faults < 1_000) is (how == "kept")
