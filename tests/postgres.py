"""A PostgreSQL that tests start themselves, on a socket of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def _binaries():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return found[0].parent if found else None


def running(tmp_path_factory):
    """A PostgreSQL of its own, on a socket, run by an unprivileged user where the tests run as root."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    place = Path(tmp_path_factory.mktemp("pg"))
    as_user = []
    if os.geteuid() == 0:
        runuser = shutil.which("runuser")
        if runuser is None:
            pytest.skip("PostgreSQL refuses to run as root, and there is no runuser")
        as_user = [runuser, "-u", "nobody", "--"]
        for folder in (place, *place.parents):
            if str(folder).startswith(str(tmp_path_factory.getbasetemp().parent.parent)):
                folder.chmod(0o755)
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
