"""What `certificate` of a paragraph-vector model returns: what its codes are worth, measured.

A threshold that somebody else chose for other codes finds half of the duplicates, or everything.
So a model measures its own, on documents that it was not fitted to, and keeps the numbers in its
file. docs/certificate.md explains each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from ._check import MAX_BITS
from .errors import FormatError
from .reports import plain

__all__ = ["Certificate", "CodeQuality"]

CODES = ("learned", "ITQ", "random hyperplanes")
FITTED_TO = ("inferred vectors", "trained vectors", "half of the held-out documents")

_MOST = 2**63 - 1


@dataclass(frozen=True)
class CodeQuality:
    """What one kind of codes of one length is worth; a row of a `Certificate`.

    Attributes
    ----------
    codes : {"learned", "ITQ", "random hyperplanes"}
        Whose: the model's own, or codes of its real vectors.
    bits : int
    overlap : float
        Share of the k nearest by cosine of the real vectors that are among the k nearest by code,
        ties by their expectation.
    recall : float
        The same for a shortlist of the nearest by code.
    entropy : float
        Mean entropy of a bit, in bits.
    mean_correlation, largest_correlation : float
        Absolute correlation over pairs of different bits, without those that never change.
    radius : int
        The smallest Hamming distance within which the wanted share of the edited copies lies.
    found : float
        The share that does.
    false_rate : float
        Share of the pairs of different documents that lie within the radius too.
    copy_distances, pair_distances : tuple of int
        Quantiles of the distances of documents and their copies, and of pairs of different
        documents: for each of the shares that the certificate names, the smallest distance within
        which so many lie.
    """

    codes: str
    bits: int
    overlap: float
    recall: float
    entropy: float
    mean_correlation: float
    largest_correlation: float
    radius: int
    found: float
    false_rate: float
    copy_distances: tuple[int, ...]
    pair_distances: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Bytes of a document's code."""
        return -(-self.bits // 8)


@dataclass(frozen=True)
class Certificate:
    """What the codes of a model are worth on documents that it was not fitted to.

    ``print`` shows it.

    Attributes
    ----------
    model : str
        The name of the class.
    documents : int
        Held-out documents that everything was measured on.
    unknown : int
        How many more had no known word and were left out.
    fitted_to : {"inferred vectors", "trained vectors", "half of the held-out documents"}
        What the ITQ codes were fitted to: vectors of training documents, as the model infers them
        or as they were trained; or half of the held-out documents, and `documents` is the other
        half then.
    queries : int
        Of the documents, those whose neighbours were looked for among the others.
    k, shortlist : int
        Nearest neighbours, and nearest codes among which `recall` finds them again.
    edit : float
        Share of the words of a copy that were replaced.
    found : float
        Share of the copies that a radius has to find.
    pairs : int
        Pairs of different documents that `false_rate` is a share of.
    seed : int
    copy_shares, pair_shares : tuple of float
        What `copy_distances` and `pair_distances` of the rows are quantiles at.
    rows : tuple of CodeQuality
        By the number of bits; the model's own codes first among equals.
    """

    model: str
    documents: int
    unknown: int
    fitted_to: str
    queries: int
    k: int
    shortlist: int
    edit: float
    found: float
    pairs: int
    seed: int
    copy_shares: tuple[float, ...]
    pair_shares: tuple[float, ...]
    rows: tuple[CodeQuality, ...]

    @property
    def own(self) -> CodeQuality | None:
        """The row of the model's own codes; None for a model without codes."""
        return next((row for row in self.rows if row.codes == CODES[0]), None)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as dicts, lists, numbers and strings, as JSON has them."""
        return {name: plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Any) -> Certificate:
        """Return the certificate whose `as_dict` gave `values`, after checking each of them.

        Keys of newer versions are ignored.

        Raises
        ------
        FormatError
            If a value is missing, of another type, or out of its range.
        """
        certificate = _checked(cls, _CERTIFICATE, values)
        rows = values.get("rows")
        if not isinstance(rows, list) or not rows:
            raise FormatError(f"corrupt: the certificate: `rows` cannot be {rows!r}")
        made = tuple(CodeQuality(**_checked(CodeQuality, _ROW, row)) for row in rows)
        for row in made:
            fits = len(row.copy_distances) == len(certificate["copy_shares"])
            if not fits or len(row.pair_distances) != len(certificate["pair_shares"]):
                raise FormatError("corrupt: the certificate: a row has too many or few distances")
        return cls(**certificate, rows=made)

    def __str__(self) -> str:
        unknown = f", {self.unknown:,} more without a known word" if self.unknown else ""
        k, pairs = self.k, f"{self.pairs:,}"
        lines = [
            f"Codes of {self.model} on {self.documents:,} held-out documents{unknown}",
            f"overlap      of the {k} nearest by code with the {k} nearest by cosine",
            f"recall       of the {k} nearest by cosine among the {self.shortlist} nearest by code",
            f"radius       finds {_percent(self.found)} of copies that are edited by "
            + _percent(self.edit),
            f"false pairs  share of {pairs} pairs of different documents within the radius",
            "",
            _HEAD,
        ]
        lines += [_line(row) for row in self.rows]
        if self.own is not None:
            lines.append("* the model's own codes")
        if any(row.codes == CODES[1] for row in self.rows):
            lines.append(_FITTED[self.fitted_to])
        return "\n".join(lines)


_HEAD = (
    f"   bits bytes  {'codes':18} overlap recall entropy   correlation radius  found false pairs"
)

_FITTED = {
    FITTED_TO[0]: "ITQ is fitted to inferred vectors of training documents",
    FITTED_TO[1]: "ITQ is fitted to the trained vectors of the training documents",
    FITTED_TO[2]: "ITQ is fitted to another half of the held-out documents",
}


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _line(row: CodeQuality) -> str:
    mark = "*" if row.codes == CODES[0] else " "
    false = f"{row.false_rate:.1e}" if row.false_rate else "0"
    correlation = f"{row.mean_correlation:.3f}, {row.largest_correlation:.2f}"
    return (
        f"{mark} {row.bits:5d} {row.bytes:5d}  {row.codes:18} {row.overlap:7.3f} {row.recall:6.3f} "
        f"{row.entropy:7.3f} {correlation:>13} {row.radius:6d} {row.found:6.3f} {false:>11}"
    )


# Reading


def _count(least: int = 0, most: int = _MOST) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _share(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 <= value <= 1


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _one_of(*options: str) -> Callable[[Any], bool]:
    return lambda value: value in options


_CERTIFICATE: dict[str, Callable[[Any], bool]] = {
    "model": lambda value: isinstance(value, str),
    "documents": _count(2),
    "unknown": _count(),
    "fitted_to": _one_of(*FITTED_TO),
    "queries": _count(1),
    "k": _count(1),
    "shortlist": _count(1),
    "edit": _share,
    "found": _share,
    "pairs": _count(1),
    "seed": _count(most=2**64 - 1),
    "copy_shares": _list_of(_share),
    "pair_shares": _list_of(_share),
}

_ROW: dict[str, Callable[[Any], bool]] = {
    "codes": _one_of(*CODES),
    "bits": _count(1, MAX_BITS),
    "overlap": _share,
    "recall": _share,
    "entropy": _share,
    "mean_correlation": _share,
    "largest_correlation": _share,
    "radius": _count(most=MAX_BITS),
    "found": _share,
    "false_rate": _share,
    "copy_distances": _list_of(_count(most=MAX_BITS)),
    "pair_distances": _list_of(_count(most=MAX_BITS)),
}


def _checked(cls: Any, checks: dict[str, Callable[[Any], bool]], values: Any) -> dict[str, Any]:
    """Return the arguments of a dataclass, with tuples for lists and floats for its floats."""
    if not isinstance(values, dict):
        raise FormatError(f"corrupt: the certificate: an object cannot be {values!r}")
    types = {field.name: field.type for field in fields(cls)}
    made: dict[str, Any] = {}
    for name, fits in checks.items():
        if name not in values:
            raise FormatError(f"corrupt: the certificate: `{name}` is missing")
        value = values[name]
        if not fits(value):
            raise FormatError(f"corrupt: the certificate: `{name}` cannot be {value!r}")
        if types[name] == "float":
            value = float(value)
        made[name] = tuple(value) if isinstance(value, list) else value
    return made
