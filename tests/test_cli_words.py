"""The commands for words and their senses, run as a user runs them."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from reference.command_line import bitsense, error_of

from bitsense import load
from bitsense.cli.train import MODELS, class_of, parameters
from bitsense.vectors import SenseVectors, WordVectors

SUBJECTS = {
    "river": "river water shore stream lake flood boat fish mud reed",
    "money": "money loan credit account deposit cash interest debt fund teller",
    "tree": "tree green leaf garden soil plant seed flower root sun",
}


def rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A corpus in which `bank` has two senses, two models of it, and vectors made by hand."""
    folder = tmp_path_factory.mktemp("words")
    rng = random.Random(0)
    with (folder / "corpus.txt").open("w") as file:
        for _ in range(3000):
            subject = rng.choice(sorted(SUBJECTS))
            words = rng.choices(SUBJECTS[subject].split(), k=14)
            if subject != "tree":
                words.insert(rng.randrange(14), "bank")
            file.write(" ".join(words) + "\n")
    options = ("--dim", 16, "--min-count", 1, "--subsample", 1, "--quiet", "--threads", 1)
    corpus = folder / "corpus.txt"
    bitsense("train", corpus, "-o", folder / "sg", "--model", "skip-gram", *options)
    bitsense("train", corpus, "-o", folder / "se", "--model", "senses", "--senses", 2,
             "--epochs", 15, *options)  # fmt: skip
    WordVectors(
        ["king", "queen", "man", "woman"], [[3.0, 1], [3, -1], [1, 1], [1, -1]], counts=[4, 3, 2, 1]
    ).save(folder / "hand")
    SenseVectors(
        ["bank", "river", "money"], [0, 2, 3, 4], [[0.0, 1], [1, 0], [1, 0.1], [0.1, 1]],
        priors=[0.7, 0.3, 1, 1], counts=[10, 5, 5],
    ).save(folder / "hand-senses")  # fmt: skip
    return folder


# Training


def test_train_equals_the_library(folder):
    from bitsense.word_models import Word2Vec

    documents = (folder / "corpus.txt").read_text().splitlines()
    want = Word2Vec(16, min_count=1, subsample=1.0, progress=False).fit(documents)
    loaded = load(folder / "sg")
    assert loaded.get_params()["mode"] == "skip-gram"
    assert np.array_equal(loaded.wv.vectors, want.wv.vectors)


def test_train_reads_subwords_and_starts_from_vectors(folder, tmp_path):
    corpus = tmp_path / "c"
    corpus.write_text("red wine is red\n" * 20)
    options = ("--dim", 8, "--min-count", 1, "--quiet")
    path = tmp_path / "m"
    bitsense("train", corpus, "-o", path, "--model", "cbow", "--subwords", "3,5",
             "--buckets", 100, *options)  # fmt: skip
    model = load(path)
    assert (model.get_params()["mode"], tuple(model.get_params()["subwords"])) == ("cbow", (3, 5))
    assert "wines" not in model.wv
    assert model.wv.get("wines") is not None
    start = tmp_path / "start"
    wine = np.arange(8, dtype=np.float32)
    WordVectors(["red", "wine", "is"], [wine + 1, wine, wine + 2]).save(start)
    bitsense("train", corpus, "-o", path, "--model", "skip-gram", "--start", start,
             "--freeze", "input", *options)  # fmt: skip
    assert np.array_equal(load(path).wv["wine"], wine)


def test_train_refuses_options_of_other_models(tmp_path):
    train = ("train", "-", "-o", tmp_path / "m", "--model")
    line = error_of(*train, "cbow", "--senses", 3, status=2)
    assert line == "bitsense train: error: --senses is not an option of cbow"
    line = error_of(*train, "cbow", "--mode", "skip-gram", status=2)
    assert line == "bitsense train: error: --mode is not an option of cbow"
    line = error_of(*train, "senses", "--start", "x", status=2)
    assert line == "bitsense train: error: --start is not an option of senses"
    line = error_of(*train, "skip-gram", "--subwords", "3", status=2)
    assert line == (
        "bitsense train: error: argument --subwords: must be two integers like 3,6, got '3'"
    )
    assert list(tmp_path.iterdir()) == []


def test_short_names_of_models_are_understood(tmp_path):
    options = ("--bits", 8, "--min-count", 1, "--epochs", 1, "--quiet")
    bitsense(
        "train", "-", "-o", tmp_path / "m", "--model", "binary-pv", *options, stdin="a b\n" * 9
    )
    assert type(load(tmp_path / "m")).__name__ == "BinaryParagraphVector"


