"""Find the programs that come as npm packages: the local node and the Solidity compiler."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from assay.chain.errors import ToolMissing

ENVIRONMENT = "ASSAY_NODE_MODULES"
"""Environment variable that names a node_modules folder and overrides the search."""

INSTALL_HINT = (
    "Run `npm install` in the repository (or `npm install solc@0.8 @foundry-rs/anvil@1.7.1` anywhere) "
    f"and, outside the repository, set {ENVIRONMENT} to the node_modules folder."
)


def node_modules(package: str) -> Path:
    """Return the node_modules folder that holds `package`.

    Looked up in the folder named by ASSAY_NODE_MODULES, or else upwards from this file (the
    repository of an editable install) and upwards from the working directory.

    Raises
    ------
    ToolMissing
        No such folder holds the package.
    """
    explicit = os.environ.get(ENVIRONMENT)
    folders = [Path(explicit)] if explicit else _folders_upwards()
    for folder in folders:
        if (folder / package / "package.json").is_file():
            return folder
    where = f"in {explicit} ({ENVIRONMENT})" if explicit else "in any node_modules folder from here upwards"
    raise ToolMissing(f"The npm package {package} was not found {where}.", INSTALL_HINT)


def foundry_binary(tool: str) -> Path:
    """Return the native binary of a Foundry tool ("anvil", "forge").

    The binary is used directly and not through the package's Node.js wrapper: stopping the
    wrapper can leave the binary running.

    Raises
    ------
    ToolMissing
        The package for this platform is not installed.
    """
    package = f"@foundry-rs/{tool}-{_platform()}"
    suffix = ".exe" if sys.platform == "win32" else ""
    binary = node_modules(package) / package / "bin" / f"{tool}{suffix}"
    if not binary.is_file():
        raise ToolMissing(f"The npm package {package} has no binary at {binary}.", "Install it again with `npm ci`.")
    return binary


def node_binary() -> Path:
    """Return the Node.js program.

    Raises
    ------
    ToolMissing
        `node` is not on the PATH.
    """
    found = shutil.which("node")
    if found is None:
        raise ToolMissing("Node.js was not found on the PATH.", "Install Node.js 20 or later.")
    return Path(found)


def _folders_upwards() -> list[Path]:
    here, there = Path(__file__).resolve(), Path.cwd()
    ancestors = [*here.parents, there, *there.parents]
    return [folder / "node_modules" for folder in dict.fromkeys(ancestors)]


def _platform() -> str:
    """Name of the platform in Foundry's package names, such as linux-amd64."""
    machine = platform.machine().lower()
    architecture = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(machine, machine)
    return f"{sys.platform}-{architecture}"
