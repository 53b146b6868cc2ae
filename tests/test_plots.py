"""Pictures of senses: what is drawn, where labels go, what is asked of the environment."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from bitsense import _projection
from bitsense._projection import project
from bitsense.vectors import SenseVectors, WordVectors

SUBJECTS = {
    "bank#1": "money loan credit finance deposit",
    "bank#2": "river shore stream lake flood",
    "rock#1": "band punk guitar album metal",
}


@pytest.fixture(scope="module")
def senses() -> SenseVectors:
    """Three senses of two words, with five words near each; `money` has a far second sense."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(3, 20))
    words, offsets, rows, priors = ["bank", "rock"], [0, 2, 3], list(centres), [0.7, 0.3, 1.0]
    for centre, near in zip(centres, SUBJECTS.values(), strict=True):
        for word in near.split():
            words.append(word)
            rows.append(centre + 0.4 * rng.normal(size=20))
            priors.append(1.0)
            if word == "money":
                rows.append(-centre)
                priors[-1:] = [0.8, 0.2]
            offsets.append(len(rows))
    return SenseVectors(words, offsets, np.array(rows, np.float32), priors=priors)


# The projection


def test_pca_is_that_of_numpy():
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(5000, 12)) * np.arange(1, 13)).astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    centred = units - units.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    want = centred @ axes.T
    got = project(vectors, "pca")
    assert got.shape == (5000, 2)
    assert np.allclose(np.abs(got), np.abs(want), atol=1e-6)
    assert np.array_equal(project(vectors, "pca", seed=5), got)


def test_pca_ignores_lengths_and_survives_what_has_no_variance():
    vectors = np.array([[1, 0], [3, 0], [0, 2], [0, 0]], np.float32)
    points = project(vectors, "pca")
    assert np.allclose(points[0], points[1])
    assert np.isfinite(points).all()
    assert np.array_equal(project(np.ones((3, 1), np.float32), "pca"), np.zeros((3, 2)))


def test_projection_checks_its_arguments():
    with pytest.raises(ValueError, match=r"^`method` must be one of 'pca', 'tsne', 'umap', got 3$"):
        project(np.ones((2, 2), np.float32), 3)
    with pytest.raises(ValueError, match=r"^`vectors` must have at least 2 rows, got 1$"):
        project(np.ones((1, 2), np.float32), "pca")


@pytest.mark.parametrize(
    ("method", "module"),
    [("tsne", "sklearn"), pytest.param("umap", "umap", marks=pytest.mark.slow)],
)
@pytest.mark.filterwarnings("ignore")
def test_neighbour_methods_keep_groups_apart_and_repeat_themselves(senses, method, module):
    pytest.importorskip(module)
    points = project(senses.vectors[[3, 5, 6, 7, 8, 9, 10, 11, 12, 13]], method, seed=2)
    near = np.linalg.norm(points[:5] - points[:5].mean(axis=0), axis=1).max()
    assert np.linalg.norm(points[:5].mean(axis=0) - points[5:].mean(axis=0)) > near
    again = project(senses.vectors[[3, 5, 6, 7, 8, 9, 10, 11, 12, 13]], method, seed=2)
    assert np.array_equal(points, again)


@pytest.mark.parametrize(
    ("method", "package", "extra"),
    [("tsne", "scikit-learn", "plot"), ("umap", "umap-learn", "umap")],
)
def test_a_missing_package_is_named(monkeypatch, method, package, extra):
    monkeypatch.setitem(sys.modules, {"tsne": "sklearn", "umap": "umap"}[method], None)
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    message = rf"^this needs {package}, which is not installed: pip install 'bitsense\[{extra}\]'$"
    with pytest.raises(ImportError, match=message):
        project(np.eye(6, dtype=np.float32), method)


def test_matplotlib_is_named_where_it_is_missing(senses, monkeypatch):
    from bitsense.plots import plot_senses

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = r"^this needs matplotlib, which is not installed: pip install 'bitsense\[plot\]'$"
    with pytest.raises(ImportError, match=message):
        plot_senses(senses, ["bank"])


# The picture


