"""Contracts: rules that rows keep, checked by pandera, and what happens to rows that break one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assay.data.errors import ContractBroken, SettingsUnfit
from assay.data.expressions import evaluated, require, wide
from assay.data.expressions.evaluate import require_condition
from assay.data.expressions.failures import computing
from assay.data.tables.gates import Gate, Quarantine
from assay.data.tables.kinds import require_numbers, require_order, require_single

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from assay.data.tables.table import Table
    from assay.task.data import Check

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_BETWEEN = re.compile(rf"between\s+({_NUMBER})\s+and\s+({_NUMBER})", re.IGNORECASE)
_BOUND = re.compile(rf"at (least|most)\s+({_NUMBER})", re.IGNORECASE)
_ONE_OF = re.compile(r"one of\s+(.+)", re.IGNORECASE | re.DOTALL)
_OK = "\x00ok"
WHOLE_TABLE = ("unique", "increasing")


def apply(
    frame: pl.DataFrame, checks: Sequence[Check], *, table: str, quarantine: Quarantine, entity: str | None = None
) -> pl.DataFrame:
    """Check rows, in the order of the checks, and return those that may stay.

    Parameters
    ----------
    frame
        The rows.
    checks
        Contracts of [[data.checks]].
    table
        What the rows are called.
    quarantine
        Takes the rows that a check sets aside.
    entity
        The column that tells series apart: "increasing" and "previous" stay within one.

    Raises
    ------
    ContractBroken
        If rows break a rule whose on_fail is refuse; the message names the first of them.
    ColumnMissing, ExpressionInvalid
        If a check names a column that is not there, or its rule cannot be read.
    """
    for check in checks:
        where = f"the check of {check.column}"
        require(check.column, frame.columns, where)
        _require_kind(frame, check, where)
        with computing(where):
            ready = _judged(frame, check, where, entity)
        bad = _failing(ready, check)
        if bad:
            frame = _settled(frame, ready[_OK], check, bad=bad, table=table, quarantine=quarantine, entity=entity)
    return frame


def gated(table: Table, checks: Sequence[Check], quarantine: Quarantine) -> Table:
    """Have a table that is read in parts keep its contracts, part by part; raises as `apply` when it is read."""
    for check in checks:
        require(check.column, table.columns, f"the check of {check.column}")
        if check.rule.lower() in WHOLE_TABLE and check.on_fail not in {"refuse", "repair:sort"}:
            raise SettingsUnfit(
                f"the check of {check.column}: {check.rule} with {check.on_fail} needs all of {table.name} at once",
                "Use on_fail refuse, or leave out `table` to check the rows that features are made of.",
            )
        if check.on_fail == "repair:previous":
            raise SettingsUnfit(
                f"the check of {check.column}: repair:previous needs the row before, which another part may hold",
                "Leave out `table` to check the rows that features are made of.",
            )
    row_wise = [check for check in checks if check.rule.lower() not in WHOLE_TABLE]
    if not row_wise:
        return table
    names = tuple(table.columns)
    return replace(
        table,
        gates=(
            *table.gates,
            Gate(names, lambda frame: apply(frame, row_wise, table=table.name, quarantine=quarantine)),
        ),
    )


def _judged(frame: pl.DataFrame, check: Check, where: str, entity: str | None) -> pl.DataFrame:
    """The rows with a column that says whether each keeps the rule; a missing value breaks only "not missing"."""
    import polars as pl

    column, rule = pl.col(check.column), check.rule.strip()
    known = _rule(column, rule, frame.schema[check.column], entity)
    if known is not None:
        return frame.with_columns(known.alias(_OK))
    ready = evaluated(frame, {_OK: _as_sql(check.column, rule, frame.schema[check.column], where)}, where)
    require_condition(ready, _OK, f"{where}: {rule!r:.80}")
    made = wide.real(ready, [_OK])
    return made.with_columns(pl.col(_OK).cast(pl.Boolean).fill_null(value=True))


def is_named(rule: str) -> bool:
    """Whether a rule is one of those with a name, and no SQL condition."""
    plain = rule.strip()
    return plain.lower() in {"not missing", "finite", *WHOLE_TABLE} or any(
        form.fullmatch(plain) for form in (_BETWEEN, _BOUND, _ONE_OF)
    )


def _require_kind(frame: pl.DataFrame, check: Check, where: str) -> None:
    """Refuse a rule or a repair that the column's type cannot have."""
    rule = check.rule.strip()
    if _BETWEEN.fullmatch(rule) or _BOUND.fullmatch(rule) or check.on_fail == "repair:zero":
        require_numbers(frame, check.column, f"{where}: {rule if check.on_fail != 'repair:zero' else check.on_fail}")
    if rule.lower() == "increasing" or _ONE_OF.fullmatch(rule):
        require_single(frame, check.column, f"{where}: {rule}")
    if rule.lower() == "increasing":
        require_order(frame, check.column, f"{where}: {rule}")


