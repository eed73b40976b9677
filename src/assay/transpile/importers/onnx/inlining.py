"""A model's own functions written out in its graph, after counting what that makes: few of them can be a bomb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.transpile.errors import ModelMalformed, ModelUnsupported
from assay.transpile.importers.onnx.library import library

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_NODES = 200_000
MOST_UNROLLED = 50_000  # of what loops run
_DEEPEST = 24  # graphs within graphs, and functions that call functions
_TODO = "Export the model again."


def inlined(model: Any) -> Any:
    """The model without functions of its own.

    Raises
    ------
    ModelUnsupported
        If it has too many nodes, with what is inside loops, branches and functions, or nests them too deeply.
    ModelMalformed
        If its functions call each other in a circle.
    """
    count, _ = _Counted(model).nodes(model.graph.node, 0)
    if count > MOST_NODES:
        raise ModelUnsupported(f"the graph has {count} nodes, more than {MOST_NODES}", _TODO)
    if not model.functions:
        return model
    try:
        return library().inliner.inline_local_functions(model)
    except Exception as error:  # noqa: BLE001 - the library names no class of its own
        problem = " ".join(str(error).split())[:100]
        raise ModelMalformed(f"the model's functions cannot be written out ({problem})", _TODO) from None


class _Counted:
    """How many nodes there are once functions are written out."""

    def __init__(self, model: Any) -> None:
        self.functions = {(one.domain, one.name, getattr(one, "overload", "")): one for one in model.functions}
        if len(self.functions) != len(model.functions):
            raise ModelMalformed("two of the model's functions have one name", _TODO)
        self.known: dict[tuple[str, str, str], tuple[int, int]] = {}
        self.open: set[tuple[str, str, str]] = set()

    def nodes(self, nodes: Iterable[Any], depth: int) -> tuple[int, int]:
        """How many, and how deep they nest."""
        total, height = 0, 0
        for node in nodes:
            inner = [self._called((node.domain, node.op_type, getattr(node, "overload", "")), depth)]
            for attribute in node.attribute:
                graphs = [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs
                inner += [self._deeper(graph.node, depth) for graph in graphs]
            total += 1 + sum(count for count, _ in inner)
            height = max(height, *(deep for _, deep in inner))
        if depth + height > _DEEPEST:
            raise ModelUnsupported(f"the model nests graphs or functions more than {_DEEPEST} deep", _TODO)
        return total, height

    def _deeper(self, nodes: Iterable[Any], depth: int) -> tuple[int, int]:
        if depth >= _DEEPEST:  # before going on, since Python's own depth has an end
            raise ModelUnsupported(f"the model nests graphs or functions more than {_DEEPEST} deep", _TODO)
        count, height = self.nodes(nodes, depth + 1)
        return count, height + 1

    def _called(self, name: tuple[str, str, str], depth: int) -> tuple[int, int]:
        if name not in self.functions:
            return 0, 0
        if name in self.open:
            raise ModelMalformed(f"the function {name[1]!r:.60} of the model calls itself", _TODO)
        if name not in self.known:
            self.open.add(name)
            self.known[name] = self._deeper(self.functions[name].node, depth)
            self.open.discard(name)
        return self.known[name]
