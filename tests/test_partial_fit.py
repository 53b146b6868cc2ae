"""Word models that go on learning from more documents."""

from __future__ import annotations

import itertools
import lzma
import pickle

import numpy as np
import pytest
from reference.interruptions import StopError, stop
from reference.small_models import long_corpus
from reference.small_word_models import MAKERS, each_maker, learned
from reference.topics import planted

from bitsense import (
    Checkpoint,
    FormatError,
    NotFittedError,
    Word2Vec,
    files,
    load,
)
from bitsense.evaluate import evaluate_similarity, read_similarity

OLD = planted(topics=2, documents=30, words=20, length=(10, 30))[0]
MORE = [text.replace("topic1", "theme") for text in planted(topics=2, documents=20, seed=3)[0]]


def fitted(make, **more):
    return make(**more).fit(OLD)


def counts(model):
    return dict(zip(model.vocabulary_, model.vocabulary_.counts.tolist(), strict=True))


def occurrences(texts):
    words = [word for text in texts for word in text.split()]
    return {word: words.count(word) for word in words}


@each_maker
def test_counts_documents_and_losses_add_up(make):
    model = fitted(make)
    first = list(model.losses_)
    assert model.partial_fit(MORE, epochs=3, learning_rate=0.01) is model
    assert counts(model) == occurrences([*OLD, *MORE])
    assert model.n_documents_ == len(OLD) + len(MORE)
    assert model.losses_[:2] == first
    assert len(model.losses_) == 5
    assert model.continued_ == [{"documents": 40, "epochs": 3, "learning_rate": 0.01}]
    assert model.partial_ is False
    order = sorted(counts(model).items(), key=lambda item: (-item[1], item[0].encode()))
    assert list(model.vocabulary_) == [word for word, _ in order]
    model.partial_fit(OLD)
    assert model.continued_[1] == {"documents": 60, "epochs": 2, "learning_rate": 0.025}
    assert counts(model) == occurrences([*OLD, *MORE, *OLD])
    assert model.fit(OLD).continued_ == []


@each_maker
def test_it_depends_neither_on_threads_nor_on_where_the_model_was(make, tmp_path):
    model = fitted(make).partial_fit(MORE).partial_fit(OLD, epochs=1)
    fitted(make).partial_fit(MORE).save(tmp_path / "m")
    loaded = load(tmp_path / "m")
    assert loaded.continued_ == [{"documents": 40, "epochs": 2, "learning_rate": 0.025}]
    loaded.threads = 2
    assert learned(loaded.partial_fit(OLD, epochs=1)) == learned(model)
    copied = pickle.loads(pickle.dumps(fitted(make))).partial_fit(MORE)
    copied.set_params(threads=2, epochs=9, dim=7, seed=4)
    assert learned(copied.partial_fit(OLD, epochs=1)) == learned(model)
    model.save(tmp_path / "a")
    load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@each_maker
def test_what_it_begins_with_is_what_was_learned(make):
    """At a rate of next to nothing nothing moves."""
    model, before = fitted(make), fitted(make)
    model.partial_fit(MORE, epochs=1, learning_rate=1e-30)
    own = before.wv if isinstance(before, Word2Vec) else before.all_senses_
    now = model.wv if isinstance(model, Word2Vec) else model.all_senses_
    old_targets = dict(zip(before.vocabulary_, before.output_vectors_, strict=True))
    for word, targets in zip(model.vocabulary_, model.output_vectors_, strict=True):
        if word not in before.vocabulary_:
            assert np.allclose(targets, 0, atol=1e-20)
            continue
        assert np.array_equal(targets, old_targets[word])
        if isinstance(model, Word2Vec):
            assert np.allclose(now[word], own[word], atol=1e-7)
            continue
        rows = [sorted(each[key].tobytes() for key in each.sense_keys(word)) for each in (own, now)]
        assert rows[0] == rows[1]


