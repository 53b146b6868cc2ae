"""What `report` of a paragraph-vector model returns: how the training went, and what it left.

Bits that are the same for everybody, or that can no longer change, cost space and tell nothing;
they are found here and not by a search that gets worse.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._bit_statistics import (
    bit_correlation,
    bit_entropy,
    code_buckets,
    effective_dimension,
    ones_shares,
)

__all__ = [
    "DEAD_SHARE",
    "SATURATED_GRADIENT",
    "SATURATED_SHARE",
    "BitReport",
    "ModelReport",
    "VectorReport",
]

DEAD_SHARE = 0.01
"""A bit is dead if its share of ones is below this, or that of zeros."""

SATURATED_GRADIENT = 0.01
"""The sigmoid s passes no gradient to speak of where s (1 - s) is below this: from 4.6 on."""

SATURATED_SHARE = 0.5
"""A bit is saturated if the share of documents that get no gradient through it is above this."""

Floats = npt.NDArray[np.float32]

_ROWS = 1 << 14  # held at once
_NAMED = 12  # bits that are listed; more are counted


@dataclass(frozen=True)
class BitReport:
    """The bits of the codes of some documents.

    Attributes
    ----------
    bits : int
    ones : tuple of float, one per bit
        Share of documents whose bit is 1.
    entropy : tuple of float, one per bit
        In bits: 1 where half of the documents have a one, 0 where all have the same.
    saturated_shares : tuple of float, one per bit
        Share of documents with s (1 - s) < 0.01, where s is the sigmoid of the pre-activation: the
        training cannot move their bit any more.
    dead : tuple of int
        Numbers of the bits of which less than 1 % of the documents have a one, or a zero.
    saturated : tuple of int
        Numbers of the bits of which more than half of the documents are saturated.
    mean_correlation, largest_correlation : float
        Absolute correlation over pairs of different bits, without those that never change; 0 is
        independent, 1 the same bit twice.
    distinct : int
        How many different codes the documents have.
    largest_bucket : int
        How many documents share the commonest code.
    """

    bits: int
    ones: tuple[float, ...]
    entropy: tuple[float, ...]
    saturated_shares: tuple[float, ...]
    dead: tuple[int, ...]
    saturated: tuple[int, ...]
    mean_correlation: float
    largest_correlation: float
    distinct: int
    largest_bucket: int


@dataclass(frozen=True)
class VectorReport:
    """The real vectors of some documents: of a binary model, its pre-activations.

    Attributes
    ----------
    dim : int
    smallest_norm, mean_norm, largest_norm : float
        Euclidean lengths.
    effective_dimension : float
        Participation ratio of the eigenvalues l of the covariance, (sum l)^2 / sum l^2: `dim` where
        all directions vary alike, 1 where one does, 0 where none does.
    """

    dim: int
    smallest_norm: float
    mean_norm: float
    largest_norm: float
    effective_dimension: float


@dataclass(frozen=True)
class ModelReport:
    """How a training went, and what it made of the documents; ``print`` shows it.

    Attributes
    ----------
    model : str
        The name of the class.
    words : int
        Size of the vocabulary.
    losses : tuple of float
        Mean loss per target of each epoch.
    partial : bool
        Whether the training was stopped before its end.
    source : {"training", "given"}
        Whether `bits` and `vectors` are about the trained vectors of the documents of `fit` (and
        `extend`), or about the inferred ones of documents that `report` was given.
    documents : int
        How many these are.
    unknown : int
        How many more were given, but have no known word.
    vectors : VectorReport
    bits : BitReport or None
        None for a model without codes.
    """

    model: str
    words: int
    losses: tuple[float, ...]
    partial: bool
    source: str
    documents: int
    unknown: int
    vectors: VectorReport
    bits: BitReport | None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as dicts, lists, numbers and strings, as JSON has them."""
        return {name: plain(value) for name, value in asdict(self).items()}

    def __str__(self) -> str:
        vectors, bits = self.vectors, self.bits
        unknown = f", {self.unknown:,} more without a known word" if self.unknown else ""
        rows = [
            ("model", f"{self.model}, {self.words:,} words"),
            ("loss", _losses(self.losses, self.partial)),
            ("documents", f"{self.documents:,}, {self.source}{unknown}"),
            ("norms", (f"{vectors.smallest_norm:.3g} to {vectors.largest_norm:.3g}, mean "
                      f"{vectors.mean_norm:.3g}")),
            ("dimension", f"{vectors.effective_dimension:.1f} of {vectors.dim} in effect"),
        ]  # fmt: skip
        if bits is not None:
            rows += [
                ("ones", f"{min(bits.ones):.1%} to {max(bits.ones):.1%} of a bit"),
                ("entropy", (f"{min(bits.entropy):.3f} to {max(bits.entropy):.3f} bits, mean "
                            f"{sum(bits.entropy) / bits.bits:.3f}")),
                ("dead bits", _numbers(bits.dead, bits.bits)),
                ("saturated", _numbers(bits.saturated, bits.bits)),
                ("correlation", (f"{bits.mean_correlation:.3f} between two bits, at most "
                                f"{bits.largest_correlation:.3f}")),
                ("codes", (f"{bits.distinct:,} different ones, the commonest "
                          f"{bits.largest_bucket:,} times")),
            ]  # fmt: skip
        return "\n".join(f"{name:12} {text}" for name, text in rows)


