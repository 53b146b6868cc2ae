"""Sense induction: agreement of clusterings, the files, the traps, a model run over instances."""

from __future__ import annotations

import gzip
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import metrics as reference

from bitsense.errors import FormatError
from bitsense.evaluate import (
    SenseInstance,
    adjusted_rand_index,
    evaluate_sense_induction,
    paired_f_score,
    read_sense_induction,
    sense_induction_scores,
    v_measure,
)
from bitsense.vectors import SenseVectors, WordVectors

MEASURES = (adjusted_rand_index, v_measure, paired_f_score)
TWINS = {"adjusted_rand_index": reference.adjusted_rand_index, "v_measure": reference.v_measure,
         "paired_f_score": reference.paired_f_score}  # fmt: skip


def clusterings(most: int):
    """Two lists of labels of one length."""
    labels = st.tuples(st.integers(0, 3), st.integers(0, 3))
    return st.lists(labels, min_size=1, max_size=most).map(lambda rows: tuple(zip(*rows)))  # noqa: B905


# Agreement of clusterings.


@pytest.mark.parametrize("measure", MEASURES)
@given(pair=clusterings(6))
def test_agreement_follows_the_definition(measure, pair):
    assert measure(*pair) == pytest.approx(TWINS[measure.__name__](*pair), abs=1e-9)


@pytest.mark.parametrize(
    ("measure", "theirs"),
    [(adjusted_rand_index, "adjusted_rand_score"), (v_measure, "v_measure_score")],
)
def test_agreement_is_that_of_scikit_learn(measure, theirs):
    from sklearn import metrics

    rng = np.random.default_rng(0)
    for size, gold, predicted in ((2, 2, 2), (60, 4, 3), (500, 7, 1), (500, 1, 7), (3000, 2900, 40),
                                  (50, 10**9, 10**9), (1, 1, 1), (5, 1, 1)):  # fmt: skip
        a, b = rng.integers(0, gold, size), rng.integers(0, predicted, size)
        both = [(a, b), (a, a), (a, np.where(rng.random(size) < 0.7, a, b))]
        for x, y in both:
            want = getattr(metrics, theirs)(x, y)
            assert measure(x.tolist(), y.tolist()) == pytest.approx(want, abs=1e-10)


@pytest.mark.parametrize("measure", MEASURES)
@given(pair=clusterings(30), shift=st.integers(0, 99))
def test_names_of_labels_and_order_of_items_do_not_matter(measure, pair, shift):
    gold, predicted = pair
    value = measure(gold, predicted)
    assert (
        measure([f"sense {x}" for x in gold], [None if x == 2 else -x for x in predicted]) == value
    )
    order = np.random.default_rng(shift).permutation(len(gold))
    moved = measure([gold[i] for i in order], [predicted[i] for i in order])
    assert moved == pytest.approx(value, abs=1e-12)
    assert measure(predicted, gold) == pytest.approx(value, abs=1e-12)
    assert measure(gold, [x + 7 for x in gold]) == pytest.approx(1.0, abs=1e-12)
    assert -0.5 <= value <= 1.0


def test_agreement_worked_by_hand():
    gold, predicted = [0, 0, 0, 1, 1], ["x", "x", "y", "y", "y"]
    # Together: 1 + 1 = 2 pairs; gold 3 + 1 = 4, predicted 1 + 3 = 4, of 10. (2 - 1.6) / (4 - 1.6).
    assert adjusted_rand_index(gold, predicted) == pytest.approx(1 / 6)
    assert paired_f_score(gold, predicted) == 0.5

    # H(gold) = H(predicted) = h(2/5), H(gold | predicted) = 3/5 h(1/3) = H(predicted | gold).
    def h(p):
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    assert v_measure(gold, predicted) == pytest.approx(1 - 0.6 * h(1 / 3) / h(2 / 5))
    # The example of scikit-learn's guide.
    assert adjusted_rand_index([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2]) == pytest.approx(
        0.2424, abs=1e-4
    )