@pytest.fixture
def plot():
    pytest.importorskip("matplotlib")
    from bitsense.plots import plot_senses

    return plot_senses


def texts(ax) -> dict[str, object]:
    return {text.get_text(): text for text in ax.texts}


def test_each_sense_has_its_colour_prior_and_neighbours(senses, plot):
    ax = plot(senses, ["bank", "rock"], k=5)
    drawn = texts(ax)
    assert list(drawn)[:3] == ["bank#1 (0.70)", "bank#2 (0.30)", "rock#1 (1.00)"]
    colors = [drawn[label].get_color() for label in list(drawn)[:3]]
    assert len(set(colors)) == 3
    for color, near in zip(colors, SUBJECTS.values(), strict=True):
        # `money` has two senses, so its label says which one this is.
        for word in near.replace("money", "money#1").split():
            assert drawn[word].get_color() == color
    assert len(drawn) == 18


def test_labels_do_not_cover_each_other_or_leave_the_frame(senses, plot):
    ax = plot(senses, ["bank", "rock"], k=5)
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    frame = ax.get_window_extent()
    for i, box in enumerate(boxes):
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1
        assert frame.y0 <= box.y0
        assert box.y1 <= frame.y1
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_one_sense_and_no_neighbours(senses, plot):
    ax = plot(senses, ["bank#2", "rock"], k=0)
    assert list(texts(ax)) == ["bank#2 (0.30)", "rock#1 (1.00)"]
    ax = plot(senses, ["bank#2"], k=3, labels=False)
    assert list(texts(ax)) == ["bank#2 (0.30)"]
    assert len(ax.lines) == 1 + 2 * 3


def test_other_senses_of_a_word_are_never_its_neighbours(senses, plot):
    # All that is left besides the senses of bank are 17 other rows, of 16 words.
    drawn = texts(plot(senses, ["bank#2"], k=100))
    assert "bank#1" not in drawn
    assert len(drawn) == 1 + 16


def test_plain_word_vectors_and_models_with_wv(senses, plot):
    words = WordVectors(senses.index_to_key, senses.vectors)

    class Model:
        wv = words

    ax = plot(Model(), ["lake#1", "band#1"], k=2, restrict_to=12)
    assert list(texts(ax))[:2] == ["lake#1", "band#1"]
    assert len(ax.texts) <= 6


def test_it_draws_into_given_axes_and_leaves_pyplot_alone(senses, plot):
    import matplotlib
    from matplotlib.figure import Figure

    before = dict(matplotlib.rcParams)
    left, right = Figure(figsize=(10, 5)).subplots(1, 2)
    assert plot(senses, ["bank"], ax=right) is right
    assert not left.texts
    assert right.texts
    assert dict(matplotlib.rcParams) == before
    code = (
        "import sys, numpy as np; from bitsense.vectors import WordVectors;"
        "from bitsense.plots import plot_senses;"
        "plot_senses(WordVectors(['a', 'b', 'c'], np.eye(3)), ['a'], k=2);"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_same_picture_comes_out_twice(senses, plot):
    first, second = (plot(senses, ["bank", "rock"]) for _ in range(2))
    where = [[text.get_position() for text in ax.texts] for ax in (first, second)]
    assert where[0] == where[1]


def test_wrong_arguments(senses, plot):
    with pytest.raises(
        TypeError, match=r"^`words` must be a list of words, got one string: 'bank'$"
    ):
        plot(senses, "bank")
    with pytest.raises(ValueError, match=r"^`words` must name at least one word$"):
        plot(senses, [])
    with pytest.raises(KeyError, match="'bunk' is not among the 19 keys"):
        plot(senses, ["bunk"])
    with pytest.raises(TypeError, match=r"^`model` must be vectors or have them as `wv`, got int$"):
        plot(3, ["bank"])
    with pytest.raises(
        ValueError, match=r"^`words` and their neighbours must be at least 2 vectors, got 1$"
    ):
        plot(senses, ["rock"], k=0)


def test_every_method_is_documented():
    from bitsense.plots import plot_senses

    for method in _projection.METHODS:
        assert f'"{method}"' in plot_senses.__doc__
