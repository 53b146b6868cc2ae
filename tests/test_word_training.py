"""Plans and training of word vectors against the slow twin."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.word_training import RUN, WordTwin

from bitsense import _core

MODELS = ["skip-gram", "cbow"]
LEVELS = _core.levels()


def corpus(seed=0, documents=30, words=40, longest=60, steep=1.0):
    """Random documents whose words follow a steep distribution, as ids, offsets and counts."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest, documents)
    p = np.arange(1, words + 1) ** -steep
    ids = rng.choice(words, size=lengths.sum(), p=p / p.sum()).astype(np.uint32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64)
    counts = np.maximum(np.bincount(ids, minlength=words), 1).astype(np.uint64)
    return ids, offsets, counts


def options(**values):
    result = _core.WordOptions()
    for name, value in {"epochs": 2, "window": 3, "negatives": 4, **values}.items():
        setattr(result, name, value)
    return result


def bags_of(words, buckets, seed=0):
    """Each word's own row and up to five others, as a list and as arrays."""
    rng = np.random.default_rng(seed)
    bags = [[w, *(words + rng.integers(0, buckets, rng.integers(0, 6)))] for w in range(words)]
    offsets = np.concatenate([[0], np.cumsum([len(bag) for bag in bags])]).astype(np.uint64)
    return bags, np.concatenate(bags).astype(np.uint32), offsets


def train(model, data, dim=20, level=None, scale=0.3, buckets=0, watch=None, trim=True, **values):
    """Train on random tables; with `trim` not at their columns behind `dim`, which are zeros."""
    words = len(data[2])
    values["dim"] = dim if trim else 0
    table = _core.word_table(words + buckets, dim, scale, 7)
    output = _core.word_table(words, dim, scale, 8)
    bags = {}
    if buckets:
        _, ids, offsets = bags_of(words, buckets)
        bags = {"bag_ids": ids, "bag_offsets": offsets}
    losses, error = _core.train_words(
        model, *data, table, output, options(**values), watch, level, **bags
    )
    assert error is None
    return table, output, losses


def bytes_of(result):
    return result[0].tobytes() + result[1].tobytes() + np.array(result[2]).tobytes()


# Plans


@given(seed=st.integers(0, 50), window=st.integers(1, 6), longest=st.integers(2, 3000))
@settings(max_examples=20)
def test_every_word_with_a_neighbour_is_a_centre_once_an_epoch(seed, window, longest):
    ids, offsets, _ = data = corpus(seed, documents=5, longest=longest)
    centres = {0: Counter(), 1: Counter()}
    for plan in _core.word_plans(*data, options(window=window, seed=seed)):
        for at, first, last, _, _ in plan["centres"]:
            assert first <= at < last
            assert max(at - first, last - 1 - at) <= window
            assert last - first > 1
            centres[plan["epoch"]][int(plan["tokens"][at])] += 1
    lonely = np.diff(offsets) == 1
    expected = Counter(ids.tolist()) - Counter(ids[offsets[:-1][lonely]].tolist())
    assert centres == {0: expected, 1: expected}


def test_contexts_are_the_neighbours_in_the_document_also_across_chunks():
    # One word for each place: a token tells where it comes from.
    ids = np.arange(3000, dtype=np.uint32)
    offsets = np.array([0, 1500, 1501, 3000], np.uint64)
    counts = np.ones(3000, np.uint64)
    seen = {}
    for plan in _core.word_plans(ids, offsets, counts, options(epochs=1, window=5)):
        for at, first, last, _, _ in plan["centres"]:
            tokens = plan["tokens"].tolist()
            seen[tokens[at]] = tokens[first:last]
    assert sorted(seen) == [i for i in range(3000) if i != 1500]
    widths = Counter()
    for centre, context in seen.items():
        begin, end = (0, 1500) if centre < 1500 else (1501, 3000)
        left, right = centre - context[0], context[-1] - centre
        assert context == list(range(context[0], context[-1] + 1))
        assert context[0] >= begin
        assert context[-1] < end
        widths[max(left, right)] += 1
        assert left == right or context[0] == begin or context[-1] == end - 1
    assert set(widths) == {1, 2, 3, 4, 5}
    assert min(widths.values()) > 500


def test_blocks_follow_each_other_and_no_word_is_their_centre_too_often():
    data = corpus(documents=40, words=200)
    sizes = []
    for plan in _core.word_plans(*data, options()):
        blocks = plan["blocks"].tolist()
        assert blocks[0] == 0
        assert blocks[-1] == len(plan["centres"])
        for begin, end in pairwise(blocks):
            words = Counter(plan["tokens"][c[0]] for c in plan["centres"][begin:end])
            assert max(words.values()) <= 4
            sizes.append(end - begin)
    assert 1 <= min(sizes) <= max(sizes) <= 64


