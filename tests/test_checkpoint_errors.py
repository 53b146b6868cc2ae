"""Checkpoints of another training, and files that are none: each is refused and left alone."""

from __future__ import annotations

import numpy as np
import pytest
from reference.checkpoints import TEXTS, contents, left, make, unbroken

from bitsense import (
    Checkpoint,
    DisambiguatedSkipGram,
    FormatError,
    ParagraphVector,
    Word2Vec,
    _core,
    files,
)


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"learning_rate": 0.05}, "`learning_rate` was 0.025 and is 0.05"),
        ({"seed": 1}, "`seed` was 0 and is 1"),
        ({"dim": 21}, "`dim` was 20 and is 21"),
        ({"mode": "cbow"}, "`mode` was 'skip-gram' and is 'cbow'"),
        ({"subwords": (3, 4)}, "`subwords` was None and is [3, 4]"),
        ({"deterministic": False}, "`deterministic` was True and is False"),
    ],
)
def test_other_parameters_are_named(more, what, tmp_path):
    path = left(tmp_path)
    before = path.read_bytes()
    model = make("skip-gram", **more)
    with pytest.raises(ValueError) as caught:
        model.fit(TEXTS, checkpoint=path)
    assert str(caught.value) == (
        f"{path}: the checkpoint is of another training: {what}; remove the file to begin anew"
    )
    assert path.read_bytes() == before
    assert not model.__sklearn_is_fitted__()


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        (TEXTS[:-1], "it had 160 documents and has 159"),
        ([TEXTS[0] + " and", *TEXTS[1:]], r"it had \d+ tokens and has \d+"),
        (TEXTS[::-1], "the documents are others"),
        ([t.replace("topic0", "theme") for t in TEXTS], "the words of the documents or their"),
    ],
)
def test_other_documents_are_named(texts, what, tmp_path):
    path = left(tmp_path)
    with pytest.raises(ValueError, match=f"c: the checkpoint is of another training: {what}"):
        make("skip-gram").fit(texts, checkpoint=path)


def test_another_model_level_or_version_is_named(tmp_path):
    path = left(tmp_path)
    with pytest.raises(ValueError, match="the model was Word2Vec and is DisambiguatedSkipGram"):
        make("senses").fit(TEXTS, checkpoint=path)
    header, arrays = files.read_file(path)
    fused = _core.level() != "baseline"
    for name, value, what in (
        ("version", "0.0.1", "bitsense was 0.0.1 and is "),
        ("level", "baseline" if fused else "avx2", "the instruction-set level was "),
    ):
        training = {**header["training"], name: value}
        files.write_file(path, "checkpoint", {**header, "training": training}, arrays)
        with pytest.raises(ValueError, match=what):
            make("skip-gram").fit(TEXTS, checkpoint=path)


def test_levels_that_give_the_same_bytes_are_one(tmp_path):
    if _core.level() == "baseline":
        pytest.skip("needs fused multiply-add")
    path = left(tmp_path)
    header, arrays = files.read_file(path)
    other = "avx2" if _core.level() == "avx512" else "avx512"
    training = {**header["training"], "level": other}
    files.write_file(path, "checkpoint", {**header, "training": training}, arrays)
    assert contents(make("skip-gram").fit(TEXTS, checkpoint=path)) == unbroken("skip-gram")


def test_what_is_asked_of_the_model_later_may_be_other(tmp_path):
    path = left(tmp_path, "BinaryParagraphVector")
    model = make("BinaryParagraphVector", infer_epochs=3, on_unknown="nan")
    assert model.fit(TEXTS, checkpoint=path).infer_epochs == 3


def test_files_that_are_no_checkpoints_are_refused_and_left_alone(tmp_path):
    path = tmp_path / "c"
    make("skip-gram").fit(TEXTS).save(path)
    before = path.read_bytes()
    with pytest.raises(FormatError, match="c: holds a 'model', not a 'checkpoint'"):
        make("skip-gram").fit(TEXTS, checkpoint=path)
    assert path.read_bytes() == before
    path.unlink()
    whole = left(tmp_path).read_bytes()
    path.write_bytes(whole[:-64])
    with pytest.raises(FormatError, match="c: "):
        make("skip-gram").fit(TEXTS, checkpoint=path)
    assert path.read_bytes() == whole[:-64]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("blocks", -1),
        ("words", 2**63),
        ("blocks", "7"),
        ("epoch", -1),
        ("before", None),
        ("part", 2),
        ("training", []),
    ],
)
def test_a_corrupt_header_is_refused(field, value, tmp_path):
    path = left(tmp_path)
    header, arrays = files.read_file(path)
    files.write_file(path, "checkpoint", {**header, field: value}, arrays)
    before = path.read_bytes()
    with pytest.raises(FormatError, match=f"c: corrupt: '{field}' of the header must be "):
        make("skip-gram").fit(TEXTS, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["input", "output", "losses", "targets"])
def test_corrupt_tables_are_refused(name, tmp_path):
    path = left(tmp_path)
    header, arrays = files.read_file(path)
    short = {**arrays, name: arrays[name][:-1]}
    if name == "losses":
        short["losses"] = arrays["losses"].astype(np.float32)
    gone = {key: array for key, array in arrays.items() if key != name}
    for bad in (short, gone):
        files.write_file(path, "checkpoint", header, bad)
        before = path.read_bytes()
        with pytest.raises(FormatError, match="c: corrupt: array '"):
            make("skip-gram").fit(TEXTS, checkpoint=path)
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("checkpoint", "error", "message"),
    [
        (3, TypeError, "`checkpoint` must be a path or a Checkpoint, got int"),
        (Checkpoint(3), TypeError, "`path` of the checkpoint must be a path, got int"),
        (Checkpoint("c", every=-1), ValueError, "`every` must be at least 0, got -1"),
        (Checkpoint("c", keep=1), TypeError, "`keep` must be True or False, got 1"),
    ],
)
@pytest.mark.parametrize("cls", [Word2Vec, DisambiguatedSkipGram, ParagraphVector])
def test_bad_arguments_are_named(cls, checkpoint, error, message):
    with pytest.raises(error) as caught:
        cls(8, min_count=1).fit(TEXTS, checkpoint=checkpoint)
    assert str(caught.value) == message


def test_a_path_that_cannot_be_written_is_found_out_at_once(tmp_path):
    seen = []
    with pytest.raises(FileNotFoundError):
        make("skip-gram", progress=seen.append).fit(TEXTS, checkpoint=tmp_path / "none" / "c")
    assert seen == []
