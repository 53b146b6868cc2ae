"""What a soak has found, or what reading for it has: indexes that change, and their files."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from bitsense import Attributes, CosineIndex, FormatError, HammingIndex, _hamming_index, files, load


def codes_of(seed, n):
    return np.random.default_rng(seed).integers(0, 256, (n, 2), dtype=np.uint8)


@pytest.mark.parametrize(("first", "then"), [("str", "int"), ("str", "auto"), ("int", "str")])
def test_an_index_that_was_emptied_takes_ids_of_the_other_kind(first, then, tmp_path):
    names = {"str": ["a", "b"], "int": [7, 9], "auto": None}
    index = HammingIndex(codes_of(0, 2), ids=names[first])
    index.remove(names[first])
    index.save(tmp_path / "index")
    codes = codes_of(1, 2)
    added = index.add(codes, names[then])
    assert added.dtype == (object if then == "str" else np.int64)
    assert added.tolist() == (names[then] or [2, 3])
    index.append(tmp_path / "index")
    for each in (index, load(tmp_path / "index")):
        assert each.ids.dtype == added.dtype
        assert each.ids.tolist() == added.tolist()
        assert each.search(codes[1:], 1)[0].tolist() == [[added[1]]]


def test_indexes_do_not_share_the_attributes_they_were_given():
    attributes = Attributes({"year": [1, 2]})
    one, other = (HammingIndex(codes_of(0, 2), attributes=attributes) for _ in range(2))
    third = CosineIndex(dim=2, attributes=Attributes({"year": []}, kinds={"year": "int64"}))
    one.add(codes_of(1, 1), attributes={"year": [3]})
    other.add(codes_of(2, 1), attributes={"year": [4]})
    third.add(np.eye(2), attributes=attributes)
    third.add(np.eye(2)[:1], attributes={"year": [5]})
    assert len(attributes) == 2
    for index, query, wanted in ((one, codes_of(1, 1), 3), (other, codes_of(2, 1), 4),
                                 (third, np.eye(2)[:1], 5)):  # fmt: skip
        assert index.attributes.to_columns() == {"year": [1, 2, wanted]}
        assert index.search(query, where=f"year == {wanted}")[0].tolist() == [[2]]


def test_an_index_from_load_may_be_appended_to_its_file(tmp_path):
    path = tmp_path / "index"
    HammingIndex(codes_of(0, 5)).save(path)
    for count in (1, 2):
        index = load(path)
        index.add(codes_of(count, 1))
        index.append(path)
    assert np.array_equal(
        load(path).codes.data, np.concatenate([codes_of(0, 5), codes_of(1, 1), codes_of(2, 1)])
    )


def test_what_was_read_counts_and_not_what_has_come_there_since(tmp_path, monkeypatch):
    path, read = tmp_path / "index", files.read_contents
    HammingIndex(codes_of(0, 5)).save(path)

    def replaced(*arguments, **options):
        contents = read(*arguments, **options)
        HammingIndex(codes_of(1, 3)).save(path)
        return contents

    monkeypatch.setattr(files, "read_contents", replaced)
    index = HammingIndex.load(path)
    monkeypatch.undo()
    assert len(index) == 5
    with pytest.raises(FormatError, match="must hold the state that was last saved or loaded"):
        index.append(path)
    assert len(load(path)) == 3


def test_searches_that_come_together_build_the_tables_once(monkeypatch):
    monkeypatch.setattr(_hamming_index, "_TABLES_FROM", 10)
    index, built, made = HammingIndex(codes_of(0, 50)), [], HammingIndex._built

    def slowly(*arguments):
        built.append(None)
        time.sleep(0.2)
        return made(*arguments)

    monkeypatch.setattr(HammingIndex, "_built", slowly)
    workers = [
        threading.Thread(target=index.range_search, args=(codes_of(1, 1), 2)) for _ in range(4)
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert len(built) == 1
