"""What only some of the paragraph-vector models have: contexts, projections, real vectors."""

from __future__ import annotations

import numpy as np
import pytest
from reference.small_models import DM, SMALL, TEXTS, make

from bitsense import ParagraphVector, RealBinaryParagraphVector


def test_the_tables_of_models_with_a_context():
    words = len(ParagraphVector(20, **SMALL).fit(TEXTS).vocabulary_)
    mean = make("dm-mean").fit(TEXTS)
    assert mean.word_vectors_.shape == mean.context_vectors_.shape == (words, 20)
    for name in ("dm-concat", "binary dm"):
        model = make(name).fit(TEXTS)
        assert model.word_vectors_.shape == (words, 20 + 2 * 2 * 9)
        assert model.context_vectors_.shape == (words, 9)
        assert not model.context_vectors_.flags.writeable
    with pytest.raises(AttributeError, match=r"^mode 'dbow' has no `context_vectors_`$"):
        ParagraphVector(20, **SMALL).fit(TEXTS).context_vectors_  # noqa: B018


def test_a_code_is_the_signs_of_a_projection_of_a_real_vector():
    model = RealBinaryParagraphVector(40, 12, **SMALL).fit(TEXTS)
    vectors, coverage = model.vectors(TEXTS, return_coverage=True)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), 40), np.float32)
    assert (coverage == 1.0).all()
    assert model.projection_.shape == (12, 40)
    assert model.document_vectors_.shape == (len(TEXTS), 40)
    assert model.word_vectors_.shape == (len(model.vocabulary_), 12)
    values = model.preactivations(TEXTS)
    assert np.abs(values - vectors @ model.projection_.T).max() < 1e-5
    assert np.array_equal(model.transform(TEXTS), np.packbits(values > 0, axis=1))
    alone = [model.preactivations([text])[0].tobytes() for text in TEXTS]
    assert alone == [row.tobytes() for row in values]


@pytest.mark.parametrize("name", DM)
def test_the_order_of_words_matters_where_they_have_a_context(name):
    model = make(name, epochs=20).fit(TEXTS)
    turned = [" ".join(reversed(text.split())) for text in TEXTS]
    values = getattr(model, "preactivations", model.transform)
    assert not np.array_equal(values(turned), values(TEXTS))
