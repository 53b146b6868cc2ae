"""Fixtures: the levels of the inner loops, the folder of corpora, hypothesis profiles."""

from __future__ import annotations

import functools
import importlib
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bitsense import _core

settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("brief", settings.get_profile("default"), max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# A suite that is started in the background of a script inherits an ignored SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, of a run at one level, what goes through all levels by itself."""
    if not os.environ.get("BITSENSE_LEVEL"):
        return
    through = [item for item in items if "level" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=through)
    left = set(items) - set(through)
    items[:] = [item for item in items if item in left]


@pytest.fixture(params=_core.levels())
def level(request: pytest.FixtureRequest) -> str:
    """Each level of the inner loops that this machine can run."""
    return str(request.param)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real corpora; the test is skipped where it is absent."""
    folder = Path(os.environ.get("BITSENSE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs the data folder (BITSENSE_DATA)")
    return folder


@pytest.fixture
def often(monkeypatch):
    """Let the engine ask its watch after every block, not ten times a second."""
    for function in ("train", "train_words", "train_senses"):
        engine = getattr(_core, function)
        monkeypatch.setattr(_core, function, functools.partial(engine, watch_every=0.0))


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks by name."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module
