"""Indexes whose items come and go: exact kinds against a dictionary that compares everything."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.indexes import SlowIndex, cosine, hamming, inner, squared

from bitsense import Codes, CosineIndex, FormatError, HammingIndex, field, files, load, pack_signs

BITS, DIM = 20, 7
METRICS = {"cosine": cosine, "ip": inner, "l2": squared}


def codes_of(rng, n):
    return pack_signs(rng.integers(-1, 2, (n, BITS)))


def vectors_of(rng, n):
    return rng.integers(-2, 3, (n, DIM)).astype(np.float32)


def same(found, expected):
    """Compare an answer with lists of (distance, id); distances to the last place or two."""
    ids, distances = found
    for i, d, pairs in zip(ids.tolist(), distances.tolist(), expected, strict=True):
        assert i == [each for _, each in pairs]
        np.testing.assert_allclose(d, [distance for distance, _ in pairs], rtol=1e-6, atol=1e-6)


class Pair:
    """An index and its twin, changed alike."""

    def __init__(self, name, names, rng):
        self.rng, self.names, self.next = rng, names, 0
        self.real = name in METRICS
        self.index = (
            CosineIndex(dim=DIM, metric=name) if self.real else HammingIndex(bits=BITS, kind=name)
        )
        self.slow = SlowIndex(METRICS.get(name, hamming))

    def items(self, n):
        return vectors_of(self.rng, n) if self.real else codes_of(self.rng, n)

    def new_ids(self, n):
        fresh = range(self.next, self.next + n)
        self.next += n
        if self.names == "auto":
            return list(fresh)
        mixed = [each * 7919 % 10007 for each in fresh]
        return [f"n{each}" for each in mixed] if self.names == "str" else mixed

    def add(self, n):
        ids, items = self.new_ids(n), self.items(n)
        years = self.rng.integers(1990, 2000, n).tolist()
        given = None if self.names == "auto" else ids
        added = self.index.add(items, given, {"year": years})
        assert added.tolist() == ids
        self.slow.add(ids, items, years)

    def some(self, share):
        return [each for each in self.slow.items if self.rng.random() < share]

    def remove(self, share):
        ids = self.some(share)
        assert self.index.remove(ids) == len(ids)
        self.slow.remove(ids)

    def update(self, share):
        ids = self.some(share)
        items = self.items(len(ids))
        self.index.update(ids, items)
        self.slow.add(ids, items, [self.slow.years[each] for each in ids])

    def check(self, index=None):
        index = index or self.index
        assert len(index) == len(self.slow.items)
        assert sorted(index.ids.tolist()) == sorted(self.slow.items)
        queries = self.items(3)
        listed = self.some(0.5)
        mask = self.rng.random(len(index)) < 0.6
        masked = set(index.ids[mask].tolist())
        filters = [
            ({}, None),
            ({"where": field("year") >= 1995}, lambda each: self.slow.years[each] >= 1995),
            ({"ids": listed}, set(listed).__contains__),
            ({"mask": mask}, masked.__contains__),
            (
                {"mask": mask, "where": "year < 1993", "ids": listed},
                lambda each: each in masked and self.slow.years[each] < 1993 and each in listed,
            ),
        ]
        for options, passes in filters:
            everything = [self.slow.ranked(query, passes) for query in queries]
            for k in (1, 5, 400):
                same(index.search(queries, k, **options), [pairs[:k] for pairs in everything])
            radius = everything[0][len(everything[0]) // 3][0] if everything[0] else 3
            radius += 1e-5 if self.real else 0
            offsets, ids, distances = index.range_search(queries, radius, **options)
            for q, pairs in enumerate(everything):
                part = slice(offsets[q], offsets[q + 1])
                near = [each for each in pairs if each[0] <= radius]
                same((ids[None, part], distances[None, part]), [near])


@pytest.mark.parametrize("name", ["flat", "multi", "auto", *METRICS])
@pytest.mark.parametrize("names", ["auto", "int", "str"])
def test_items_come_and_go(name, names, tmp_path):
    pair = Pair(name, names, np.random.default_rng(0))
    for step in range(6):
        pair.add([70, 1, 64, 0, 5, 130][step])
        pair.check()
        pair.remove(0.2)
        pair.update(0.1)
        pair.check()
        path = tmp_path / "index"
        if step == 0:
            pair.index.save(path)
        else:
            pair.index.append(path)
        loaded = type(pair.index).load(path)
        pair.check(loaded)
        pair.check(pickle.loads(pickle.dumps(pair.index)))
        assert repr(loaded) == repr(pair.index)
        if step % 2:
            pair.index = loaded
    assert files.verify(path)["kind"] == "index"
    pair.remove(0.9)
    pair.check()
    pair.index.append(path)
    pair.check(load(path))


@settings(max_examples=40)
@given(
    st.sampled_from(["flat", "multi", *METRICS]),
    st.sampled_from(["auto", "int", "str"]),
    st.lists(st.tuples(st.sampled_from("aru"), st.integers(0, 40)), max_size=8),
    st.integers(0, 2**32 - 1),
)
def test_any_history_equals_its_twin(name, names, history, seed):
    pair = Pair(name, names, np.random.default_rng(seed))
    for what, amount in history:
        if what == "a":
            pair.add(amount)
        elif pair.index.attributes is not None:
            (pair.remove if what == "r" else pair.update)(amount / 40)
    if pair.index.attributes is not None:
        pair.check()


@pytest.mark.parametrize("kind", ["flat", "multi"])
def test_pairs_within_a_radius_come_once(kind):
    rng = np.random.default_rng(3)
    codes = codes_of(rng, 300)
    index = HammingIndex(codes, bits=BITS, kind=kind, ids=[f"i{each}" for each in range(300)])
    index.remove(["i7", "i8"])
    distances = np.unpackbits(codes[:, None] ^ codes[None], axis=2).sum(2)
    rows, columns = np.nonzero(np.triu(distances <= 3, 1))
    expected = [
        (f"i{a}", f"i{b}", int(distances[a, b]))
        for a, b in zip(rows.tolist(), columns.tolist(), strict=True)
        if not {a, b} & {7, 8}
    ]
    blocks = list(index.self_join(3))
    found = [
        pair
        for first, second, near in blocks
        for pair in zip(first.tolist(), second.tolist(), near.tolist(), strict=True)
    ]
    assert found == expected
    groups = dict(zip(index.ids.tolist(), index.clusters(3).tolist(), strict=True))
    leader = {each: each for each in groups}
    for _ in range(20):
        for a, b, _ in expected:
            low = min(leader[a], leader[b], key=lambda each: int(each[1:]))
            leader[a] = leader[b] = low
    assert groups == leader


def test_codes_bring_their_ids_and_an_old_file_of_codes_is_an_index(tmp_path):
    codes = Codes(codes_of(np.random.default_rng(5), 9), BITS, ids=list("abcdefghi"))
    codes.save(tmp_path / "codes")
    for index in (HammingIndex(codes), HammingIndex.load(tmp_path / "codes")):
        assert index.ids.tolist() == list("abcdefghi")
        assert index.codes == codes
        assert "c" in index
        assert 3 not in index


INDEX = HammingIndex(bits=16)
NAMED = HammingIndex(np.zeros((2, 2), np.uint8), ids=["a", "b"])
REAL = CosineIndex(np.eye(3), attributes={"year": [1, 2, 3]})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: HammingIndex(), ValueError, "`bits` must be given where there are no `codes`"),
        (lambda: CosineIndex(), ValueError, "`dim` must be given where there are no `vectors`"),
        (
            lambda: HammingIndex(bits=8, kind="hnsw"),
            ValueError,
            "`kind` must be one of 'auto', 'flat', 'multi', 'graph', 'ivf', got 'hnsw'",
        ),
        (
            lambda: CosineIndex(dim=3, metric="dot"),
            ValueError,
            "`metric` must be one of 'cosine', 'ip', 'l2', got 'dot'",
        ),
        (
            lambda: HammingIndex(bits=600, tables=2),
            ValueError,
            "`tables` must be at least 11, got 2",
        ),
        (lambda: NAMED.remove("x"), KeyError, "\"`ids` must be ids of the index, got 'x'\""),
        (lambda: NAMED.remove(["a", "a"]), ValueError, "`ids` must be distinct"),
        (
            lambda: NAMED.add(np.zeros((1, 2), np.uint8), ["a"]),
            ValueError,
            "`ids` must be new, got 'a', which `update` would replace",
        ),
        (
            lambda: NAMED.add(np.zeros((1, 2), np.uint8)),
            ValueError,
            "`ids` must be given: those of the index are str",
        ),
        (
            lambda: NAMED.add(np.zeros((1, 2), np.uint8), [3]),
            TypeError,
            "`ids` must be all str, like those of the index",
        ),
        (
            lambda: NAMED.search(np.zeros((1, 2), np.uint8), where="year > 3"),
            ValueError,
            "`where` needs attributes, and this index has none",
        ),
        (
            lambda: NAMED.search(np.zeros((1, 2), np.uint8), ids=[1]),
            TypeError,
            "`ids` must be all str, like those of the index",
        ),
        (lambda: REAL.add(np.eye(3)), ValueError, "`attributes` must be given: year"),
        (
            lambda: REAL.search(np.eye(2)),
            ValueError,
            "`queries` must have 3 columns, got 2",
        ),
        (
            lambda: REAL.update([0, 1], np.eye(3)),
            ValueError,
            "`ids` must have 3 items, got 2",
        ),
        (lambda: REAL.search(np.eye(3), 5, ef=2), ValueError, "`ef` must be at least 5, got 2"),
        (
            lambda: CosineIndex([[1e5]], dtype="float16"),
            ValueError,
            "`vectors` must be finite in float16, row 0 is not",
        ),
        (
            lambda: CosineIndex([[1e30]]),
            ValueError,
            "`vectors` must have lengths whose squares fit float32",
        ),
    ],
)
def test_wrong_input_is_refused_by_name(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
    assert len(NAMED) == 2
    assert len(REAL) == 3


def test_a_cut_or_foreign_part_is_refused(tmp_path):
    path, other = tmp_path / "index", tmp_path / "other"
    index = HammingIndex(codes_of(np.random.default_rng(6), 100), bits=BITS, kind="multi")
    index.save(path)
    whole = path.read_bytes()
    index.add(codes_of(np.random.default_rng(7), 10))
    index.append(path)
    both = path.read_bytes()
    assert both[: len(whole)] == whole
    for wrong in (both[:-1], both + both[len(whole) :], whole + whole, both + b"\0" * 64):
        path.write_bytes(wrong)
        with pytest.raises(FormatError):
            load(path)
    path.write_bytes(both)
    HammingIndex(bits=BITS).save(other)
    with pytest.raises(FormatError) as caught:
        index.append(other)
    assert "must hold the state that was last saved or loaded" in str(caught.value)
    assert len(load(path)) == 110


def test_any_flipped_byte_is_refused(tmp_path):
    path = tmp_path / "index"
    index = CosineIndex(np.eye(4), ids=list("abcd"), attributes={"year": [1, 2, 3, None]})
    index.save(path)
    index.add([[1, 2, 3, 4]], ["e"], {"year": [5]})
    index.append(path)
    data = bytearray(path.read_bytes())
    for place in range(0, len(data), 37):
        data[place] ^= 1
        path.write_bytes(data)
        with pytest.raises(FormatError):
            load(path)
        data[place] ^= 1