@pytest.mark.parametrize(
    ("gold", "predicted", "ari", "v", "f"),
    [
        ("aaaa", "xxxx", 1.0, 1.0, 1.0),  # the trap: one sense, one cluster
        ("aaaa", "xxxy", 0.0, 0.0, 2 * 1.0 * 0.5 / 1.5),
        ("aabb", "xxxx", 0.0, 0.0, 2 * (1 / 3) / (4 / 3)),
        ("abcd", "wxyz", 1.0, 1.0, 1.0),
        ("aabb", "wxyz", 0.0, 2 / 3, 0.0),
        ("a", "x", 1.0, 1.0, 1.0),
        ("aabb", "xyxy", -0.5, 0.0, 0.0),
    ],
)
def test_clusterings_at_the_limits(gold, predicted, ari, v, f):
    assert adjusted_rand_index(gold, predicted) == ari
    assert v_measure(gold, predicted) == pytest.approx(v, abs=1e-15)
    assert paired_f_score(gold, predicted) == pytest.approx(f)


@pytest.mark.parametrize("measure", MEASURES)
def test_clusterings_that_do_not_match_are_refused(measure):
    with pytest.raises(ValueError, match=r"^`predicted` must have one label per item, 2, got 1$"):
        measure([1, 2], [1])
    with pytest.raises(ValueError, match=r"^`gold` must have at least 1 label, got 0$"):
        measure([], [])


def test_large_clusterings_do_not_overflow():
    labels = np.arange(400_000) // 200_000
    assert adjusted_rand_index(labels, labels) == 1.0
    assert abs(adjusted_rand_index(labels, labels[::-1] ^ (np.arange(400_000) % 2))) < 1e-5


# Means over words.


def test_every_word_is_scored_and_single_sense_words_are_told_apart():
    gold = {"a.n": "112", "b.v": "111", "c.n": "12"}
    result = sense_induction_scores(gold, {"a.n": "xxy", "b.v": "xxx", "c.n": "xx"})
    assert [result.words[word].ari for word in gold] == [1.0, 1.0, 0.0]  # the last word too
    assert result.ari == pytest.approx(2 / 3)
    assert result.ari_ambiguous == 0.5
    assert result.v_measure_ambiguous == 0.5
    assert result.paired_f_ambiguous == pytest.approx((1 + 0) / 2)
    assert result.paired_f == pytest.approx((1 + 1 + 0) / 3)
    assert result.paired_f_weighted == pytest.approx((3 + 3 + 0) / 8)
    assert result.v_measure_weighted == pytest.approx((3 + 3 + 0) / 8)
    assert result.mean_senses == pytest.approx(4 / 3)
    assert (result.n_words, result.n_ambiguous, result.n_instances) == (3, 2, 8)
    assert result.words["a.n"].n_gold == result.words["a.n"].n_predicted == 2
    assert result.as_dict()["words"]["b.v"]["n_instances"] == 3


def test_scores_refuse_other_words_and_other_lengths():
    with pytest.raises(ValueError, match=r"^`predicted` must have the words of `gold`, 'b' is in"):
        sense_induction_scores({"a": [1]}, {"a": [1], "b": [1]})
    with pytest.raises(
        ValueError, match=r"^`predicted` must have a label for each instance of 'a'"
    ):
        sense_induction_scores({"a": [1, 2]}, {"a": [1]})
    nothing = sense_induction_scores({}, {})
    assert nothing.n_words == 0
    assert math.isnan(nothing.ari)


# Files.

DATASET = "bank.n 3\nthe river\tis wide\n\tlends money\n\t\nrock.v 1\nto\tthe boat\n"
KEY = "bank.n bank.n.2 bank.n.1\nrock.v rock.v.1 rock.v.1&&2\nbank.n bank.n.1 bank.n.2\n"


@pytest.fixture
def files(tmp_path):
    """Write a data set and its key; return their paths."""

    def write(dataset=DATASET, key=KEY):
        paths = tmp_path / "dataset.txt", tmp_path / "key.txt"
        for path, text in zip(paths, (dataset, key), strict=True):
            path.write_text(text)
        return paths

    return write


