"""What `assay verify` does with a chain: find it, what should stand there, and the registry."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assay.keep.errors import NothingToCompare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.keep.address import Expected
    from assay.keep.dispute import Finding
    from assay.record.database import Database
    from assay.settle.network import Network
    from assay.settle.registry import Registry


def verify_address(
    address: str,
    chain: str | None,
    key: Path | None,
    release: str | None,
    registry: str | None,
    *,
    folder: Path,
    database: str | None,
    unchecked: bool,
) -> list[Finding]:
    """Open what is needed and look; a stranger gives a node's address and a file, and needs no project."""
    from assay.keep.address import verify

    if key is not None and release is not None:
        raise NothingToCompare("--key and --release are both given", "Give one: a release names its key.")
    with _records(folder, database) as base:
        on = network_of(folder, chain)
        expected = _expected(base, folder, key, release)
        return verify(on, address, expected, _registry(on, registry, base, folder), unchecked=unchecked)


def verify_certificate(
    path: Path, chain: str | None, registry: str | None, *, folder: Path, database: str | None, unchecked: bool
) -> list[Finding]:
    """Check a certificate; with a chain or a registry, since when the chain has its release."""
    from assay.keep.certify.check import verify

    if chain is None and registry is None:
        return verify(path, unchecked=unchecked)
    with _records(folder, database) as base:
        on = network_of(folder, chain)
        found = _registry(on, registry, base, folder)
        if found is None:
            raise NothingToCompare(f"no registry of {on.name} is known here", "Give --registry ADDRESS.")
        return verify(path, found, unchecked=unchecked)


@contextmanager
def _records(folder: Path, url: str | None) -> Iterator[Database | None]:
    """The project's records, if there are any here."""
    from assay.record.database import FILE, Database

    if url is None and not (folder / ".assay" / FILE).is_file():
        yield None
        return
    with closing(Database.of_project(folder, url)) as base:
        yield base


def _registry(on: Network, address: str | None, base: Database | None, folder: Path) -> Registry | None:
    from assay.settle.registry import Registry, registry_of
    from assay.task.task import TASK_FILE

    if address is not None:
        return Registry(on, address)
    if base is not None and (folder / TASK_FILE).is_file():
        return registry_of(base, _name(folder), on)
    return None if on.spec.registry is None else Registry(on, on.spec.registry)


def network_of(folder: Path, chain: str | None) -> Network:
    """A chain by its name in the project's task.toml, or a node's address, for which no project is needed."""
    from assay.project.project import Project
    from assay.settle.network import Network, network
    from assay.settle.node import Node, host, quantity
    from assay.task.chains import ChainSpec

    if chain is None or not chain.startswith(("http://", "https://")):
        return network(Project(folder).task, chain)
    # Whoever names a node says by that which chain is meant.
    asked = Node(host(chain), 0, (chain,))
    id_ = quantity(asked.chain_of(chain))
    return Network(
        host(chain), id_, ChainSpec.model_validate({"id": id_, "rpc": [chain]}), Node(host(chain), id_, (chain,))
    )


def _expected(base: Database | None, folder: Path, key: Path | None, release: str | None) -> Expected:
    from assay.keep.address import Expected
    from assay.prove.keys import VERIFYING_KEY_FILE, VerifyingKey
    from assay.record import artefacts, releases
    from assay.release.export import read
    from assay.release.key import verifying_key, verifying_key_of
    from assay.release.parts import RUNTIME_FILE

    if key is not None:
        loaded = VerifyingKey.load(key)
        return Expected(loaded.model_id, loaded)
    if release is None:
        return Expected("")
    if Path(release).is_file():
        found, contents = read(Path(release))
        parts = found.public["parts"]
        loaded = verifying_key_of(contents[parts[VERIFYING_KEY_FILE]["digest"]])
        return Expected(found.public["model_id"], loaded, contents[parts[RUNTIME_FILE]["digest"]], found.digest)
    if base is None:
        raise NothingToCompare(f"{release} is no file, and there are no records here", "Give a file or -C DIR.")
    held = releases.get(base, _name(folder), release)
    runtime = artefacts.get(base, held.public["parts"][RUNTIME_FILE]["digest"])
    return Expected(held.public["model_id"], verifying_key(base, held), runtime, held.digest)


def _name(folder: Path) -> str:
    from assay.project.project import Project

    return Project(folder).task.name
