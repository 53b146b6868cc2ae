"""Word similarity, similarity in context, analogies: the definitions, the files, the real data."""

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
    AnalogySection,
    ContextPair,
    evaluate_analogies,
    evaluate_contextual_similarity,
    evaluate_similarity,
    read_analogies,
    read_contextual_similarity,
    read_similarity,
    spearman,
)
from bitsense.vectors import SenseVectors, WordVectors

VALUES = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=9)


def unit(degrees: float) -> list[float]:
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]


def vectors(**angles: float) -> WordVectors:
    return WordVectors(list(angles), np.array([unit(a) for a in angles.values()], np.float32))


def refused(message: str):
    return pytest.raises(FormatError, match=re.escape(message) + "$")


# Rank correlation.


@given(VALUES)
def test_spearman_is_pearson_of_the_average_ranks(pairs):
    x, y = zip(*pairs, strict=True)
    assert spearman(x, y) == pytest.approx(reference.spearman(x, y), abs=1e-12, nan_ok=True)


def test_spearman_is_that_of_scipy():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    for size, levels in ((3, 9), (50, 4), (1000, 30), (1000, 10**9)):
        x, y = rng.integers(0, levels, (2, size))
        assert spearman(x, y + x) == pytest.approx(spearmanr(x, y + x).statistic, abs=1e-13)


@given(VALUES)
def test_spearman_knows_orders_only(pairs):
    x, y = (np.array(side) for side in zip(*pairs, strict=True))
    same = spearman(x, y)
    np.testing.assert_equal(spearman(np.exp(x), y**3), same)
    np.testing.assert_equal(spearman(y, x), same)
    np.testing.assert_allclose(spearman(-x, y), -same, atol=1e-15)
    if len(set(x.tolist())) > 1:
        assert spearman(x, 5 * x - 1) == 1.0