def test_modes_and_the_model_with_two_kinds_of_vectors_are_trained(tmp_path):
    path, text = tmp_path / "m", "a b c\nc d a\n" * 9
    small = ("--min-count", 1, "--epochs", 1, "--quiet")
    bitsense("train", "-", "-o", path, *small, "--bits", 8, "--mode", "dm", "--context", 2,
             "--word-dim", 3, "--no-round-words", stdin=text)  # fmt: skip
    model = load(path)
    assert (model.mode, model.context, model.word_dim, model.round_words) == ("dm", 2, 3, False)
    bitsense("train", "-", "-o", path, *small, "--model", "pv", "--dim", 8, "--mode", "dm-mean",
             stdin=text)  # fmt: skip
    assert load(path).mode == "dm-mean"
    bitsense("train", "-", "-o", path, *small, "--model", "real-binary", "--dim", 20, "--bits", 9,
             stdin=text)  # fmt: skip
    both = load(path)
    assert (type(both).__name__, both.dim, both.bits) == ("RealBinaryParagraphVector", 20, 9)
    for options, answer in [((), both.transform), (("--real",), both.vectors)]:
        bitsense("encode", path, "-", "-o", tmp_path / "x.npy", *options, stdin="a b\nd\n")
        assert np.array_equal(np.load(tmp_path / "x.npy"), answer(["a b", "d"]))


