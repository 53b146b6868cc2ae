"""Trainings that are saved, stopped and gone on with: the bytes are those of an unbroken one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.checkpoints import NAMES, TEXTS, Stop, contents, each_name, left, make, unbroken
from reference.interruptions import StopError

from bitsense import Checkpoint, FormatError, Word2Vec, _core, files, info, load, verify


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
