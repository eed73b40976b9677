"""The JSON schema of `task.toml`, and what it says about one table of a file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from assay.task.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.task.positions import Path


@cache
def schema() -> dict[str, Any]:
    """The JSON schema that editors and other programs can check a task file with."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "task.toml",
        **{key: value for key, value in Task.model_json_schema(by_alias=True).items() if key != "title"},
    }


def fields_at(path: Path, raw: dict[str, Any]) -> dict[str, str]:
    """Fields that the table at `path` of the document `raw` may have, with their descriptions.

    Where several kinds of table may stand there, the one whose `kind` or `op` the document names counts,
    or all of them if it names none.
    """
    nodes = [schema()]
    place: Any = raw
    for part in path:
        nodes = [child for node in nodes for child in _children(node, part)]
        place = _inside(place, part)
        nodes = _of_kind([member for node in nodes for member in _members(node)], place)
    return {name: about.get("description", "") for node in nodes for name, about in node.get("properties", {}).items()}


def _children(node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    for member in _members(node):
        child = member.get("items") if isinstance(part, int) else member.get("properties", {}).get(part)
        if isinstance(child, dict):
            yield child
        elif isinstance(part, str) and isinstance(member.get("additionalProperties"), dict):
            yield member["additionalProperties"]


def _members(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The node itself, or what it refers to or chooses among."""
    if "$ref" in node:
        yield from _members(schema()["$defs"][node["$ref"].rsplit("/", 1)[1]])
        return
    choices = node.get("anyOf") or node.get("oneOf") or node.get("allOf")
    if not choices:
        yield node
        return
    for choice in choices:
        yield from _members(choice)


def _of_kind(nodes: list[dict[str, Any]], place: Any) -> list[dict[str, Any]]:
    tables = [node for node in nodes if "properties" in node] or nodes
    if not isinstance(place, dict):
        return tables
    fitting = [
        node
        for node in tables
        if all(
            place.get(field) == about["const"]
            for field, about in node.get("properties", {}).items()
            if "const" in about
        )
    ]
    return fitting or tables


def _inside(place: Any, part: str | int) -> Any:
    if isinstance(place, dict):
        return place.get(part)
    if isinstance(place, list) and isinstance(part, int) and part < len(place):
        return place[part]
    return None
