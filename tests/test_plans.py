"""Plans: which documents, words, noise and rows a block holds."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import training as twin
from reference.small_trainings import WIDTH, corpus, options

from bitsense import _core


@given(
    seed=st.integers(0, 100),
    batch=st.integers(1, 20),
    run=st.integers(1, 9),
    workers=st.integers(1, 3),
)
def test_plans_visit_every_word_once_an_epoch(seed, batch, run, workers):
    data = corpus(seed)
    ids, offsets = data[:2]
    visited = {}
    for worker in range(workers):
        for plan in _core.plans(*data, options(batch=batch, run=run, seed=seed), worker, workers):
            assert 0 < len(plan["documents"]) <= batch
            assert len(set(plan["documents"])) == len(plan["documents"])
            assert max(Counter(plan["target_run"]).values()) <= run
            for target, place in zip(plan["targets"], plan["target_run"], strict=True):
                key = (plan["epoch"], int(plan["documents"][place]))
                visited.setdefault(key, []).append(int(target))
    for epoch in range(2):
        for d in range(len(offsets) - 1):
            expected = ids[int(offsets[d]) : int(offsets[d + 1])].tolist()
            assert visited.get((epoch, d), []) == expected


@given(seed=st.integers(0, 100), negatives=st.integers(1, 30))
def test_plans_know_who_moves_each_row(seed, negatives):
    data = corpus(seed, words=12)
    for plan in _core.plans(*data, options(negatives=negatives, seed=seed)):
        noise, rows, targets = plan["noise"], plan["rows"], plan["targets"]
        assert plan["noise_times"].sum() == negatives
        assert len(set(rows)) == len(rows)
        assert rows[: len(noise)].tolist() == noise.tolist()
        assert set(rows) == set(noise) | set(targets)
        for i, row in enumerate(rows):
            entries = plan["entries"][plan["row_entries"][i] : plan["row_entries"][i + 1]]
            assert entries.tolist() == np.flatnonzero(targets == row).tolist()
        for target, place in zip(targets, plan["target_noise"], strict=True):
            assert (place == twin.UNSEEN) == (target not in noise)
            assert place == twin.UNSEEN or noise[place] == target


@given(seed=st.integers(0, 100), batch=st.integers(1, 12), subsample=st.sampled_from([0.0, 0.05]))
def test_plans_know_the_raw_neighbours_of_each_target(seed, batch, subsample):
    data = ids, offsets, _ = corpus(seed, documents=15)
    at = {}
    for plan in _core.plans(*data, options("pv-dm-mean", batch=batch, subsample=subsample)):
        around = plan["context"].reshape(-1, 2 * WIDTH)
        assert plan["target_run"].tolist() == list(range(len(plan["targets"])))
        starts = plan["document_runs"]
        assert starts[-1] == len(plan["documents"]) == len(around)
        for first, last in itertools.pairwise(starts):
            assert len(set(plan["documents"][first:last])) == 1
        assert len(starts) - 1 == len(set(plan["documents"]))
        for document, target, neighbours in zip(
            plan["documents"], plan["targets"], around, strict=True
        ):
            words = ids[int(offsets[document]) : int(offsets[document + 1])].tolist()
            sides = [twin.UNSEEN] * WIDTH
            padded = [*sides, *words, *sides]
            key = plan["epoch"], int(document)
            for place in range(at.get(key, 0), len(words)):  # thinning out skips places
                near = padded[place : place + 2 * WIDTH + 1]
                found = near.pop(WIDTH)
                if found == target and near == neighbours.tolist():
                    break
            else:
                raise AssertionError("no such place")
            at[key] = place + 1


@given(seed=st.integers(0, 100))
def test_plans_know_who_moves_each_row_of_a_context_word(seed):
    for plan in _core.plans(*corpus(seed, words=12), options("pv-dm-mean", seed=seed)):
        context, rows, begins = plan["context"], plan["context_rows"], plan["context_begins"]
        assert len(set(rows)) == len(rows) == len(begins) - 1
        assert set(rows) == set(context) - {twin.UNSEEN}
        assert begins[-1] == len(plan["context_entries"])
        for row, (first, last) in zip(rows, itertools.pairwise(begins), strict=True):
            entries = plan["context_entries"][first:last]
            assert entries.tolist() == np.flatnonzero(context == row).tolist()


def test_plans_without_a_context_have_none():
    for plan in _core.plans(*corpus(), options()):
        assert len(plan["context"]) == len(plan["context_rows"]) == 0
        assert plan["document_runs"].tolist() == list(range(len(plan["documents"]) + 1))


def test_documents_come_in_a_new_order_each_epoch():
    data = corpus(documents=200)
    orders = {0: [], 1: []}
    for plan in _core.plans(*data, options(batch=1, run=1000)):
        orders[plan["epoch"]] += plan["documents"].tolist()
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1] != sorted(orders[1])


def test_noise_follows_the_counts_to_the_power_of_three_quarters():
    data = corpus(documents=400)
    drawn = np.zeros(len(data[2]))
    for plan in _core.plans(*data, options(negatives=64, epochs=20)):
        np.add.at(drawn, plan["noise"], plan["noise_times"])
    expected = twin.noise_probabilities(data[2]) * drawn.sum()
    chi_square = ((drawn - expected) ** 2 / expected).sum()
    assert chi_square < len(drawn) + 5 * np.sqrt(2 * len(drawn))


@pytest.mark.parametrize("words", [30, 300])
def test_subsampling_keeps_the_published_share_of_words_above_the_mean_frequency(words):
    data = ids, _, counts = corpus(documents=3000, words=words)
    kept = np.zeros(len(counts))
    for plan in _core.plans(*data, options(subsample=0.01, epochs=4)):
        np.add.at(kept, plan["targets"], 1)
    ratio = max(0.01, 1 / words) * counts.sum() / counts
    share = np.minimum(1.0, np.sqrt(ratio) + ratio)
    expected = 4 * np.bincount(ids, minlength=len(counts)) * share
    assert np.abs(kept - expected).max() < 5 * np.sqrt(expected.max())
