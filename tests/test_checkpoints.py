"""Trainings that are saved, stopped and gone on with: the bytes are those of an unbroken one."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import small_models, small_word_models
from reference.interruptions import StopError
from reference.topics import planted

from bitsense import (
    Checkpoint,
    DisambiguatedSkipGram,
    FormatError,
    ParagraphVector,
    Word2Vec,
    _core,
    files,
    info,
    load,
    verify,
)

TEXTS = planted(topics=4, documents=40, length=(20, 60))[0]
NAMES = [*small_word_models.MAKERS, *small_models.MAKERS]

each_name = pytest.mark.parametrize("name", NAMES)


def make(name, **more):
    if name in small_word_models.MAKERS:
        return small_word_models.MAKERS[name](**more)
    return small_models.make(name, **more)


def contents(model):
    """Everything that a model has learned, as the bytes of a file, and how its training went."""
    return files.write_bytes("model", *model._whole_state())


@functools.cache
def unbroken(name):
    return contents(make(name, threads=1).fit(TEXTS))


class Stop:
    """Raises at the n-th call."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self, progress):
        self.left -= 1
        if self.left < 0 and progress.fraction < 1:
            raise StopError


def stopped_and_gone_on(name, calls, path, texts=TEXTS, **more):
    """Train in pieces of so many blocks, with one and two threads by turns; count the pieces."""
    for piece in range(1, 10_000):
        model = make(name, threads=1 + piece % 2, progress=Stop(calls), **more)
        try:
            model.fit(texts, checkpoint=Checkpoint(path, every=3600))
        except StopError:
            assert path.exists()
            assert model.partial_ is True
        else:
            assert not path.exists()
            return model, piece
    raise AssertionError("it does not come to an end")


@each_name
def test_a_checkpoint_does_not_change_a_training(name, tmp_path):
    model = make(name, threads=2).fit(TEXTS, checkpoint=tmp_path / "c")
    assert contents(model) == unbroken(name)
    assert list(tmp_path.iterdir()) == []


@each_name
@pytest.mark.usefixtures("often")
def test_a_stopped_training_goes_on_to_the_same_bytes(name, tmp_path):
    model, pieces = stopped_and_gone_on(name, 4, tmp_path / "c")
    assert pieces > 2
    assert contents(model) == unbroken(name)
    assert model.partial_ is False


@pytest.mark.usefixtures("often")
def test_it_does_not_matter_where_it_stops(tmp_path_factory):
    @given(name=st.sampled_from(NAMES), calls=st.integers(1, 60))
    @settings(max_examples=15, deadline=None)
    def check(name, calls):
        path = tmp_path_factory.mktemp("checkpoint") / "c"
        assert contents(stopped_and_gone_on(name, calls, path)[0]) == unbroken(name)

    check()


