"""What happens where the system gives fewer threads than were asked for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("resource")

# Memory for a few stacks of threads, and a call that wants hundreds.
PROBE = """
import resource, sys
import numpy as np
import bitsense
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (150 << 20), resource.RLIM_INFINITY))
try:
    if sys.argv[1] == "train":
        bitsense.ParagraphVector(dim=8, min_count=1, threads=500).fit(["red wine", "fish"] * 500)
    else:
        codes = np.zeros((300_000, 8), np.uint8)
        bitsense.HammingIndex(codes).search(np.repeat(codes[:1], 4000, axis=0), threads=500)
except (RuntimeError, MemoryError) as error:
    print(type(error).__name__)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits the address space")
@pytest.mark.parametrize("job", ["train", "search"])
def test_a_call_that_gets_no_more_threads_fails_and_does_not_hang(job):
    command = [sys.executable, "-c", PROBE, job]
    # The loader must not need memory of its own when there is none left.
    environment = {**os.environ, "LD_BIND_NOW": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    if "memory for thread-local data" in done.stderr:
        return  # glibc itself gave up: a new thread had no memory left for its first exception
    assert done.returncode == 0, done.stderr
    assert done.stdout in ("RuntimeError\n", "MemoryError\n")
