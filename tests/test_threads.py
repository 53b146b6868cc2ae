"""What happens where the system gives fewer threads than were asked for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

resource = pytest.importorskip("resource")

STACK = 256 << 20  # of each thread: address space only

# Room for two more threads and for all else that a call needs; it asks for many.
PROBE = """
import resource, sys
import numpy as np
import bitsense
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (640 << 20), resource.RLIM_INFINITY))
try:
    if sys.argv[1] == "train":
        bitsense.ParagraphVector(dim=8, min_count=1, threads=20).fit(["red wine", "fish"] * 500)
    else:
        codes = np.zeros((300_000, 8), np.uint8)
        bitsense.HammingIndex(codes).search(np.repeat(codes[:1], 4000, axis=0), threads=20)
except RuntimeError as error:
    print(type(error).__name__)
"""


def with_large_stacks() -> None:
    resource.setrlimit(resource.RLIMIT_STACK, (STACK, resource.getrlimit(resource.RLIMIT_STACK)[1]))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits the address space")
@pytest.mark.parametrize("job", ["train", "search"])
def test_a_call_that_gets_no_more_threads_fails_and_does_not_hang(job):
    done = subprocess.run(
        [sys.executable, "-c", PROBE, job],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=with_large_stacks,
    )
    assert done.stdout == "RuntimeError\n", done.stderr