def bit_report(values: Floats) -> BitReport:
    """Return the report of the bits whose pre-activations are the columns of `values`."""
    bits = values.shape[1]
    codes = np.packbits(values > 0, axis=1)
    ones = ones_shares(codes, bits)
    flat = np.zeros(bits)
    for first in range(0, len(values), _ROWS):
        flat += _saturated(values[first : first + _ROWS]).sum(axis=0)
    flat /= len(values)
    correlation = bit_correlation(codes, bits)
    distinct, largest = code_buckets(codes)
    dead = np.flatnonzero((ones < DEAD_SHARE) | (ones > 1 - DEAD_SHARE))
    return BitReport(
        bits=bits,
        ones=tuple(ones.tolist()),
        entropy=tuple(bit_entropy(ones).tolist()),
        saturated_shares=tuple(flat.tolist()),
        dead=tuple(dead.tolist()),
        saturated=tuple(np.flatnonzero(flat > SATURATED_SHARE).tolist()),
        mean_correlation=correlation.mean,
        largest_correlation=correlation.largest,
        distinct=distinct,
        largest_bucket=largest,
    )


def vector_report(vectors: Floats) -> VectorReport:
    """Return the report of at least one real vector."""
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    return VectorReport(
        dim=vectors.shape[1],
        smallest_norm=float(norms.min()),
        mean_norm=float(norms.mean()),
        largest_norm=float(norms.max()),
        effective_dimension=effective_dimension(vectors),
    )


def _saturated(values: Floats) -> npt.NDArray[np.bool_]:
    # The sigmoid of -|a| is the small one of s and 1 - s, and does not overflow.
    small = np.exp(-np.abs(values.astype(np.float64)))
    small /= 1.0 + small
    return np.asarray(small * (1.0 - small) < SATURATED_GRADIENT)


def plain(value: Any) -> Any:
    """Return nested dataclass contents with lists in place of tuples, as JSON has them."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _losses(losses: tuple[float, ...], partial: bool) -> str:
    epochs = f"{len(losses)} epoch{'s' if len(losses) != 1 else ''}"
    stopped = ", stopped before the end" if partial else ""
    if not losses:
        return f"none{stopped}"
    return f"{losses[0]:.3f} to {losses[-1]:.3f} in {epochs}{stopped}"


def _numbers(numbers: tuple[int, ...], bits: int) -> str:
    if not numbers:
        return "none"
    listed = ", ".join(map(str, numbers[:_NAMED])) + (", ..." if len(numbers) > _NAMED else "")
    return f"{len(numbers)} of {bits}: {listed}"