@each_name
@pytest.mark.usefixtures("often")
def test_every_save_is_one_to_go_on_from(name, tmp_path, monkeypatch):
    """What a process that is killed leaves behind is the last save, whichever that is."""
    saves = []
    write = files.write_file

    def keep(path, *rest):
        write(path, *rest)
        saves.append(path.read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_file", keep)
        make(name).fit(TEXTS, checkpoint=Checkpoint(tmp_path / "c", every=0))
    assert len(saves) > 5
    for saved in [saves[0], saves[len(saves) // 3], saves[2 * len(saves) // 3], saves[-1]]:
        (tmp_path / "c").write_bytes(saved)
        assert contents(make(name).fit(TEXTS, checkpoint=tmp_path / "c")) == unbroken(name)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["skip-gram", "senses", "ParagraphVector", "binary encoder"])
@pytest.mark.usefixtures("often")
def test_racing_threads_go_on_too(name, threads, tmp_path):
    more = {"deterministic": False, "threads": threads}
    model = make(name, progress=Stop(5), **more)
    with pytest.raises(StopError):
        model.fit(TEXTS, checkpoint=tmp_path / "c")
    model = make(name, **more).fit(TEXTS, checkpoint=tmp_path / "c")
    assert model.partial_ is False
    assert len(model.losses_) == len(make(name).fit(TEXTS).losses_)
    assert np.isfinite(model.losses_).all()


def test_given_vectors_are_where_it_starts_from(tmp_path):
    start = Word2Vec(20, min_count=1, seed=5).fit(TEXTS[:20])
    other = Word2Vec(20, min_count=1, seed=6).fit(TEXTS[:20])
    whole = make("skip-gram", freeze="output").fit(TEXTS, start=start)
    model = make("skip-gram", freeze="output")
    model.fit(TEXTS, start=start, checkpoint=Checkpoint(tmp_path / "c", keep=True))
    assert contents(model) == contents(whole)
    again = make("skip-gram", freeze="output").fit(TEXTS, start=start, checkpoint=tmp_path / "c")
    assert contents(again) == contents(whole)
    model.fit(TEXTS, start=start, checkpoint=Checkpoint(tmp_path / "c", keep=True))
    with pytest.raises(ValueError, match="training: what it starts from is another; remove"):
        model.fit(TEXTS, start=other, checkpoint=tmp_path / "c")


@each_name
def test_a_file_that_is_kept_gives_the_model_again(name, tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "c", keep=True)
    make(name).fit(TEXTS, checkpoint=checkpoint)
    before = (tmp_path / "c").read_bytes()
    assert verify(tmp_path / "c")["kind"] == "checkpoint"
    with pytest.raises(FormatError, match="c: holds a training under way, which `fit` takes as"):
        load(tmp_path / "c")
    model = make(name, threads=2).fit(TEXTS, checkpoint=checkpoint)
    assert contents(model) == unbroken(name)
    assert (tmp_path / "c").read_bytes() == before
    make(name).fit(TEXTS, checkpoint=tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_progress_goes_on_where_it_was(tmp_path):
    seen = []
    make("skip-gram", epochs=30, progress=seen.append).fit(
        TEXTS, checkpoint=Checkpoint(tmp_path / "c", keep=True)
    )
    whole = seen[-1]
    make("skip-gram", epochs=30, progress=seen.append).fit(TEXTS, checkpoint=tmp_path / "c")
    assert seen[-1] == whole


# What is refused


def left(tmp_path, name="skip-gram", **more):
    path = tmp_path / "c"
    make(name, **more).fit(TEXTS, checkpoint=Checkpoint(path, keep=True))
    return path


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"learning_rate": 0.05}, "`learning_rate` was 0.025 and is 0.05"),
        ({"seed": 1}, "`seed` was 0 and is 1"),
        ({"dim": 21}, "`dim` was 20 and is 21"),
        ({"mode": "cbow"}, "`mode` was 'skip-gram' and is 'cbow'"),
        ({"subwords": (3, 4)}, "`subwords` was None and is [3, 4]"),
        ({"deterministic": False}, "`deterministic` was True and is False"),
    ],
)
def test_other_parameters_are_named(more, what, tmp_path):
    path = left(tmp_path)
    before = path.read_bytes()
    model = make("skip-gram", **more)
    with pytest.raises(ValueError) as caught:
        model.fit(TEXTS, checkpoint=path)
    assert str(caught.value) == (
        f"{path}: the checkpoint is of another training: {what}; remove the file to begin anew"
    )
    assert path.read_bytes() == before
    assert not model.__sklearn_is_fitted__()


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        (TEXTS[:-1], "it had 160 documents and has 159"),
        ([TEXTS[0] + " and", *TEXTS[1:]], r"it had \d+ tokens and has \d+"),
        (TEXTS[::-1], "the documents are others"),
        ([t.replace("topic0", "theme") for t in TEXTS], "the words of the documents or their"),
    ],
)
def test_other_documents_are_named(texts, what, tmp_path):
    path = left(tmp_path)
    with pytest.raises(ValueError, match=f"c: the checkpoint is of another training: {what}"):
        make("skip-gram").fit(texts, checkpoint=path)


