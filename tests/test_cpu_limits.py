"""How many threads a call uses by default, in containers too; and trainings in forked processes."""

from __future__ import annotations

import math
import os
import sys

import pytest
from reference.small_models import run_python

from bitsense import _cpu_limits, cpu_info
from bitsense._check import check_threads
from bitsense._cpu_limits import available_cpus, cpu_quota

V1 = "33 32 0:28 {root} {point} rw,nosuid - cgroup cgroup rw,{options}\n"
V2 = "30 24 0:26 {root} {point} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


@pytest.fixture
def process(tmp_path):
    """Return a maker of the folder of a process: its groups, its mounts, the files of groups."""

    def make(groups, mounts, contents):
        for name, text in contents.items():
            file = tmp_path / "cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        folder = tmp_path / "proc"
        folder.mkdir()
        (folder / "cgroup").write_text(groups)
        text = "".join(
            form.format(root=root, point=tmp_path / "cgroup" / point, options=options)
            for form, root, point, options in mounts
        )
        (folder / "mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + text)
        return folder

    return make


def v1(folder, quota, period=100000):
    return {
        f"{folder}/cpu.cfs_quota_us": f"{quota}\n",
        f"{folder}/cpu.cfs_period_us": f"{period}\n",
    }


CASES = {
    "v2, a container": (
        "0::/\n", [(V2, "/", ".", "")], {"cpu.max": "200000 100000\n"}, 2.0
    ),
    "v2, no limit": ("0::/\n", [(V2, "/", ".", "")], {"cpu.max": "max 100000\n"}, math.inf),
    "v2, the group has no file": ("0::/a/b\n", [(V2, "/", ".", "")], {"a/x": ""}, math.inf),
    "v2, a group around it": (
        "0::/a/b\n",
        [(V2, "/", ".", "")],
        {"a/cpu.max": "150000 100000", "a/b/cpu.max": "400000 100000"},
        1.5,
    ),
    "v2, the path is that of the host": (
        "0::/docker/123\n", [(V2, "/", ".", "")], {"cpu.max": "300000 100000"}, 3.0
    ),
    "v2, outside of the namespace": (
        "0::/../other\n", [(V2, "/", ".", "")], {"cpu.max": "300000 100000"}, 3.0
    ),
    "v2, unreadable": ("0::/\n", [(V2, "/", ".", "")], {"cpu.max": "what\n"}, math.inf),
    "v2, without a period": ("0::/\n", [(V2, "/", ".", "")], {"cpu.max": "5\n"}, math.inf),
    "v1, a container": (
        "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n",
        [(V1, "/docker/1", "cpu", "cpu,cpuacct"), (V1, "/docker/1", "memory", "memory")],
        {**v1("cpu", 250000), **v1("memory", 100000)},
        2.5,
    ),
    "v1, no limit": (
        "3:cpu:/\n", [(V1, "/", "cpu", "cpu")], v1("cpu", -1), math.inf
    ),
    "v1, a group around it": (
        "3:cpu:/a/b\n",
        [(V1, "/", "cpu", "cpu")],
        {**v1("cpu", -1), **v1("cpu/a", 100000, 50000), **v1("cpu/a/b", -1)},
        2.0,
    ),
    "v1 and v2, the controller is in one": (
        "3:cpu:/a\n0::/a\n",
        [(V1, "/", "cpu", "cpu"), (V2, "/", "unified", "")],
        {**v1("cpu/a", 400000), "unified/a/x": ""},
        4.0,
    ),
    "a set of processors is no quota": (
        "3:cpuset:/\n", [(V1, "/", "cpuset", "cpuset")], v1("cpuset", 100000), math.inf
    ),
    "nothing is mounted": ("0::/\n", [], {}, math.inf),
    "empty": ("", [], {}, math.inf),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_quota_of_the_control_groups(name, process):
    groups, mounts, contents, quota = CASES[name]
    assert cpu_quota(process(groups, mounts, contents)) == quota


def test_a_system_without_control_groups_has_no_quota(tmp_path):
    assert cpu_quota(tmp_path) == math.inf


@pytest.mark.parametrize(
    ("processors", "quota", "threads"),
    [(64, 2.0, 2), (64, 2.9, 2), (64, 0.5, 1), (4, 8.0, 4), (4, math.inf, 4)],
)
def test_the_default_number_of_threads_honours_both(processors, quota, threads, monkeypatch):
    affinity = set(range(processors))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: affinity, raising=False)
    monkeypatch.setattr(_cpu_limits, "_own_quota", lambda: quota)
    monkeypatch.delenv("BITSENSE_THREADS", raising=False)
    assert available_cpus() == check_threads(None) == cpu_info()["threads"] == threads
    assert check_threads(7) == 7


@pytest.mark.skipif(sys.platform != "linux", reason="needs an affinity")
def test_the_affinity_is_asked_anew():
    script = """
        import os
        from bitsense import cpu_info
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        print(cpu_info()["threads"])
    """
    assert run_python(script) == "1\n"


FORKED = """
    import multiprocessing
    import os
    from bitsense import BinaryParagraphVector, HammingIndex, Word2Vec
    from reference.topics import planted

    texts = planted(topics=4, documents=40)[0]

    def train(seed):
        words = Word2Vec(16, min_count=1, threads=2, seed=seed).fit(texts)
        model = BinaryParagraphVector(16, min_count=1, threads=2, seed=seed).fit(texts)
        codes = model.transform(texts)
        HammingIndex(codes).search(codes, k=3, threads=2)
        return words.wv.vectors.tobytes() + codes.tobytes()

    before = [train(seed) for seed in (0, 1)]
    child = os.fork()
    if child == 0:
        os._exit(0 if train(0) == before[0] else 1)
    assert os.waitpid(child, 0)[1] == 0
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(train, [0, 1, 0, 1]) == before * 2
    assert train(1) == before[1]
    print("same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_processes_train_after_their_parent_has():
    assert run_python(FORKED) == "same\n"
