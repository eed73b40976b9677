"""The peer's own virtual environment, made when it is missing or its requirements have changed."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from assay.chain import compile as compiler
from assay.chain.npm import node_binary, node_modules

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
ENVIRONMENT = HERE / ".venv"
NEEDED_BYTES = 8 << 30
SOLC_WANTED = "0.8.20"


def python() -> Path:
    """The environment's interpreter; the first call installs it, which takes minutes and 4 GB of disk.

    Raises:
        OSError: the disk has less than 8 GiB free.
        subprocess.CalledProcessError: a requirement could not be installed.
    """
    interpreter = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / "requirements.sha256"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == digest:
        return interpreter
    if (free := shutil.disk_usage(HERE).free) < NEEDED_BYTES:
        raise OSError(f"EZKL's environment needs {NEEDED_BYTES / 1e9:.0f} GB of disk; {free / 1e9:.1f} GB are free.")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
    subprocess.run([interpreter, "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)], check=True)
    stamp.write_text(digest, encoding="ascii")
    return interpreter


def home(work: Path) -> Path:
    """A home folder for EZKL, so that the user's is left alone, with a Solidity compiler where it looks for one.

    EZKL would download a native compiler to read the interface of the contract it wrote; it gets
    the npm build instead, which compiles the contract for every tool here.
    """
    folder = work / "home"
    solc = folder / ".svm" / SOLC_WANTED / f"solc-{SOLC_WANTED}"
    solc.parent.mkdir(parents=True, exist_ok=True)
    command = [str(node_binary()), str(Path(compiler.__file__).with_name("solc.cjs"))]
    modules = shlex.quote(str(node_modules("solc")))
    solc.write_text(f'#!/bin/sh\nASSAY_NODE_MODULES={modules} exec {shlex.join(command)} "$@"\n', encoding="utf-8")
    solc.chmod(0o755)
    return folder