def test_noise_follows_the_counts_to_the_power_of_three_quarters():
    data = corpus(documents=300)
    drawn = sum(
        np.bincount(plan["noise"], minlength=40)
        for plan in _core.word_plans(*data, options(negatives=20, epochs=6))
    )
    q = data[2].astype(float) ** 0.75
    expected = q / q.sum() * drawn.sum()
    # The list is drawn once an epoch and read several times, so the deviations are larger.
    assert np.abs(drawn - expected).max() < 0.1 * expected.max()


def test_subsampling_keeps_the_published_share():
    data = ids, _, counts = corpus(documents=2000, words=300)
    kept = np.zeros(len(counts))
    for plan in _core.word_plans(*data, options(subsample=0.01, epochs=4)):
        at = [c[0] for c in plan["centres"]]
        kept += np.bincount(plan["tokens"][at], minlength=len(counts))
    ratio = 0.01 * len(ids) / counts
    share = np.minimum(1.0, np.sqrt(ratio) + ratio)
    often = counts > 400
    assert np.allclose((kept / (4 * counts))[often], share[often], rtol=0.1)


# Training


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("buckets", [0, 25])
@pytest.mark.parametrize("window", [3, 40])
def test_training_equals_the_twin(model, buckets, window):
    data = corpus(words=25 if buckets else 40)
    words = len(data[2])
    settings = {"learning_rate": 0.02, "subsample": 0.05, "seed": 3, "window": window}
    bags = bags_of(words, buckets)[0] if buckets else [[w] for w in range(words)]
    twin = WordTwin(
        model,
        4,
        0.02,
        _core.word_table(words + buckets, 20, 0.3, 7)[:, :20].astype(float),
        _core.word_table(words, 20, 0.3, 8)[:, :20].astype(float),
        bags,
    )
    expected = twin.train(_core.word_plans(*data, options(**settings), RUN[model]))
    for level in LEVELS:
        table, output, losses = train(model, data, level=level, buckets=buckets, **settings)
        assert np.allclose(losses, expected, rtol=1e-5), level
        assert np.allclose(table[:, :20], twin.input, rtol=1e-3, atol=2e-5), level
        assert np.allclose(output[:, :20], twin.output, rtol=1e-3, atol=2e-5), level
        assert not table[:, 20:].any()
        assert not output[:, 20:].any()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("values", [
    {"window": 1, "negatives": 1},
    {"window": 5, "negatives": 5},
    {"window": 2, "negatives": 2, "shrink_windows": False},
])  # fmt: skip
def test_training_equals_the_twin_where_words_seldom_repeat(model, values):
    # Most tiles have no word twice, and blocks have all the centres that they may have.
    data = corpus(documents=12, words=3000, longest=120, steep=0.0)
    settings = {"learning_rate": 0.02, "epochs": 1, "subsample": 0.0, **values}
    plans = _core.word_plans(*data, options(**settings), RUN[model])
    assert max(np.diff(plan["blocks"]).max() for plan in plans) == 128
    tables = (_core.word_table(3000, 20, 0.3, seed)[:, :20].astype(float) for seed in (7, 8))
    twin = WordTwin(model, values["negatives"], 0.02, *tables, [[w] for w in range(3000)])
    expected = twin.train(plans)
    for level in LEVELS:
        trained = [train(model, data, level=level, threads=t, **settings) for t in (1, 2, 3)]
        assert len({bytes_of(result) for result in trained}) == 1, level
        table, output, losses = trained[0]
        assert np.allclose(losses, expected, rtol=1e-5), level
        assert np.allclose(table[:, :20], twin.input, rtol=1e-3, atol=2e-5), level
        assert np.allclose(output[:, :20], twin.output, rtol=1e-3, atol=2e-5), level


