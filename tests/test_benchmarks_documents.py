"""The benchmarks of documents: corpus, validation split, slow twins, runs over made-up texts."""

from __future__ import annotations

import gzip
import json
import lzma
import math

import numpy as np
import pytest
from scipy import sparse

from bitsense import HammingIndex, Tokenizer, TwoStageIndex


@pytest.mark.data
def test_newsgroups_have_the_published_sizes_and_a_fixed_validation_split(module, data_folder):
    train, test = module("newsgroups").load(data_folder / "20news_bydate.jsonl.gz")
    assert (len(train.documents), len(test.documents)) == (11_314, 7_532)
    assert len(set(train.labels)) == len(set(test.labels)) == 20
    assert len(set(train.names + test.names)) == 18_846
    assert train.words == 1_868_801
    assert len({word for document in train.documents for word in document}) == 88_164
    fit, held_out = module("validation").validation_split(train)
    assert (len(fit.documents), len(held_out.documents)) == (9_021, 2_293)
    assert sorted(fit.names + held_out.names) == sorted(train.names)


def test_tokens_are_short_letter_runs_without_stop_words(module):
    tokenize = module("newsgroups").tokenize
    post = "From: Ann@b.org\n\nThe X11 server's ABC-def a counterrevolutionary\n\nend"
    assert tokenize(post) == ["ann", "org", "server", "abc", "def", "end"]
    assert tokenize(post, strip_headers=True) == ["server", "abc", "def", "end"]


def test_the_choice_on_validation_weighs_both_metrics(module):
    labels = np.array([0, 0, 1, 1])
    split = module("newsgroups").Split([[]] * 4, labels, list("abcd"))
    vectors = np.eye(2, dtype=np.float32)[labels]
    validation = module("validation")
    assert validation.score(validation.evaluate(vectors, split)) == 1.0
    assert validation.score(validation.evaluate(vectors[[0, 2, 1, 3]], split)) < 0.6


LETTERS = "abcdefghijklmnopqrst"  # twenty newsgroups of twenty words each


def made_up_text(group, rng, words=30):
    return " ".join(f"{LETTERS[group]}{LETTERS[i]}q" for i in rng.integers(0, 20, words))


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """A newsgroups file and an encyclopedia file in which every group has words of its own."""
    folder, rng = tmp_path_factory.mktemp("made_up"), np.random.default_rng(3)
    posts = [{"split": split, "label": LETTERS[group], "id": f"{split}{i}{group}",
              "text": f"Subject: header\n\n{made_up_text(group, rng)}"}
             for split, many in (("train", 30), ("test", 20))
             for group in range(20) for i in range(many)]  # fmt: skip
    with gzip.open(folder / "news.jsonl.gz", "wt") as out:
        out.writelines(json.dumps(post) + "\n" for post in posts)
    with lzma.open(folder / "wiki.txt.xz", "wt") as out:
        out.writelines(made_up_text(i % 20, rng, 200) + " the of\n" for i in range(60))
    return folder


@pytest.fixture
def in_process(monkeypatch):
    """Steps run here: starting an interpreter for each would take most of the time."""
    memory = {"start_mb": 0.0, "peak_mb": 0.0}

    def replace(script):
        monkeypatch.setattr(script, "one_thread_each", lambda threads: None)
        monkeypatch.setattr(
            script, "measured_step", lambda step, *a, **options: (step(*a, **options), memory)
        )

    return replace


def test_bigrams_are_those_of_the_tokenizer(module):
    made = module("representations").with_bigrams(["red", "red", "wine"])
    assert made == ["red", "red", "wine", "red red", "red wine"]
    assert sorted(made) == sorted(Tokenizer(ngrams=2)("red red wine"))


def slow_precision(distances, relevant, k):
    """Precision at k of one query: a group that does not fit gives its share of hits."""
    hits, places = 0.0, k
    for distance in sorted(set(distances.tolist())):
        group = relevant[distances == distance]
        hits += group.mean() * min(places, len(group))
        places -= min(places, len(group))
    return hits / k


