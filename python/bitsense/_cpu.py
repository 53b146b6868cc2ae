"""What the processor offers and what bitsense uses of it."""

from __future__ import annotations

import platform
from typing import Any

from . import _core
from ._cpu_limits import available_cpus

__all__ = ["cpu_info"]


def cpu_info() -> dict[str, Any]:
    """Return which instruction-set level the engine uses here, and how many threads.

    The level is chosen once, when it is first asked for: the best that the processor and its
    operating system support, or the one that the environment variable BITSENSE_LEVEL names.

    Returns
    -------
    dict
        `level`, the one in use; `levels`, all that would run here, slowest first ("baseline",
        "avx2", "avx512"); `machine`, for example "x86_64"; `threads`, the processors that this
        process may use, which is the default of every `threads`.

    Examples
    --------
    >>> cpu_info()["level"] in cpu_info()["levels"]
    True
    """
    return {
        "level": _core.level(),
        "levels": _core.levels(),
        "machine": platform.machine(),
        "threads": available_cpus(),
    }
