"""Senses as keys: numbering, pruning, contexts, files."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import vectors as slow

from bitsense import FormatError, SenseVectors, files, load


def planted():
    """Two senses of "bank", each beside the words that it occurs with; the last one is rare."""
    return SenseVectors(
        ["bank", "river", "money"],
        [0, 3, 4, 5],
        [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0.1, 0], [0.1, 1, 0]],
        priors=[0.66, 0.3, 0.04, 1, 1],
        counts=[100, 20, 10],
        word_vectors=[[0, 0, 1], [0, 1, 0], [1, 0, 0]],
    )


def random_senses(seed, words=12, dim=5):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, words)
    priors = [np.sort(rng.dirichlet(np.ones(size)))[::-1] for size in sizes]
    return SenseVectors(
        [f"w{i}" for i in range(words)],
        np.concatenate([[0], np.cumsum(sizes)]),
        rng.normal(size=(sizes.sum(), dim)),
        priors=np.concatenate(priors),
    )


def test_senses_are_keys():
    wv = planted()
    assert wv.index_to_key == ["bank#1", "bank#2", "bank#3", "river#1", "money#1"]
    assert wv.sense_keys("bank") == ["bank#1", "bank#2", "bank#3"]
    assert (wv.n_senses("bank"), wv.n_senses("river")) == (3, 1)
    assert "bank#2" in wv
    assert "bank" not in wv
    assert wv.counts.tolist() == [66, 30, 4, 20, 10]
    assert wv.word_counts.tolist() == [100, 20, 10]
    assert repr(wv) == "<SenseVectors: 5 senses of 3 words, 3 dimensions>"
    with pytest.raises(KeyError) as caught:
        wv["bank"]
    assert str(caught.value) == (
        "'bank' is not among the 5 keys; its senses are 'bank#1', 'bank#2', 'bank#3'"
    )
    with pytest.raises(KeyError, match="'shore' is not among the 5 keys"):
        wv.n_senses("shore")
    hashed = SenseVectors(["c#", "c"], [0, 1, 2], np.eye(2), priors=[1, 1])
    assert [key.rsplit("#", 1)[0] for key in hashed] == ["c#", "c"]


def test_senses_are_described():
    wv = planted()
    documents = [["the", "river", "bank"], ["money", "bank", "money", "river"], "Bank money"]
    first, second, third = wv.senses("bank", k=1, documents=documents, examples=1)
    assert (first.key, first.prior, first.examples) == ("bank#1", 0.66, ["[bank] money"])
    assert [key for key, _ in first.neighbors] == ["money#1"]
    assert (second.neighbors[0][0], second.examples) == ("river#1", ["the river [bank]"])
    assert third.examples == []
    assert wv.senses("river")[0].examples is None
    assert len(wv.most_similar("bank#1")) == 4
    assert len(wv.most_similar("bank#1", other_words=True, exclude=["river#1"])) == 1


def test_pruning_keeps_numbers_and_one_sense():
    wv = planted()
    pruned = wv.prune()
    assert pruned.index_to_key == ["bank#1", "bank#2", "river#1", "money#1"]
    assert pruned.priors == pytest.approx([0.66 / 0.96, 0.3 / 0.96, 1, 1])
    assert all(np.array_equal(pruned[key], wv[key]) for key in pruned)
    assert wv.prune(1.0).index_to_key == ["bank#1", "river#1", "money#1"]
    assert wv.prune(0.0).index_to_key == wv.index_to_key
    assert pruned.word_counts.tolist() == [100, 20, 10]


@given(st.integers(0, 40))
def test_disambiguation_equals_the_slow_twin_and_one_by_one(seed):
    wv = random_senses(seed)
    rng = np.random.default_rng(seed)
    tokens = [[f"w{i}" for i in rng.integers(0, 15, rng.integers(1, 7))] for _ in range(9)]
    places = [int(rng.integers(len(each))) for each in tokens]
    answers = wv.disambiguate(tokens, places)
    chances = wv.sense_probabilities(tokens, places)
    for each, place, answer, chance in zip(tokens, places, answers, chances, strict=True):
        assert wv.disambiguate([each], [place]) == [answer]
        assert np.array_equal(wv.sense_probabilities([each], [place])[0], chance)
        if each[place] not in wv.words:
            assert answer is None
            assert not chance.any()
            with pytest.raises(KeyError):
                wv.disambiguate(each, place)
            continue
        senses = wv.vectors[wv.sense_rows(each[place])]
        others = [t for i, t in enumerate(each) if i != place and t in wv.words]
        best = slow.best_sense(senses, [wv.vectors[wv.sense_rows(t)] for t in others])
        assert answer == wv.disambiguate(each, place) == f"{each[place]}#{best + 1}"
        assert chance.sum() == pytest.approx(1)
        assert not chance[len(senses) :].any()
        assert chance.argmax() == best


def test_the_context_may_be_other_vectors():
    wv = planted()
    assert wv.disambiguate(["river", "bank"], 1) == "bank#2"
    assert wv.disambiguate(["river", "bank"], 1, context="words") == "bank#1"
    assert wv.disambiguate(["zzz", "bank"], 1) == "bank#1"
    with pytest.raises(ValueError, match="these vectors have no `word_vectors`"):
        random_senses(0).disambiguate(["w1"], 0, context="words")
    with pytest.raises(IndexError, match=r"^`position` must be below 2, the tokens, got 2$"):
        wv.disambiguate(["a", "bank"], 2)
    with pytest.raises(ValueError, match=r"^`position` must have 1 items, got 2$"):
        wv.disambiguate([["bank"]], [0, 0])
    assert wv.disambiguate([], []) == []


BAD = {
    "`offsets` must have the shape (3,), got (2,)": {"offsets": [0, 3]},
    "`offsets` must start at 0 and rise: each word has at least one sense": {"offsets": [0, 0, 3]},
    "`priors` must have the shape (3,), got (2,)": {"priors": [1, 1]},
    "`priors` must be between 0 and 1": {"priors": [np.nan, 0.5, 1]},
    "`priors` must sum to 1 for each word, those of 'a' to 0.75": {"priors": [0.5, 0.25, 1]},
    "`priors` must not rise within a word, those of 'a' do": {"priors": [0.25, 0.75, 1]},
    "`word_vectors` must have 2 columns, got 1": {"word_vectors": [[1], [2]]},
    "`words` must be distinct, got 'a' twice": {"words": ["a", "a"]},
}


@pytest.mark.parametrize("message", BAD)
def test_wrong_parts_are_named(message):
    parts = {"words": ["a", "b"], "offsets": [0, 2, 3], "vectors": np.ones((3, 2))}
    parts = {**parts, "priors": [0.75, 0.25, 1], **BAD[message]}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SenseVectors(**parts)


def test_files_and_pickles_give_the_same_back(tmp_path):
    for wv in (planted(), random_senses(3)):
        wv.save(tmp_path / "file")
        for got in (load(tmp_path / "file"), pickle.loads(pickle.dumps(wv))):
            assert type(got) is SenseVectors
            assert got.index_to_key == wv.index_to_key
            assert np.array_equal(got.vectors, wv.vectors)
            assert np.array_equal(got.priors, wv.priors)
            got.save(tmp_path / "again")
            assert (tmp_path / "again").read_bytes() == (tmp_path / "file").read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda a: a.update(offsets=a["offsets"][::-1].copy()),
        lambda a: a.update(offsets=a["offsets"] * np.uint64(2**61)),
        lambda a: a.update(priors=a["priors"] * 2),
        lambda a: a.pop("priors"),
        lambda a: a.update(word_vectors=a["word_vectors"][:1]),
        lambda a: a.update(word_vectors=a["priors"]),
        lambda a: a.update(counts=a["counts"][:1]),
        lambda a: a.update(vectors=a["vectors"][:2]),
        lambda a: a.update(files.pack_strings("words", ["a", "a", "b"])),
    ],
)
def test_a_well_formed_file_of_nonsense_is_refused(damage, tmp_path):
    planted().save(tmp_path / "good")
    header, arrays = files.read_file(tmp_path / "good")
    damage(arrays)
    files.write_file(tmp_path / "bad", "vectors", header, arrays)
    with pytest.raises(FormatError, match="bad: corrupt"):
        load(tmp_path / "bad")
