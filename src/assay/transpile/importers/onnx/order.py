"""Nodes in an order in which each follows those it needs; the standard asks for it, and files do not always keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.transpile.errors import ModelMalformed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.transpile.importers.onnx.reading import RawNode

_AGAIN = "Export the model again."


def outside(nodes: Iterable[RawNode], outputs: Iterable[str], known: set[str]) -> list[str]:
    """Names that the nodes or outputs of an inner graph read, and that nothing in it makes: it has them from around."""
    listed = list(nodes)
    made = {name for node in listed for name in node.outputs} | known
    read = [name for node in listed for name in node.needs] + list(outputs)
    return [name for name in dict.fromkeys(read) if name and name not in made]


def ordered(nodes: list[RawNode], known: set[str]) -> list[RawNode]:
    """The nodes, inputs first.

    Raises
    ------
    ModelMalformed
        If a name is read that nothing makes, or made twice, or if nodes need each other.
    """
    made = {name: index for index, node in enumerate(nodes) for name in node.outputs if name}
    waiting: list[int] = []
    users: dict[int, list[int]] = {}
    for index, node in enumerate(nodes):
        needs = {name for name in node.needs if name and name not in known}
        unknown = next((name for name in sorted(needs) if name not in made), None)
        if unknown is not None:
            raise ModelMalformed(
                f"{node.operator} node {node.name!r:.80} reads {unknown!r:.60}, which nothing makes", _AGAIN
            )
        waiting.append(len(needs))
        for name in needs:
            users.setdefault(made[name], []).append(index)
    _once([name for node in nodes for name in node.outputs if name], known)
    return [nodes[index] for index in _sorted(nodes, waiting, users)]


def _once(outputs: list[str], known: set[str]) -> None:
    seen = set(known)
    for name in outputs:
        if name in seen:
            raise ModelMalformed(f"{name!r:.60} is made twice", _AGAIN)
        seen.add(name)


def _sorted(nodes: list[RawNode], waiting: list[int], users: dict[int, list[int]]) -> list[int]:
    ready = [index for index, needed in enumerate(waiting) if not needed]
    for index in ready:
        for user in users.get(index, []):
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    if len(ready) < len(nodes):
        raise ModelMalformed("the graph has a cycle", _AGAIN)
    return ready
