"""Whether both arms can decide: their releases, what the registry says of them, and the contracts they decide by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.compare.errors import ArmUnfit, PlanUnfit
from assay.core import files
from assay.core.hashing import digest
from assay.record import releases
from assay.record.errors import Unknown
from assay.settle.errors import NoDefault
from assay.settle.registry import acting, registry_of
from assay.settle.shadow import deciding

if TYPE_CHECKING:
    from pathlib import Path

    from assay.compare.terms import Terms
    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.settle.network import Network
    from assay.task.task import Task

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class Sides:
    """Both arms: the releases (None is the existing process), and the contracts' addresses (empty of a shadow)."""

    new: Release
    old: Release | None
    new_contract: str = ""
    old_contract: str = ""


def arm_name(process: str) -> str:
    """What the records call the arm of a release: any but the champion is a challenger."""
    return CHAMPION if process == CHAMPION else CHALLENGER


def sides(database: Database, project: str, terms: Terms, on: Network) -> Sides:
    """Find both arms.

    Raises
    ------
    ArmUnfit
        There is no such release, it is frozen or retired, or has no contract of its own on the chain.
    NoDefault
        The chain's registry has no default, so that no champion answers.
    """
    new, old = (_release(database, project, on, name) for name in (terms.arms.new, terms.arms.old))
    if new is None:
        raise ArmUnfit("the existing process is on trial", 'Name a release: [arms] new = "champion".')
    if old is not None and old.digest == new.digest:
        raise ArmUnfit(f"both arms are {new.name}", "Compare two versions, or one with the existing process.")
    if not new.private:
        raise ArmUnfit(f"{new.name} is held here without its private part", "Import it with --private.")
    for one in (new, old):
        if one is not None:
            require_allowed(database, project, on, one)
    if terms.design == "shadow":
        return Sides(new, old)
    new_contract = contract(database, project, on, terms.arms.new_contract, new.digest)
    old_contract = contract(database, project, on, terms.arms.old_contract, None if old is None else old.digest)
    if new_contract.lower() == old_contract.lower():
        raise ArmUnfit(f"both arms decide by the contract {new_contract}", "Give each arm a contract of its own.")
    return Sides(new, old, new_contract, old_contract)


def require_allowed(database: Database, project: str, on: Network, one: Release) -> None:
    """Raise ArmUnfit if the chain's registry, where it has one, lets no proof of a release count."""
    registry = registry_of(database, project, on)
    if registry is None:
        return
    model = one.public["model_id"].removeprefix("0x")
    if registry.is_frozen(model):
        raise ArmUnfit(f"the model of {one.name} is frozen on {on.name}", "It never counts again: try another.")
    for version in registry.versions():
        if version.release == one.digest and version.until is not None:
            raise ArmUnfit(
                f"{one.name} is retired on {on.name} from block {version.until} on", "Propose it again, or try another."
            )
        if version.release == one.digest and version.state == "refused":
            raise ArmUnfit(f"{one.name} was refused on {on.name}", "Propose it again, or try another.")


def existing_digest(task: Task, folder: Path) -> str | None:
    """SHA-256 of the file of an existing process that is a Python function; None of one that task.toml says whole."""
    function = task.existing.function
    return None if function is None else digest(files.read(folder / function.rpartition(":")[0]))


def require_named(terms: Terms, both: Sides, existing: str | None) -> None:
    """Raise PlanUnfit if the plan names another release, or another existing process, than there is."""
    old = existing if both.old is None else both.old.digest
    for field, said, own in (
        ("new_sha256", terms.arms.new_sha256, both.new.digest),
        ("old_sha256", terms.arms.old_sha256, old),
    ):
        if said is None or said == own:
            continue
        what = f"it is {own[:16]}.." if own is not None else "the existing process is no file: task.toml says it whole"
        todo = f'Write {field} = "{own}", or put back what was meant.' if own is not None else "Leave it out."
        raise PlanUnfit(f"[arms] {field} says {said[:16]}.., and {what}", todo)


def require_deciding(database: Database, project: str, on: Network, agreed: Release) -> None:
    """Raise ArmUnfit if the champion that was agreed is not the release that answers on the chain any more."""
    try:
        now = deciding(database, project, on)
    except NoDefault as error:
        raise ArmUnfit(f"{agreed.name} decides no more on {on.name}: {error.what}", error.todo) from error
    if now != agreed.digest:
        name = "no release" if now is None else releases.by_digest(database, now).name
        raise ArmUnfit(
            f"{name} decides on {on.name}, and {agreed.name} was agreed as the champion", "Plan another experiment."
        )


def _release(database: Database, project: str, on: Network, process: str) -> Release | None:
    if process == "existing":
        return None
    if process == CHAMPION:
        now = deciding(database, project, on)
        if now is None:
            raise ArmUnfit(f"no release of {project} decides", "Create one: `assay release create`.")
        return releases.by_digest(database, now)
    try:
        return releases.get(database, project, process)
    except Unknown:
        raise ArmUnfit(f"there is no version {process} of {project}", "See `assay release list`.") from None


def contract(database: Database, project: str, on: Network, name: str, release: str | None) -> str:
    """Address of the contract by which a release decides, by its name or address; raises ArmUnfit where nothing stands.

    `release` is its digest, None of the existing process.
    """
    if name.startswith("0x"):
        address = name
    else:
        known = acting(database, project, on, name, release)
        if known is None:
            raise ArmUnfit(
                f'no contract "{name}" of {on.name} is known, and without it an arm has no traffic',
                f"Declare it under [[chains.{on.name}.contracts]] and deploy it, or give its address in [arms].",
            )
        address = known.address
    if not on.node.code(address):
        raise ArmUnfit(f"there is no contract at {address} on {on.name}", "Correct [arms] in the plan.")
    return address
