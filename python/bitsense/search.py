"""Search of packed codes by Hamming distance and of real vectors, and both as two stages.

Every answer of an exact search is ordered by (distance, id), or by (score descending, row), and
depends neither on the number of threads, nor on the other queries of a call, nor on the machine's
instruction set.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import _core
from ._check import check_threads, check_vectors
from ._cosine_index import CosineIndex
from ._hamming_index import HammingIndex, searchable
from ._two_stage_index import TwoStageIndex
from .codes import as_codes

__all__ = [
    "CosineIndex",
    "HammingIndex",
    "TwoStageIndex",
    "asymmetric_scores",
    "hamming_distances",
]

Scores = npt.NDArray[np.float32]


def hamming_distances(
    queries: npt.ArrayLike,
    codes: npt.ArrayLike,
    *,
    bits: int | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.uint16]:
    """Return the matrix of Hamming distances.

    Parameters
    ----------
    queries, codes : Codes, or uint8, shapes (m, ceil(bits / 8)) and (n, ceil(bits / 8))
    bits : int, optional
        Bit length of arrays; default 8 per byte. At most 65535.
    threads : int, optional
        Default: every available processor.

    Returns
    -------
    uint16, shape (m, n). Take care when subtracting.
    """
    base = searchable(as_codes("codes", codes, bits))
    asked = as_codes("queries", queries, base.bits)
    return _core.hamming_distances(asked.data, base.data, base.bits, check_threads(threads))


def asymmetric_scores(
    query_vectors: npt.ArrayLike,
    codes: npt.ArrayLike,
    *,
    bits: int | None = None,
    threads: int | None = None,
) -> Scores:
    """Return the scores of real queries and binary codes: sum over j of q_j (2 b_j - 1).

    Parameters
    ----------
    query_vectors : array-like of real numbers, shape (m, bits)
        In the space whose signs are the codes: what a binariser's `project` returns.
    codes : Codes, or uint8, shape (n, ceil(bits / 8))
    bits : int, optional
        Bit length of an array; default 8 per byte.
    threads : int, optional
        Default: every available processor.

    Returns
    -------
    float32, shape (m, n); larger is nearer. Summed in double precision.
    """
    base = as_codes("codes", codes, bits)
    asked = check_vectors("query_vectors", query_vectors, dim=base.bits)
    return _core.asymmetric_scores(asked, base.data, base.bits, check_threads(threads))