def test_keys_find_their_context_by_number_and_not_by_order(files):
    instances = read_sense_induction(*files())
    assert instances == [
        SenseInstance(
            "bank.n", "bank.n.1", ("bank.n.2",), ["the", "river", "bank", "is", "wide"], 2
        ),
        SenseInstance("bank.n", "bank.n.2", ("bank.n.1",), ["bank", "lends", "money"], 0),
        SenseInstance("rock.v", "rock.v.1", ("rock.v.1", "2"), ["to", "rock", "the", "boat"], 1),
    ]  # bank.n.3 has no key and is left out
    assert [instance.lemma for instance in instances] == ["bank", "bank", "rock"]


def test_a_packed_data_set_and_a_tokenizer(files, tmp_path):
    dataset, key = files()
    packed = tmp_path / "dataset.txt.gz"
    packed.write_bytes(gzip.compress(dataset.read_bytes()))
    assert read_sense_induction(packed, key) == read_sense_induction(dataset, key)
    (first, *_) = read_sense_induction(dataset, key, tokenizer=lambda text: text.upper().split())
    assert first.tokens == ["THE", "RIVER", "bank", "IS", "WIDE"]


@pytest.mark.parametrize(
    ("dataset", "line", "what"),
    [
        ("bank.n\n", 1, "word.pos COUNT, got 'bank.n'"),
        ("bank.n -1\n", 1, "word.pos COUNT, got 'bank.n -1'"),
        ("bank.n 2\na\tb\nno tab\n", 3, "left<TAB>right, a context of bank.n, got 'no tab'"),
        ("bank.n 1\na\tb\tc\n", 2, "left<TAB>right, a context of bank.n, got 'a\\tb\\tc'"),
        ("bank.n 1\na\tb\nbank.n 1\na\tb\n", 3, "a word that did not come before, got 'bank.n 1'"),
    ],
)
def test_a_bad_line_of_a_data_set_is_named(files, dataset, line, what):
    paths = files(dataset)
    with pytest.raises(
        FormatError, match=re.escape(f"{paths[0]} line {line} must be {what}") + "$"
    ):
        read_sense_induction(*paths)


def test_a_data_set_that_ends_early_is_named(files):
    paths = files("bank.n 3\na\tb\n")
    expected = f"{paths[0]} is cut short: 2 contexts of bank.n are missing after line 2"
    with pytest.raises(FormatError, match=f"^{re.escape(expected)}$"):
        read_sense_induction(*paths)


@pytest.mark.parametrize(
    ("key", "line", "what"),
    [
        ("bank.n bank.n.1\n", 1, "word.pos word.pos.ID sense, got 'bank.n bank.n.1'"),
        ("bank.n rock.v.1 s\n", 1, "word.pos word.pos.ID sense, got 'bank.n rock.v.1 s'"),
        ("bank.n bank.n.1 s\n" * 2, 2,
         "of an instance that has no key yet, got 'bank.n bank.n.1 s'"),
        ("bank.n bank.n.1 s&&\n", 1, "one with senses between &&, got 'bank.n bank.n.1 s&&'"),
        ("", 1, "word.pos word.pos.ID sense, got ''"),
    ],
)  # fmt: skip
def test_a_bad_line_of_a_key_is_named(files, key, line, what):
    paths = files(key=key)
    with pytest.raises(
        FormatError, match=re.escape(f"{paths[1]} line {line} must be {what}") + "$"
    ):
        read_sense_induction(*paths)


def test_a_key_of_no_context_is_named(files):
    paths = files(key=KEY + "\nbank.n bank.n.4 s\n")
    expected = f"{paths[1]} line 5 must be of a context of {paths[0]}, got 'bank.n.4'"
    with pytest.raises(FormatError, match=f"^{re.escape(expected)}$"):
        read_sense_induction(*paths)


# A model.

BANK = SenseVectors(
    ["bank", "river", "money", "lend"],
    [0, 2, 3, 4, 5],
    np.array([[0, 1], [1, 0], [1, 0.1], [0.1, 1], [0.2, 1]], np.float32),
    priors=[0.7, 0.3, 1, 1, 1],
)