def test_another_model_level_or_version_is_named(tmp_path):
    path = left(tmp_path)
    with pytest.raises(ValueError, match="the model was Word2Vec and is DisambiguatedSkipGram"):
        make("senses").fit(TEXTS, checkpoint=path)
    header, arrays = files.read_file(path)
    fused = _core.level() != "baseline"
    for name, value, what in (
        ("version", "0.0.1", "bitsense was 0.0.1 and is "),
        ("level", "baseline" if fused else "avx2", "the instruction-set level was "),
    ):
        training = {**header["training"], name: value}
        files.write_file(path, "checkpoint", {**header, "training": training}, arrays)
        with pytest.raises(ValueError, match=what):
            make("skip-gram").fit(TEXTS, checkpoint=path)


def test_levels_that_give_the_same_bytes_are_one(tmp_path):
    if _core.level() == "baseline":
        pytest.skip("needs fused multiply-add")
    path = left(tmp_path)
    header, arrays = files.read_file(path)
    other = "avx2" if _core.level() == "avx512" else "avx512"
    training = {**header["training"], "level": other}
    files.write_file(path, "checkpoint", {**header, "training": training}, arrays)
    assert contents(make("skip-gram").fit(TEXTS, checkpoint=path)) == unbroken("skip-gram")


def test_what_is_asked_of_the_model_later_may_be_other(tmp_path):
    path = left(tmp_path, "BinaryParagraphVector")
    model = make("BinaryParagraphVector", infer_epochs=3, on_unknown="nan")
    assert model.fit(TEXTS, checkpoint=path).infer_epochs == 3


def test_files_that_are_no_checkpoints_are_refused_and_left_alone(tmp_path):
    path = tmp_path / "c"
    make("skip-gram").fit(TEXTS).save(path)
    before = path.read_bytes()
    with pytest.raises(FormatError, match="c: holds a 'model', not a 'checkpoint'"):
        make("skip-gram").fit(TEXTS, checkpoint=path)
    assert path.read_bytes() == before
    path.unlink()
    whole = left(tmp_path).read_bytes()
    path.write_bytes(whole[:-64])
    with pytest.raises(FormatError, match="c: "):
        make("skip-gram").fit(TEXTS, checkpoint=path)
    assert path.read_bytes() == whole[:-64]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("blocks", -1),
        ("words", 2**63),
        ("blocks", "7"),
        ("epoch", -1),
        ("before", None),
        ("part", 2),
        ("training", []),
    ],
)
def test_a_corrupt_header_is_refused(field, value, tmp_path):
    path = left(tmp_path)
    header, arrays = files.read_file(path)
    files.write_file(path, "checkpoint", {**header, field: value}, arrays)
    before = path.read_bytes()
    with pytest.raises(FormatError, match=f"c: corrupt: '{field}' of the header must be "):
        make("skip-gram").fit(TEXTS, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["input", "output", "losses", "targets"])
def test_corrupt_tables_are_refused(name, tmp_path):
    path = left(tmp_path)
    header, arrays = files.read_file(path)
    short = {**arrays, name: arrays[name][:-1]}
    if name == "losses":
        short["losses"] = arrays["losses"].astype(np.float32)
    gone = {key: array for key, array in arrays.items() if key != name}
    for bad in (short, gone):
        files.write_file(path, "checkpoint", header, bad)
        before = path.read_bytes()
        with pytest.raises(FormatError, match="c: corrupt: array '"):
            make("skip-gram").fit(TEXTS, checkpoint=path)
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("checkpoint", "error", "message"),
    [
        (3, TypeError, "`checkpoint` must be a path or a Checkpoint, got int"),
        (Checkpoint(3), TypeError, "`path` of the checkpoint must be a path, got int"),
        (Checkpoint("c", every=-1), ValueError, "`every` must be at least 0, got -1"),
        (Checkpoint("c", keep=1), TypeError, "`keep` must be True or False, got 1"),
    ],
)
@pytest.mark.parametrize("cls", [Word2Vec, DisambiguatedSkipGram, ParagraphVector])
def test_bad_arguments_are_named(cls, checkpoint, error, message):
    with pytest.raises(error) as caught:
        cls(8, min_count=1).fit(TEXTS, checkpoint=checkpoint)
    assert str(caught.value) == message


