"""Encoders as files: they come back whole, or they are refused."""

from __future__ import annotations

import numpy as np
import pytest
from reference.small_models import (
    MODELS,
    SMALL,
    TEXTS,
    make,
)

from bitsense import (
    BinaryParagraphVector,
    FormatError,
    RealBinaryParagraphVector,
    files,
    load,
    verify,
)


def edit(name, change):
    def damage(header, arrays):
        arrays[name] = change(np.array(arrays[name]))
        if arrays[name] is None:
            del arrays[name]

    return damage


def put(value, *place):
    def change(array):
        array[place] = value
        return array

    return change


def parameter(name, value):
    return lambda header, arrays: header["parameters"].__setitem__(name, value)


BAD = {
    "mode of documents": parameter("mode", "dbow"),
    "neighbors negative": parameter("neighbors", -1),
    "neighbors null": parameter("neighbors", None),
    "weight infinite": parameter("neighbor_weight", float(10**9)),
    "dim fewer": parameter("dim", 19),
    "bits more than dim": parameter("bits", 21),
    "idf missing": edit("idf", lambda a: None),
    "idf short": edit("idf", lambda a: a[:-1]),
    "idf double": edit("idf", lambda a: a.astype(np.float64)),
    "idf of two dimensions": edit("idf", lambda a: a[:, None]),
    "idf zero": edit("idf", put(0.0, 1)),
    "idf negative": edit("idf", put(-1.0, 1)),
    "idf NaN": edit("idf", put(np.nan, 0)),
    "idf infinite": edit("idf", put(np.inf, 0)),
    "context missing": edit("context", lambda a: None),
    "context short": edit("context", lambda a: a[:-1]),
    "context padding": edit("context", put(1.0, 0, 31)),
    "context NaN": edit("context", put(np.nan, 0, 0)),
    "offset short": edit("offset", lambda a: a[:-1]),
    "offset long": edit("offset", lambda a: np.append(a, np.float32(0))),
    "offset double": edit("offset", lambda a: a.astype(np.float64)),
    "offset of two dimensions": edit("offset", lambda a: a[None]),
    "offset NaN": edit("offset", put(np.nan, 0)),
    "offset infinite": edit("offset", put(-np.inf, 3)),
    "projection missing": edit("projection", lambda a: None),
    "projection short": edit("projection", lambda a: a[:-1]),
    "projection padding": edit("projection", put(1.0, 0, 20)),
    "projection infinite": edit("projection", put(np.inf, 0, 0)),
}


@pytest.fixture(scope="module")
def contents():
    return make("real-binary encoder").fit(TEXTS).__getstate__()["contents"]


@pytest.mark.parametrize("damage", BAD)
def test_a_well_formed_file_of_nonsense_is_refused(damage, contents, tmp_path):
    header, arrays = files.read_bytes(contents, "model")
    BAD[damage](header, arrays)
    files.write_file(tmp_path / "bad", "model", header, arrays)
    for use in (load, verify, RealBinaryParagraphVector.load):
        with pytest.raises(FormatError):
            use(tmp_path / "bad")


def test_a_file_without_an_offset_has_none(contents, tmp_path):
    header, arrays = files.read_bytes(contents, "model")
    del arrays["offset"]
    files.write_file(tmp_path / "model", "model", header, arrays)
    loaded = load(tmp_path / "model")
    values = loaded.vectors(TEXTS) @ loaded.projection_.T
    assert np.abs(loaded.preactivations(TEXTS) - values).max() < 1e-4


@pytest.mark.parametrize("cls", MODELS)
def test_a_file_from_before_there_were_encoders_is_read(cls, tmp_path):
    model = cls(20, **SMALL, objective="softmax").fit(TEXTS)
    header, arrays = files.read_bytes(model.__getstate__()["contents"], "model")
    assert not {"idf", "offset"} & arrays.keys()
    for name in ("neighbors", "neighbor_weight"):
        del header["parameters"][name]
    files.write_file(tmp_path / "old", "model", header, arrays)
    loaded = load(tmp_path / "old")
    assert loaded.get_params() == model.get_params()
    assert np.array_equal(loaded.transform(TEXTS), model.transform(TEXTS))


def test_binary_encoders_have_no_projection():
    model = BinaryParagraphVector(20, mode="encoder", neighbors=0, **SMALL).fit(TEXTS)
    assert model.context_vectors_.shape == (len(model.vocabulary_), 20)
    assert model.word_vectors_.shape == (len(model.vocabulary_), 20)
    assert not hasattr(model, "projection_")
