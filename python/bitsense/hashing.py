"""Binarisers: real vectors to packed codes, without labels. The baselines of every learned code.

All follow scikit-learn's conventions without needing it. `transform` returns packed codes (see
`bitsense.codes`); `project` returns the real values whose signs the codes are, which is what
asymmetric scoring takes as queries. The code of a row does not depend on the other rows of a call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from . import _core, files
from ._check import MAX_BITS, check_bool, check_count, check_seed, check_threads, check_vectors
from ._estimator import Estimator
from .errors import FormatError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ITQ", "RandomHyperplanes", "SignBinarizer"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Fitted = TypeVar("Fitted", bound="_Binarizer")


class _Binarizer(Estimator, ABC):
    """bit j = [((x - mean_) directions_)_j > 0]; without `directions_`, [(x - mean_)_j > 0]."""

    mean_: Floats
    directions_: Floats
    threads: int | None
    _recipe: dict[str, Any]  # the parameters that `fit` checked, of JSON types

    @abstractmethod
    def fit(self: Fitted, vectors: npt.ArrayLike, y: Any = None) -> Fitted:
        """Learn from `vectors`, shape (n, dim), and return self."""

    def transform(self, vectors: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Return packed codes, uint8, shape (n, ceil(bits / 8)), of `vectors`, shape (n, dim)."""
        array = self._check_input(vectors)
        threads = check_threads(self.threads)
        return _core.project_signs(array, self.mean_, self.directions_, threads)

    def project(self, vectors: npt.ArrayLike) -> Floats:
        """Return the values whose signs `transform` packs: float32, shape (n, bits).

        They belong to `vectors`, shape (n, dim).
        """
        array = self._check_input(vectors)
        return _core.project(array, self.mean_, self.directions_, check_threads(self.threads))

    def fit_transform(self, vectors: npt.ArrayLike, y: Any = None) -> npt.NDArray[np.uint8]:
        """Fit to `vectors`, shape (n, dim), and return their codes."""
        return self.fit(vectors).transform(vectors)

    @property
    def bits_(self) -> int:
        """The number of bits of a code, known after `fit`."""
        self._check_fitted()
        return int(self.directions_.shape[1])

    def save(self, path: files.Path) -> None:
        """Save the fitted binariser as the file `path`, without `threads`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        OSError
            If the file cannot be written.
        """
        self._check_fitted()
        header = {"class": type(self).__name__, "parameters": self._recipe}
        arrays = {name: getattr(self, name) for name in self._shapes(len(self.mean_))}
        files.write_file(path, "binarizer", header, arrays)

    @classmethod
    def load(cls, path: files.Path) -> Self:
        """Return the binariser that `save` wrote at `path`.

        Raises
        ------
        FormatError
            If the file is corrupt, cut, newer, or holds something else.
        """
        loaded = files.load(path)
        if not isinstance(loaded, cls):
            raise FormatError(f"{path}: holds a {type(loaded).__name__}, not a {cls.__name__}")
        return loaded

    @abstractmethod
    def _checked(self, dim: int) -> dict[str, Any]:
        """Check the parameters for vectors of a dimension; return those that files hold."""

    def _shapes(self, dim: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return the type and the shape of each array that was learned."""
        return {
            "mean_": ("float32", (dim,)),
            "directions_": ("float32", (dim, self._recipe["bits"])),
        }

    def _n_columns(self) -> int:
        return (self.bits_ + 7) // 8

    def _check_input(self, vectors: npt.ArrayLike) -> Floats:
        self._check_fitted()
        return check_vectors("vectors", vectors, dim=len(self.mean_))


class SignBinarizer(_Binarizer):
    """The signs of the values, one bit per dimension, after centring.

    Without centring a dimension whose mean is far from zero gives the same bit to everybody.

    Parameters
    ----------
    center : bool, default True
        Subtract the mean of the vectors that `fit` saw.

    Attributes
    ----------
    mean_ : float32, shape (dim,)
    """

    def __init__(self, *, center: bool = True) -> None:
        self.center = center

    def fit(self, vectors: npt.ArrayLike, y: Any = None) -> SignBinarizer:
        """Learn the mean of `vectors`, shape (n, dim), and return self."""
        array = _check_training("vectors", vectors)
        recipe = self._checked(array.shape[1])
        mean = _mean(array) if recipe["center"] else np.zeros(array.shape[1], np.float32)
        self.__dict__.update(mean_=mean, _recipe=recipe)
        return self

    def _checked(self, dim: int) -> dict[str, Any]:
        return {"center": check_bool("center", self.center)}

    def _shapes(self, dim: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        return {"mean_": ("float32", (dim,))}

    def transform(self, vectors: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Return packed codes, uint8, shape (n, ceil(dim / 8)), of `vectors`, shape (n, dim)."""
        return np.packbits(self._check_input(vectors) > self.mean_, axis=1)

    def project(self, vectors: npt.ArrayLike) -> Floats:
        """Return `vectors` centred, float32, shape (n, dim)."""
        return self._check_input(vectors) - self.mean_

    @property
    def bits_(self) -> int:
        """The number of bits of a code, known after `fit`."""
        self._check_fitted()
        return len(self.mean_)


class RandomHyperplanes(_Binarizer):
    """Signs of random projections (Charikar, STOC 2002).

    Two vectors at an angle of a get codes that differ in a share of a / pi of the bits, on average.

    Parameters
    ----------
    bits : int, default 64
        May be more or fewer than the dimension.
    center : bool, default False
        Subtract the mean first; the angle is then that of the centred vectors.
    seed : int, default 0
    threads : int, optional
        For `transform`; default every available processor.

    Attributes
    ----------
    mean_ : float32, shape (dim,); directions_ : float32, shape (dim, bits)
    """

    def __init__(
        self, bits: int = 64, *, center: bool = False, seed: int = 0, threads: int | None = None
    ) -> None:
        self.bits = bits
        self.center = center
        self.seed = seed
        self.threads = threads

    def fit(self, vectors: npt.ArrayLike, y: Any = None) -> RandomHyperplanes:
        """Draw the hyperplanes for `vectors`, shape (n, dim), and return self."""
        array = _check_training("vectors", vectors)
        dim = array.shape[1]
        recipe = self._checked(dim)
        normals = _normals(recipe["seed"], dim * recipe["bits"])
        self.__dict__.update(
            mean_=_mean(array) if recipe["center"] else np.zeros(dim, np.float32),
            directions_=normals.reshape(dim, recipe["bits"]).astype(np.float32),
            _recipe=recipe,
        )
        return self

    def _checked(self, dim: int) -> dict[str, Any]:
        check_threads(self.threads)
        return {
            "bits": check_count("bits", self.bits, most=MAX_BITS),
            "center": check_bool("center", self.center),
            "seed": check_seed(self.seed),
        }


class ITQ(_Binarizer):
    """Iterative quantisation (Gong and Lazebnik, CVPR 2011; Procrustean approach).

    The vectors are centred and projected on their first `bits` principal directions; then a
    rotation R is sought that brings them close to the corners of a cube:

        minimise |B - V R|^2 over B in {-1, 1}^(n x bits) and orthogonal R

    by turns: B = sign(V R); R = the Procrustes rotation of V to B, from an SVD.

    Parameters
    ----------
    bits : int, default 64
        At most the dimension.
    iterations : int, default 50
        Turns; the paper's number.
    seed : int, default 0
        Of the rotation that the search begins with.
    threads : int, optional
        For `transform`; default every available processor.

    Attributes
    ----------
    mean_ : float32, shape (dim,); directions_ : float32, shape (dim, bits)
    rotation_ : float64, shape (bits, bits)
    quantization_errors_ : float64, shape (iterations + 1,)
        Mean of |B - V R|^2 over rows at the start and after each turn; it never rises.

    Notes
    -----
    Fitting uses NumPy's linear algebra: the same seed and data give the same codes on one machine,
    and may not on another. The sign of a principal direction is fixed by making its entry of
    largest size positive.
    """

    def __init__(
        self, bits: int = 64, *, iterations: int = 50, seed: int = 0, threads: int | None = None
    ) -> None:
        self.bits = bits
        self.iterations = iterations
        self.seed = seed
        self.threads = threads

    def fit(self, vectors: npt.ArrayLike, y: Any = None) -> ITQ:
        """Learn directions and rotation from `vectors`, shape (n, dim), and return self."""
        array = _check_training("vectors", vectors)
        recipe = self._checked(array.shape[1])
        bits, iterations = recipe["bits"], recipe["iterations"]
        rotation = _random_rotation(recipe["seed"], bits)
        mean = _mean(array)
        centred = array.astype(np.float64) - mean
        principal = principal_directions(centred, bits)
        projected = centred @ principal
        # |B - V R|^2 = |B|^2 + |V|^2 - 2 sum |V R|, as B holds the signs of V R
        constant = bits + (projected**2).sum() / len(array)
        errors = np.empty(iterations + 1)
        for turn in range(iterations + 1):
            rotated = projected @ rotation
            errors[turn] = constant - 2.0 * np.abs(rotated).sum() / len(array)
            if turn < iterations:
                corners = np.where(rotated > 0, 1.0, -1.0)
                left, _, right = np.linalg.svd(projected.T @ corners)
                rotation = left @ right
        self.__dict__.update(
            mean_=mean,
            rotation_=rotation,
            directions_=np.ascontiguousarray(principal @ rotation, dtype=np.float32),
            quantization_errors_=errors,
            _recipe=recipe,
        )
        return self

    def _checked(self, dim: int) -> dict[str, Any]:
        check_threads(self.threads)
        return {
            "bits": check_count("bits", self.bits, most=min(dim, MAX_BITS)),
            "iterations": check_count("iterations", self.iterations, least=0),
            "seed": check_seed(self.seed),
        }

    def _shapes(self, dim: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        bits = self._recipe["bits"]
        return {
            **super()._shapes(dim),
            "rotation_": ("float64", (bits, bits)),
            "quantization_errors_": ("float64", (self._recipe["iterations"] + 1,)),
        }


def principal_directions(centred: Doubles, count: int) -> Doubles:
    """Return the first principal directions of centred rows, shape (dim, count), signs fixed."""
    _, vectors = np.linalg.eigh(centred.T @ centred)
    directions = vectors[:, ::-1][:, :count]
    largest = np.abs(directions).argmax(axis=0)
    signs = np.where(directions[largest, np.arange(count)] < 0, -1.0, 1.0)
    return np.asarray(directions * signs)


def _mean(array: Floats) -> Floats:
    return np.asarray(array.mean(axis=0, dtype=np.float64), dtype=np.float32)


def _check_training(name: str, vectors: npt.ArrayLike) -> Floats:
    array = check_vectors(name, vectors)
    if array.shape[0] == 0 or array.shape[1] == 0:
        raise ValueError(f"`{name}` must have at least one row and one column, got {array.shape}")
    return array


def _normals(seed: int, count: int) -> Doubles:
    """Return standard normal numbers that depend on the seed alone, whatever NumPy's version.

    SplitMix64 of (seed, position), the engine's generator, through Box and Muller's transform.
    """
    pairs = (count + 1) // 2
    words = _mix(np.arange(1, 2 * pairs + 1, dtype=np.uint64) * _GAMMA + _mix(np.uint64(seed)))
    uniform = ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    radius = np.sqrt(-2.0 * np.log(uniform[:pairs]))
    angle = 2.0 * np.pi * uniform[pairs:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]


_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def _mix(x: Any) -> Any:
    """Return the finaliser of SplitMix64, as cpp/core/rng.hpp has it; arithmetic is modulo 2^64."""
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def _random_rotation(seed: int, dim: int) -> Doubles:
    """Return a random orthogonal matrix, uniform over them (Mezzadri, 2007)."""
    q, r = np.linalg.qr(_normals(seed, dim * dim).reshape(dim, dim))
    return np.asarray(q * np.where(np.diag(r) < 0, -1.0, 1.0))


_CLASSES: dict[str, type[_Binarizer]] = {
    cls.__name__: cls for cls in (ITQ, RandomHyperplanes, SignBinarizer)
}


def _load(header: dict[str, Any], arrays: dict[str, Any]) -> _Binarizer:
    name = files.require_field(header, "class", str)
    if name not in _CLASSES:
        raise FormatError(f"holds a binariser {name!r}, which this bitsense does not know")
    parameters = files.require_field(header, "parameters", dict)
    dim = len(files.require_array(arrays, "mean_", "float32", None))
    try:
        binarizer = _CLASSES[name](**parameters)
        binarizer._recipe = binarizer._checked(dim)
    except (TypeError, ValueError) as error:
        raise FormatError(f"corrupt: the binariser's parameters: {error}") from None
    if parameters.keys() != binarizer._recipe.keys():
        raise FormatError("corrupt: the binariser's parameters are not those of its class")
    if dim == 0:
        raise FormatError("corrupt: the binariser has no dimensions")
    for array, (dtype, shape) in binarizer._shapes(dim).items():
        values = files.require_array(arrays, array, dtype, *shape)
        if not np.isfinite(values).all():
            raise FormatError(f"corrupt: array {array!r} is not finite")
        setattr(binarizer, array, values)
    return binarizer


files.register("binarizer", _load)
