"""Saving and loading: an old file survives every failure, and each kind finds its loader."""

from __future__ import annotations

import os
import random
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bitsense import FormatError, _core, _file_kinds, files, load


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Replacing files


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "x.bitsense"
    files.write_file(path, "x", {"old": True}, {})
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, old[1]))
    try:
        with pytest.raises(OSError, match=r"File too large") as error:
            files.write_file(path, "x", {}, {"a": np.zeros(1 << 21, np.uint8)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert error.value.filename == str(path)
    assert files.read_file(path)[0] == {"old": True}
    assert names(tmp_path) == ["x.bitsense"]


def test_an_interrupted_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    path = tmp_path / "x.bitsense"
    files.write_file(path, "x", {"old": True}, {})
    old = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        with pytest.raises(KeyboardInterrupt):
            files.write_file(path, "x", {}, {"a": np.zeros(1 << 29, np.uint8)})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert files.read_file(path)[0] == {"old": True}
    assert names(tmp_path) == ["x.bitsense"]


def test_a_missing_folder_a_folder_and_a_device_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError) as missing:
        files.write_file(tmp_path / "none" / "x", "x", {}, {})
    assert missing.value.filename == str(tmp_path / "none" / "x")
    with pytest.raises(IsADirectoryError):
        files.write_file(tmp_path, "x", {}, {})
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with pytest.raises(OSError, match=r"Invalid argument: '/dev/null'"):
        files.write_file("/dev/null", "x", {}, {})
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(FormatError, match=r"^/dev/null: not a regular file"):
        load("/dev/null")
    with pytest.raises(FileNotFoundError) as missing:
        load(tmp_path / "none")
    assert missing.value.filename == str(tmp_path / "none")
    with pytest.raises(ValueError, match=r"^`path` must not contain a null character$"):
        load("a\0b")
    assert names(tmp_path) == []


def test_a_link_stays_and_its_target_is_replaced(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target"
    (tmp_path / "link").symlink_to("middle")
    (tmp_path / "middle").symlink_to("folder/target")
    monkeypatch.chdir(tmp_path)
    for header in ({"n": 1}, {"n": 2}):  # once the links dangle, once they do not
        files.write_file("link", "x", header, {})
        assert (tmp_path / "link").is_symlink()
        assert not target.is_symlink()
        assert files.read_file(target)[0] == header
    assert names(tmp_path / "folder") == ["target"]
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match=r"Too many levels of symbolic links"):
        files.write_file("loop", "x", {}, {})


def test_the_mode_of_a_replaced_file_is_kept(tmp_path):
    path = tmp_path / "x"
    old = os.umask(0o027)
    try:
        files.write_file(path, "x", {}, {})
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        files.write_file(path, "x", {}, {})
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(old)


def test_a_path_may_be_any_bytes_and_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x", "größe", os.fsdecode(b"\xff\xfe"), "n" * 255):
        files.write_file(name, "x", {"name": 1}, {})
        assert files.read_file(name)[0] == {"name": 1}
        Path(name).write_bytes(b"rubbish")
        with pytest.raises(FormatError, match=r": not a bitsense file$"):
            load(name)


def test_views_survive_the_file(tmp_path):
    path = tmp_path / "x"
    array = np.arange(100_000, dtype=np.float32)
    files.write_file(path, "x", {}, {"a": array})
    view = files.read_file(path)[1]["a"][10:]
    files.write_file(path, "x", {}, {"a": -array})
    path.unlink()
    assert np.array_equal(view, array[10:])


def test_threads_read_one_file_while_it_is_replaced(tmp_path):
    path = tmp_path / "x"
    files.write_file(path, "x", {"n": 0}, {"a": np.full(50_000, 0)})
    done = threading.Event()
    wrong = []

    def read():
        while not done.is_set():
            header, arrays = files.read_file(path)
            if not (arrays["a"] == header["n"]).all():
                wrong.append(header)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(30):
        files.write_file(path, "x", {"n": n}, {"a": np.full(50_000, n)})
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert names(tmp_path) == ["x"]


WRITER = """
import sys, itertools
import numpy as np
from bitsense import files
print("ready", flush=True)
for n in itertools.count(1):
    files.write_file(sys.argv[1], "x", {"n": n}, {"a": np.full(400_000, n)})
"""


@pytest.mark.slow
def test_kill_during_save_leaves_a_whole_file(tmp_path):
    path = tmp_path / "x"
    files.write_file(path, "x", {"n": 0}, {"a": np.full(400_000, 0)})
    rng = random.Random(1)
    written = set()
    for _ in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.0, 0.08))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        header, arrays = files.read_file(path)
        assert (arrays["a"] == header["n"]).all()
        written.add(header["n"])
    assert len(written) > 1  # some saves were finished, so the kills did fall among saves
    leftovers = set(names(tmp_path)) - {"x"}
    assert all(name.startswith(".bitsense-") and name.endswith(".tmp") for name in leftovers)


