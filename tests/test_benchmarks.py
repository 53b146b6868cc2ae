"""What the benchmarks stand on: the corpus, the validation split, the stamp of a row."""

from __future__ import annotations

import importlib
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks by name."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


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
