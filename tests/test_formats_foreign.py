"""Files of vectors of other programs: read and written byte by byte, and by the programs."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import pickle
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsense import FormatError, WordVectors, load_vectors, save_vectors
from bitsense._subwords import Subwords
from bitsense.formats import detect_format

WRITTEN = ("word2vec", "word2vec-text", "glove", "fasttext-vec")
FEW = WordVectors(["the", "naïve", "東京"], [[1, -0.5], [0.1, 1e-40], [3e38, 0]])

GOLDEN = {
    "word2vec": b"3 2\nthe \x00\x00\x80?\x00\x00\x00\xbf\n"
    b"na\xc3\xafve \xcd\xcc\xcc=\xc2\x16\x01\x00\n"
    b"\xe6\x9d\xb1\xe4\xba\xac \xe6\xb1a\x7f\x00\x00\x00\x00\n",
    "word2vec-text": b"3 2\nthe 1.0 -0.5\n"
    b"na\xc3\xafve 0.1 1e-40\n\xe6\x9d\xb1\xe4\xba\xac 3e+38 0.0\n",
    "glove": b"the 1.0 -0.5\nna\xc3\xafve 0.1 1e-40\n\xe6\x9d\xb1\xe4\xba\xac 3e+38 0.0\n",
}


def same(got, wanted):
    return got.index_to_key == wanted.index_to_key and np.array_equal(got.vectors, wanted.vectors)


@pytest.mark.parametrize("format", GOLDEN)
def test_the_bytes_are_those_that_others_expect(format, tmp_path):
    save_vectors(FEW, tmp_path / "file", format)
    assert (tmp_path / "file").read_bytes() == GOLDEN[format]
    assert detect_format(tmp_path / "file") == format
    assert same(load_vectors(tmp_path / "file"), FEW)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
keys = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1).filter(
    lambda key: not key.startswith("\ufeff") and key.split() == [key]
)


@pytest.mark.parametrize("format", WRITTEN)
@given(st.dictionaries(keys, st.tuples(finite, finite, finite), min_size=1))
def test_what_is_written_reads_back_exactly(tmp_path_factory, format, table):
    wv = WordVectors(list(table), np.array(list(table.values()), np.float32))
    path = tmp_path_factory.getbasetemp() / "round"
    save_vectors(wv, path, format)
    assert same(load_vectors(path, format), wv)


def test_glove_keys_may_have_spaces(tmp_path):
    wv = WordVectors(["the", ". . .", "of", "1 2", "at 1", "a", "b"], np.eye(7))
    save_vectors(wv, tmp_path / "glove", "glove")
    assert same(load_vectors(tmp_path / "glove"), wv)
    with pytest.raises(
        ValueError, match=r"^`vectors` has the key '\. \. \.', which 'word2vec' cannot"
    ):
        save_vectors(wv, tmp_path / "w2v")
    assert not (tmp_path / "w2v").exists()


@pytest.mark.parametrize("key", ["a b", "a\nb", "a\u00a0b", " a", "a\r", "a\u2028"])
@pytest.mark.parametrize("format", WRITTEN)
def test_a_key_that_cannot_be_held_is_refused_and_the_old_file_stays(key, format, tmp_path):
    if format == "glove" and key == "a b":
        return
    (tmp_path / "file").write_text("old")
    message = f"`vectors` has the key {key!r}, which {format!r} cannot hold"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        save_vectors(WordVectors(["x", key], np.eye(2)), tmp_path / "file", format)
    assert (tmp_path / "file").read_text() == "old"


def test_packed_text_other_newlines_and_trailing_spaces_are_read(tmp_path):
    text = GOLDEN["word2vec-text"]
    variants = [
        gzip.compress(text, mtime=0),
        lzma.compress(text),
        text.replace(b"\n", b" \r\n"),
        b"\xef\xbb\xbf" + text,
        GOLDEN["glove"].replace(b"\n", b" \n"),
    ]
    for data in variants:
        (tmp_path / "file").write_bytes(data)
        assert same(load_vectors(tmp_path / "file"), FEW)
    bare = GOLDEN["word2vec"].replace(b"\nna", b"na").replace(b"\n\xe6", b"\xe6").rstrip(b"\n")
    (tmp_path / "file").write_bytes(bare)  # without newlines after the values
    assert same(load_vectors(tmp_path / "file"), FEW)


BAD_TEXT = {
    b"2 2\na 1 2\nb 1\n": "line 3 must be a key and 2 numbers, got 'b 1'",
    b"2 2\na 1 2\nb 1 x\n": "line 3 must hold numbers, got 'x'",
    b"2 2\na 1 2\nb 1 1_0\n": "line 3 must hold numbers, got '1_0'",
    b"2 2\na 1 2\nb c 1 2\n": "line 3 must be a key and 2 numbers, got 'b c 1 2'",
    b"2 2\na 1 2\nb 1 nan\n": "line 3 must be finite numbers, got 'b 1 nan'",
    b"2 2\na 1 2\nb 1e39 2\n": "line 3 must be finite numbers, got 'b 1e39 2'",
    b"2 2\na 1 2\na 3 4\n": "'a' is on line 2 and again on line 3",
    b"3 2\na 1 2\nb 3 4\n": "line 1 promises 3 keys, the file has 2",
    b"1 2\na 1 2\nb 3 4\n": "line 1 promises 1 keys, the file has 2",
    b"2 2\na 1 2\n\nb 3 4\n": "line 3 must be a key and 2 numbers, got ''",
    b"2 2\na 1 2\n\xff 3 4\n": "line 3 must be UTF-8",
    b"1000000000000000 2\na 1 2\n": "line 1 promises 1000000000000000 keys, the file has 1",
    b"a 1 2\nb 1\n": "line 2 must be a key and 2 numbers, got 'b 1'",
    b"2 2\na 1 2\nb 3 4": "cut short: the last line does not end, it is 'b 3 4'",
    b"a 1 2\na 3 4\n": "'a' is on line 1 and again on line 2",
    b"hello world\n": "is in no format of vectors that is known",
    b"": "is in no format of vectors that is known",
    gzip.compress(b"a 1 2\n", mtime=0)[:-4]: "cut short: the compressed data end early",
}


@pytest.mark.parametrize("data", BAD_TEXT)
def test_bad_text_is_refused_with_its_line(data, tmp_path):
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(FormatError) as caught:
        load_vectors(tmp_path / "file")
    assert BAD_TEXT[data] in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "file"))


def refused(data, path, format):
    path.write_bytes(data)
    with pytest.raises(FormatError):
        load_vectors(path, format)


def test_every_cut_of_a_binary_file_is_refused(tmp_path):
    data = GOLDEN["word2vec"]
    for size in range(len(data) - 1):
        refused(data[:size], tmp_path / "file", "word2vec")
    refused(data + b"x", tmp_path / "file", "word2vec")
    refused(b"1000000000000000 300\na ", tmp_path / "file", "word2vec")
    refused(b"1 1\na \x00\x00\xc0\x7f", tmp_path / "file", "word2vec")
    refused(b"2 1\na 1111a 1111", tmp_path / "file", "word2vec")
    refused(b"1 1\n\xff 1111", tmp_path / "file", "word2vec")


def fasttext_file(*, min_n=1, max_n=2, buckets=7, quantized=False, pruned=-1):
    """A model of fastText of 2 words, 7 buckets, 3 dimensions."""
    matrix = np.arange((2 + buckets) * 3, dtype="<f4").reshape(-1, 3)
    head = struct.pack(
        "<ii12id", 793712314, 12, 3, 5, 1, 1, 5, 1, 1, 2, buckets, min_n, max_n, 9, 1e-4
    )
    head += struct.pack("<iiiqq", 2, 2, 0, 10, pruned)
    head += b"</s>\0" + struct.pack("<qb", 6, 0) + "né".encode() + b"\0" + struct.pack("<qb", 4, 0)
    head += struct.pack("<b", quantized) + struct.pack("<qq", *matrix.shape) + matrix.tobytes()
    return head + struct.pack("<bqq", 0, 2, 3) + bytes(24), matrix


def test_a_model_of_fasttext_is_composed_of_its_rows(tmp_path):
    data, matrix = fasttext_file()
    (tmp_path / "ft").write_bytes(data)
    wv = load_vectors(tmp_path / "ft")
    assert detect_format(tmp_path / "ft") == "fasttext-bin"
    assert wv.index_to_key == ["</s>", "né"]
    assert wv.counts.tolist() == [6, 4]
    assert np.array_equal(wv["</s>"], matrix[0])
    rows = [1, *(wv.subwords.ids("né") + 2)]
    assert np.array_equal(wv["né"], matrix[rows].mean(axis=0, dtype=np.float64).astype(np.float32))
    assert np.array_equal(wv["n"], matrix[wv.subwords.ids("n") + 2].mean(axis=0))
    for size in range(len(data)):
        refused(data[:size], tmp_path / "cut", "fasttext-bin")
    refused(data + b"x", tmp_path / "long", "fasttext-bin")
    for options in ({"quantized": True}, {"pruned": 3}):
        (tmp_path / "q").write_bytes(fasttext_file(**options)[0])
        with pytest.raises(FormatError, match="quantized models, whose vectors are not stored"):
            load_vectors(tmp_path / "q")
    plain = fasttext_file(max_n=0)[0]
    (tmp_path / "plain").write_bytes(plain)
    assert load_vectors(tmp_path / "plain").subwords is None


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_a_changed_byte_of_a_model_gives_vectors_or_a_format_error(tmp_path_factory, place, byte):
    data = bytearray(fasttext_file()[0])
    data[place % len(data)] = byte
    path = tmp_path_factory.getbasetemp() / "changed"
    path.write_bytes(data)
    with contextlib.suppress(FormatError):
        assert np.isfinite(load_vectors(path, "fasttext-bin").vectors).all()


def fnv(text: bytes) -> int:
    value = 2166136261
    for byte in text:
        signed = byte - 256 if byte >= 128 else byte
        value = ((value ^ (signed & 0xFFFFFFFF)) * 16777619) % 2**32
    return value


def test_ngrams_are_those_of_the_definition():
    subwords = Subwords(2, 3, 1000, np.zeros((1000, 2)))
    grams = ["<é", "<éa", "éa", "éa>", "a>"]
    assert subwords.ids("éa").tolist() == [fnv(gram.encode()) % 1000 for gram in grams]
    single = Subwords(1, 1, 1000, np.zeros((1000, 2)))
    assert single.ids("é<").tolist() == [fnv("é".encode()) % 1000, fnv(b"<") % 1000]
    assert single.ids("").size == 0
    assert not single.vector("").any()
    assert fnv(b"a") == 0xE40C292C  # of the published test vectors of FNV-1a


class Danger:
    def __reduce__(self):
        return os.mkdir, ("danger-was-executed",)


def test_a_pickle_is_never_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for protocol in range(2, 6):
        state = {"index_to_key": ["a"], "vectors": Danger()}
        for thing in (Danger(), state, [Danger()]):
            refused(pickle.dumps(thing, protocol), tmp_path / "file", None)
    assert not (tmp_path / "danger-was-executed").exists()


def nested_pickle():
    """A pickle of a tuple of twice the same tuple, and so on: hashing it would take for ever."""
    return b"\x80\x04}" + b")" + b"2\x86" * 60 + b"Ns."


def test_pickles_that_are_traps_or_cut_are_refused(tmp_path):
    refused(nested_pickle(), tmp_path / "file", "gensim")
    for data in (
        b"\x80\x04.",
        b"\x80\x04}",
        b"\x80\x04u.",
        b"\x80\x04h\x07.",
        b"\x80\x04cos\nsystem\nR.",
    ):
        refused(data, tmp_path / "file", "gensim")


# Against the programs.


@pytest.fixture(scope="module")
def some():
    names = ["the", "naïve", "東京", *(f"w{i}" for i in range(500))]
    return WordVectors(names, np.random.default_rng(1).normal(size=(503, 20)).astype(np.float32))


@pytest.mark.filterwarnings("ignore")
def test_gensim_reads_what_we_write_and_we_what_it_writes(some, tmp_path):
    models = pytest.importorskip("gensim.models")
    path = str(tmp_path / "file")
    for format, options in (
        ("word2vec", {"binary": True}),
        ("word2vec-text", {"binary": False}),
        ("glove", {"binary": False, "no_header": True}),
    ):
        save_vectors(some, path, format)
        theirs = models.KeyedVectors.load_word2vec_format(path, **options)
        assert theirs.index_to_key == some.index_to_key
        assert np.array_equal(theirs.vectors, some.vectors)
        if format != "glove":
            theirs.save_word2vec_format(path, **options)
            assert detect_format(path) == format
            assert same(load_vectors(path), some)
    theirs.save(path)
    assert same(load_vectors(path), some)
    whole = (tmp_path / "file").read_bytes()
    for size in np.linspace(2, len(whole) - 1, 40).astype(int):
        refused(whole[:size], tmp_path / "cut", "gensim")
    theirs.save(path, sep_limit=1)
    assert (tmp_path / "file.vectors.npy").exists()
    assert same(load_vectors(path), some)
    (tmp_path / "file.vectors.npy").unlink()
    with pytest.raises(
        FormatError, match=r"keeps its vectors in file\.vectors\.npy, which is not b"
    ):
        load_vectors(path)
    model = models.Word2Vec([["a", "b", "c"] * 5] * 9, vector_size=8, min_count=1, workers=1)
    model.save(path)
    assert np.array_equal(load_vectors(path).vectors, model.wv.vectors)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("lengths", [(2, 4), (1, 3), (0, 0)])
def test_fasttext_gives_the_same_vectors(lengths, tmp_path):
    fasttext = pytest.importorskip("fasttext")
    names = np.array(["größe", "straße", "water", "waters", "東京都", "a", "𐍈nicode"])
    chosen = np.random.default_rng(0).choice(names, (300, 8))
    (tmp_path / "text").write_text("\n".join(map(" ".join, chosen)), encoding="utf-8")
    options = {"dim": 10, "epoch": 1, "thread": 10, "bucket": 97, "minCount": 1, "verbose": 0}
    theirs = fasttext.train_unsupervised(
        str(tmp_path / "text"), minn=lengths[0], maxn=lengths[1], **options
    )
    theirs.save_model(str(tmp_path / "bin"))
    ours = load_vectors(tmp_path / "bin")
    assert ours.index_to_key == theirs.words
    unknown = ["groß", "wat", "都", "ß", "𐍈"] if lengths[1] else []
    for word in [*theirs.words, *unknown]:
        assert ours[word] == pytest.approx(theirs.get_word_vector(word), abs=1e-7)
    for word in unknown:
        ids = theirs.get_subwords(word)[1]
        assert (ours.subwords.ids(word) + len(ours)).tolist() == ids.tolist()
