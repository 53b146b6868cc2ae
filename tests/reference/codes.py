"""Slow twins of the code contract, of Hamming search and of the binarisers.

Run as a program it prints tests/data/codes_golden.json: codes in every form, written with nothing
but Python's own integers and strings, for this test suite and for other implementations.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

GOLDEN_BITS = (1, 7, 8, 9, 33, 64, 100, 128, 255)

FORMS = {
    "values": "the real values; a bit is 1 where the value is > 0 (0 and -0.0 give 0)",
    "text": "the bits, first bit first; also the text of PostgreSQL's bit(n), as pgvector uses it",
    "bytes": "bit j is in byte j // 8, most significant bit first; padding bits are zero",
    "hex": "the bytes in hexadecimal digits",
    "little_endian": "bytes with bit j as the j % 8-th least significant",
    "signed_bytes": "the bytes read in two's complement",
    "offset_bytes": "the bytes minus 128",
    "uint64": "words as hexadecimal strings; bit j is the j % 64-th most significant",
}


def golden_values(bits: int) -> list[float]:
    """Return values with every kind of zero and sign, from a fixed recurrence."""
    kinds = [1.5, -2.0, 0.0, -0.0, 1e-300, -1e-300, 3.0, -0.25]
    state, values = bits, []
    for _ in range(bits):
        state = (state * 1103515245 + 12345) % 2**31
        values.append(kinds[state >> 28])
    return values


def forms(values: list[float]) -> dict[str, Any]:
    """Return one code in every form."""
    text = "".join("1" if value > 0 else "0" for value in values)
    padded = text + "0" * (-len(text) % 8)
    groups = [padded[i : i + 8] for i in range(0, len(padded), 8)]
    big = [int(group, 2) for group in groups]
    long = text + "0" * (-len(text) % 64)
    return {
        "bits": len(values),
        "values": values,
        "text": text,
        "bytes": big,
        "hex": "".join(f"{byte:02x}" for byte in big),
        "little_endian": [int(group[::-1], 2) for group in groups],
        "signed_bytes": [byte - 256 if byte > 127 else byte for byte in big],
        "offset_bytes": [byte - 128 for byte in big],
        "uint64": [f"{int(long[i : i + 64], 2):016x}" for i in range(0, len(long), 64)],
    }


def golden() -> dict[str, Any]:
    """Return the content of the golden file."""
    return {
        "about": "Golden codes of bitsense's code contract; free to use in any implementation.",
        "forms": FORMS,
        "codes": [forms(golden_values(bits)) for bits in GOLDEN_BITS],
    }


def hamming(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the distances by counting ones of the exclusive or, shape (m, n), int64."""
    m, n = len(queries), len(codes)
    if m == 0 or n == 0:
        return np.zeros((m, n), np.int64)
    return np.unpackbits(queries[:, None] ^ codes[None], axis=2).sum(axis=2, dtype=np.int64)


def nearest(
    distances: np.ndarray, k: int, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and distances of the k nearest that the mask lets pass, by (distance, row)."""
    rows = np.arange(distances.shape[1]) if mask is None else np.flatnonzero(mask)
    order = np.argsort(distances[:, rows], axis=1, kind="stable")[:, :k]
    return rows[order], np.take_along_axis(distances[:, rows], order, axis=1)


def project(x: np.ndarray, mean: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return (x - mean) directions, each sum in float32 and in the order of the inputs."""
    centred = x - mean
    total = np.zeros((len(x), directions.shape[1]), np.float32)
    for i in range(x.shape[1]):
        total += centred[:, i : i + 1] * directions[i]
    return total


def asymmetric(query: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Return sum over j of q_j (2 b_j - 1) in double, shape (m, n)."""
    return query.astype(np.float64) @ (2.0 * bits.astype(np.float64) - 1.0).T


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cosines in double, 0 where a norm is 0, shape (m, n)."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)
    return np.divide(a @ b.T, norms, out=np.zeros_like(norms), where=norms > 0)


if __name__ == "__main__":
    print(json.dumps(golden(), indent=1))