def test_spearman_worked_by_hand():
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: covariance 4.5, squares 4.5 and 5.
    assert spearman([0, 1, 1, 7], [1, 2, 3, 4]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert math.isnan(spearman([1, 1], [1, 2]))
    assert math.isnan(spearman([], []))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], [1.0]), "`x` must have 1 dimension, got 2"),
        (([1.0, 2.0], [1.0, math.nan]), "`y` must hold no NaN"),
        (([1.0, 2.0], [1.0]), "`y` must have the length of `x`, 2, got 1"),
    ],
)
def test_spearman_refuses(arguments, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        spearman(*arguments)


# Similarity of words.


def test_similarity_ranks_cosines_and_leaves_unknown_words_out():
    wv = vectors(cat=0, dog=10, car=80, London=45)
    pairs = [("cat", "dog", 9.0), ("cat", "car", 1.0), ("Dog", "car", 2.0), ("London", "cat", 5.0),
             ("cat", "newt", 5.0)]  # fmt: skip
    result = evaluate_similarity(wv, pairs)
    assert result.as_dict() == {"spearman": 1.0, "coverage": 0.8, "n_pairs": 4}
    swapped = evaluate_similarity(wv, [(b, a, -score) for a, b, score in pairs])
    assert swapped.spearman == -1.0
    nothing = evaluate_similarity(wv, [])
    assert math.isnan(nothing.spearman)
    assert math.isnan(nothing.coverage)
    assert nothing.n_pairs == 0


def test_a_word_is_looked_up_as_written_before_it_is_in_lower_case():
    wv = vectors(turkey=0, Turkey=90, greece=80, bird=10)
    pairs = [("Turkey", "greece", 1.0), ("turkey", "bird", 1.0), ("Greece", "bird", 0.0)]
    # Turkey-greece and turkey-bird both lie 10 degrees apart, a tie; greece-bird 70.
    assert evaluate_similarity(wv, pairs).spearman == 1.0


def test_similarity_of_senses_is_their_mean():
    sv = SenseVectors(["a", "b", "c"], [0, 2, 3, 4], [unit(0), unit(90), unit(0), unit(60)],
                      priors=[0.9, 0.1, 1, 1])  # fmt: skip
    # Means: a-b 0.5, a-c (0.5 + 0.866) / 2; the nearest senses alone would turn the two around.
    result = evaluate_similarity(sv, [("a", "b", 1.0), ("a", "c", 2.0), ("c", "c", 3.0)])
    assert (result.spearman, result.coverage) == (1.0, 1.0)


# Similarity in context.


def context_pair(a, left_a, b, left_b, score) -> ContextPair:
    return ContextPair(a, b, [*left_a, a], len(left_a), [*left_b, b], len(left_b), score)


BANK = SenseVectors(
    ["bank", "river", "money", "shore"],
    [0, 2, 3, 4, 5],
    [unit(90), unit(0), unit(5), unit(85), unit(2)],
    priors=[0.7, 0.3, 1, 1, 1],
)


class Gated:
    """A model whose gate says what it is told."""

    def __init__(self, chances):
        self.wv, self.chances, self.asked = BANK, np.array(chances, np.float32), []

    def sense_probabilities(self, tokens, positions, *, by):
        self.asked.append((by, tokens, positions))
        return self.chances


def test_similarities_in_context_follow_their_definitions():
    pairs = [context_pair("bank", ["river"], "shore", [], 3.0),
             context_pair("bank", ["money"], "shore", [], 2.0),
             context_pair("Bank", ["river"], "bank", ["money"], 1.0)]  # fmt: skip
    model = Gated([[0.2, 0.8], [1, 0], [0.6, 0.4], [1, 0], [0.2, 0.8], [0.6, 0.4]])
    cosine = np.cos(np.radians([[90 - 2, 0 - 2]])).reshape(2)  # senses of bank to shore
    avg = [cosine.mean(), cosine.mean(), 0.5]
    expected = [np.dot([0.2, 0.8], cosine), np.dot([0.6, 0.4], cosine),
                0.2 * 0.6 + 0.8 * 0.4]  # fmt: skip
    local = [cosine[1], cosine[0], 0.0]
    theirs = [3.0, 2.0, 1.0]
    result = evaluate_contextual_similarity(model, pairs, by="gate")
    assert result.avg_sim == pytest.approx(reference.spearman(avg, theirs))
    assert result.avg_sim_c == pytest.approx(reference.spearman(expected, theirs))
    assert result.local_sim == pytest.approx(reference.spearman(local, theirs))
    assert (result.coverage, result.n_pairs) == (1.0, 3)
    by, tokens, positions = model.asked[0]
    assert by == "gate"
    assert tokens[0] == ["river", "bank"]
    assert tokens[4] == ["river", "bank"]  # the word as the model knows it
    assert positions == [1, 0, 1, 0, 1, 1]


def test_sense_vectors_choose_by_cosine_to_the_context():
    pairs = [context_pair("bank", ["river"], "shore", [], 2.0),
             context_pair("bank", ["money"], "shore", [], 1.0)]  # fmt: skip
    result = evaluate_contextual_similarity(BANK, pairs)
    assert (result.avg_sim_c, result.local_sim) == (1.0, 1.0)
    assert math.isnan(result.avg_sim)
    with pytest.raises(ValueError, match=r"^`by` must be 'cosine' for vectors without their"):
        evaluate_contextual_similarity(BANK, pairs, by="gate")


def test_a_window_hides_the_rest_of_the_context():
    far = ["money", "money", "river"]
    pairs = [ContextPair("bank", "shore", [*far, "bank"], 3, ["shore"], 0, 1.0),
             context_pair("bank", ["money"], "shore", [], 0.0)]  # fmt: skip
    assert math.isnan(evaluate_contextual_similarity(BANK, pairs).local_sim)
    assert evaluate_contextual_similarity(BANK, pairs, window=1).local_sim == 1.0


def test_with_one_vector_a_word_all_similarities_in_context_are_the_cosine():
    rng = np.random.default_rng(1)
    words = [f"w{i}" for i in range(20)]
    wv = WordVectors(words, rng.normal(size=(20, 6)).astype(np.float32))
    chosen = rng.integers(0, 25, (60, 2))
    rated = [(f"w{a}", f"w{b}", float(rng.integers(0, 9))) for a, b in chosen]
    pairs = [context_pair(a, ["x"], b, ["y"], score) for a, b, score in rated]
    result = evaluate_contextual_similarity(wv, pairs)
    plain = evaluate_similarity(wv, rated)
    assert result.avg_sim == result.avg_sim_c == result.local_sim
    assert result.avg_sim == pytest.approx(plain.spearman, abs=1e-12)
    assert (result.coverage, result.n_pairs) == (plain.coverage, plain.n_pairs)


def test_a_model_without_vectors_is_refused():
    with pytest.raises(TypeError, match=r"^`model` must have word vectors, got int$"):
        evaluate_contextual_similarity(3, [])


# Analogies.


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
@pytest.mark.parametrize("limit", [None, 15])
def test_analogies_are_counted_by_the_formula(method, limit):
    rng = np.random.default_rng(2)
    units = rng.normal(size=(30, 5))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    wv = WordVectors([f"w{i}" for i in range(30)], units.astype(np.float32))
    rows = rng.integers(0, 33, (200, 4))  # the last three are unknown
    rows[:20, 3] = rows[:20, 1]  # d among the words of the question
    rows[-50:] = rng.integers(0, 15, (50, 4))
    known = [row for row in rows.tolist() if max(row) < (limit or 30)]
    ranks = [reference.analogy_rank(units, row, method, limit) for row in known]
    questions = [tuple(f"w{i}" for i in row) for row in rows]
    for unknown, counted in (("skip", len(known)), ("wrong", 200)):
        result = evaluate_analogies(
            wv, questions, method=method, unknown=unknown, restrict_to=limit
        )
        assert result.accuracy == pytest.approx(sum(r == 1 for r in ranks) / counted)
        assert result.mrr == pytest.approx(sum(1 / r for r in ranks if r) / counted)
        assert result.n_questions == counted
        assert result.coverage == pytest.approx(len(known) / 200)
    assert 0 < result.accuracy < result.mrr < 1


def test_analogies_are_counted_section_by_section():
    wv = vectors(man=0, woman=20, king=100, queen=120, boy=200, girl=220, cat=300)
    sections = [
        AnalogySection("people", [("man", "woman", "King", "Queen"),
                                  ("man", "boy", "king", "queen"),
                                  ("man", "woman", "boy", "dog")]),
        AnalogySection("nothing", []),
        AnalogySection("young", [("king", "queen", "boy", "girl")]),
    ]  # fmt: skip
    result = evaluate_analogies(wv, sections)
    assert list(result.sections) == ["people", "nothing", "young"]
    assert (result.accuracy, result.coverage, result.n_questions) == (1.0, 0.75, 3)
    people = result.sections["people"]
    assert (people.accuracy, people.n_questions) == (1.0, 2)
    assert people.coverage == pytest.approx(2 / 3)
    assert math.isnan(result.sections["nothing"].accuracy)
    assert evaluate_analogies(wv, sections, unknown="wrong").accuracy == 0.75
    assert result.as_dict()["sections"]["young"]["mrr"] == 1.0


@pytest.mark.parametrize(
    ("questions", "options", "message"),
    [
        ([], {"unknown": "ignore"}, "`unknown` must be one of 'skip', 'wrong', got 'ignore'"),
        ([], {"restrict_to": 0}, "`restrict_to` must be at least 1, got 0"),
        ([("a", "b", "c")], {},
         "`questions` must be sections, or hold four words each, got ('a', 'b', 'c')"),
        ([AnalogySection("x", []), AnalogySection("x", [])], {},
         "`questions` must be sections with names that differ"),
        ([("a", "b", "c", "a")], {"method": "cos"},
         "`method` must be one of '3cosadd', '3cosmul', got 'cos'"),
    ],
)  # fmt: skip
def test_analogies_refuse(questions, options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        evaluate_analogies(vectors(a=0, b=1, c=2), questions, **options)


# Files.


def test_similarity_files_are_read(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_bytes(b"\xef\xbb\xbftiger\tcat\t7.35\r\n\r\nstock\tCD\t1.31")
    assert read_similarity(path) == [("tiger", "cat", 7.35), ("stock", "CD", 1.31)]
    packed = tmp_path / "pairs.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_similarity(packed) == read_similarity(path)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a\tb\t1\na b 2\n", 2, "word<TAB>word<TAB>score, got 'a b 2'"),
        ("a\t\t1\n", 1, "word<TAB>word<TAB>score, got 'a\\t\\t1'"),
        ("a\tb\t1\t2\n", 1, "word<TAB>word<TAB>score, got 'a\\tb\\t1\\t2'"),
        ("\na\tb\tnan\n", 2, "one whose score is a finite number, got 'nan'"),
        ("a\tb\tfour\n", 1, "one whose score is a finite number, got 'four'"),
        ("\n\n", 1, "word<TAB>word<TAB>score, got ''"),
    ],
)
def test_a_bad_line_of_a_similarity_file_is_named(tmp_path, text, line, what):
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    with refused(f"{path} line {line} must be {what}"):
        read_similarity(path)


