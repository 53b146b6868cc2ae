"""The disambiguated skip-gram as its users meet it: senses of merged words, told apart."""

from __future__ import annotations

import numpy as np
import pytest
from reference.small_word_models import MAKERS, TEXTS, learned
from reference.topics import planted
from sklearn.metrics import adjusted_rand_score

from bitsense import DisambiguatedSkipGram, load

RULES = ["likelihood", "gate", "cosine"]
each_rule = pytest.mark.parametrize("by", RULES)
MERGED = ["bank", "rock", "plant"]
_PLACES = {f"topic{t}word{2 * i + 1}": word for i, word in enumerate(MERGED) for t in (0, 1)}


def merged(texts):
    """Token lists where the second, fourth and sixth words of both topics are one word each."""
    return [[_PLACES.get(word, word) for word in text.split()] for text in texts]


DOCUMENTS = merged(planted(topics=2, documents=300, words=20, length=(20, 30))[0])

# A corpus this small needs a longer first stage than real ones: the shared gate moves slowly.
OPTIONS = {
    "senses": 2, "min_count": 1, "min_count_senses": 50, "epochs": 20, "gate_rate": 0.2,
    "shared_until": 0.5, "entropy_cost": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return DisambiguatedSkipGram(24, **OPTIONS, threads=1).fit(DOCUMENTS)


@pytest.fixture(scope="module")
def held_out():
    """New contexts of each merged word, and the topic of each."""
    texts, topics = planted(topics=2, documents=80, words=20, length=(12, 20), seed=5)
    found = {}
    for word in MERGED:
        pairs = [(d, t) for d, t in zip(merged(texts), topics, strict=True) if word in d]
        found[word] = (
            [d for d, _ in pairs],
            [d.index(word) for d, _ in pairs],
            [t for _, t in pairs],
        )
    return found


def topic_of(key):
    return key[5] if key.startswith("topic") else None


# What is learned


def test_the_loss_falls(model):
    assert model.losses_[-1] < 0.95 * model.losses_[0]


@pytest.mark.parametrize("word", MERGED)
def test_a_merged_word_has_a_sense_of_each_topic(model, word):
    topics = []
    for sense in model.wv.senses(word, k=8):
        near = [topic_of(key) for key, _ in sense.neighbors if topic_of(key)]
        assert len(near) > 3
        assert len(set(near)) == 1
        topics.append((near[0], sense.prior))
    shares = [sum(prior for topic, prior in topics if topic == t) for t in "01"]
    assert min(shares) > 0.35


def test_words_of_one_topic_mostly_keep_one_sense(model):
    every = model.all_senses_
    words = [word for word in every.words if word not in MERGED]
    dominant = np.mean([every.priors[every.sense_rows(word).start] for word in words])
    merged_words = np.mean([every.priors[every.sense_rows(word).start] for word in MERGED])
    assert dominant > 0.6
    assert merged_words < 0.55
    for word in words:  # and where it has more, they are of its topic
        nearest = model.wv.most_similar(f"{word}#1", k=3, other_words=True)
        assert {topic_of(key) for key, _ in nearest} <= {topic_of(word), None}


@each_rule
@pytest.mark.parametrize("word", MERGED)
def test_senses_are_told_apart_in_new_contexts(model, held_out, word, by):
    tokens, places, topics = held_out[word]
    assert len(topics) > 40
    keys = model.disambiguate(tokens, places, by=by)
    assert set(keys) <= set(model.wv.sense_keys(word))
    assert adjusted_rand_score(topics, keys) > 0.8


def test_racing_threads_find_the_senses_too(held_out):
    """One of three trainings at least: what racing threads learn depends on who gets a core when,
    and a machine that takes one away for most of so short a training spoils it."""

    def worst():
        model = DisambiguatedSkipGram(24, **OPTIONS, deterministic=False, threads=2).fit(DOCUMENTS)
        return min(
            adjusted_rand_score(topics, model.disambiguate(tokens, places))
            for tokens, places, topics in map(held_out.get, MERGED)
        )

    assert any(worst() > 0.8 for _ in range(3))


# Priors, pruning, counts


def test_priors_fall_and_sum_to_one(model):
    for vectors in (model.all_senses_, model.wv):
        for word in vectors.words:
            priors = vectors.priors[list(vectors.sense_rows(word))]
            assert priors.sum() == pytest.approx(1.0)
            assert (np.diff(priors) <= 0).all()
            assert (priors >= 0).all()


def test_keys_are_words_and_numbers(model):
    wv = model.wv
    assert wv.words == list(model.vocabulary_)
    assert wv.index_to_key == [f"{w}#{i + 1}" for w in wv.words for i in range(wv.n_senses(w))]
    assert all(model.all_senses_.n_senses(word) in (1, 2) for word in wv.words)
    assert "bank" not in wv
    assert "bank#2" in wv
    with pytest.raises(KeyError, match="its senses are 'bank#1', 'bank#2'"):
        wv["bank"]


def test_prune_hides_the_rare_senses_and_keeps_the_rest(model):
    every = model.all_senses_
    for key in model.wv.index_to_key:
        assert model.wv[key].tobytes() == every[key].tobytes()
        number = int(key.rsplit("#", 1)[1])
        assert number == 1 or every.priors[every.key_to_index[key]] >= 0.05
    assert len(model.wv) == (every.priors >= 0.05).sum()
    assert np.array_equal(every.prune(0.05).vectors, model.wv.vectors)


@pytest.mark.parametrize("prune", [0.0, 1.0])
def test_prune_of_all_or_nothing(prune):
    model = MAKERS["senses"](prune=prune).fit(TEXTS)
    every = model.all_senses_
    if prune == 0.0:
        assert np.array_equal(model.wv.vectors, every.vectors)
    else:
        assert len(model.wv) == len(model.vocabulary_) < len(every)
        assert (model.wv.priors == 1.0).all()


def test_rare_words_keep_one_sense():
    model = MAKERS["senses"](min_count_senses=30).fit(TEXTS)
    counts = model.vocabulary_.counts
    expected = np.where(counts >= 30, 3, 1)
    assert 0 < (counts >= 30).sum() < len(counts)
    assert np.diff(model.all_senses_.offsets).tolist() == expected.tolist()
    alone = MAKERS["senses"](min_count_senses=2**64 - 1).fit(TEXTS)
    assert len(alone.all_senses_) == len(alone.vocabulary_)


@pytest.mark.parametrize("senses", [1, 64])
def test_one_sense_and_the_most_there_can_be(senses):
    model = MAKERS["senses"](senses=senses, min_count_senses=1).fit(TEXTS)
    assert len(model.all_senses_) == senses * len(model.vocabulary_)
    tokens = TEXTS[0].split()
    assert model.sense_probabilities([tokens], [0]).shape == (1, senses)
    for by in RULES:
        assert model.disambiguate(tokens, 0, by=by).startswith(tokens[0] + "#")
    if senses == 1:
        assert (model.wv.priors == 1.0).all()
        assert model.disambiguate(tokens, 0) == f"{tokens[0]}#1"


def test_a_word_that_was_never_a_centre_has_equal_priors():
    model = DisambiguatedSkipGram(8, senses=4, min_count=1, min_count_senses=1).fit(["wine"])
    assert model.wv.priors.tolist() == [0.25] * 4
    assert model.disambiguate(["wine"], 0) == "wine#1"


# Asking


@each_rule
def test_probabilities_sum_to_one_over_the_senses_there_are(model, held_out, by):
    tokens, places, _ = held_out["bank"]
    tokens = [*tokens, ["unheard", "bank"], ["bank"], ["topic0word0", "unheard"]]
    places = [*places, 0, 0, 0]
    chances = model.sense_probabilities(tokens, places, by=by)
    assert chances.shape == (len(tokens), 2)
    assert chances.dtype == np.float32
    assert not chances[-3].any()
    assert np.allclose(np.delete(chances.sum(axis=1), -3), 1.0, atol=1e-6)
    assert (chances >= 0).all()
    for each, place, row in zip(tokens, places, chances, strict=True):
        count = model.wv.n_senses(each[place]) if each[place] in model.vocabulary_ else 0
        assert not row[count:].any()


@each_rule
def test_many_are_asked_as_one_by_one(model, held_out, by):
    tokens, places, _ = held_out["rock"]
    tokens, places = [*tokens[:20], ["x", "rock"], ["rock"]], [*places[:20], 1, 0]
    together = model.disambiguate(tokens, places, by=by)
    alone = [model.disambiguate(t, p, by=by) for t, p in zip(tokens, places, strict=True)]
    assert together == alone
    assert model.disambiguate(tokens, np.array(places), by=by) == alone
    assert model.disambiguate([], [], by=by) == []
    whole = model.sense_probabilities(tokens, places, by=by)
    rows = [
        model.sense_probabilities([t], [p], by=by)[0] for t, p in zip(tokens, places, strict=True)
    ]
    assert np.array_equal(whole, rows)


@each_rule
def test_unknown_words_have_no_sense(model, by):
    assert model.disambiguate([["unheard", "bank"]], [0], by=by) == [None]
    with pytest.raises(KeyError, match="unheard"):
        model.disambiguate(["unheard", "bank"], 0, by=by)


@pytest.mark.parametrize("by", ["likelihood", "cosine"])  # the gate has its bias to go by
def test_a_word_without_context_gets_its_most_probable_sense(model, by):
    for word in MERGED:
        assert model.disambiguate([word], 0, by=by) == f"{word}#1"
        assert model.disambiguate(["unheard", word, "words"], 1, by=by) == f"{word}#1"


def test_contexts_that_are_none_are_refused(model):
    for use in (model.disambiguate, model.sense_probabilities):
        with pytest.raises(
            ValueError, match=r"^`by` must be one of 'cosine', 'likelihood', 'gate'"
        ):
            use([["bank"]], [0], by="topic")
        with pytest.raises(IndexError, match=r"^`position` must be below 1, the tokens, got 1$"):
            use([["bank"]], [1])
        with pytest.raises(ValueError, match=r"^`position` must be at least 0, got -1$"):
            use([["bank"]], [-1])
        with pytest.raises(ValueError, match=r"^`position` must have 1 items, got 2$"):
            use([["bank"]], [0, 0])
        with pytest.raises(TypeError, match=r"^`tokens` must be lists of strings, got a string$"):
            use(["bank"], [0])
    with pytest.raises(IndexError, match=r"^`position` must be below 1, the tokens, got 1$"):
        model.disambiguate(["bank"], 1)
    with pytest.raises(TypeError, match=r"^`position` must be an integer, got 1.5$"):
        model.disambiguate(["a", "bank"], 1.5)


@each_rule
def test_a_loaded_model_gives_the_same_answers(model, held_out, by, tmp_path):
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    tokens, places, _ = held_out["plant"]
    expected = model.sense_probabilities(tokens, places, by=by)
    assert np.array_equal(loaded.sense_probabilities(tokens, places, by=by), expected)
    assert learned(loaded) == learned(model)