def test_train_help_shows_the_defaults_of_every_class(monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    out = re.sub(r"\n {9,}", "  ", bitsense("train", "--help")[0])
    shown = {
        match[1]: match[0] for match in re.finditer(r"^  --([a-z-]+)[ ,].*$", out, re.MULTILINE)
    }
    for name, trained in MODELS.items():
        for parameter, about in parameters(class_of(name)).items():
            if parameter in trained.fixed or about.default is None:
                continue
            line = shown[parameter.replace("_", "-")]
            own = re.search(
                rf"(?:default: |, ){re.escape(str(about.default))} \([^)]*\b{name}\b", line
            )
            every = line.endswith(f"default: {about.default}")
            assert own or every, (name, line)
    assert shown["window"].endswith(
        "default: 16 (binary-paragraph-vector, paragraph-vector, real-binary-paragraph-vector), "
        "5 (skip-gram, cbow, senses)"
    )


# Looking


def test_neighbors_of_words(folder):
    out, err = bitsense("neighbors", folder / "hand", "queen", "man", "-k", 2)
    assert rows(out) == [
        ["queen", "1", "woman", "0.8944"],
        ["queen", "2", "king", "0.8000"],
        ["man", "1", "king", "0.8944"],
        ["man", "2", "queen", "0.4472"],
    ]
    assert err == ""
    out, _ = bitsense("neighbors", folder / "hand", "-", "-k", 1, "--restrict", 2, "--json",
                      stdin="woman\n\nman\n")  # fmt: skip
    assert [json.loads(line) for line in out.splitlines()] == [
        {"query": "woman", "results": [{"key": "queen", "similarity": 0.894427}]},
        {"query": "man", "results": [{"key": "king", "similarity": 0.894427}]},
    ]


def test_neighbors_of_each_sense(folder):
    out, _ = bitsense("neighbors", folder / "hand-senses", "bank", "bank#2", "-k", 1)
    assert [row[::2] for row in rows(out)] == [
        ["bank#1", "money#1"], ["bank#2", "river#1"], ["bank#2", "river#1"],
    ]  # fmt: skip
    assert len(rows(bitsense("neighbors", folder / "se", "bank")[0])) == 20


def test_an_unknown_word_does_not_stop_the_others(folder):
    out, err = bitsense("neighbors", folder / "hand", "kingg", "man", "-k", 1, status=1)
    assert rows(out) == [["man", "1", "king", "0.8944"]]
    assert err == "bitsense: error: 'kingg' is not among the 4 keys; near ones: 'king'\n"
    out, err = bitsense("senses", folder / "hand-senses", "sea", "river", status=1)
    assert out.startswith("river#1\t1.000\tbank#2 ")
    assert err.startswith("bitsense: error: 'sea' is not among")


def test_every_command_reads_files_of_other_programs(folder, tmp_path):
    (tmp_path / "w").write_text("4 2\nking 3 1\nqueen 3 -1\nman 1 1\nwoman 1 -1\n")
    want = bitsense("neighbors", folder / "hand", "queen")
    assert bitsense("neighbors", tmp_path / "w", "queen") == want
    line = error_of("neighbors", folder / "corpus.txt", "queen")
    assert line == (
        f"bitsense: error: {folder / 'corpus.txt'}: is in no format of vectors that is known"
    )


def test_senses_have_priors_neighbours_and_examples(folder):
    out, _ = bitsense("senses", folder / "se", "bank", "-k", 4,
                      "--examples", folder / "corpus.txt", "--n-examples", 2, "--json")  # fmt: skip
    senses = [json.loads(line) for line in out.splitlines()]
    assert [sense["key"] for sense in senses] == ["bank#1", "bank#2"]
    assert sum(sense["prior"] for sense in senses) == pytest.approx(1, abs=1e-5)
    subjects = []
    for sense in senses:
        near = {neighbor["key"].rsplit("#", 1)[0] for neighbor in sense["neighbors"]}
        subject = next(name for name, words in SUBJECTS.items() if near <= set(words.split()))
        subjects.append(subject)
        assert len(sense["examples"]) == 2
        for example in sense["examples"]:
            assert example.count("[bank]") == 1
            words = set(example.replace("[bank]", "").split()) - {"bank"}
            assert words <= set(SUBJECTS[subject].split())
    assert sorted(subjects) == ["money", "river"]
    out, _ = bitsense("senses", folder / "hand-senses", "bank", "-k", 1)
    assert out == "bank#1\t0.700\tmoney#1\nbank#2\t0.300\triver#1\n"
    line = error_of("senses", folder / "hand", "king")
    assert line.endswith("must hold vectors of senses, got <WordVectors: 4 keys of 2 dimensions>")


def test_analogies(folder):
    out, _ = bitsense("analogies", folder / "hand", "man", "woman", "king", "-k", 1)
    assert [row[:5] for row in rows(out)] == [["man", "woman", "king", "1", "queen"]]
    lines = "man king woman\nman king nobody\n"
    out, err = bitsense("analogies", folder / "hand", "--method", "3cosmul", "--json",
                        stdin=lines, status=1)  # fmt: skip
    answer = json.loads(out)
    assert answer["query"] == ["man", "king", "woman"]
    assert answer["results"][0]["key"] == "queen"
    assert err == "bitsense: error: 'nobody' is not among the 4 keys\n"
    line = error_of("analogies", folder / "hand", "man", "woman", status=2)
    assert line == "bitsense analogies: error: an analogy takes 3 words, got 2"
    line = error_of("analogies", folder / "hand", "-", stdin="man woman\n")
    assert line == "bitsense: error: each line must hold 3 words, got 'man woman'"


def test_info_and_verify_know_vectors_and_word_models(folder):
    summary = json.loads(bitsense("info", folder / "hand-senses", "--json")[0])
    assert summary["kind"] == "vectors"
    assert summary["header"]["class"] == "SenseVectors"
    summary = json.loads(bitsense("info", folder / "se", "--json")[0])
    assert (summary["kind"], summary["header"]["class"]) == ("model", "DisambiguatedSkipGram")
    out, _ = bitsense("verify", folder / "se", folder / "hand")
    assert [line.split(": ")[1].split(",")[0] for line in out.splitlines()] == ["model", "vectors"]


# Writing


@pytest.mark.parametrize("format", ["word2vec", "word2vec-text", "glove", "fasttext-vec"])
def test_convert_there_and_back(folder, tmp_path, format):
    there, back = tmp_path / "there", tmp_path / "back"
    _, err = bitsense("convert", folder / "sg", there, "--to", format)
    assert err == f"{there}: {format}, <WordVectors: 31 keys of 16 dimensions>\n"
    bitsense("convert", there, back, "--to", "bitsense", "--quiet")
    want, got = load(folder / "sg").wv, load(back)
    assert got.index_to_key == want.index_to_key
    assert np.array_equal(got.vectors, want.vectors)


def test_convert_for_programs_that_show_vectors(folder, tmp_path):
    bitsense("convert", folder / "se", tmp_path / "p", "--to", "projector", "--limit", 3)
    lines = (tmp_path / "p" / "metadata.tsv").read_text().splitlines()
    assert len(lines) == 4
    assert lines[0] == "key\tword\tsense\tprior\tcount"
    parquet = pytest.importorskip("pyarrow.parquet")
    bitsense("convert", folder / "se", tmp_path / "a", "--to", "atlas", "--neighbors", 2)
    neighbors = parquet.read_table(tmp_path / "a").column("neighbors").to_pylist()
    assert {len(each["ids"]) for each in neighbors} == {2}


def test_convert_keeps_senses_and_refuses_what_does_not_fit(folder, tmp_path):
    bitsense("convert", folder / "se", tmp_path / "v", "--to", "bitsense")
    assert load(tmp_path / "v").n_senses("bank") == 2
    line = error_of("convert", folder / "sg", tmp_path / "x", "--to", "glove", "--limit", 3,
                    status=2)  # fmt: skip
    assert line == "bitsense convert: error: --limit is not an option of glove"
    WordVectors(["ice cream"], [[1.0, 2.0]]).save(tmp_path / "space")
    line = error_of("convert", tmp_path / "space", tmp_path / "x", "--to", "word2vec")
    assert "'ice cream'" in line
    line = error_of("convert", folder / "sg", tmp_path / "none" / "x", "--to", "word2vec")
    assert line == f"bitsense: error: {tmp_path / 'none'}: No such folder"
    assert not (tmp_path / "x").exists()


def test_plot_draws_a_picture(folder, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "p.png"
    _, err = bitsense("plot", folder / "se", "bank", "-o", path, "--dpi", 50)
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert err == f"{path}: {len(data):,} bytes\n"
    for name, start in (("p.svg", b"<?xml"), ("p.pdf", b"%PDF")):
        bitsense("plot", folder / "hand", "king", "-k", 2, "-o", tmp_path / name, "--quiet")
        assert (tmp_path / name).read_bytes().startswith(start)
    line = error_of("plot", folder / "se", "bank", "-o", tmp_path / "p.txt", status=2)
    assert line.startswith("bitsense plot: error: PICTURE must end in .png, .pdf or .svg")
    line = error_of("plot", folder / "se", "none", "-o", tmp_path / "q.png")
    assert line.startswith("bitsense: error: 'none' is not among")
    assert not (tmp_path / "q.png").exists()


# Measuring


def test_eval_words(folder, tmp_path):
    (tmp_path / "s").write_text("king\tqueen\t5\nking\tman\t9\nman\twoman\t1\nking\tcow\t1\n")
    (tmp_path / "a").write_text(": family\nman woman king queen\nman woman cow bull\n")
    tasks = ("--similarity", tmp_path / "s", "--analogies", tmp_path / "a")
    out, _ = bitsense("eval", "words", folder / "hand", *tasks)
    assert out.splitlines() == [
        f"{tmp_path / 's'}: Spearman 1.0000, 3 pairs, coverage 0.750",
        f"{tmp_path / 'a'}: accuracy 1.0000, MRR 1.0000, 1 questions, coverage 0.500",
    ]
    out, _ = bitsense("eval", "words", folder / "hand", *tasks, "--unknown", "wrong", "--json")
    similarity, analogies = map(json.loads, out.splitlines())
    assert similarity["spearman"] == pytest.approx(1)
    assert (analogies["accuracy"], analogies["n_questions"]) == (0.5, 2)
    assert set(analogies["sections"]) == {"family"}
    out, _ = bitsense("eval", "words", folder / "sg", "--similarity", tmp_path / "s", "--json")
    assert json.loads(out)["spearman"] is None  # NaN is not JSON
    line = error_of("eval", "words", folder / "hand", status=2)
    assert line == "bitsense eval words: error: --similarity or --analogies must name a file"


def test_eval_senses(folder, tmp_path):
    contexts = ["river water\tfish", "lake\tflood mud", "loan\tcredit debt", "debt fund\tcash"]
    (tmp_path / "d").write_text("bank.n 4\n" + "".join(f"{line}\n" for line in contexts))
    (tmp_path / "k").write_text(
        "".join(f"bank.n bank.n.{i} bank.n.{'aabb'[i - 1]}\n" for i in range(1, 5))
    )
    task = ("--dataset", tmp_path / "d", "--key", tmp_path / "k")
    report = json.loads(bitsense("eval", "senses", folder / "se", *task, "--json")[0])
    assert (report["ari"], report["n_instances"], report["mean_senses"]) == (1.0, 4, 2.0)
    assert "words" not in report
    out, _ = bitsense("eval", "senses", folder / "sg", *task, "--words")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["ARI", "V", "F", "words"]
    assert lines[1] == ["all", "words", "0.0000", "0.0000", "0.5000", "1"]
    assert lines[-1] == ["bank.n", "0.0000", "0.0000", "0.5000", "4"]
    line = error_of("eval", "senses", folder / "se", *task[:2], status=2)
    assert line == "bitsense eval senses: error: --dataset and --key must be given together"


def test_eval_without_a_form_is_retrieval(folder, tmp_path):
    data = "".join(json.dumps({"text": f"{w} a", "label": w}) + "\n" for w in "xyxyxy")
    model = tmp_path / "words"  # a model may be called as a form is
    bitsense(
        "train", "-", "-o", model, "--bits", 8, "--min-count", 1, "--quiet", stdin="x y a\n" * 9
    )
    want = bitsense("eval", model, "-", stdin=data)
    assert want[0].startswith("6 documents, 2 labels, hamming distance, 8 bits\n")
    assert bitsense("eval", "retrieval", model, "-", stdin=data) == want
