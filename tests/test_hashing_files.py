"""Binarisers as files."""

from __future__ import annotations

import numpy as np
import pytest

from bitsense import (
    ITQ,
    FormatError,
    RandomHyperplanes,
    SignBinarizer,
    files,
    load,
    verify,
)

ALL = [
    SignBinarizer(center=False),
    RandomHyperplanes(np.int64(20), center=np.True_, seed=2**64 - 1),
    ITQ(10, iterations=3),
]
VECTORS = np.random.default_rng(0).normal(size=(60, 12)).astype(np.float32) + 0.3
each = pytest.mark.parametrize("binarizer", ALL, ids=repr)


@each
def test_a_file_gives_the_binariser_back(binarizer, tmp_path):
    path = tmp_path / "binarizer"
    binarizer.fit(VECTORS)
    codes = binarizer.transform(VECTORS)
    binarizer.save(path)
    for loaded in (load(path), type(binarizer).load(path)):
        assert type(loaded) is type(binarizer)
        assert loaded.get_params() == binarizer.get_params()
        assert loaded.bits_ == binarizer.bits_
        assert np.array_equal(loaded.transform(VECTORS), codes)
        assert np.array_equal(loaded.project(VECTORS), binarizer.project(VECTORS))
        loaded.save(tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == path.read_bytes()
    assert verify(path)["kind"] == "binarizer"


@each
def test_parameters_changed_after_fit_stay_out_of_the_file(binarizer, tmp_path):
    changed = type(binarizer)(**binarizer.get_params()).fit(VECTORS)
    expected = changed.transform(VECTORS)
    changed.set_params(**{next(iter(changed.get_params())): 0}).save(tmp_path / "binarizer")
    assert np.array_equal(load(tmp_path / "binarizer").transform(VECTORS), expected)


def test_another_class_is_refused(tmp_path):
    ITQ(8).fit(VECTORS).save(tmp_path / "itq")
    with pytest.raises(FormatError, match="itq: holds a ITQ, not a SignBinarizer"):
        SignBinarizer.load(tmp_path / "itq")


BAD = {
    "class": lambda h, a: h.update({"class": "PCA"}),
    "parameters": lambda h, a: h.update(parameters=[]),
    "bits": lambda h, a: h["parameters"].update(bits=9),
    "bits beyond the dimension": lambda h, a: h["parameters"].update(bits=13),
    "a parameter missing": lambda h, a: h["parameters"].pop("seed"),
    "a parameter of no file": lambda h, a: h["parameters"].update(threads=2),
    "iterations": lambda h, a: h["parameters"].update(iterations=4),
    "mean missing": lambda h, a: a.pop("mean_"),
    "mean short": lambda h, a: a.update(mean_=a["mean_"][:-1]),
    "mean empty": lambda h, a: a.update(mean_=a["mean_"][:0]),
    "directions double": lambda h, a: a.update(directions_=a["directions_"].astype(float)),
    "directions NaN": lambda h, a: a.update(directions_=a["directions_"] * np.float32(np.nan)),
    "rotation": lambda h, a: a.update(rotation_=a["rotation_"][:, :-1]),
}


@pytest.mark.parametrize("damage", BAD)
def test_a_well_formed_file_of_nonsense_is_refused(damage, tmp_path):
    ITQ(10, iterations=3).fit(VECTORS).save(tmp_path / "good")
    header, arrays = files.read_file(tmp_path / "good")
    BAD[damage](header, arrays)
    files.write_file(tmp_path / "bad", "binarizer", header, arrays)
    for use in (load, verify):
        with pytest.raises(FormatError, match="bad: "):
            use(tmp_path / "bad")
