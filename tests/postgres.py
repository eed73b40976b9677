"""A PostgreSQL that tests start themselves, on a socket of its own."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest


def _binaries():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return found[0].parent if found else None


def running(tmp_path_factory):
    """A PostgreSQL of its own, on a socket, run by an unprivileged user where the tests run as root."""
    place = Path(tmp_path_factory.mktemp("pg"))
    if os.geteuid() == 0:
        for folder in place.parents:
            if str(folder).startswith(str(tmp_path_factory.getbasetemp().parent.parent)):
                folder.chmod(0o755)
    try:
        with started(place) as url:
            yield url
    except Missing as error:
        pytest.skip(str(error))


class Missing(Exception):
    """Something that PostgreSQL needs is not installed."""


@contextmanager
def started(place):
    """A PostgreSQL in an empty folder, whose parents everybody may enter."""
    binaries = _binaries()
    if binaries is None:
        raise Missing("PostgreSQL is not installed (Debian: postgresql)")
    as_user = []
    if os.geteuid() == 0:
        runuser = shutil.which("runuser")
        if runuser is None:
            raise Missing("PostgreSQL refuses to run as root, and there is no runuser")
        as_user = [runuser, "-u", "nobody", "--"]
        shutil.chown(place, "nobody")
        place.chmod(0o700)

    def run(*command):
        subprocess.run([*as_user, *map(str, command)], check=True, capture_output=True, cwd="/")

    base = place / "base"
    run(binaries / "initdb", "-D", base, "-U", "assay", "-A", "trust", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={place} -c fsync=off"
    run(binaries / "pg_ctl", "-D", base, "-o", options, "-l", place / "log", "-w", "start")
    try:
        yield f"postgresql://assay@/postgres?host={place}"
    finally:
        run(binaries / "pg_ctl", "-D", base, "-m", "immediate", "stop")