@pytest.mark.parametrize("model", MODELS)
def test_the_twin_steps_down_the_gradient_of_its_loss(model):
    data = corpus(documents=1, words=12)
    (plan,) = _core.word_plans(*data, options(epochs=1), RUN[model])
    rng = np.random.default_rng(0)
    bags = bags_of(12, 5)[0]
    start = rng.normal(size=(17, 6)), rng.normal(size=(12, 6))
    # A rate so small that tiles do not see one another.
    twin = WordTwin(model, 4, 1e-7, *(x.copy() for x in start), bags)
    end = int(plan["blocks"][1])
    twin.step(plan, 0, end)
    for name, before in zip(("input", "output"), start, strict=True):
        step = (getattr(twin, name) - before) / -1e-7
        for _ in range(20):
            row, column = rng.integers(len(before)), rng.integers(6)
            sides = []
            for shift in (1e-5, -1e-5):
                probe = WordTwin(model, 4, 0.0, *(x.copy() for x in start), bags)
                getattr(probe, name)[row, column] += shift
                sides.append(probe.block_loss(plan, 0, end))
            assert np.isclose(step[row, column], (sides[0] - sides[1]) / 2e-5, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("buckets", [0, 25])
@pytest.mark.parametrize(
    ("documents", "words", "steep"),
    [(60, 60, 1.0), (3, 60, 1.0), (400, 2000, 0.0)],  # the second: too few to split tables for them
)
def test_the_number_of_threads_changes_no_byte(model, buckets, documents, words, steep):
    data = corpus(documents=documents, words=words, steep=steep)
    results = {
        bytes_of(train(model, data, dim=100, buckets=buckets, threads=threads, subsample=0.02))
        for threads in (1, 2, 3, 5, 8)
    }
    assert len(results) == 1


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("negatives", [1, 5, 20])
def test_levels_that_fuse_give_the_same_bytes(model, negatives):
    if len(LEVELS) < 3:
        pytest.skip("needs two levels with fused multiply-add")
    data = corpus()
    one, two = (
        bytes_of(train(model, data, dim=100, level=level, negatives=negatives, buckets=9))
        for level in LEVELS[1:]
    )
    assert one == two


@pytest.mark.parametrize("model", MODELS)
def test_the_loss_falls_and_racing_threads_learn_as_much(model):
    data = corpus(documents=200, words=80)
    runs = [
        train(model, data, epochs=6, scale=0.01, learning_rate=0.05, threads=t, deterministic=d)[2]
        for t, d in ((1, True), (3, False))
    ]
    for losses in runs:
        assert losses[-1] < losses[0]
    assert np.isclose(runs[0][-1], runs[1][-1], rtol=0.02)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("frozen", ["move_input", "move_output"])
@pytest.mark.parametrize("buckets", [0, 25])
def test_a_frozen_table_keeps_its_bytes(model, frozen, buckets):
    data = corpus(words=25)
    start = train(model, data, buckets=buckets, move_input=False, move_output=False)
    moved = train(model, data, buckets=buckets, **{frozen: False})
    still = 0 if frozen == "move_input" else 1
    assert moved[still].tobytes() == start[still].tobytes()
    assert moved[1 - still].tobytes() != start[1 - still].tobytes()


def test_a_document_of_one_word_over_and_over_does_not_diverge():
    ids = np.zeros(5000, np.uint32)
    ids[::7] = 1
    data = ids, np.array([0, 5000], np.uint64), np.array([4285, 715], np.uint64)
    for model in MODELS:
        for window in (2, 10, 200):
            table, output, _ = train(model, data, epochs=3, learning_rate=0.1, window=window)
            assert np.abs(table).max() < 20
            assert np.abs(output).max() < 20


def test_a_corpus_without_contexts_trains_nothing():
    data = np.zeros(3, np.uint32), np.arange(4, dtype=np.uint64), np.array([3], np.uint64)
    start = train("skip-gram", data, move_input=False, move_output=False)
    for model in MODELS:
        assert bytes_of(train(model, data)) == bytes_of(start)


def test_an_exception_of_the_watch_stops_the_training_and_keeps_the_tables():
    data = corpus(documents=3000, longest=100)

    def watch(epoch, fraction, words, loss):
        raise KeyboardInterrupt

    table = _core.word_table(40, 20, 0.3, 7)
    output = _core.word_table(40, 20, 0.0, 8)
    losses, error = _core.train_words("skip-gram", *data, table, output, options(epochs=500), watch)
    assert isinstance(error, KeyboardInterrupt)
    assert output.any()
    assert len(losses) < 500


@pytest.mark.parametrize(
    ("model", "buckets"), [("skip-gram", 0), ("skip-gram", 9), ("cbow", 0), ("cbow", 9)]
)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_columns_behind_the_components_are_passed_over(model, buckets, threads):
    data = corpus()
    for dim in (1, 8, 9, 20, 100):
        trained = train(model, data, dim, buckets=buckets, threads=threads)
        whole = train(model, data, dim, buckets=buckets, threads=threads, trim=False)
        assert bytes_of(trained) == bytes_of(whole)
        assert not trained[0][:, dim:].any()
        assert not trained[1][:, dim:].any()


def test_tables_of_another_shape_are_refused():
    data = corpus()
    with pytest.raises(
        ValueError, match="`dim` must be at most the columns of `input`, 32, got 33"
    ):
        _core.train_words(
            "skip-gram", *data, _core.word_table(40, 20), _core.word_table(40, 20), options(dim=33)
        )
    good = _core.word_table(40, 20)
    frozen = _core.word_table(40, 20)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="`input` must have a row for each of 40 words, got 39"):
        _core.train_words("skip-gram", *data, _core.word_table(39, 20), good, options())
    with pytest.raises(ValueError, match="`output` must have as many columns as `input`, 32, got"):
        _core.train_words("skip-gram", *data, good, _core.word_table(40, 40), options())
    with pytest.raises(ValueError, match="`input` must be writeable"):
        _core.train_words("skip-gram", *data, frozen, good, options())
    with pytest.raises(ValueError, match="`model` must be a registered model, got glove"):
        _core.train_words("glove", *data, good, _core.word_table(40, 20), options())
    with pytest.raises(ValueError, match="`bag_ids` must be below the number of rows, 40, got 99"):
        _core.train_words(
            "skip-gram", *data, good, _core.word_table(40, 20), options(), None, None,
            np.full(40, 99, np.uint32), np.arange(41, dtype=np.uint64),
        )  # fmt: skip
