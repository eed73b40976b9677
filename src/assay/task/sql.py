"""The text of expressions: do they parse, and of what do they speak? One grammar for all of a task, by sqlglot."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from assay.task.finding import Finding, contradiction, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.task.task import Task

DIALECT = "duckdb"


def check_sql(task: Task) -> Iterator[Finding]:
    """Expressions that are no SQL, and a loss that does not depend on the prediction or on what happened."""
    for path, text in ((("existing", "rule"), task.existing.rule), (("value", "loss"), task.value.loss)):
        if text is None:
            continue
        tree = parsed(text)
        if isinstance(tree, str):
            yield contradiction(path, f"it is no SQL expression: {tree}", "Correct it.")
        elif path == ("value", "loss") and tree is not None:
            named = {parts[-1].lower() for parts in names(tree)}
            if "prediction" not in named:
                yield contradiction(path, "it does not depend on the prediction", "Use the name prediction in it.")
            if "y" not in named:
                yield warning(path, "it does not depend on what happened", "Use the name y in it.")


def names(tree: Any) -> list[list[str]]:
    """The columns that a parsed expression names, in parts: ["grade"], or ["rows", "grade"]."""
    from sqlglot import exp

    return [[part.name for part in column.parts] for column in tree.find_all(exp.Column)]


@lru_cache(maxsize=512)
def parsed(text: str) -> Any:
    """The syntax tree of one expression, a string that says why there is none, or None without sqlglot."""
    try:
        import sqlglot
        from sqlglot import errors, exp
    except ImportError:
        return None
    try:
        found = sqlglot.Dialect.get_or_raise(DIALECT).parse_into(exp.Condition, text)
    except errors.ParseError as error:
        return _said(error.errors[0] if error.errors else {"description": str(error)})
    except errors.SqlglotError as error:
        return " ".join(str(error).split())[:80]
    except RecursionError:
        return "it is nested too deeply"
    if len(found) != 1 or found[0] is None:
        return "it is empty" if not text.strip() else "it has ';' where none can be"
    tree = found[0]
    if any(node.comments for node in tree.walk()):
        return "it has a comment"
    return tree


def _said(error: dict[str, Any]) -> str:
    """What sqlglot says of a place, in few words."""
    described = str(error.get("description") or "it cannot be read").partition(" for <class")[0]
    near = str(error.get("highlight") or "")
    return f"{described}{f', near {near!r:.30}' if near else ''}"