@pytest.mark.parametrize("kind", ["codes", "vectors", "sparse", "asymmetric"])
def test_precision_at_100_against_the_training_documents_equals_its_slow_twin(module, kind):
    representations, rng = module("representations"), np.random.default_rng(1)
    labels, train_labels = rng.integers(0, 3, 12), rng.integers(0, 3, 150)
    test, train = rng.integers(-2, 3, (12, 8)) + 0.5, rng.integers(-2, 3, (150, 8)) + 0.5
    bits, train_bits = test > 0, train > 0
    if kind == "codes":
        distances = (bits[:, None] != train_bits).sum(axis=2)
        sides = [representations.Side(codes=np.packbits(b, axis=1)) for b in (bits, train_bits)]
    elif kind == "asymmetric":
        distances = -(test @ (2.0 * train_bits - 1).T)
        sides = [representations.Side(values.astype(np.float32), np.packbits(values > 0, axis=1))
                 for values in (test, train)]  # fmt: skip
    else:
        units = [(v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32)
                 for v in (test, train)]  # fmt: skip
        distances = -(units[0] @ units[1].T)
        given = [sparse.csr_matrix(v) for v in units] if kind == "sparse" else units
        sides = [representations.Side(v) for v in given]
        distances = distances if kind == "vectors" else -(given[0] @ given[1].T).toarray()
    made = representations.Representation("m", "r", *sides, costs={"epochs": 3})
    (row,) = made.rows(labels, train_labels)
    want = [slow_precision(distances[i], train_labels == labels[i], 100) for i in range(12)]
    assert row["precision_at_100"] == pytest.approx(np.mean(want), rel=1e-6)
    assert (row["model"], row["epochs"], row["n_queries"]) == ("m", 3, 12)


def slow_two_stage(codes, vectors, labels, kind, limit):
    """NDCG@10 and length of the list of each query, one at a time, through the library's index."""
    ndcg, lengths = [], []
    for i in range(len(codes)):
        others = np.delete(np.arange(len(codes)), i)
        if kind == "radius":
            _, found, _ = HammingIndex(codes[others]).range_search(codes[i : i + 1], limit)
            cosine = vectors[others][found] @ vectors[i]
            found = found[np.argsort(-cosine, kind="stable")][:10]
            lengths.append(len(cosine))
        else:
            index = TwoStageIndex(codes[others], vectors[others])
            found = index.search(codes[i : i + 1], vectors[i : i + 1], 10, shortlist=limit)[0][0]
            lengths.append(limit)
        hits = labels[others][found] == labels[i]
        ideal = min(10, (labels[others] == labels[i]).sum())
        gain = sum(hit / math.log2(place + 2) for place, hit in enumerate(hits))
        ndcg.append(gain / sum(1 / math.log2(place + 2) for place in range(ideal)))
    return np.array(ndcg), np.array(lengths)


