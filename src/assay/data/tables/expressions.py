"""SQL expressions of a task, evaluated by polars on one row at a time.

That they see no other row is held by their grammar: only functions of one row are allowed, and no OVER, no
SELECT. So no expression can reach the future.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import accumulate
from typing import TYPE_CHECKING

from assay.data.errors import ColumnMissing, ExpressionInvalid
from assay.data.tables.kinds import require_condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')|"(?P<quoted>(?:[^"]|"")*)"|(?P<number>\d[\w.]*(?:[eE][+-]?\d+)?|\.\d+)"""
    r"""|(?P<word>[^\W\d]\w*)|(?P<sign>::|\|\||<=|>=|<>|!=|//|[-+*/%<>=(),^])|(?P<space>\s+)""",
    re.UNICODE,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEYWORDS = _words("""
    and or not in is null true false case when then else end between like ilike as cast try_cast extract from xor div
""")
_TYPES = _words("""
    double float real integer int bigint smallint tinyint ubigint uinteger hugeint varchar text boolean bool date
    timestamp decimal
""")
_PARTS = _words("year quarter month week day dow isodow doy hour minute second")
_BEYOND = _words("over select union window partition order group by")
FUNCTIONS = _words("""
    abs ceil ceiling floor round sign sqrt cbrt exp ln log log2 log10 log1p pow power mod div sin cos tan asin acos
    atan atan2 degrees radians pi greatest least coalesce nullif if ifnull isnan cast try_cast extract date_part
    strptime lower upper length char_length octet_length starts_with ends_with strpos substr substring left right
    replace trim ltrim rtrim concat regexp_like
""")
"""Functions of one row."""


def evaluated(frame: pl.LazyFrame, expressions: Mapping[str, str], where: str) -> pl.LazyFrame:
    """Add columns made by SQL expressions over the columns of one row.

    Parameters
    ----------
    frame
        The rows.
    expressions
        Column to SQL, for example ``{"size": "ABS(amount0) / reserve0"}``; a name with spaces stands in
        double quotes. None of them sees another one's column.
    where
        What asks, for messages: "the feature volume".

    Raises
    ------
    ExpressionInvalid
        If one is no SQL expression, or could see other rows than its own.
    ColumnMissing
        If one names a column that is not there.
    """
    import polars as pl

    schema = frame.collect_schema()
    plain = {name: sql for name, sql in expressions.items() if sql in schema}
    others = {name: sql for name, sql in expressions.items() if sql not in schema}
    used = {name for sql in others.values() for name in check(sql, schema.names(), where)}
    whole = {name: schema[name] for name in sorted(used) if schema[name].is_integer()}
    # Sums and products of whole numbers wrap around at the columns' width; 127 bits are enough for amounts.
    frame = frame.with_columns(pl.col(name).cast(pl.Int128) for name in whole)
    added = []
    for name, sql in others.items():
        try:
            column = frame.sql(f"SELECT ({sql}) AS v FROM self")  # noqa: S608 - checked against the grammar above
            column.collect_schema()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise ExpressionInvalid(
                f"{where}: {sql!r:.80} cannot be evaluated ({' '.join(str(error).split())[:100]})", "Correct it."
            ) from None
        added.append(f'({sql}) AS "{name}"')
    result = frame
    if added:
        temporary = [text.rsplit(' AS "', 1)[0] + f' AS "\x00{index}"' for index, text in enumerate(added)]
        result = frame.sql(f"SELECT *, {', '.join(temporary)} FROM self")  # noqa: S608 - as above
    columns = [pl.col(source).alias(name) for name, source in plain.items()]
    columns += [pl.col(name).cast(dtype) for name, dtype in whole.items() if name not in expressions]
    columns += [pl.col(f"\x00{index}").alias(name) for index, name in enumerate(others)]
    return result.with_columns(columns).drop([f"\x00{index}" for index in range(len(others))])


def selected(frame: pl.LazyFrame, condition: str | None, where: str) -> pl.LazyFrame:
    """Rows that meet an SQL condition; all if there is none. Raises as `evaluated` does."""
    import polars as pl

    if condition is None:
        return frame
    marked = evaluated(frame, {"\x01": condition}, where)
    require_condition(marked, "\x01", f"{where}: {condition!r:.80}")
    return marked.filter(pl.col("\x01").cast(pl.Boolean)).drop("\x01")


def check(sql: str, columns: Iterable[str], where: str) -> set[str]:
    """The columns that an expression names; raises as `evaluated` does."""
    known = list(columns)
    tokens = list(_tokens(sql, where))
    depths = list(accumulate((text == "(") - (text == ")") for kind, text in tokens if kind == "sign"))
    if depths and (min(depths) < 0 or depths[-1] != 0):
        raise ExpressionInvalid(f"{where}: the parentheses of {sql!r:.80} do not match", "Correct it.")
    used = set()
    for index, (kind, text) in enumerate(tokens):
        following = tokens[index + 1][1] if index + 1 < len(tokens) else ""
        before = tokens[index - 1][1].lower() if index else ""
        if kind == "quoted":
            used.add(require(text, known, where))
        if kind != "word":
            continue
        lower = text.lower()
        if following == "(" and lower not in _TYPES and lower not in _KEYWORDS:
            if lower not in FUNCTIONS:
                raise ExpressionInvalid(
                    f"{where}: {text} in {sql!r:.80} is no function of one row",
                    "Use an op such as lag or rolling_mean for other rows; allowed here are abs, ln, exp, sqrt, pow, "
                    "round, greatest, least, coalesce, CASE and their like.",
                )
        elif text in known:
            used.add(text)
        elif (
            lower in _KEYWORDS
            or (lower in _TYPES and before in {"::", "as"})
            or (lower in _PARTS and following.lower() == "from")
        ):
            continue
        elif lower in _BEYOND:
            raise ExpressionInvalid(
                f"{where}: {text.upper()} in {sql!r:.80} would look at other rows",
                "Use an op such as lag or rolling_mean for that.",
            )
        else:
            require(text, known, where)
    return used


def require(column: str, columns: Iterable[str], where: str) -> str:
    """Return `column` if it is there; else raise ColumnMissing with the nearest name."""
    known = [name for name in columns if not name.startswith("\x00")]
    if column in known:
        return column
    close = get_close_matches(column, known, n=1, cutoff=0.5)
    listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    guess = f"Did you mean {close[0]}? If it was renamed, use `rename`." if close else f"There are: {listed}."
    raise ColumnMissing(f"{where} needs the column {column:.80}, which is not there", guess)


def _tokens(sql: str, where: str) -> Iterable[tuple[str, str]]:
    place = 0
    while place < len(sql):
        match = _TOKEN.match(sql, place)
        if match is None:
            raise ExpressionInvalid(f"{where}: {sql!r:.80} has {sql[place]!r} where none can be", "Correct it.")
        kind = str(match.lastgroup)
        if kind != "space":
            yield kind, match[kind].replace('""', '"') if kind == "quoted" else match[0]
        place = match.end()
