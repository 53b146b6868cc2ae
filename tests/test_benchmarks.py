"""What the benchmarks stand on: rows, timers, rounds; and those of words and senses."""

from __future__ import annotations

import json
import math
import os

import numpy as np
import pytest


def test_a_measured_step_returns_its_result_and_the_memory_it_took(module):
    common = module("common")
    result, memory = common.measured_step(math.hypot, 3, 4)
    assert result == 5.0
    assert 5 < memory["start_mb"] <= memory["peak_mb"]
    with pytest.raises(ValueError, match=r"math domain error|expected a nonnegative input"):
        common.measured_step(math.sqrt, -1)
    with pytest.raises(RuntimeError, match=r"^_exit ended with exit code 3$"):
        common.measured_step(os._exit, 3)


def test_rounds_visit_every_name_once_and_turn(module):
    visits = list(module("common").interleaved("abc", 2))
    assert visits == [(0, "a"), (0, "b"), (0, "c"), (1, "b"), (1, "c"), (1, "a")]


def test_rows_are_written_with_the_machine_they_were_measured_on(module, tmp_path, capsys):
    common = module("common")
    common.write_rows(tmp_path / "rows.json", [{"map": 0.5}, {"map": 0.25}])
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [row["map"] for row in rows] == [0.5, 0.25]
    assert {"cpu", "cores", "level", "commit", "python", "packages"} <= set(rows[0])
    assert rows[0]["packages"]["numpy"] == np.__version__
    common.print_table([{"model": "a", "n": 12_345}, {"model": "bcd", "map": 0.5}],
                       ["model", "n", "map"])  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["model       n     map", "a      12,345       -", "bcd         -  0.5000"]


def test_a_timer_counts_the_time_of_its_block(module):
    with module("common").timer() as times:
        assert times.wall_s == 0.0
        sum(range(2_000_000))
    assert 0 < times.cpu_s < 10
    assert 0 < times.wall_s < 60


def test_lines_are_the_first_words_and_never_longer_than_all_systems_read(module, tmp_path):
    systems = module("word_systems")
    corpus, target = tmp_path / "corpus.txt", tmp_path / "lines.txt"
    corpus.write_text(" ".join(["a"] * 2500) + "\nb b\n" + " ".join(["c"] * 50) + "\n")
    assert systems.write_lines(corpus, target, 2510) == 2510
    lines = target.read_text().splitlines()
    assert [len(line.split()) for line in lines] == [1000, 1000, 500, 2, 8]
    assert lines[-2:] == ["b b", "c c c c c c c c"]
    assert systems.write_lines(corpus, target, 10**9) == 2552


def test_the_table_of_words_has_means_and_ratios_to_the_same_mode_and_dim(module):
    words = module("words")

    def row(trainer, threads, seed, rate, dim=100, **more):
        quality = dict.fromkeys(words.QUALITY, 0.5 + seed / 10)
        setting = {"trainer": trainer, "mode": "cbow", "dim": dim, "threads": threads, "seed": seed}
        costs = {
            "words_per_cpu_s": rate, "words_per_wall_s": 1.0, "wall_s": 1.0, "peak_mb": 2.0
        }  # fmt: skip
        return setting | costs | quality | more

    rows = [row("bitsense", 1, 1, 600.0), row("bitsense", 1, 2, 1000.0),
            row("gensim", 1, 1, 100.0, commit="x"), row("gensim", 2, 1, 80.0),
            row("fasttext", 10, 1, 50.0), row("gensim", 1, 1, 7.0, dim=300),
            row("gensim", 1, 2, 125.0)]  # fmt: skip
    ours, gensim, *_ = words.table(rows)
    assert (ours["words_per_cpu_s"], ours["seeds"], ours["earlier"]) == (800, 2, None)
    # The median of 6 and 8 over the rounds that both were in, and of the one round with fastText.
    assert (ours["ratio_to_gensim"], ours["ratio_to_fasttext"]) == ("7.00", "12.00")
    assert (ours["share_of_fma_peak"], ours["words_per_wall_s"]) == (None, 1.0)
    assert ours["ws353"] == "0.6500 ±0.0707"
    assert (gensim["ratio_to_gensim"], gensim["earlier"], gensim["scws"]) == (
        "1.00",
        1,
        "0.6500 ±0.0707",
    )
    assert words.spread([None]) is None


def test_rows_keep_the_stamp_they_have(module, tmp_path):
    common = module("common")
    common.write_rows(tmp_path / "rows.json", [{"commit": "earlier"}, {}])
    first, second = json.loads((tmp_path / "rows.json").read_text())
    assert (first["commit"], second["commit"]) == ("earlier", common.machine()["commit"])


def test_contexts_stay_in_their_document_and_leave_the_word_out(module):
    clusters = module("sense_clusters")
    ids = np.array([5, 7, 1, 1, 7, 2, 2, 2, 7], np.uint32)
    offsets = np.array([0, 3, 9])
    found = clusters.occurrences(ids, offsets, 7, 10, seed=1)
    assert [around.tolist() for around in found] == [[5, 1], [1, 2, 2, 2, 7], [1, 7, 2, 2, 2]]
    assert len(clusters.occurrences(ids, offsets, 7, 2, seed=1)) == 2


@pytest.mark.parametrize("method", ["k-means", "agglomerative"])
def test_clusters_of_contexts_become_senses(module, method):
    clusters = module("sense_clusters")
    rng = np.random.default_rng(0)
    words = ["bank", *(f"w{i}" for i in range(8)), *(f"m{i}" for i in range(8))]
    groups = [rng.normal(centre, 0.3, (8, 4)) for centre in ((3, 0, 0, 0), (0, 3, 0, 0))]
    vectors = np.concatenate([np.zeros((1, 4)), *groups]).astype(np.float32)
    contexts = clusters.Contexts(words, vectors, np.ones(17))
    documents = [[0, *(rng.integers(1, 9, 4) + 8 * (i % 4 == 0))] for i in range(80)]
    corpus = type("Corpus", (), {"ids": np.concatenate(documents).astype(np.uint32),
                                 "offsets": np.arange(0, 401, 5)})  # fmt: skip
    found = clusters.cluster_words({"bank": [2, 3]}, contexts, corpus, method)
    assert len(found[1]["bank"][1]) == 3
    model = clusters.clustered(found[0], contexts)
    np.testing.assert_allclose(model.wv.priors, [0.75, 0.25])
    tokens = [["w1", "bank", "w5"], ["bank", "m3"], ["bank"]]
    chances = model.sense_probabilities(tokens, [1, 0, 0], by="cosine")
    assert chances[0, 0] > 0.6
    assert chances[1, 1] > 0.6
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    np.testing.assert_allclose(chances[2], 0.5)


def test_digits_are_spelled_as_in_the_corpus(module):
    assert module("senses").spelled("in 1984 a 4x4") == ["in", "one", "nine", "eight", "four", "a",
                                                         "4x4"]  # fmt: skip