SCWS = "1\tBank\tn\tshore\tn\tof the <b> bank </b> , he\t<b> Shore </b>\t4.5\t1\t8\n"


def test_contexts_are_cut_around_the_marked_word(tmp_path):
    path = tmp_path / "scws.txt"
    path.write_text(SCWS)
    (pair,) = read_contextual_similarity(path)
    assert pair == ContextPair("Bank", "shore", ["of", "the", "Bank", "he"], 2, ["shore"], 0, 4.5)
    (pair,) = read_contextual_similarity(path, tokenizer=str.split)
    assert pair.tokens_a == ["of", "the", "Bank", ",", "he"]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("<b> bank </b>", "bank", "one that marks <b> Bank </b> once, got 'of the bank , he'"),
        ("<b> bank </b>", "<b>bank</b> <b>bank</b>",
         "one that marks <b> Bank </b> once, got 'of the <b>bank</b> <b>bank</b> , he'"),
        ("<b> bank </b>", "</b> bank <b>",
         "one that marks <b> Bank </b> once, got 'of the </b> bank <b> , he'"),
        ("<b> bank </b>", "<b> banks </b>",
         "one that marks <b> Bank </b> once, got 'of the <b> banks </b> , he'"),
        ("4.5", "", "one whose score is a finite number, got ''"),
        (SCWS, "1\tBank\tn\n", "at least 8 fields with two words, got '1\\tBank\\tn'"),
        (SCWS, "\n", "at least 8 fields with two words, got ''"),
    ],
)  # fmt: skip
def test_a_bad_line_of_contexts_is_named(tmp_path, old, new, what):
    path = tmp_path / "scws.txt"
    path.write_text(SCWS.replace(old, new))
    with refused(f"{path} line 1 must be {what}"):
        read_contextual_similarity(path)


