"""What of `[chains.NAME]` cannot be, or stands at its old place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.task.chains import KNOWN_IDS
from assay.task.finding import Finding, contradiction, warning
from assay.task.sources import ChainSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.task.task import Task


def check_chains(task: Task) -> Iterator[Finding]:
    """Ids that nobody knows or that are another chain's, limits that nothing can be sent under."""
    yield from _the_one_that_counts(task)
    for name, chain in task.chains.items():
        known = KNOWN_IDS.get(name)
        if known is not None and chain.id is not None and chain.id != known:
            todo = f"Write id = {known}, or give it another name."
            yield warning(("chains", name, "id"), f"{name} has the id {known}, and this says {chain.id}", todo)
        if name != task.protocol.chain and chain.id is None and known is None:
            yield contradiction(("chains", name), "its id is not known", "Write id = ... in it.")
        if chain.consumer is not None and not chain.rpc:
            yield contradiction(("chains", name, "consumer"), "no node is named that leads to it", "Write rpc = [..].")
        addresses = [one for one in (chain.registry, chain.consumer, chain.verifier) if one is not None]
        if len({one.lower() for one in addresses}) < len(addresses):
            what = "two of verifier, registry and consumer are one address"
            yield contradiction(("chains", name), what, "Correct one of them.")


def _the_one_that_counts(task: Task) -> Iterator[Finding]:
    name = task.protocol.chain
    if task.protocol.chain_id is not None:
        todo = f'Move it: id = {task.protocol.chain_id} under [chains."{name}"]; it is read as that.'
        yield warning(("protocol", "chain_id"), "the chain's id has a place of its own", todo)
    follows = any(isinstance(source, ChainSource) for source in task.data.sources)
    if task.chain().id is None and (follows or name in task.chains):
        todo = f'Write id = ... under [chains."{name}"].'
        yield contradiction(("protocol", "chain"), f"the id of {name} is not known", todo)