@pytest.mark.parametrize("name", ["skip-gram", "cbow"])
def test_words_of_older_documents_alone_keep_their_vectors(name):
    model, before = fitted(MAKERS[name]), fitted(MAKERS[name])
    model.partial_fit([text for text in MORE if "theme" in text], epochs=4)
    kept = [w for w in before.wv.index_to_key if w.startswith("topic1")]
    assert kept
    assert all(np.array_equal(model.wv[w], before.wv[w]) for w in kept)


def test_words_that_are_too_rare_or_too_many_are_not_added():
    model = fitted(MAKERS["skip-gram"], min_count=3)
    rare = ["once topic0word1 twice twice", "thrice thrice thrice topic0word1"]
    model.partial_fit(rare)
    assert "thrice" in model.vocabulary_
    assert "twice" not in model.vocabulary_
    words = len(model.vocabulary_)
    full = fitted(MAKERS["skip-gram"], max_vocabulary=words)
    room = words - len(full.vocabulary_)
    full.partial_fit(["a b b c c c d d d d"] * 3)
    assert [w for w in "abcd" if w in full.vocabulary_] == list("abcd")[-room:]


def test_senses_keep_their_number_and_new_words_get_theirs():
    model = fitted(MAKERS["senses"])
    before = {w: len(model.all_senses_.sense_keys(w)) for w in model.vocabulary_}
    model.partial_fit(MORE * 3)
    for word in model.vocabulary_:
        number = len(model.all_senses_.sense_keys(word))
        often = counts(model)[word] >= 20
        assert number == before.get(word, 3 if often else 1)
    assert {1, 3} == {len(model.all_senses_.sense_keys(w)) for w in model.vocabulary_}
    priors = model.all_senses_.priors
    begins = model.all_senses_.offsets[:-1]
    assert np.allclose(np.add.reduceat(priors, begins), 1.0)


def test_priors_weigh_old_and_new_documents():
    model, before = fitted(MAKERS["senses"]), fitted(MAKERS["senses"])
    model.partial_fit([text for text in MORE if "theme" in text], epochs=1)
    for word in before.vocabulary_:
        if word.startswith("topic1"):  # no centre in the new documents
            places = [each.vocabulary_[word] for each in (before, model)]
            old, new = [
                each._arrays["priors"][slice(*each._arrays["sense_offsets"][[i, i + 1]].tolist())]
                for each, i in zip((before, model), places, strict=True)
                for i in [i]
            ]
            assert np.allclose(old, new)


@each_maker
def test_an_unfitted_model_is_fitted(make):
    model = make(epochs=4).partial_fit(OLD, epochs=2)
    assert model.epochs == 4
    assert learned(model) == learned(make(epochs=2).fit(OLD))
    with pytest.raises(NotFittedError):
        _ = make().continued_


def test_bad_arguments_leave_the_model_as_it_was():
    model = fitted(MAKERS["skip-gram"])
    before = dict(vars(model))
    for options, message in (
        ({"epochs": 0}, "`epochs` must be at least 1, got 0"),
        ({"learning_rate": 0}, "`learning_rate` must be more than 0, got 0"),
        ({"checkpoint": 3}, "`checkpoint` must be a path or a Checkpoint, got int"),
        ({"learning_rate": 1000.0, "epochs": 30}, "`learning_rate`=1000 made the weights infinite"),
    ):
        with pytest.raises((ValueError, TypeError), match=f"^{message}"):
            model.partial_fit(MORE, **options)
    with pytest.raises(ValueError, match=r"^`documents` must hold at least 1 document, got 0$"):
        model.partial_fit([])
    strict = fitted(MAKERS["skip-gram"], min_count=3)
    with pytest.raises(ValueError) as caught:
        strict.partial_fit(["never seen", "these words"])
    assert str(caught.value) == (
        "`documents` must hold at least 1 word that the model knows or that occurs "
        "`min_count`=3 times, got 0"
    )
    assert vars(model) == before


