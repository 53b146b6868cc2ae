"""Certificates: what a whole one says, what is refused, and their way through files."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
from reference import certificate as twin
from reference.codes import hamming
from reference.small_models import CODED, MODELS, SMALL, TEXTS, each_model
from reference.topics import planted

from bitsense import (
    ITQ,
    BinaryParagraphVector,
    Certificate,
    FormatError,
    NotFittedError,
    ParagraphVector,
    RandomHyperplanes,
    Word2Vec,
    files,
    load,
    verify,
)
from bitsense import _edited_copies as copies
from bitsense._neighbour_agreement import agreement, real_neighbours

HELD = planted(topics=4, documents=10, seed=1)[0]
FEW = {"bits": (8, 32), "k": 3, "pairs": 10_000}


@pytest.fixture(scope="module", params=MODELS, ids=lambda cls: cls.__name__)
def model(request):
    """A small fitted model with a certificate that no test changes."""
    model = request.param(20, **SMALL, threads=1).fit(TEXTS)
    model.certificate(HELD, **FEW)
    return model


# The whole


def test_each_row_is_measured_on_the_codes_that_it_names(model):
    certificate = model.certificate_
    binary = isinstance(model, CODED)
    rows = [(row.codes, row.bits, row.bytes) for row in certificate.rows]
    bits = model.bits if binary else 0
    own = [("learned", bits, -(-bits // 8))] if binary else []
    assert rows == [("ITQ", 8, 1), *own, ("random hyperplanes", 32, 4)]
    assert certificate.own == (certificate.rows[1] if binary else None)
    assert (certificate.model, certificate.documents) == (type(model).__name__, len(HELD))
    assert (certificate.queries, certificate.k, certificate.shortlist) == (40, 3, 30)
    assert certificate.pairs == 40 * 39 // 2
    name = next(n for n in ("vectors", "preactivations", "transform") if hasattr(model, n))
    real = getattr(model, name)(HELD)
    vectors = model.document_vectors_
    coders = {"ITQ": ITQ(8).fit(vectors), "random hyperplanes": RandomHyperplanes(32).fit(vectors)}
    pairs = np.triu_indices(len(HELD), 1)
    for row in certificate.rows:
        codes = model.transform(HELD) if row.codes == "learned" else coders[row.codes].transform(
            real
        )  # fmt: skip
        bits = np.unpackbits(codes, axis=1, count=row.bits)
        assert row.entropy == pytest.approx(np.mean([twin.entropy(c.tolist()) for c in bits.T]))
        assert row.mean_correlation == pytest.approx(np.mean(twin.correlations(bits)))
        assert row.largest_correlation == pytest.approx(max(twin.correlations(bits)))
        distances = hamming(codes, codes)
        assert row.false_rate == float(np.mean(distances[pairs] <= row.radius))
        truth = real_neighbours(real, np.arange(40), 3)
        want = agreement(codes, row.bits, np.arange(40), truth, 3, 30, 1)
        assert (row.overlap, row.recall) == pytest.approx(want)
        assert row.found >= 0.95
        assert 0 <= row.overlap <= row.recall <= 1


def test_the_copies_are_inferred_and_compared(model):
    corpus = model._encode(HELD)
    edited = copies.edited_copies(corpus, model.vocabulary_.counts, 0.05, 0)
    texts = [[model.vocabulary_.word(int(w)) for w in edited[i]] for i in range(len(HELD))]
    if isinstance(model, BinaryParagraphVector):
        distances = np.diag(hamming(model.transform(HELD), model.transform(texts)))
        assert model.certificate_.own.radius == twin.radius(distances.tolist(), 0.95)
    changed = [a.split() != b for a, b in zip(HELD, texts, strict=True)]
    assert sum(changed) > 30


def test_it_depends_on_neither_threads_nor_company(model):
    for threads in (1, 3, None):
        assert model.certificate(HELD, **FEW, threads=threads) == model.certificate_
    assert model.certificate(HELD, **FEW, seed=1) != model.certificate(HELD, **FEW)
    assert model.certificate([*HELD, "unknown"], **FEW).unknown == 1
    assert model.certificate(HELD, **FEW) == model.certificate_


def test_what_itq_is_fitted_to_is_said(model, tmp_path):
    assert model.certificate_.fitted_to == "trained vectors"
    twice = copy.copy(model)
    assert twice.certificate(HELD, training=TEXTS, **FEW).fitted_to == "inferred vectors"
    model.save(tmp_path / "m")
    certificate = load(tmp_path / "m").certificate(HELD, **FEW)
    assert certificate.fitted_to == "half of the held-out documents"
    assert certificate.documents == 20
    for each in (model.certificate_, twice.certificate_, certificate):
        assert "ITQ is fitted to " in str(each)


@each_model
def test_lists_of_tokens_and_callables_work(cls):
    tokens = [text.split() for text in TEXTS]
    held = [text.split() for text in HELD]
    whole = cls(20, **SMALL).fit(TEXTS).certificate(HELD, **FEW)
    assert cls(20, tokenizer=None, **SMALL).fit(tokens).certificate(held, **FEW) == whole
    assert cls(20, tokenizer=str.split, **SMALL).fit(TEXTS).certificate(HELD, **FEW) == whole


def test_many_documents_are_asked_for_by_some(monkeypatch):
    from bitsense import _certify

    monkeypatch.setattr(_certify, "_QUERIES", 7)
    monkeypatch.setattr(_certify, "FIT_ROWS", 11)
    model = BinaryParagraphVector(20, **SMALL).fit(TEXTS)
    certificate = model.certificate(HELD, bits=8, k=3, pairs=50)
    assert (certificate.queries, certificate.documents, certificate.pairs) == (7, 40, 50)


@each_model
def test_fit_drops_an_old_certificate(cls):
    model = cls(20, **SMALL).fit(TEXTS)
    assert model.certificate_ is None
    assert model.certificate(HELD, **FEW) is model.certificate_
    assert model.fit(TEXTS).certificate_ is None


def test_word_models_have_none():
    for name in ("certificate", "certificate_", "report", "extend"):
        assert not hasattr(Word2Vec(), name)


BAD_ARGUMENTS = [
    ({"bits": 0}, ValueError, "`bits` must be at least 1, got 0"),
    ({"bits": (32, 65536)}, ValueError, "`bits` must be at most 65535, got 65536"),
    ({"bits": "32"}, TypeError, "`bits` must be an integer, got '32'"),
    ({"bits": [8.0]}, TypeError, "`bits` must be an integer, got 8.0"),
    ({"k": 0}, ValueError, "`k` must be at least 1, got 0"),
    ({"edit": 0}, ValueError, "`edit` must be more than 0, got 0"),
    ({"edit": 1.5}, ValueError, "`edit` must be at most 1, got 1.5"),
    ({"found": 0.0}, ValueError, "`found` must be more than 0, got 0.0"),
    ({"found": True}, TypeError, "`found` must be a number, got True"),
    ({"pairs": 0}, ValueError, "`pairs` must be at least 1, got 0"),
    ({"seed": -1}, ValueError, "`seed` must be at least 0, got -1"),
    ({"threads": 0}, ValueError, "`threads` must be at least 1, got 0"),
    ({"training": []}, ValueError, "`training` must hold at least 1 with a known word, got 0"),
    (
        {"k": 40},
        ValueError,
        "`documents` must hold at least 41 with a known word for `k`=40, got 40",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("options", "kind", "message"), BAD_ARGUMENTS)
def test_wrong_arguments_are_refused_and_change_nothing(model, options, kind, message):
    before = model.certificate_
    with pytest.raises(kind) as caught:
        model.certificate(HELD, **options)
    assert str(caught.value) == message
    assert model.certificate_ is before


def test_a_model_with_codes_needs_no_others():
    binary = BinaryParagraphVector(20, **SMALL).fit(TEXTS)
    assert [row.codes for row in binary.certificate(HELD, bits=()).rows] == ["learned"]
    both = binary.certificate(HELD, bits=20).rows
    assert [(row.codes, row.bits) for row in both] == [("learned", 20), ("ITQ", 20)]
    with pytest.raises(ValueError) as caught:
        ParagraphVector(20, **SMALL).fit(TEXTS).certificate(HELD, bits=[])
    assert str(caught.value) == (
        "`bits` must hold at least 1 length for a model without codes, got 0"
    )


def test_documents_that_serve_nothing_are_refused(tmp_path):
    with pytest.raises(NotFittedError):
        BinaryParagraphVector().certificate(HELD)
    with pytest.raises(NotFittedError):
        BinaryParagraphVector().certificate_  # noqa: B018
    model = BinaryParagraphVector(20, **SMALL).fit(TEXTS)
    with pytest.raises(ValueError) as caught:
        model.certificate([HELD[0]] * 20)
    assert str(caught.value) == (
        "`documents` must hold at least 2 that differ in their known words, got 1"
    )
    model.save(tmp_path / "m")
    with pytest.raises(ValueError) as caught:
        load(tmp_path / "m").certificate(HELD[:20])
    assert str(caught.value) == (
        "`documents` must hold at least 21 with a known word for `k`=10, for half of them serve to "
        "fit the ITQ codes, got 20"
    )
    model.set_params(on_unknown="error")
    with pytest.raises(ValueError, match=r"^`documents`\[40\] has no known word"):
        model.certificate([*HELD, "unknown"])


# Files


def test_it_survives_files_and_pickle(model, tmp_path):
    for documents in (False, True):
        model.save(tmp_path / "m", documents=documents)
        assert load(tmp_path / "m").certificate_ == model.certificate_
    assert verify(tmp_path / "m")["header"]["certificate"] == model.certificate_.as_dict()
    for twin_of in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert twin_of.certificate_ == model.certificate_
    assert json.loads(json.dumps(model.certificate_.as_dict())) == model.certificate_.as_dict()


def test_it_is_shown_as_a_table(model):
    lines = str(model.certificate_).splitlines()
    assert lines[0] == f"Codes of {type(model).__name__} on 40 held-out documents"
    assert lines[3] == "radius       finds 95 % of copies that are edited by 5 %"
    assert max(map(len, lines)) <= 100
    marked = [line for line in lines if line.startswith("*")]
    assert len(marked) == 2 * isinstance(model, CODED)


def damaged(**changes):
    def edit(values):
        values.update(changes)

    return edit


def damaged_row(**changes):
    def edit(values):
        values["rows"][0].update(changes)

    return edit


BAD = {
    "documents a string": damaged(documents="40"),
    "documents one": damaged(documents=1),
    "model a number": damaged(model=3),
    "fitted to something else": damaged(fitted_to="nothing"),
    "k a bool": damaged(k=True),
    "edit above 1": damaged(edit=1.5),
    "found a string": damaged(found="all"),
    "seed huge": damaged(seed=2**64),
    "shares no list": damaged(copy_shares=0.5),
    "shares of another number": damaged(copy_shares=[0.5]),
    "rows empty": damaged(rows=[]),
    "rows missing": lambda values: values.pop("rows"),
    "queries missing": lambda values: values.pop("queries"),
    "a row no object": lambda values: values["rows"].append(3),
    "codes unknown": damaged_row(codes="magic"),
    "codes a list": damaged_row(codes=["ITQ"]),
    "bits zero": damaged_row(bits=0),
    "overlap negative": damaged_row(overlap=-0.1),
    "recall null": damaged_row(recall=None),
    "radius a float": damaged_row(radius=3.0),
    "radius huge": damaged_row(radius=2**40),
    "distances strings": damaged_row(pair_distances=["1"] * 5),
    "distances too few": damaged_row(pair_distances=[1]),
}


@pytest.mark.parametrize("damage", BAD)
def test_a_corrupt_certificate_is_refused(damage, model, tmp_path):
    model.save(tmp_path / "m")
    header, held = files.read_file(tmp_path / "m")
    header = copy.deepcopy(header)
    BAD[damage](header["certificate"])
    files.write_file(tmp_path / "bad", "model", header, held)
    for use in (load, verify):
        with pytest.raises(FormatError, match="bad: corrupt: the certificate: "):
            use(tmp_path / "bad")


def test_no_object_at_all_is_refused():
    for values in (None, [], 3, "all"):
        with pytest.raises(FormatError, match=r"^corrupt: the certificate: "):
            Certificate.from_dict(values)


def test_what_a_newer_version_adds_is_ignored(model):
    values = model.certificate_.as_dict()
    values["rows"][0]["more"] = 1
    assert Certificate.from_dict({**values, "more": []}) == model.certificate_