def _rule(column: pl.Expr, rule: str, dtype: pl.DataType, entity: str | None) -> pl.Expr | None:
    """One of the named rules; None if it is an SQL condition."""
    import polars as pl

    lower = rule.lower()
    if lower == "not missing":
        there = column.is_not_null()
        return there & column.is_not_nan() if dtype.is_float() else there
    if lower == "finite":
        return column.is_finite().fill_null(value=True) if dtype.is_float() else pl.lit(value=True)
    if lower == "unique":
        return column.is_first_distinct()
    if lower == "increasing":
        place = wide.keys(column).rank("dense") if wide.is_wide(dtype) else column
        return (place >= _own(place.cum_max().shift(1), entity)).fill_null(value=True)
    if (match := _ONE_OF.fullmatch(rule)) and not _is_number(dtype):
        text = _text(column, dtype)
        return text.is_in(_listed(match[1])).fill_null(value=True)
    return None


def _as_sql(column: str, rule: str, dtype: pl.DataType, where: str) -> str:
    """A rule with numbers in it as an expression, so that whole numbers are compared as such; others as they are."""
    name = '"' + column.replace('"', '""') + '"'
    if match := _BETWEEN.fullmatch(rule):
        return f"{name} BETWEEN {_written(match[1])} AND {_written(match[2])}"
    if match := _BOUND.fullmatch(rule):
        return f"{name} {'>=' if match[1].lower() == 'least' else '<='} {_written(match[2])}"
    if (match := _ONE_OF.fullmatch(rule)) and _is_number(dtype):
        return f"{name} IN ({', '.join(_numbers(_listed(match[1]), dtype, where))})"
    return rule


def _is_number(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or wide.is_wide(dtype)


def _listed(text: str) -> list[str]:
    return [value.strip().strip("'\"") for value in text.split(",")]


def _written(text: str) -> str:
    """A number of a rule as an expression has it."""
    try:
        return f"({int(text)})"
    except ValueError:
        return f"({float(text)!r})"


def _numbers(allowed: list[str], dtype: pl.DataType, where: str) -> list[str]:
    found = []
    for value in allowed:
        try:
            found.append(_written(value))
        except ValueError:
            raise SettingsUnfit(
                f"{where}: {value!r:.40} is no number, and the column is of type {dtype}",
                "Write it like: one of 1, 2, 3.",
            ) from None
    return found


def _failing(ready: pl.DataFrame, check: Check) -> list[int]:
    """Numbers of the rows that break the rule, by pandera."""
    import pandera.polars as pa
    import polars as pl

    schema = pa.DataFrameSchema(
        {
            # Not the column itself: pandera would write its values as text, which not all types have.
            _OK: pa.Column(
                checks=pa.Check(lambda data: data.lazyframe.select(pl.col(_OK)), name=check.rule, ignore_na=False),
            )
        }
    )
    try:
        schema.validate(ready.select(_OK), lazy=True)
    except pa.errors.SchemaErrors as error:
        return sorted(int(row) for row in error.failure_cases["index"].drop_nulls())
    return []


def _settled(
    frame: pl.DataFrame,
    ok: pl.Series,
    check: Check,
    *,
    bad: list[int],
    table: str,
    quarantine: Quarantine,
    entity: str | None,
) -> pl.DataFrame:

    if check.on_fail == "refuse":
        value = frame[check.column][bad[0]]
        raise ContractBroken(
            f"{len(bad)} of {frame.height} rows of {table} break the rule {check.column} {check.rule!r}; the first is "
            f"row {bad[0] + 1}, with {value!r:.40}",
            'Correct them, or set on_fail to "quarantine" or a repair.',
        )
    rule = check.on_fail.removeprefix("repair:")
    if rule in {"quarantine", "first"}:
        quarantine.add(frame.filter(~ok), table=table, reason=f"{check.column}: not {check.rule}")
        return frame.filter(ok)
    if rule == "sort":
        return frame.sort(check.column, maintain_order=True, nulls_last=True)
    return frame.with_columns(ok).with_columns(_repaired(frame, check, rule, entity)).drop(_OK)


def _repaired(frame: pl.DataFrame, check: Check, rule: str, entity: str | None) -> Any:
    import polars as pl

    column, dtype = pl.col(check.column), frame.schema[check.column]
    kept = pl.when(pl.col(_OK)).then(column)
    if rule == "missing":
        return kept
    if rule == "zero":
        return kept.otherwise(wide.record(wide.literal(0)) if wide.is_wide(dtype) else 0)
    if rule == "previous":
        return kept.otherwise(_own(kept.forward_fill(), entity))
    low, high = _bounds(check.rule)
    if wide.is_wide(dtype):
        return wide.clipped(column, low, high)
    return column.clip(low, high)


def _own(value: pl.Expr, entity: str | None) -> pl.Expr:
    """An expression of other rows that sees those of its own series only."""
    return value if entity is None else value.over(entity)


def _bounds(rule: str) -> tuple[float | None, float | None]:
    if match := _BETWEEN.fullmatch(rule.strip()):
        return float(match[1]), float(match[2])
    match = _BOUND.fullmatch(rule.strip())
    assert match is not None  # noqa: S101 - the task's model allows clip with bounds only
    return (float(match[2]), None) if match[1].lower() == "least" else (None, float(match[2]))


def _text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column as a rule's list writes its values."""
    import polars as pl

    if dtype == pl.Binary:
        return pl.concat_str(pl.lit("0x"), column.bin.encode("hex"))
    return column.dt.to_string("iso") if dtype == pl.Duration else column.cast(pl.String)
