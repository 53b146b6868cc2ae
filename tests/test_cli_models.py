"""The commands that train, encode, search and evaluate, run as a user runs them."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from reference.command_line import RUN, bitsense, error_of, spawn

from bitsense import files

SUBJECTS = {
    "sea": "ship sail wave harbour anchor tide gull captain deck storm",
    "kitchen": "pan oven salt flour butter knife spoon sugar boil recipe",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A hundred documents of each subject, a third of them of the split "test"."""
    rng = random.Random(1)
    path = tmp_path_factory.mktemp("cli") / "data.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for i in range(300):
            label = rng.choice(sorted(SUBJECTS))
            text = " ".join(rng.choices(SUBJECTS[label].split(), k=12))
            split = "test" if i % 3 == 0 else "train"
            record = {"name": f"d{i}", "text": text, "label": label, "split": split}
            file.write(json.dumps(record) + "\n")
    return path


TRAIN = ("--epochs", 20, "--min-count", 1, "--subsample", 1, "--seed", 3, "--quiet")


@pytest.fixture(scope="module")
def model(data) -> Path:
    path = data.with_name("model.bitsense")
    spawn("train", data, "--field", "text", "--bits", 20, "-o", path, *TRAIN)
    return path


@pytest.fixture(scope="module")
def real_model(data) -> Path:
    path = data.with_name("real.bitsense")
    bitsense("train", data, "--field", "text", "--model", "paragraph-vector", "--dim", 8,
             "--output", path, *TRAIN)  # fmt: skip
    return path


@pytest.fixture(scope="module")
def codes(data, model) -> Path:
    path = data.with_name("codes.bitsense")
    bitsense("encode", model, data, "--field", "text", "--id-field", "name", "-o", path)
    return path


def texts(data: Path) -> list[str]:
    return [json.loads(line)["text"] for line in data.read_text().splitlines()]


def test_train_equals_the_library(data, model):
    from bitsense import load
    from bitsense.models import BinaryParagraphVector

    want = BinaryParagraphVector(
        bits=20, epochs=20, min_count=1, subsample=1.0, seed=3, progress=False
    ).fit(texts(data))
    loaded = load(model)
    assert type(loaded) is BinaryParagraphVector
    assert loaded.get_params()["epochs"] == 20
    assert np.array_equal(loaded.transform(texts(data)), want.transform(texts(data)))


def test_train_reads_standard_input_and_says_what_it_did(data, model, tmp_path):
    path = tmp_path / "again.bitsense"
    arguments = [*TRAIN[:-1], "--bits", 20, "--threads", 1]
    out, err = bitsense("train", "-", "-o", path, *arguments, stdin="\n".join(texts(data)))
    assert out == ""
    assert re.search(
        rf"{path}: BinaryParagraphVector of 300 documents, 20 words, trained in [0-9.]+ s, "
        rf"{path.stat().st_size:,} bytes\n$",
        err,
    )
    plain = files.read_file(path)[1]
    for name, array in files.read_file(model)[1].items():
        assert np.array_equal(plain[name], array)


def test_tokeniser_options_reach_the_model(data, tmp_path):
    path = tmp_path / "m.bitsense"
    bitsense("train", "-", "-o", path, "--bits", 8, "--no-lowercase", "--min-length", 3, *TRAIN,
             stdin="Red red wine is red\n" * 3)  # fmt: skip
    header = json.loads(bitsense("info", path, "--json")[0])["header"]
    assert header["tokenizer"]["lowercase"] is False
    assert header["tokenizer"]["min_length"] == 3


def test_train_refuses_wrong_options_before_it_reads(data, tmp_path):
    line = error_of("train", "-", "-o", tmp_path / "m", "--model", "paragraph-vector",
                    "--bits", 8, status=2)  # fmt: skip
    assert line == "bitsense train: error: --bits is not an option of paragraph-vector"
    line = error_of("train", data, "-o", tmp_path / "m", status=2)
    assert (
        line == f"bitsense train: error: --field must name the field that holds the text of {data}"
    )
    line = error_of("train", "-", "-o", tmp_path / "m", "--bits", "many", status=2)
    assert line == "bitsense train: error: argument --bits: invalid int value: 'many'"
    line = error_of("train", "-", "-o", tmp_path / "none" / "m")
    assert line == f"bitsense: error: {tmp_path / 'none'}: No such folder"
    line = error_of("train", tmp_path / "none", "-o", tmp_path / "m")
    assert line == f"bitsense: error: {tmp_path / 'none'}: No such file or directory"
    line = error_of("train", "-", "-o", tmp_path / "m", "--epochs", "0", stdin="a b\n")
    assert line == "bitsense: error: `epochs` must be at least 1, got 0"
    assert list(tmp_path.iterdir()) == []


def test_errors_in_standard_input_name_it(tmp_path):
    line = error_of("train", "-", "-o", tmp_path / "m", "--field", "text", stdin='{"text": 1}\n')
    assert line == (
        "bitsense: error: standard input line 1 must be an object with a string in 'text', got int"
    )


def test_encode_writes_every_format(data, model, codes, tmp_path):
    from bitsense import load

    want = load(model).transform(texts(data))
    encode = ("encode", model, data, "--field", "text")
    lines = [json.loads(line) for line in bitsense(*encode)[0].splitlines()]
    assert lines == [
        {"id": i, "bits": 20, "code": row.tobytes().hex()} for i, row in enumerate(want)
    ]
    out, _ = bitsense(*encode, "--format", "hex", "--quiet")
    assert out.splitlines() == [row.tobytes().hex() for row in want]
    bitsense(*encode, "-o", tmp_path / "c.npy")
    assert np.array_equal(np.load(tmp_path / "c.npy"), want)
    out, err = spawn(*encode, "--id-field", "name", "--format", "bitsense")
    assert out == codes.read_bytes()
    assert err == b"300 documents encoded\n"
    loaded = load(codes)
    assert loaded.bits == 20
    assert np.array_equal(loaded.data, want)
    assert loaded.ids.tolist() == [f"d{i}" for i in range(300)]