# Kinds


def test_load_calls_the_loader_of_the_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(_file_kinds, "_loaders", {})
    path = tmp_path / "x.bitsense"
    files.write_file(path, "thing", {"n": 3}, {"a": np.arange(3)})
    with pytest.raises(FormatError) as error:
        load(path)
    assert str(error.value) == f"{path}: holds a 'thing', which this bitsense does not know"

    def loader(header, arrays):
        array = files.require_array(arrays, "a", "int64", files.require_field(header, "n", int))
        return array.sum()

    files.register("thing", loader)
    files.register("thing", loader)
    assert load(path) == 3
    assert files.load_bytes(path.read_bytes()) == 3
    with pytest.raises(ValueError, match=r"^`kind` 'thing' is registered already$"):
        files.register("thing", lambda header, arrays: None)
    files.write_file(path, "thing", {"n": 4}, {"a": np.arange(3)})
    message = f"{path}: corrupt: array 'a' must have the shape (4), got (3)"
    for reads in (load, files.verify):
        with pytest.raises(FormatError) as error:
            reads(path)
        assert str(error.value) == message


def test_a_loader_that_forgot_a_check_gives_format_error_too(monkeypatch):
    monkeypatch.setattr(_file_kinds, "_loaders", {})
    files.register("thing", lambda header, arrays: header["missing"])
    with pytest.raises(FormatError, match=r"^corrupt: 'missing'$") as error:
        files.load_bytes(files.write_bytes("thing", {}, {}))
    assert isinstance(error.value.__cause__, KeyError)


def test_another_kind_than_asked_for_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"^holds a 'codes', not a 'model'$"):
        files.read_bytes(files.write_bytes("codes", {}, {}), "model")


CODES = {"codes": np.zeros((3, 2), np.uint8)}


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: files.require_array({}, "x", "uint8"), "corrupt: array 'x' is missing"),
        (lambda: files.require_array(CODES, "codes", "int8", None, None),
         "corrupt: array 'codes' must be of int8, got uint8"),
        (lambda: files.require_array(CODES, "codes", "uint8", None),
         "corrupt: array 'codes' must have the shape (any), got (3, 2)"),
        (lambda: files.require_field({}, "n", int), "corrupt: 'n' is missing from the header"),
        (lambda: files.require_field({"n": True}, "n", int),
         "corrupt: 'n' of the header must be int, got True"),
        (lambda: files.require_field({"n": "1"}, "n", (int, float)),
         "corrupt: 'n' of the header must be int or float, got '1'"),
        (lambda: files.unpack_strings({"w": np.zeros(2, np.uint8),
                                       "w_ends": np.array([3, 2], np.uint64)}, "w"),
         "corrupt: the strings of 'w' do not fill their bytes"),
    ],
)  # fmt: skip
def test_the_checks_of_loaders_refuse(check, message):
    with pytest.raises(FormatError) as error:
        check()
    assert str(error.value) == message


def test_info_and_verify_describe_a_file(tmp_path):
    path = tmp_path / "x.bitsense"
    files.write_file(path, "unknown", {"bits": 3}, {"a": np.zeros((2, 3), np.uint8)})
    summary = files.info(path)
    assert summary == files.verify(path)
    assert summary == {
        "kind": "unknown",
        "writer": f"bitsense {_core.__version__}",
        "format": 1,
        "bytes": path.stat().st_size,
        "header": {"bits": 3},
        "arrays": [{"name": "a", "dtype": "uint8", "shape": [2, 3], "bytes": 6,
                    "crc64": f"{_core.crc64(bytes(6)):016x}"}],
    }  # fmt: skip
    path.write_bytes(path.read_bytes()[:-64] + b"\1" + bytes(63))
    assert files.info(path) == summary  # reads the metadata only, as documented
    with pytest.raises(FormatError, match=r"the checksum of section 0 is wrong$"):
        files.verify(path)