def instance(word, number, sense, left, right=()):
    lemma = word.split(".")[0]
    senses = tuple(sense.split("&&"))
    return SenseInstance(word, f"{word}.{number}", senses, [*left, lemma, *right], len(left))


INSTANCES = [
    instance("bank.n", 1, "shore", ["river"]),
    instance("bank.n", 2, "firm", ["money"], ["lend"]),
    instance("bank.n", 3, "firm&&shore", ["money"]),
    instance("bank.n", 4, "shore", ["money", "money", "river"], ["unheard"]),
    instance("bank.n", 5, "firm", ["unheard"]),
    instance("newt.n", 1, "animal", ["river"]),
    instance("newt.n", 2, "witch", ["river"]),
]


def test_a_model_chooses_by_cosine_and_is_scored():
    result = evaluate_sense_induction(BANK, INSTANCES, window=1)
    assert result.ari == 1.0
    assert (result.n_words, result.n_instances, result.mean_senses) == (1, 4, 2)
    assert (result.unknown, result.n_undecided) == (["newt.n"], 1)
    whole = evaluate_sense_induction(BANK, INSTANCES)  # now money outweighs the river of the fourth
    assert whole.ari < 1.0


def test_unknown_words_are_one_cluster_on_request():
    result = evaluate_sense_induction(BANK, INSTANCES, window=1, unknown="one")
    assert result.ari == 0.5
    assert result.words["newt.n"].n_predicted == 1
    assert result.unknown == ["newt.n"]


def test_the_gate_is_asked_with_the_lemma_in_its_place():
    class Gated:
        wv = BANK

        def sense_probabilities(self, tokens, positions, *, by):
            self.asked = (tokens, positions, by)
            return np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6], [0.5, 0.5]], np.float32)

    model = Gated()
    assert evaluate_sense_induction(model, INSTANCES, by="gate").ari == 1.0
    tokens, positions, by = model.asked
    assert by == "gate"
    assert tokens[1] == ["money", "bank", "lend"]
    assert positions == [1, 1, 3, 1]


def test_words_with_one_vector_have_one_sense():
    wv = WordVectors(["bank"], np.ones((1, 3), np.float32))
    result = evaluate_sense_induction(wv, INSTANCES)
    assert (result.ari, result.mean_senses, result.unknown) == (0.0, 1, ["newt.n"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "chance"}, "`by` must be one of 'cosine', 'likelihood', 'gate', got 'chance'"),
        ({"unknown": "all"}, "`unknown` must be one of 'skip', 'one', got 'all'"),
        ({"window": 0}, "`window` must be at least 1, got 0"),
        ({"by": "gate"}, "`by` must be 'cosine' for vectors without their model, got 'gate'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        evaluate_sense_induction(BANK, INSTANCES, **options)


# Real data.


@pytest.mark.data
def test_semeval_2010_has_its_published_size_and_no_single_sense_words(data_folder):
    folder = data_folder / "wsi"
    instances = read_sense_induction(
        folder / "semeval2010_dataset.txt.gz", folder / "semeval2010_key.txt"
    )
    assert len(instances) == 8_915
    assert len({i.word for i in instances}) == 100
    assert sum(len(i.senses) > 1 for i in instances) == 9
    # The key is not in the order of the data set.
    assert (instances[0].id, instances[0].senses) == ("access.n.1", ("access.n.3",))
    words = sorted({i.lemma for i in instances})
    one = WordVectors(words, np.ones((len(words), 2), np.float32))
    result = evaluate_sense_induction(one, instances)
    assert (result.n_words, result.n_ambiguous, result.n_undecided) == (100, 100, 9)
    assert result.ari == 0.0
    assert result.mean_senses == 1.0
    assert result.v_measure == 0.0
    # As published for one cluster, undecided instances included: all 63.5, nouns 57.0, verbs 72.7.
    assert result.paired_f_weighted == pytest.approx(0.635, abs=4e-3)
    for part, published in ((".n", 0.570), (".v", 0.727)):
        some = [i for i in instances if i.word.endswith(part)]
        weighted = evaluate_sense_induction(one, some).paired_f_weighted
        assert weighted == pytest.approx(published, abs=4e-3)