def test_encode_writes_real_vectors(data, model, real_model, tmp_path):
    from bitsense import load

    encode = (data, "--field", "text")
    bitsense("encode", model, *encode, "--real", "-o", tmp_path / "v.npy", "--threads", 1)
    vectors = np.load(tmp_path / "v.npy")
    assert vectors.dtype == np.float32
    assert np.array_equal(np.packbits(vectors > 0, axis=1), load(model).transform(texts(data)))
    out, _ = bitsense("encode", real_model, *encode)
    got = np.array([json.loads(line)["vector"] for line in out.splitlines()], np.float32)
    assert np.array_equal(got, load(real_model).transform(texts(data)))
    line = error_of("encode", real_model, *encode, "--format", "hex", status=2)
    assert line.endswith("error: real vectors have no format hex; use npy or jsonl")


def test_encode_refuses_nothing_and_codes(model, codes):
    line = error_of("encode", model, "-")
    assert line == "bitsense: error: the input must hold at least one document, got none"
    line = error_of("encode", codes, "-", stdin="a\n")
    assert (
        line == f"bitsense: error: {codes} must hold a model of texts, "
        "got <Codes: 300 of 20 bits, with ids>"
    )


def test_search_finds_documents_of_the_subject(data, model, codes):
    labels = {r["name"]: r["label"] for r in map(json.loads, data.read_text().splitlines())}
    queries = ["ship in a storm, the captain on deck", "flour, butter and sugar in the oven"]
    out, err = bitsense("search", codes, "--model", model, "-k", 5,
                        "--query", queries[0], "--query", queries[1])  # fmt: skip
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[:2] for row in rows] == [[str(q), str(r)] for q in (0, 1) for r in range(1, 6)]
    assert [labels[row[2]] for row in rows] == ["sea"] * 5 + ["kitchen"] * 5
    assert err == ""
    out, _ = bitsense("search", codes, "--model", model, "-k", 5, "--queries", "-", "--json",
                      stdin="\n".join(queries))  # fmt: skip
    answers = list(map(json.loads, out.splitlines()))
    assert [answer["query"] for answer in answers] == queries
    found = [result for answer in answers for result in answer["results"]]
    assert [[r["id"], str(r["distance"])] for r in found] == [row[2:] for row in rows]


def test_search_refuses_codes_of_another_length(codes, real_model, tmp_path):
    other = tmp_path / "other.bitsense"
    bitsense("train", "-", "--bits", 8, "-o", other, *TRAIN, stdin="a b a b\n" * 9)
    line = error_of("search", codes, "--model", other, "--query", "a")
    assert line == (
        f"bitsense: error: the codes of {codes} have 20 bits, but {other} makes codes of 8"
    )
    line = error_of("search", codes, "--model", real_model, "--query", "a")
    assert line == (
        f"bitsense: error: {real_model} must hold a model that makes binary codes, "
        "got ParagraphVector"
    )
    line = error_of("search", other, "--model", other, "--query", "a")
    assert line.startswith(f"bitsense: error: {other}: holds a BinaryParagraphVector, not Codes")


def test_eval_is_far_above_chance(data, model, real_model):
    out, _ = bitsense("eval", model, data, "--split", "test", "--json")
    report = json.loads(out)
    assert (report["documents"], report["labels"]) == (100, 2)
    assert (report["bits"], report["distance"]) == (20, "hamming")
    assert set(report["model"]) == set(report["chance"]) == {"map", "ndcg@10", "p@10"}
    assert report["model"]["map"] > 0.9
    assert 0.45 < report["chance"]["map"] < 0.55
    assert report["chance"]["p@10"] == pytest.approx(report["chance"]["ndcg@10"])
    out, _ = bitsense("eval", model, data)
    first, names, scores, chance = out.splitlines()
    assert first == "300 documents, 2 labels, hamming distance, 20 bits"
    assert names.split() == ["MAP", "NDCG@10", "P@10"]
    assert scores.startswith("model ")
    assert chance.startswith("chance ")
    report = json.loads(bitsense("eval", real_model, data, "--json")[0])
    assert (report["bits"], report["distance"]) == (None, "cosine")
    assert report["model"]["map"] > 0.9


def test_eval_refuses_an_empty_split_and_a_missing_label(data, model):
    line = error_of("eval", model, data, "--split", "none")
    assert line == (
        "bitsense: error: the data must hold at least 2 documents of the split 'none', got 0"
    )
    line = error_of("eval", model, data, "--label-field", "topic")
    assert line == (
        f"bitsense: error: {data} line 1 must have a string or an integer in 'topic', "
        "got no such field"
    )


def test_interrupt_gives_130_and_leaves_no_file(tmp_path):
    path = tmp_path / "m.bitsense"
    text = ("\n".join(" ".join(SUBJECTS.values()) for _ in range(20_000))).encode()
    child = subprocess.Popen(
        [*RUN, "train", "-", "-o", str(path), "--min-count", "1", "--epochs", "1000000",
         "--quiet"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    child.stdin.write(text)  # more than a pipe holds: the command is at work when this returns
    child.stdin.close()
    time.sleep(0.7)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=10) == 130
    assert child.stdout.read() == b""
    assert child.stderr.read() == b""
    child.stdout.close()
    child.stderr.close()
    assert list(tmp_path.iterdir()) == []