def test_a_path_that_cannot_be_written_is_found_out_at_once(tmp_path):
    seen = []
    with pytest.raises(FileNotFoundError):
        make("skip-gram", progress=seen.append).fit(TEXTS, checkpoint=tmp_path / "none" / "c")
    assert seen == []


# When something goes wrong


@pytest.mark.parametrize("name", ["skip-gram", "senses", "ParagraphVector", "encoder"])
@pytest.mark.usefixtures("often")
def test_a_save_that_fails_stops_the_training_and_keeps_the_model(name, tmp_path, monkeypatch):
    write, calls = files.write_file, []

    def fails(*arguments):
        calls.append(1)
        if len(calls) > 3:
            raise OSError("no space")
        write(*arguments)

    model = make(name)
    with monkeypatch.context() as patch:
        patch.setattr(files, "write_file", fails)
        with pytest.raises(OSError, match="no space"):
            model.fit(TEXTS, checkpoint=Checkpoint(tmp_path / "c", every=0))
    assert model.partial_ is True
    assert contents(model.fit(TEXTS, checkpoint=tmp_path / "c")) == unbroken(name)


@pytest.mark.parametrize("name", ["skip-gram", "senses", "ParagraphVector"])
def test_weights_that_run_away_leave_no_file(name, tmp_path, monkeypatch):
    engine = _core.train

    def diverging(*arguments):
        *tables, losses, error = engine(*arguments)
        tables[1][0, 0] = np.nan
        return *tables, losses, error

    monkeypatch.setattr(_core, "train", diverging)
    with pytest.raises(ValueError, match="made the weights infinite"):
        make(name, learning_rate=1000.0, epochs=20).fit(TEXTS, checkpoint=tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_after_the_last_block_loses_nothing(tmp_path, monkeypatch):
    """The priors of senses, and the neighbours of an encoder, are worked out afterwards."""
    path = tmp_path / "c"

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_core, "sense_priors", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make("senses").fit(TEXTS, checkpoint=path)
    assert info(path)["header"]["words"] == make("senses").epochs * sum(
        len(text.split()) for text in TEXTS
    )
    assert contents(make("senses").fit(TEXTS, checkpoint=path)) == unbroken("senses")
    name = "encoder, neighbours"
    with monkeypatch.context() as patch:
        patch.setattr("bitsense._training.nearest_documents", interrupted)
        model = make(name)
        with pytest.raises(KeyboardInterrupt):
            model.fit(TEXTS, checkpoint=path)
        assert model.partial_ is True
    with monkeypatch.context() as patch:
        patch.setattr("bitsense._training.nearest_documents", interrupted)
        seen = []
        with pytest.raises(KeyboardInterrupt):  # nothing of the first training is done again
            make(name, progress=seen.append).fit(TEXTS, checkpoint=path)
        assert seen == []
    assert contents(make(name).fit(TEXTS, checkpoint=path)) == unbroken(name)


@pytest.mark.usefixtures("often")
def test_the_second_training_of_an_encoder_leaves_the_model_of_the_first(tmp_path):
    name, path = "binary encoder, neighbours", tmp_path / "c"

    class StopInSecond(Stop):
        def __call__(self, progress):
            if progress.fraction > 0.5:
                super().__call__(progress)

    first = make(name, progress=StopInSecond(3))
    with pytest.raises(StopError):
        first.fit(TEXTS)
    for calls in (3, 4):
        model = make(name, progress=StopInSecond(calls))
        with pytest.raises(StopError):
            model.fit(TEXTS, checkpoint=path)
        assert files.read_file(path)[0]["part"] == 1
        assert contents(model) == contents(first)
    assert contents(make(name).fit(TEXTS, checkpoint=path)) == unbroken(name)


def test_a_symbolic_link_stays(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "file").write_bytes(left(tmp_path).read_bytes())
    make("skip-gram").fit(TEXTS, checkpoint=tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert not (tmp_path / "file").exists()