def test_two_stages_equal_their_slow_twin_query_by_query(module):
    two_stage, rng = module("two_stage"), np.random.default_rng(2)
    labels = np.sort(rng.integers(0, 4, 300))  # stored by class
    codes = rng.integers(0, 256, (300, 1), dtype=np.uint8)
    vectors = rng.normal(size=(300, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codes[:3] = [[0b11111111], [0b11111110], [0b11111101]]
    codes[3:] &= 0b00011111  # so that some lists are short, and with radius 0 empty
    filters = [("radius", 0), ("radius", 1), ("nearest", 20)]
    rows = two_stage.evaluate_two_stage(codes, vectors, labels, filters, seed=5)
    order = np.random.default_rng(5).permutation(300)
    for row, (kind, limit) in zip(rows, filters, strict=True):
        ndcg, lengths = slow_two_stage(codes[order], vectors[order], labels[order], kind, limit)
        assert row["filter"] == f"{kind} {limit}"
        assert row["ndcg_at_10"] == pytest.approx(ndcg.mean(), rel=1e-6)
        assert row["ndcg_at_10_of_lists"] == pytest.approx(ndcg[lengths > 0].mean(), rel=1e-6)
        assert row["mean_list"] == pytest.approx(lengths.mean())
        assert row["coverage"] == pytest.approx((lengths > 0).mean())
    assert rows[0]["coverage"] < 1
    sparse_rows = two_stage.evaluate_two_stage(codes, sparse.csr_matrix(vectors), labels, filters,
                                               seed=5)  # fmt: skip
    for row, other in zip(rows, sparse_rows, strict=True):
        assert row["ndcg_at_10"] == pytest.approx(other["ndcg_at_10"], rel=1e-6)


def test_medians_carry_their_spread_and_keep_settings_apart(module):
    rows = [{"model": "m", "headers": "kept", "map": value, "train_cpu_s": 2.0 * value}
            for value in (0.3, 0.1, 0.2)]  # fmt: skip
    ours, other = module("retrieval").medians([*rows, {"model": "m", "headers": "stripped"}])
    assert (ours["map"], ours["train_cpu_s"], ours["rounds"]) == ("0.2000 ±0.1000", 0.4, 3)
    assert other["rounds"] == 1


def test_the_walk_of_the_family_keeps_what_was_best(module, monkeypatch):
    family, rng = module("retrieval_family"), np.random.default_rng(4)
    labels = rng.integers(0, 2, 200)
    split = module("newsgroups").Split([["a"]] * 200, labels, [str(i) for i in range(200)])
    held_out = module("validation").validation_split(split)[1]

    def build(name, mode, corpus, seed, threads, **settings):
        size = 0.1 if settings.get("min_count") == 5 else 9.0
        vectors = np.eye(2)[held_out.labels] + rng.normal(size=(len(held_out.labels), 2)) * size
        model = type("Model", (), {"transform": lambda self, documents: vectors})()
        model.fit = lambda documents: model
        return model

    monkeypatch.setattr(family, "build", build)
    rows = list(family.tune(split, 1))
    assert len(rows) == 2 * (1 + sum(len(values) for _, values in family.GRID))
    real = [row["settings"] for row in rows if row["model"] == family.REAL]
    assert real[0] == {"dim": 128, "learning_rate": 0.07, "negatives": 5}
    assert real[3] == {"dim": 128, "learning_rate": 0.035, "negatives": 5, "min_count": 5}
    assert all(settings["min_count"] == 5 for settings in real[3:])


def test_tables_in_markdown_leave_out_columns_without_values(module):
    markdown = module("markdown")
    rows = [{"model": "m", "map": "0.4320 ±0.0021", "bits": 32, "peak_mb": 407.2},
            {"model": "n", "map": 0.25, "bits": None, "peak_mb": 1.0}]  # fmt: skip
    assert list(markdown.markdown(rows, markdown.RANKINGS)) == [
        "| model | bits | MAP | peak MB |",
        "|---|--:|--:|--:|",
        "| m | 32 | 0.432 ± 0.002 | 407 |",
        "| n |  | 0.250 | 1 |",
    ]


def test_every_step_of_the_family_finds_the_groups_of_a_made_up_corpus(
    module, made_up, in_process, monkeypatch, tmp_path, capsys
):
    retrieval = module("retrieval")
    in_process(retrieval)
    names = [name for name in retrieval.STEPS | retrieval.FAMILY if name != "gensim"]
    assert {"real-binary/dbow", "pv/dm-mean", "binary128/dbow/bigrams"} <= set(names)
    monkeypatch.setattr("sys.argv", ["retrieval.py", "--data", str(made_up / "news.jsonl.gz"),
                                     "--family", "--headers", "stripped", "--quick", "--models",
                                     *names, "--json", str(tmp_path / "rows.json")])  # fmt: skip
    retrieval.main()
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {row["step"] for row in rows} == set(names)
    for row in rows:
        assert row["headers"] == "stripped"
        assert 0 <= row["ndcg_at_10"] <= 1, row
        if row["ranking"] == "two-stage":
            assert 0 <= row["coverage"] <= 1
        else:
            assert 0 <= row["precision_at_100"] <= 1
    assert "nearest 100" in capsys.readouterr().out


def test_articles_are_cut_and_ended_where_asked(module, tmp_path):
    write = module("transfer").write_documents
    corpus, target = tmp_path / "articles.txt", tmp_path / "documents.txt"
    corpus.write_text("a b c d e\nf g\n")
    for words, chunk, want in (
        (None, None, "a b c d e\nf g\n"),
        (6, None, "a b c d e\nf\n"),
        (None, 2, "a b\nc d\ne\nf g\n"),
        (5, 4, "a b c d\ne\n"),
    ):
        assert write(corpus, target, words, chunk) == len(want.split())
        assert target.read_text() == want


def test_articles_and_posts_are_cut_into_the_same_words(module):
    text = "the american who sat at a counterrevolutionary x mat of etc nineteen"
    rules = module("transfer").word_rules()
    assert rules(text) == module("newsgroups").tokenize(text)


def test_transfer_finds_the_groups_with_the_words_of_other_texts(
    module, made_up, in_process, monkeypatch, tmp_path
):
    transfer = module("transfer")
    in_process(transfer)
    monkeypatch.setattr("sys.argv", ["transfer.py", "--data", str(made_up / "news.jsonl.gz"),
                                     "--wiki", str(made_up / "wiki.txt.xz"), "--quick", "--modes",
                                     "dbow", "--json", str(tmp_path / "rows.json")])  # fmt: skip
    transfer.main()
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {row["headers"] for row in rows} == {"kept", "stripped"}
    assert {row["step"] for row in rows} == {"tfidf", "tfidf/log", "pv/dbow", "binary32/dbow"}
    for row in rows:
        assert row["vocabulary"] == 400
        # "subject" and "header" are in no article.
        assert row["coverage"] == pytest.approx(1.0 if row["headers"] == "stripped" else 30 / 32)
        assert row["map"] > 0.9, row["step"]
