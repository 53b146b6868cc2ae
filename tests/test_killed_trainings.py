"""Processes that are killed while they train: the next one goes on, to the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import pytest
from reference.small_models import environment
from reference.topics import planted

from bitsense import (
    BinaryParagraphVector,
    DisambiguatedSkipGram,
    ParagraphVector,
    RealBinaryParagraphVector,
    Word2Vec,
    files,
    load,
)
from bitsense.cli import main

TEXTS = planted(topics=6, documents=60, length=(60, 90))[0]

# Some tenths of a second of training each, on one thread of any machine.
MODELS = {
    "skip-gram": lambda **more: Word2Vec(32, epochs=40, min_count=1, **more),
    "cbow": lambda **more: Word2Vec(32, mode="cbow", epochs=60, min_count=1, **more),
    "subwords": lambda **more: Word2Vec(
        32, subwords=(3, 5), buckets=3000, epochs=25, min_count=1, **more
    ),
    "senses": lambda **more: DisambiguatedSkipGram(
        32, senses=3, epochs=12, min_count=1, min_count_senses=30, **more
    ),
    "dbow": lambda **more: ParagraphVector(32, epochs=80, min_count=1, **more),
    "dm": lambda **more: BinaryParagraphVector(32, mode="dm", epochs=15, min_count=1, **more),
    "real-binary": lambda **more: RealBinaryParagraphVector(64, 16, epochs=60, min_count=1, **more),
    "encoder": lambda **more: BinaryParagraphVector(
        32, mode="encoder", neighbors=5, epochs=150, min_count=1, **more
    ),
}

CHILD = """
    import sys
    from bitsense import Checkpoint
    from test_killed_trainings import MODELS, TEXTS

    name, path, output, threads = sys.argv[1:]
    model = MODELS[name](threads=int(threads))
    model.fit(TEXTS, checkpoint=Checkpoint(path, every=0.0))
    model.save(output)
"""


def contents(model):
    return files.write_bytes("model", *model._whole_state())


def words_saved(path):
    try:
        return files.info(path)["header"]["words"]
    except FileNotFoundError:  # not yet, or not any more
        return -1


def run_until_killed(arguments, path):
    """Run a command that saves to `path`; kill it as soon as a later state was saved."""
    before = words_saved(path)
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=environment()) as child:
        try:
            deadline = time.monotonic() + 60
            while child.poll() is None and time.monotonic() < deadline:
                if words_saved(path) > max(before, 0):
                    break
                time.sleep(0.01)
        finally:
            child.send_signal(signal.SIGKILL)
        return child.wait()


@pytest.mark.parametrize(("name", "threads"), list(zip(MODELS, [1, 2] * 4, strict=True)))
def test_a_killed_training_goes_on_to_the_same_bytes(name, threads, tmp_path):
    path, output = tmp_path / "checkpoint", tmp_path / "model"
    command = [sys.executable, "-c", textwrap.dedent(CHILD), name, str(path), str(output)]
    for _ in range(5):
        for _ in range(2):
            assert run_until_killed([*command, str(threads)], path) in (-signal.SIGKILL, 0)
        if path.exists() or output.exists():
            break  # else it was killed when the training was done and the model not yet saved
    if output.exists():  # a machine so fast that it was done before it was killed
        model = load(output)
    else:
        assert files.verify(path)["kind"] == "checkpoint"
        assert words_saved(path) > 0
        model = MODELS[name](threads=3 - threads).fit(TEXTS, checkpoint=path)
    assert not path.exists()
    model.save(tmp_path / "resumed")
    MODELS[name](threads=1).fit(TEXTS).save(tmp_path / "unbroken")
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "unbroken").read_bytes()


def test_ctrl_c_saves_what_was_learned(tmp_path):
    script = """
        import sys
        from test_killed_trainings import MODELS, TEXTS

        model = MODELS["skip-gram"]().set_params(epochs=2000)
        print("ready", flush=True)
        try:
            model.fit(TEXTS, checkpoint=sys.argv[1])
        except KeyboardInterrupt:
            print(model.partial_, flush=True)
    """
    path = tmp_path / "checkpoint"
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    ) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            time.sleep(0.7)
            child.send_signal(signal.SIGINT)
            assert child.stdout.readline() == "True\n"
        finally:
            child.kill()
    assert 0 < files.info(path)["header"]["words"] < 2000 * sum(len(t.split()) for t in TEXTS)


# On the command line


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(TEXTS))
    return file


@pytest.mark.parametrize(("model", "size"), [("skip-gram", "--dim"), ("binary-pv", "--bits")])
def test_the_command_goes_on_after_it_was_killed(model, size, text, tmp_path):
    path = tmp_path / "checkpoint"
    train = ["train", str(text), "--model", model, size, "32", "--epochs", "40", "--quiet"]
    train += ["--threads", "1"]
    save = ["--checkpoint", str(path), "--checkpoint-every", "0"]
    command = [sys.executable, "-m", "bitsense", *train, *save, "-o", str(tmp_path / "a")]
    run_until_killed(command, path)
    assert main([*train, *save, "-o", str(tmp_path / "a")]) == 0
    assert main([*train, "-o", str(tmp_path / "b")]) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert not path.exists()


def test_the_command_keeps_the_checkpoint_until_the_model_is_saved(
    text, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "checkpoint"
    train = ["train", str(text), "--epochs", "1", "--min-count", "1", "--quiet", "--bits", "16"]
    train += ["--checkpoint", str(path), "--held-out", "0.1", "-o", str(tmp_path / "model")]

    def fails(*arguments, **options):
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(BinaryParagraphVector, "save", fails)
        assert main(train) == 1
    assert path.exists()
    capsys.readouterr()
    assert main([word for word in train if word != "--quiet"]) == 0
    remarks = capsys.readouterr().err
    assert f"{path}: going on with the training that was saved there\n" in remarks
    assert not path.exists()
    assert load(tmp_path / "model").certificate_ is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--checkpoint-every", "5"], "--checkpoint-every needs --checkpoint"),
        (["--checkpoint", "c", "--checkpoint-every", "x"], "invalid float value: 'x'"),
    ],
)
def test_wrong_options_of_the_command_are_named(options, message, text, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", str(text), "-o", str(tmp_path / "m"), *options])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
