"""Why two codes are near."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from reference.topics import planted

from bitsense import BinaryParagraphVector, HammingIndex, NotFittedError, explain_pair

TEXTS = planted(topics=4, documents=40, length=(20, 40))[0]


@pytest.fixture(scope="module")
def model():
    return BinaryParagraphVector(bits=20, min_count=1, epochs=3).fit(TEXTS)


def test_a_pair_is_explained_by_what_it_shares(model):
    everything = Counter(word for text in TEXTS for word in text.split())
    total = sum(everything.values())
    index = HammingIndex(model.transform(TEXTS), bits=20)
    seen = 0
    for firsts, seconds, distances in index.self_join(6):
        for a, b, distance in zip(firsts[:20], seconds[:20], distances[:20], strict=True):
            found = explain_pair(model, TEXTS[a], TEXTS[b], k=3)
            assert found.distance == distance == len(found.differing)
            assert found.bits == 20
            one, other = Counter(TEXTS[a].split()), Counter(TEXTS[b].split())
            weights = sorted(
                (min(one[word], other[word]) * math.log(total / everything[word]))
                for word in one.keys() & other.keys()
            )[::-1]
            assert [term.weight for term in found.terms] == pytest.approx(weights[:3])
            for term in found.terms:
                assert (term.first, term.second) == (one[term.term], other[term.term])
            seen += 1
    assert seen


def test_unknown_words_are_no_terms(model):
    found = explain_pair(model, "qwertz", "qwertz")
    assert found.terms == []
    assert found.distance == 0


def test_wrong_input_is_refused(model):
    with pytest.raises(TypeError) as caught:
        explain_pair(model, ["a"], "b")
    assert str(caught.value) == "`first` must be a string, got list"
    with pytest.raises(NotFittedError):
        explain_pair(BinaryParagraphVector(), "a", "b")
