"""Since when a chain's registry has the release of a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.keep.dispute import Finding
from assay.release.make import digest_of

if TYPE_CHECKING:
    from assay.settle.registry import Registry


def on_chain(public: dict[str, Any], registry: Registry | None, file: str) -> Finding:
    """Whether a registry has a release, before anybody used its model, and with that model alone.

    Nothing on the chain binds a model to a release's digest: a proposer may name a good release beside another model,
    and a release with other test rows for a model that has decided for long.

    Parameters
    ----------
    public
        The release's public part.
    file
        Digest of the certificate.
    """
    if registry is None:
        said = (
            "not looked at: without --chain and --registry nothing here says since when the release stands on a chain"
        )
        return Finding("chain", None, said)
    release, model = digest_of(public), public["model_id"].removeprefix("0x")
    where = f"the registry {registry.address} (chain {registry.on.chain_id})"
    changes = registry.changes()
    proposed = [one for one in changes if one.kind == "registry.proposed"]
    named = [one for one in proposed if one.what["release"] == release]
    if not named:
        return Finding("chain", holds=False, said=f"NOT: {where} knows the release {release}")
    if other := [one.what for one in named if one.what["model_id"] != model]:
        said = f"version {other[0]['version']} of {where} has this release's digest and another model"
        return Finding("chain", holds=False, said=f"NOT: {said}, 0x{other[0]['model_id']}")
    since = f"{where} has the release since block {named[0].block}"
    versions = {one.what["version"] for one in proposed if one.what["model_id"] == model}
    used = [one for one in changes if one.kind == "registry.default" and one.what["version"] in versions]
    if used and changes.index(used[0]) < changes.index(named[0]):
        said = f"{since}, and its model was the default in block {used[0].block}, under another release"
        return Finding("chain", None, f"{said}: the rows may have been chosen afterwards")
    use = f"it was the default first in block {used[0].block}" if used else "it never was the default"
    frozen = ", and its model is frozen, for ever" if registry.is_frozen(model) else ""
    asked = any(
        one.kind == "registry.allowed" and one.what["version"] in versions and one.what["given"] == file
        for one in changes
    )
    return Finding("chain", holds=True, said=f"{since}, and {use}{_evidence(registry) if asked else ''}{frozen}")


def _evidence(registry: Registry) -> str:
    gate = registry.gate()
    by = "which nothing looked at: it has no gate" if gate is None else f"which its gate {gate} let pass"
    return f", and it was allowed with this certificate's digest as evidence, {by}"