@each_maker
def test_an_interrupted_call_keeps_what_it_has_learned(make, tmp_path):
    model = fitted(make)
    model.set_params(progress=stop)
    with pytest.raises(StopError):
        model.partial_fit(long_corpus(), epochs=100_000, learning_rate=0.001)
    assert model.partial_ is True
    assert 2 < len(model.losses_) < 100_000
    model.save(tmp_path / "m")
    assert learned(load(tmp_path / "m")) == learned(model)


@pytest.mark.slow
@each_maker
@pytest.mark.usefixtures("often")
def test_a_checkpoint_goes_on_from_the_model_as_it_was(make, tmp_path):
    model, path = fitted(make), tmp_path / "c"
    more = {"epochs": 10, "learning_rate": 0.01}
    before = learned(model)
    model.set_params(progress=stop)
    with pytest.raises(StopError):
        model.partial_fit(long_corpus()[:300], checkpoint=path, **more)
    assert learned(model) == before
    assert model.continued_ == []
    other = fitted(make, seed=7)
    with pytest.raises(ValueError, match="c: the checkpoint is of another training: "):
        other.partial_fit(long_corpus()[:300], checkpoint=path, **more)
    model.set_params(progress=None, threads=2)
    model.partial_fit(long_corpus()[:300], checkpoint=path, **more)
    whole = fitted(make).partial_fit(long_corpus()[:300], **more)
    assert learned(model) == learned(whole)
    assert not path.exists()
    keep = Checkpoint(path, keep=True)
    fitted(make).partial_fit(MORE, checkpoint=keep)
    with pytest.raises(ValueError, match=r"what it starts from is another|`seed` was "):
        fitted(make).partial_fit(OLD).partial_fit(MORE, checkpoint=keep)


@pytest.mark.parametrize(
    "continued",
    [3, [3], [{}], [{"documents": 1, "epochs": 0, "learning_rate": 1.0}],
     [{"documents": 1, "epochs": 1, "learning_rate": 0.0}]],
)  # fmt: skip
def test_corrupt_histories_are_refused(continued, tmp_path):
    fitted(MAKERS["skip-gram"]).partial_fit(MORE).save(tmp_path / "m")
    header, arrays = files.read_file(tmp_path / "m")
    files.write_file(tmp_path / "bad", "model", {**header, "continued": continued}, arrays)
    with pytest.raises(FormatError, match="bad: corrupt: 'continued' of the header"):
        load(tmp_path / "bad")


def test_models_without_a_second_training_have_the_file_that_they_had(tmp_path):
    fitted(MAKERS["skip-gram"]).save(tmp_path / "m")
    assert "continued" not in files.read_file(tmp_path / "m")[0]


def test_freezing_goes_on():
    start = fitted(MAKERS["skip-gram"])
    model = MAKERS["skip-gram"](freeze="input").fit(OLD, start=start)
    model.partial_fit(OLD)
    assert all(np.array_equal(model.wv[w], start.wv[w]) for w in start.wv.index_to_key)


def test_subwords_go_on():
    model = fitted(MAKERS["subwords"])
    before = model.wv["theme99"].copy()
    model.partial_fit(MORE)
    assert not np.array_equal(model.wv["theme99"], before)


# Real data


@pytest.mark.data
@pytest.mark.slow
def test_the_second_half_is_learned_without_forgetting_the_first(data_folder):
    with lzma.open(data_folder / "wiki_articles.txt.xz", "rt") as lines:
        texts = list(itertools.islice(lines, 600))
    pairs = read_similarity(data_folder / "similarity" / "EN-WS-353-ALL.txt")

    def score(model):
        return evaluate_similarity(model.wv, pairs).spearman

    second = score(Word2Vec(100, threads=1).fit(texts[300:]))
    both = score(Word2Vec(100, threads=1).fit(texts[:300]).partial_fit(texts[300:]))
    whole = score(Word2Vec(100, threads=1).fit(texts))
    # Measured with 800 articles: 0.27, 0.43 and 0.45; 0.30, 0.43 and 0.48 with another seed.
    assert both > second + 0.05
    assert both > whole - 0.1
