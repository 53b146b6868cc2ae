"""Training of the disambiguated skip-gram against the slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from reference.sense_training import SenseTwin

from bitsense import _core

LEVELS = _core.levels()
WORDS, DIM, SENSES = 30, 20, 4


def corpus(seed=0, documents=12, longest=60):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest, documents)
    p = 1.0 / np.arange(1, WORDS + 1)
    ids = rng.choice(WORDS, size=lengths.sum(), p=p / p.sum()).astype(np.uint32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64)
    counts = np.maximum(np.bincount(ids, minlength=WORDS), 1).astype(np.uint64)
    return ids, offsets, counts


def options(**values):
    result = _core.WordOptions()
    defaults = {
        "epochs": 3, "window": 3, "negatives": 4, "learning_rate": 0.02, "shrink_windows": False,
        "gate_window": 6, "gate_rate": 0.3, "shared_gate_rate": 0.05, "shared_until": 0.3,
        "seed": 5,
    }  # fmt: skip
    for name, value in {**defaults, **values}.items():
        setattr(result, name, value)
    return result


def start():
    """Fresh tables: words of one, two, three and four senses by turns."""
    offsets = np.concatenate([[0], np.cumsum(1 + np.arange(WORDS) % SENSES)]).astype(np.uint64)
    rows = int(offsets[-1])
    rng = np.random.default_rng(9)
    return {
        "input": _core.word_table(rows, DIM, 0.3, 1),
        "output": _core.word_table(WORDS, DIM, 0.3, 2),
        "gate": _core.word_table(rows, DIM, 0.5, 3),
        "gate_bias": rng.normal(size=rows).astype(np.float32),
        "shared_gate": _core.word_table(SENSES, DIM, 0.5, 4),
        "shared_bias": rng.normal(size=SENSES).astype(np.float32),
        "sense_offsets": offsets,
    }


def train(data, level=None, **values):
    tables = start()
    losses, error = _core.train_senses(
        *data, _core.SenseTables(**tables), options(**values), None, level
    )
    assert error is None
    return tables, losses


def twin_of(tables, **values):
    wide = {
        name: table[:, :DIM].astype(float) if table.ndim == 2 else table.astype(float)
        for name, table in tables.items()
    }
    return SenseTwin(
        options(**values), tables["sense_offsets"], wide["input"], wide["output"], wide["gate"],
        wide["gate_bias"], wide["shared_gate"], wide["shared_bias"],
    )  # fmt: skip


def bytes_of(result):
    tables, losses = result
    return b"".join(t.tobytes() for t in tables.values()) + np.array(losses).tobytes()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shared_until", [0.0, 0.4, 0.99])
def test_training_equals_the_twin(shared_until, level):
    data = corpus()
    tables, losses = train(data, level, shared_until=shared_until, subsample=0.05)
    twin = twin_of(start(), shared_until=shared_until, subsample=0.05)
    expected = twin.train(_core.word_plans(*data, twin.options))
    assert np.allclose(losses, expected, rtol=1e-5)
    for name, wide in {
        "input": twin.senses, "output": twin.output, "gate": twin.gate,
        "gate_bias": twin.gate_bias, "shared_gate": twin.shared_gate,
        "shared_bias": twin.shared_bias,
    }.items():  # fmt: skip
        table = tables[name]
        assert np.allclose(table[:, :DIM] if table.ndim == 2 else table, wide, rtol=2e-3, atol=3e-5)
        assert table.ndim == 1 or not table[:, DIM:].any()


@pytest.mark.parametrize("stage", ["shared", "own"])
def test_the_twin_steps_down_the_gradient_of_its_loss(stage):
    data = corpus(documents=3)
    values = {
        "epochs": 1, "learning_rate": 1e-7, "gate_rate": 1e-7, "shared_gate_rate": 1e-7,
        "shared_until": 0.99 if stage == "shared" else 0.0, "entropy_cost": -0.3,
    }  # fmt: skip
    plan = _core.word_plans(*data, options(**values))[0]
    end = int(plan["blocks"][1])
    twin, before = twin_of(start(), **values), twin_of(start(), **values)
    contexts = {c: before.context(plan, c) for c in range(end)}
    twin.step(plan, 0, end)
    left = 1.0 - plan["progress"]
    rng = np.random.default_rng(0)
    moved = ["senses", "output"] + (
        ["shared_gate", "shared_bias"] if stage == "shared" else ["gate", "gate_bias"]
    )
    for name in moved:
        step = (getattr(twin, name) - getattr(before, name)) / (-1e-7 * left)
        # The entropy is a cost of the gate alone: the senses do not see it, nor does U.
        for _ in range(30):
            place = tuple(rng.integers(n) for n in step.shape)
            sides = []
            for shift in (1e-5, -1e-5):
                probe = twin_of(start(), **values)
                getattr(probe, name)[place] += shift
                sides.append(probe.block_loss(plan, 0, end, contexts, True))
            expected = (sides[0] - sides[1]) / 2e-5
            assert np.isclose(step[place], expected, rtol=2e-3, atol=2e-4), name


def test_only_the_gate_of_the_stage_moves():
    data = corpus()
    fresh = start()
    tables, _ = train(data, shared_until=0.99, epochs=1)
    assert tables["gate"].tobytes() == fresh["gate"].tobytes()
    assert tables["shared_gate"].tobytes() != fresh["shared_gate"].tobytes()
    tables, _ = train(data, shared_until=0.0)
    assert tables["gate"].tobytes() != fresh["gate"].tobytes()
    assert tables["shared_gate"].tobytes() == fresh["shared_gate"].tobytes()


def test_the_number_of_threads_changes_no_byte():
    data = corpus(documents=60)
    assert len({bytes_of(train(data, threads=threads)) for threads in (1, 2, 3, 5, 8)}) == 1


def test_levels_that_fuse_give_the_same_bytes():
    if len(LEVELS) < 3:
        pytest.skip("needs two levels with fused multiply-add")
    one, two = (bytes_of(train(corpus(), level)) for level in LEVELS[1:])
    assert one == two


def test_racing_threads_learn_as_much():
    data = corpus(documents=200)
    one = train(data, epochs=6)[1]
    three = train(data, epochs=6, threads=3, deterministic=False)[1]
    assert one[-1] < one[0]
    assert np.isclose(one[-1], three[-1], rtol=0.02)


@pytest.mark.parametrize("threads", [1, 3])
def test_priors_are_the_sums_of_the_gate(threads):
    data = corpus(documents=300)
    tables = start()
    told = options(subsample=0.1, threads=threads)
    sums = _core.sense_priors(*data, _core.SenseTables(**tables), told)
    told.epochs = 1
    twin = twin_of(tables)
    twin.options = told
    expected = twin.prior_sums(_core.word_plans(*data, told))
    assert np.allclose(sums / 2**24, expected, rtol=1e-4, atol=1e-3)
    told.threads = 5
    again = _core.sense_priors(*data, _core.SenseTables(**tables), told)
    assert again.tobytes() == sums.tobytes()


def test_tables_that_do_not_fit_are_refused():
    data = corpus()
    for name, wrong, message in [
        ("input", _core.word_table(5, DIM), "`input` must have 73 rows, got 5"),
        ("gate", _core.word_table(73, 40), "all tables must have 32 columns, got 48"),
        ("shared_gate", _core.word_table(2, DIM), "must give each word 1 to 2 senses"),
        ("gate_bias", np.zeros(3, np.float32), "must have an item for each of 73 senses"),
        ("shared_bias", np.zeros(3, np.float32), "`shared_bias` must have 4 items, got 3"),
        ("sense_offsets", np.zeros(31, np.uint64), "must give each word 1 to 4 senses"),
    ]:
        tables = _core.SenseTables(**{**start(), name: wrong})
        with pytest.raises(ValueError, match=message):
            _core.train_senses(*data, tables, options())
    with pytest.raises(ValueError, match="`model` must have one vector per word"):
        _core.train_words(
            "disambiguated-skip-gram", *data, _core.word_table(WORDS, DIM),
            _core.word_table(WORDS, DIM), options(),
        )  # fmt: skip
