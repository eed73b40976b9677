"""Do the task's DuckDB expressions parse, and of what do they speak?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from assay.task.finding import Finding, contradiction, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.task.task import Task


def check_sql(task: Task) -> Iterator[Finding]:
    """Expressions that are no SQL, and a loss that does not depend on the prediction or on what happened."""
    for path, text in ((("existing", "rule"), task.existing.rule), (("value", "loss"), task.value.loss)):
        if text is None:
            continue
        tree = parsed(text)
        if isinstance(tree, str):
            yield contradiction(path, f"it is no SQL expression: {tree}", "Correct it.")
        elif path == ("value", "loss") and tree is not None:
            named = {parts[-1] for parts in names(tree)}
            if "prediction" not in named:
                yield contradiction(path, "it does not depend on the prediction", "Use the name prediction in it.")
            if "y" not in named:
                yield warning(path, "it does not depend on what happened", "Use the name y in it.")


def names(tree: Any) -> list[list[str]]:
    """The columns that a parsed expression names, in parts: ["grade"], or ["rows", "grade"]; none beside a lambda."""
    if isinstance(tree, list):
        return [found for item in tree for found in names(item)]
    if not isinstance(tree, dict) or tree.get("class") == "LAMBDA":
        return []
    own = [list(tree["column_names"])] if tree.get("class") == "COLUMN_REF" else []
    return own + [found for item in tree.values() for found in names(item)]


def parsed(text: str) -> Any:
    """DuckDB's syntax tree, a string that says why there is none, or None without DuckDB."""
    try:
        import duckdb
    except ImportError:
        return None
    with duckdb.connect() as connection:
        query = "SELECT json_serialize_sql(?)"
        row = connection.execute(query, [f"SELECT ({text})"]).fetchone()
    tree = json.loads(row[0] if row else "{}")
    return str(tree.get("error_message", "")).splitlines()[0] if tree.get("error") else tree
