"""`train --held-out`, `certify`, and how `info` shows what they measured."""

from __future__ import annotations

import json

import numpy as np
import pytest
from reference import certificate as twin
from reference.command_line import bitsense, error_of
from reference.topics import planted

from bitsense import BinaryParagraphVector, files, load
from bitsense._edited_copies import HELD_OUT
from bitsense._held_out import HeldOut

TEXTS = planted(topics=4, documents=60)[0]
TRAIN = ("--bits", 20, "--epochs", 2, "--min-count", 1, "--subsample", 0, "--seed", 5)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("certificate") / "texts.txt"
    path.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(data):
    """The model and what the command said."""
    path = data.with_name("model.bitsense")
    out, err = bitsense("train", data, "-o", path, *TRAIN, "--held-out", 0.2)
    assert out == ""
    return path, err


def parts(share=0.2, seed=5):
    held = HeldOut(TEXTS, share, seed)
    return list(held), list(held.others())


def test_the_split_is_by_hash_of_seed_and_place(monkeypatch):
    want = [twin.draw(5, HELD_OUT, place) < 0.2 * 2**64 for place in range(len(TEXTS))]
    held, others = parts()
    assert held == [text for text, chosen in zip(TEXTS, want, strict=True) if chosen]
    assert others == [text for text, chosen in zip(TEXTS, want, strict=True) if not chosen]
    assert 30 < len(held) < 66
    assert set(held) < set(parts(share=0.4)[0])
    assert held != parts(seed=6)[0]
    monkeypatch.setattr("bitsense._held_out._BLOCK", 7)
    assert parts() == (held, others)
    assert list(HeldOut([], 0.5, 0)) == []


def test_train_measures_what_it_held_out(trained):
    path, err = trained
    held, others = parts()
    model = BinaryParagraphVector(20, epochs=2, min_count=1, subsample=0, seed=5).fit(others)
    want = model.certificate(held, training=others, seed=5)
    loaded = load(path)
    assert loaded.certificate_ == want
    assert np.array_equal(loaded.transform(held), model.transform(held))
    assert err.endswith(f"bytes\n\n{want}\n")
    assert f"of {len(others)} documents" in err


def test_info_shows_it(trained):
    path, _ = trained
    out, err = bitsense("info", path)
    assert out.endswith(f"float32, {len(load(path).vocabulary_)}\n\n{load(path).certificate_}\n")
    assert "certificate " not in out
    assert err == ""
    header = json.loads(bitsense("info", path, "--json")[0])["header"]
    assert header["certificate"] == load(path).certificate_.as_dict()


def test_info_refuses_a_corrupt_one(trained, tmp_path):
    header, arrays = files.read_file(trained[0])
    files.write_file(tmp_path / "bad", "model", {**header, "certificate": 3}, arrays)
    line = error_of("verify", tmp_path / "bad")
    assert line.endswith("bad: corrupt: the certificate: an object cannot be 3")
    assert error_of("info", tmp_path / "bad") == line


def test_train_refuses_a_share_that_measures_nothing(data, tmp_path):
    train = ("train", data, "-o", tmp_path / "m", *TRAIN)
    for share in (0, 1, -0.1, "nan"):
        line = error_of(*train, "--held-out", share, status=2)
        assert line == (
            "bitsense train: error: --held-out must be more than 0 and less than 1, "
            f"got {float(share)}"
        )
    line = error_of("train", data, "-o", tmp_path / "m", "--model", "cbow", "--held-out", 0.1,
                    status=2)  # fmt: skip
    assert line == "bitsense train: error: --held-out is not an option of cbow"
    line = error_of(*train, "--held-out", 0.001)
    assert line == (
        "bitsense: error: --held-out must leave at least 11 documents out of the training, "
        "0.001 leaves 1"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_kept_where_it_cannot_be_measured(data, tmp_path):
    # All held-out documents are of words that the training does not see.
    lines = [text if text in parts()[1] else "unknown" for text in TEXTS]
    line = error_of("train", "-", "-o", tmp_path / "m", *TRAIN, "--held-out", 0.2, "--quiet",
                    stdin="\n".join(lines))  # fmt: skip
    assert line == (
        "bitsense: error: `documents` must hold at least 11 with a known word for `k`=10, got 0"
    )
    assert load(tmp_path / "m").certificate_ is None


def test_certify_measures_and_keeps(trained, data, tmp_path):
    path = tmp_path / "m.bitsense"
    model = BinaryParagraphVector(20, epochs=2, min_count=1, subsample=0, seed=5)
    model.fit(TEXTS[:150]).save(path, documents=True)
    rest = "\n".join(TEXTS[150:])
    options = ("--bits", "8,32", "-k", 3, "--edit", 0.1, "--found", 0.9, "--pairs", 99, "--seed", 2)
    want = model.certificate(TEXTS[150:], bits=(8, 32), k=3, edit=0.1, found=0.9, pairs=99, seed=2)
    out, err = bitsense("certify", path, "-", *options, stdin=rest)
    assert (out, err) == (f"{want}\n", f"{path}: the model with its certificate\n")
    loaded = load(path)
    assert loaded.certificate_ == want
    assert np.array_equal(loaded.document_vectors_, model.document_vectors_)
    other = tmp_path / "other.bitsense"
    out, err = bitsense("certify", trained[0], data, "-o", other, "--json", "--quiet", "-k", 2,
                        "--threads", 1)  # fmt: skip
    assert json.loads(out) == load(other).certificate_.as_dict()
    assert load(other).certificate_.k == 2
    assert load(trained[0]).certificate_.k == 10
    assert err == ""


def test_certify_refuses_what_has_no_codes(data, tmp_path):
    words = tmp_path / "words"
    bitsense("train", data, "-o", words, "--model", "cbow", "--dim", 4, "--epochs", 1, "--quiet")
    line = error_of("certify", words, data)
    assert line == f"bitsense: error: {words} must hold a model of documents, got Word2Vec"
    line = error_of("certify", words, data, "--bits", "many", status=2)
    assert line.endswith("argument --bits: must be integers like 32,64, got 'many'")
    line = error_of("certify", words, "texts.jsonl", status=2)
    assert line.endswith("--field must name the field that holds the text of texts.jsonl")
