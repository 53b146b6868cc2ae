"""Vectors in two dimensions: principal components, t-SNE, UMAP."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from ._check import check_option, check_seed
from ._extras import import_extra

__all__ = ["METHODS", "project"]

METHODS = ("pca", "tsne", "umap")

Points = npt.NDArray[np.float64]

_BLOCK = 4096  # rows that are held in double precision at once
_PERPLEXITY = 30.0
_NEIGHBORS = 15


def project(vectors: npt.NDArray[np.float32], method: str, seed: int = 0) -> Points:
    """Return rows in two dimensions, shape (n, 2), so that rows of like direction lie together.

    Parameters
    ----------
    vectors : float32, shape (n, dim)
        Rows are divided by their lengths first: only their directions count.
    method : {"pca", "tsne", "umap"}
        ``"pca"`` needs only NumPy, has no random part, and its axes are linear in the vectors.
        ``"tsne"`` (scikit-learn) and ``"umap"`` (umap-learn) keep neighbours together and need not
        keep distances.
    seed : int, default 0
        Where the random numbers of t-SNE and UMAP start.

    Raises
    ------
    ImportError
        If the method needs a package that is not installed.
    ValueError
        If there are fewer than 2 rows.
    """
    check_option("method", method, METHODS)
    seed = check_seed(seed) % 2**32  # what the other packages take
    if len(vectors) < 2:
        raise ValueError(f"`vectors` must have at least 2 rows, got {len(vectors)}")
    if method == "pca":
        return _pca(vectors)
    units = _unit_rows(vectors).astype(np.float32)
    return _tsne(units, seed) if method == "tsne" else _umap(units, seed)


def _unit_rows(vectors: npt.NDArray[np.float32]) -> Points:
    rows = vectors.astype(np.float64)
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    rows /= np.where(lengths > 0, lengths, 1)
    return rows


def _pca(vectors: npt.NDArray[np.float32]) -> Points:
    """Return the first two principal components; an axis without variance is zero.

    The axes come from the covariance matrix, summed block by block, so a million rows need no
    double-precision copy. Each axis points to where its largest coordinate is positive.
    """
    n, dim = vectors.shape
    blocks = [slice(start, start + _BLOCK) for start in range(0, n, _BLOCK)]
    mean = np.zeros(dim)
    for block in blocks:
        mean += _unit_rows(vectors[block]).sum(axis=0)
    mean /= n
    covariance = np.zeros((dim, dim))
    for block in blocks:
        centred = _unit_rows(vectors[block]) - mean
        covariance += centred.T @ centred
    axes = np.linalg.svd(covariance, hermitian=True)[2][:2]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    axes = axes * signs[:, None]
    points = np.zeros((n, 2))
    for block in blocks:
        points[block, : len(axes)] = (_unit_rows(vectors[block]) - mean) @ axes.T
    return points


def _tsne(units: npt.NDArray[np.float32], seed: int) -> Points:
    manifold = import_extra("sklearn.manifold", "scikit-learn", "plot")
    perplexity = min(_PERPLEXITY, max(1.0, (len(units) - 1) / 3))
    # Squared distances of unit vectors are twice their cosine distances: neighbours are the same.
    model = manifold.TSNE(n_components=2, perplexity=perplexity, init="pca", random_state=seed)
    if len(units) < 3 or units.shape[1] < 2:
        model.set_params(init="random")
    return np.asarray(model.fit_transform(units), dtype=np.float64)


def _umap(units: npt.NDArray[np.float32], seed: int) -> Points:
    umap = import_extra("umap", "umap-learn", "umap")
    if len(units) < 5:
        raise ValueError(f"`vectors` must have at least 5 rows for UMAP, got {len(units)}")
    model = umap.UMAP(
        n_components=2,
        n_neighbors=min(_NEIGHBORS, len(units) - 1),
        metric="cosine",
        init="random" if len(units) < 50 else "spectral",
        n_jobs=1,  # with more, a seed does not fix the result
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on its own defaults
        return np.asarray(model.fit_transform(units), dtype=np.float64)
