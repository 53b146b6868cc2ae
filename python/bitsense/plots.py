"""Pictures of words, their senses and the neighbours of these, in two dimensions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ._check import check_bool, check_count, check_option
from ._extras import import_extra
from ._label_places import place_labels
from ._projection import METHODS, project
from ._senses_view import Row, describe, has_senses, rows_of, vectors_of

__all__ = ["plot_senses"]

# Okabe and Ito's colours for every kind of sight, the yellow darkened, then more dark ones.
_COLORS = (
    "#0072B2", "#D55E00", "#009E73", "#B8558C", "#9A7D0A", "#2F8FC4", "#882255", "#332288",
    "#E69F00", "#117733", "#AA4499", "#666666", "#44AA99", "#999933", "#CC6677", "#6699CC",
)  # fmt: skip
_MARKERS = "osD^vP*X"
_SIZE = (9.0, 7.0)  # inches, of a picture of its own


class _Scene(NamedTuple):
    """What is drawn."""

    senses: list[int]
    """Rows of the chosen senses."""
    neighbors: list[tuple[int, int]]
    """(row, place in `senses` of the sense that it belongs to)."""


def plot_senses(
    model: Any,
    words: Sequence[str],
    *,
    k: int = 10,
    method: str = "pca",
    ax: Any = None,
    seed: int = 0,
    restrict_to: int | None = None,
    labels: bool = True,
) -> Any:
    """Draw the senses of words, and the neighbours of each sense, in two dimensions.

    Every sense has a colour, and each word a shape. A sense is labelled with its key and its prior;
    its neighbours are small points of its colour, joined to it. A key that is a neighbour of
    several senses is drawn with the one most similar to it. Of plain word vectors, which have no
    senses, the words are drawn alike.

    Parameters
    ----------
    model : WordVectors, SenseVectors, or a model with them as ``wv``
    words : sequence of str
        Words, drawn with all their senses, or keys of senses such as ``"bank#2"``.
    k : int, default 10
        Neighbours of each sense, of one word only its nearest sense; 0 for none.
    method : {"pca", "tsne", "umap"}
        The projection, made of the vectors that are drawn and of no others.
    ax : matplotlib Axes, optional
        Where to draw; by default on a new figure, which is not registered with pyplot: save it by
        ``ax.figure.savefig(path)``.
    seed : int, default 0
        Of t-SNE and UMAP.
    restrict_to : int, optional
        Only the first so many rows can be neighbours: rare words are often noise.
    labels : bool, default True
        Whether neighbours have labels.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If matplotlib, or the package of the method, is not installed.
    KeyError
        If a word is unknown.
    """
    if isinstance(words, str):
        raise TypeError(f"`words` must be a list of words, got one string: {words!r}")
    if not words:
        raise ValueError("`words` must name at least one word")
    check_option("method", method, METHODS)
    k = check_count("k", k, least=0)
    labels = check_bool("labels", labels)
    import_extra("matplotlib", "matplotlib", "plot")
    vectors = vectors_of(model)
    scene = _scene(vectors, words, k, restrict_to)
    drawn = scene.senses + [row for row, _ in scene.neighbors]
    if len(drawn) < 2:
        raise ValueError("`words` and their neighbours must be at least 2 vectors, got 1")
    points = project(vectors.vectors[drawn], method, seed)
    if ax is None:
        ax = _new_axes()
    _draw(ax, vectors, scene, points, labels)
    return ax


def _scene(vectors: Any, words: Sequence[str], k: int, restrict_to: int | None) -> _Scene:
    senses = list(dict.fromkeys(row for word in words for row in rows_of(vectors, word)))
    if not k:
        return _Scene(senses, [])
    keys = [vectors.index_to_key[row] for row in senses]
    # Other senses of a chosen word would be drawn twice, or look like neighbours of themselves.
    chosen = {describe(vectors, row).word for row in senses}
    own = [vectors.index_to_key[row] for word in chosen for row in rows_of(vectors, word)]
    best: dict[int, tuple[float, int]] = {}
    for place, key in enumerate(keys):
        for row, similarity in _nearest_words(vectors, key, k, own, restrict_to):
            if row not in best or similarity > best[row][0]:
                best[row] = (similarity, place)
    return _Scene(senses, [(row, place) for row, (_, place) in best.items()])


def _nearest_words(
    vectors: Any, key: str, k: int, exclude: list[str], restrict_to: int | None
) -> list[tuple[int, float]]:
    """Return the rows of the k nearest words, of each word only the nearest sense."""
    most = int(np.diff(vectors.offsets).max()) if has_senses(vectors) else 1
    found = vectors.most_similar(key, k=k * most, exclude=exclude, restrict_to=restrict_to)
    words: dict[str, tuple[int, float]] = {}
    for neighbor, similarity in found:
        row = vectors.key_to_index[neighbor]
        words.setdefault(describe(vectors, row).word, (row, similarity))
    return list(words.values())[:k]


def _new_axes() -> Any:
    """Return axes on a figure that pyplot does not know, so nobody need close it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def _draw(ax: Any, vectors: Any, scene: _Scene, points: Any, labels: bool) -> None:
    senses = [describe(vectors, row) for row in scene.senses]
    shapes = dict(zip(dict.fromkeys(s.word for s in senses), itertools.cycle(_MARKERS)))
    colors = [_COLORS[place % len(_COLORS)] for place in range(len(senses))]
    for (_, place), point in zip(scene.neighbors, points[len(senses) :], strict=True):
        centre = points[place]
        ax.plot(
            [centre[0], point[0]], [centre[1], point[1]],
            color=colors[place], alpha=0.25, linewidth=0.7, zorder=1,
        )  # fmt: skip
        ax.plot(*point, "o", color=colors[place], markersize=3.5, alpha=0.85, zorder=2)
    for sense, point, color in zip(senses, points, colors, strict=False):
        ax.plot(
            *point, shapes[sense.word], color=color, markersize=11, markeredgecolor="white",
            markeredgewidth=1.2, zorder=4,
        )  # fmt: skip
    ax.set_xticks([])
    ax.set_yticks([])
    ax.margins(0.12)
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # the labels fit these limits
    for spine in ax.spines.values():
        spine.set_color("#cccccc")
    texts = [(_sense_label(vectors, s), c, True) for s, c in zip(senses, colors, strict=True)]
    if labels:
        texts += [
            (_neighbor_label(vectors, row), colors[place], False) for row, place in scene.neighbors
        ]
    place_labels(ax, points, texts)


def _sense_label(vectors: Any, sense: Row) -> str:
    return f"{sense.key} ({sense.prior:.2f})" if has_senses(vectors) else sense.key


def _neighbor_label(vectors: Any, row: int) -> str:
    """Return the key, without the number of a sense where a word has only one."""
    described = describe(vectors, row)
    one = has_senses(vectors) and vectors.n_senses(described.word) == 1
    return described.word if one else described.key