def test_analogy_files_are_read(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text(": capital common\nAthens Greece Oslo Norway\n\n:family\n")
    assert read_analogies(path) == [
        AnalogySection("capital common", [("Athens", "Greece", "Oslo", "Norway")]),
        AnalogySection("family", []),
    ]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (": x\na b c\n", 2, "four words or ': section', got 'a b c'"),
        ("a b c d\n", 1, "': section' before the first question, got 'a b c d'"),
        (": x\n:\n", 2, "the name of a new section, got ':'"),
        (": x\n: x\n", 2, "the name of a new section, got ': x'"),
        ("", 1, "': section', got ''"),
    ],
)
def test_a_bad_line_of_analogies_is_named(tmp_path, text, line, what):
    path = tmp_path / "questions.txt"
    path.write_text(text)
    with refused(f"{path} line {line} must be {what}"):
        read_analogies(path)


# Real data.


@pytest.mark.data
def test_the_public_sets_have_their_published_sizes(data_folder):
    folder = data_folder / "similarity"
    sizes = {
        "WS-353-ALL": 353,
        "WS-353-SIM": 203,
        "WS-353-REL": 252,
        "SIMLEX-999": 999,
        "RG-65": 65,
    }
    for name, size in sizes.items():
        assert len(read_similarity(folder / f"EN-{name}.txt")) == size
    pairs = read_contextual_similarity(folder / "scws_ratings.txt")
    assert len(pairs) == 2003
    assert all(pair.tokens_a[pair.position_a] == pair.a for pair in pairs)
    assert all(pair.tokens_b[pair.position_b] == pair.b for pair in pairs)
    sections = read_analogies(data_folder / "analogy" / "questions-words.txt")
    assert len(sections) == 14
    assert sum(len(section.questions) for section in sections) == 19_544
