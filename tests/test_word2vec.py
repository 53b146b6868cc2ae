"""Word2Vec as its users meet it: topics, subwords, frozen tables, trainings that go on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.small_word_models import MAKERS, SMALL, TEXTS, learned
from reference.topics import planted

from bitsense import Tokenizer, Word2Vec, WordVectors, _core, build_corpus, load
from bitsense._subwords import Subwords, subword_ids

MODES = ["skip-gram", "cbow"]
each_mode = pytest.mark.parametrize("mode", MODES)
PLANTED = planted(topics=2, documents=150, words=20, length=(20, 30))[0]


def topic_share(wv, k=5):
    """The share of the nearest words of each word that are of its topic."""
    topics = np.array([key[5] for key in wv.index_to_key])
    rows, _ = wv.neighbors(wv.index_to_key, k=k)
    return np.mean(topics[rows] == topics[:, None])


@pytest.mark.parametrize("subsample", [0.0, 1e-4])
@pytest.mark.parametrize("subwords", [None, (3, 5)])
@each_mode
def test_words_of_a_topic_are_near(mode, subwords, subsample):
    model = Word2Vec(
        24, mode=mode, subwords=subwords, buckets=5000, min_count=1, epochs=8, subsample=subsample
    ).fit(PLANTED)
    assert model.losses_[-1] < 0.95 * model.losses_[0]
    assert topic_share(model.wv) > 0.97


# Subwords

LEMMAS = ["walk", "jump", "paint", "build", "climb", "laugh"]
ENDINGS = ["", "s", "ed", "ing"]


def inflected(left_out):
    """Documents where each lemma has company of its own, in all its forms but those left out."""
    rng = np.random.default_rng(0)
    documents = []
    for _ in range(250):
        lemma = int(rng.integers(len(LEMMAS)))
        forms = [LEMMAS[lemma] + e for e in ENDINGS if LEMMAS[lemma] + e not in left_out]
        company = [f"{'xyzvkq'[lemma]}{c}" * 2 for c in "aeiou"]
        documents.append(list(rng.choice(forms + company, 20)))
    return documents


@each_mode
def test_the_nearest_word_of_an_unknown_form_is_its_lemma(mode):
    unknown = ["walking", "jumped", "paints", "climbing"]
    model = Word2Vec(
        24, mode=mode, subwords=(3, 6), buckets=20_000, min_count=1, epochs=10, threads=1
    )
    wv = model.fit(inflected(unknown)).wv
    for form in unknown:
        lemma = next(each for each in LEMMAS if form.startswith(each))
        assert form not in wv
        assert np.array_equal(wv.get(form), wv[form])
        assert form not in wv.key_to_index
        assert wv[form].any()
        others = [key for key in wv.index_to_key if key in LEMMAS]
        nearest = wv.most_similar(form, k=1, restrict_to=others)
        assert nearest[0][0] == lemma
        assert wv.most_similar(form, k=1)[0][0].startswith((lemma, "xyzvkq"[LEMMAS.index(lemma)]))


@each_mode
def test_a_word_is_the_mean_of_its_row_and_those_of_its_ngrams(mode, tmp_path):
    model = Word2Vec(20, mode=mode, subwords=(2, 4), buckets=300, **SMALL).fit(TEXTS)
    model.save(tmp_path / "model")
    for each in (model, load(tmp_path / "model")):
        table = each._arrays["input"][:, :20].astype(np.float64)
        for i, word in enumerate(each.vocabulary_):
            rows = [i, *(len(each.vocabulary_) + j for j in subword_ids(word, 2, 4, 300))]
            assert np.allclose(each.wv[word], table[rows].mean(axis=0), atol=1e-6)
        composed = table[len(each.vocabulary_) + np.array(subword_ids("tom", 2, 4, 300))]
        assert np.allclose(each.wv["tom"], composed.mean(axis=0), atol=1e-6)
    with pytest.raises(KeyError, match="topic9"):
        MAKERS["skip-gram"]().fit(TEXTS).wv["topic9"]


def test_words_are_gathered_in_parts(monkeypatch):
    model = MAKERS["subwords"]().fit(TEXTS)
    whole = learned(model)
    monkeypatch.setattr("bitsense._word2vec._CHUNK", 7)
    del model.__dict__["_wv"]
    assert learned(model) == whole


WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(words=st.lists(WORD, min_size=1, max_size=8, unique=True), low=st.integers(1, 4),
       more=st.integers(0, 4), buckets=st.integers(1, 2**31 - 1))  # fmt: skip
@settings(max_examples=200)
def test_rows_of_ngrams_are_those_of_the_subwords(words, low, more, buckets):
    vocabulary, _ = build_corpus([words], tokenizer=Tokenizer(), min_count=1)
    ids, offsets = _core.subword_rows(vocabulary._core, low, low + more, buckets)
    assert len(offsets) == len(words) + 1
    assert offsets[0] == 0
    assert offsets[-1] == len(ids)
    for i, word in enumerate(vocabulary):
        expected = [i, *(len(words) + j for j in subword_ids(word, low, low + more, buckets))]
        assert ids[offsets[i] : offsets[i + 1]].tolist() == expected
        if buckets < 1000:
            subwords = Subwords(low, low + more, buckets, np.zeros((buckets, 1)))
            assert (subwords.ids(word) + len(words)).tolist() == expected[1:]


# Frozen tables and starts


@pytest.fixture(scope="module", params=MODES)
def first(request):
    """A model of half the documents, which others start from."""
    return Word2Vec(20, mode=request.param, **SMALL).fit(TEXTS[::2])


def test_a_frozen_input_keeps_given_vectors_and_moves_the_targets(first):
    given = first.wv
    model = Word2Vec(20, mode=first.mode, freeze="input", **SMALL).fit(TEXTS, start=given)
    for word in given.index_to_key:
        assert model.wv[word].tobytes() == given[word].tobytes()
    assert model.output_vectors_.any()
    more = Word2Vec(20, mode=first.mode, freeze="input", **{**SMALL, "epochs": 9})
    assert more.fit(TEXTS, start=given).losses_[-1] < model.losses_[0]


def test_a_frozen_output_keeps_the_targets_of_a_model_and_moves_the_words(first):
    model = Word2Vec(20, mode=first.mode, freeze="output", **SMALL).fit(TEXTS, start=first)
    for word in first.vocabulary_:
        before = first.output_vectors_[first.vocabulary_[word]]
        assert model.output_vectors_[model.vocabulary_[word]].tobytes() == before.tobytes()
        assert model.wv[word].tobytes() != first.wv[word].tobytes()


def test_models_with_the_same_frozen_targets_are_aligned():
    first = Word2Vec(20, min_count=1, epochs=8, threads=1).fit(PLANTED)
    twins = [
        Word2Vec(20, min_count=1, epochs=8, seed=seed, freeze=freeze).fit(part, start=start).wv
        for freeze, start in (("output", first), (None, None))
        for seed, part in ((1, PLANTED[::2]), (2, PLANTED[1::2]))
    ]
    aligned, apart = (
        np.mean([np.dot(unit(a[w]), unit(b[w])) for w in a.index_to_key if w in b])
        for a, b in (twins[:2], twins[2:])
    )
    assert aligned > 0.9
    assert apart < 0.5


def unit(vector):
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("kind", ["model", "vectors"])
def test_words_that_the_start_lacks_start_as_always(first, kind):
    texts = ["topic0word0 topic1word1 unheard words", "unheard topic0word3 words"] * 3
    start = first if kind == "model" else first.wv
    options = {**SMALL, "learning_rate": 1e-30, "mode": first.mode}
    plain = Word2Vec(20, **options).fit(texts)
    model = Word2Vec(20, **options).fit(texts, start=start)
    assert model.wv.index_to_key == plain.wv.index_to_key
    for i, word in enumerate(model.vocabulary_):
        known = word in first.vocabulary_
        assert known == (word not in ("unheard", "words"))
        expected = first.wv[word] if known else plain.wv[word]
        assert np.allclose(model.wv[word], expected, atol=1e-20)
        targets = np.zeros(20)
        if known and kind == "model":
            targets = first.output_vectors_[first.vocabulary_[word]]
        assert np.allclose(model.output_vectors_[i], targets, atol=1e-20)


def test_a_start_of_other_words_alone_changes_nothing(first):
    plain = Word2Vec(20, **SMALL).fit(["red wine", "white wine"])
    model = Word2Vec(20, **SMALL).fit(["red wine", "white wine"], start=first)
    assert learned(model) == learned(plain)


def test_ngrams_go_on_where_they_are_the_same():
    first = MAKERS["subwords"](epochs=10).fit(TEXTS)
    other = {**SMALL, "epochs": 1, "learning_rate": 1e-30}
    for subwords, buckets in itertools.product([(3, 4), (3, 5)], [500, 600]):
        model = Word2Vec(20, subwords=subwords, buckets=buckets, **other)
        model.fit(["unheard words"], start=first)
        mine, theirs = model.wv.subwords.bucket_vectors, first.wv.subwords.bucket_vectors
        same = mine.shape == theirs.shape and np.allclose(mine, theirs, atol=1e-20)
        assert same == ((subwords, buckets) == ((3, 4), 500))


def test_going_on_begins_where_the_first_training_ended():
    first = Word2Vec(20, min_count=1, epochs=10, threads=1).fit(PLANTED)
    again = Word2Vec(20, min_count=1, epochs=1, learning_rate=0.001).fit(PLANTED, start=first)
    assert again.losses_[0] == pytest.approx(first.losses_[-1], rel=0.03)
    before = learned(first)
    first.set_params(epochs=2).fit(PLANTED, start=first)  # its own start
    assert learned(first) != before


def test_a_start_is_read_and_not_changed(first):
    before = learned(first)
    vectors = WordVectors(first.wv.index_to_key, first.wv.vectors.copy())
    Word2Vec(20, **SMALL).fit(TEXTS, start=vectors)
    Word2Vec(20, **SMALL).fit(TEXTS, start=first)
    assert vectors.vectors.tobytes() == first.wv.vectors.tobytes()
    assert learned(first) == before


def test_starts_that_do_not_fit_are_refused(first):
    two = WordVectors(["a"], [[1.0, 2.0]])
    for parameters, start, kind, message in [
        ({}, two, ValueError, "`start` must have `dim`=20 components, got 2"),
        ({"dim": 8}, first, ValueError, "`start` must have `dim`=8 components, got 20"),
        ({}, "vectors.txt", TypeError, "`start` must be a WordVectors or a Word2Vec, got str"),
        ({"freeze": "input"}, None, ValueError,
         "`freeze`='input' needs `start`: what is frozen must be given"),
        ({"freeze": "output"}, None, ValueError,
         "`freeze`='output' needs `start`: what is frozen must be given"),
        ({"freeze": "output"}, first.wv, ValueError,
         "`start` must be a fitted Word2Vec for `freeze`='output', got vectors alone"),
    ]:  # fmt: skip
        model = Word2Vec(**{"dim": 20, **SMALL, **parameters})
        with pytest.raises(kind) as caught:
            model.fit(TEXTS, start=start)
        assert str(caught.value) == message
        assert not model.__sklearn_is_fitted__()
