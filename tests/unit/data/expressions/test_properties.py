"""Random expressions over random columns of every numeric type, against plain Python."""

import math
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.unit.data.expressions import reference as ref

from assay.data.errors import ExpressionInvalid
from assay.data.expressions import evaluated, wide
from assay.data.expressions.failures import Failure

EDGES = (0, 1, -1, 2, 10, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 2**112 - 1, 2**127 - 1)


def whole(low, high):
    edges = [edge for edge in (*EDGES, low, high) if low <= edge <= high]
    return st.one_of(st.none(), st.sampled_from(edges), st.integers(low, high), st.integers(0, 100))


REALS = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 0.5, 2.5, 1e18, 0.1, 2.675, 1.005, -1234.5, 1e300]),
)
SINGLES = st.one_of(st.none(), st.floats(width=32, allow_nan=True, allow_infinity=True))
TYPES = {
    "i8": (pl.Int8, whole(-(2**7), 2**7 - 1)),
    "i16": (pl.Int16, whole(-(2**15), 2**15 - 1)),
    "i32": (pl.Int32, whole(-(2**31), 2**31 - 1)),
    "i64": (pl.Int64, whole(-(2**63), 2**63 - 1)),
    "i128": (pl.Int128, whole(-(2**127), 2**127 - 1)),
    "u8": (pl.UInt8, whole(0, 2**8 - 1)),
    "u16": (pl.UInt16, whole(0, 2**16 - 1)),
    "u32": (pl.UInt32, whole(0, 2**32 - 1)),
    "u64": (pl.UInt64, whole(0, 2**64 - 1)),
    "u112": (pl.Int128, whole(0, 2**112 - 1)),
    "u256": (None, whole(0, 2**256 - 1)),
    "i256": (None, whole(-(2**255), 2**255 - 1)),
    "d0": (pl.Decimal(38, 0), whole(-(10**38) + 1, 10**38 - 1)),
    "d18": (pl.Decimal(38, 18), st.one_of(st.none(), st.decimals(-(10**19), 10**19, places=18, allow_nan=False))),
    "f64": (pl.Float64, REALS),
    "f32": (pl.Float32, SINGLES),
}
KINDS = {name: "number" if name[0] == "f" or name == "d18" else "whole" for name in TYPES}


def frame_of(rows):
    columns = []
    for name in rows[0]:
        dtype, values = TYPES[name][0], [row[name] for row in rows]
        if dtype is None:
            keys = wide.encode(values, name, "test").to_frame()
            columns.append(keys.select(wide.record(pl.col(name)).alias(name)).to_series())
        else:
            if name == "d0":
                values = [None if value is None else Decimal(value) for value in values]
            columns.append(pl.Series(name, values, dtype=dtype))
    return pl.DataFrame(columns)


def plain(row):
    """A row as the reference sees it: decimals with places are the nearest floats."""
    return {
        name: float(value) if isinstance(value, Decimal) and KINDS[name] == "number" else value
        for name, value in row.items()
    }


COLUMNS = st.sampled_from([ref.column(name, kind) for name, kind in KINDS.items()])
LITERALS = st.one_of(
    st.integers(-1000, 1000).map(ref.literal),
    st.sampled_from([10**18, 2**64, 2**127, 10**40]).map(ref.literal),
    st.sampled_from([0.5, 1e18, 1e-18, 3.7, 100.0]).map(ref.literal),
)


def larger(inner):
    wholes = inner.filter(lambda part: part.kind == "whole")
    conditions = st.builds(ref.compared, st.sampled_from(list(ref.COMPARISONS)), inner, inner)
    operations = [
        st.builds(lambda sql, a, b, rule=rule: ref.joined(rule[0], sql, rule[1], a, b), st.just(sql), parts, parts)
        for parts, rules in ((inner, ref.OPERATORS), (wholes, ref.WHOLE_OPERATORS))
        for sql, rule in rules.items()
    ]
    return st.one_of(
        *operations,
        st.builds(ref.case, conditions, inner, inner),
        st.builds(ref.coalesce, inner, inner),
        st.builds(ref.extreme, st.sampled_from(["GREATEST", "LEAST"]), inner, inner),
        inner.map(ref.negative),
        inner.map(ref.absolute),
        inner.map(ref.as_double),
        st.builds(ref.power, wholes, st.integers(0, 4)),
        st.builds(ref.round_to, inner, st.integers(-3, 6)),
    )


EXPRESSIONS = st.recursive(st.one_of(COLUMNS, LITERALS), larger, max_leaves=6)


def rows_of(names):
    return st.lists(st.fixed_dictionaries({name: TYPES[name][1] for name in names}), min_size=1, max_size=5)


@st.composite
def cases(draw, expressions):
    """An expression, and rows of the columns that it names: drawing and building the others is most of the time."""
    part = draw(expressions)
    return part, draw(rows_of([name for name in TYPES if name in part.sql] or ["i8"]))


def python(column):
    if wide.is_wide(column.dtype) or column.dtype in {pl.Int64, pl.Int128}:
        return [None if gone else n for n, gone in zip(_integers(column), column.is_null(), strict=True)]
    if isinstance(column.dtype, pl.Decimal):  # a column that stands alone stays as it is stored
        plain_of = float if column.dtype.scale else int
        return [None if value is None else plain_of(value) for value in column]
    return column.to_list()


def _integers(column):
    own = column.struct.field(wide.FIELD) if wide.is_wide(column.dtype) else column
    return wide.integers(own).tolist()


def same(got, want):
    if isinstance(want, float) and isinstance(got, float):
        return got == want or (math.isnan(got) and math.isnan(want))
    return type(got) is type(want) and got == want


def check(part, rows):
    frame = frame_of(rows)
    try:
        want = [ref.kept(part.value(plain(row))) for row in rows]
    except ref.TooWide:
        want = None
    for lazily in (False, True):
        try:
            found = evaluated(frame.lazy() if lazily else frame, {"v": part.sql}, "test")
            got = python((found.collect() if lazily else found)["v"])
        except (ExpressionInvalid, Failure) as error:
            if want is not None and "more bits than" not in str(error):
                pytest.fail(f"{part.sql}: {error}")
            continue
        assume(want is not None)  # a product kept by nothing on the way may be wider
        wrong = [(row, g, w) for row, g, w in zip(rows, got, want, strict=True) if not same(g, w)]
        assert not wrong, (part.sql, wrong[0][1:], {k: v for k, v in wrong[0][0].items() if k in part.sql})


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(EXPRESSIONS))
def test_expressions_are_what_python_computes(case):
    check(*case)


@pytest.mark.slow
@settings(max_examples=6000, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(EXPRESSIONS))
def test_many_expressions_are_what_python_computes(case):
    check(*case)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(st.builds(ref.compared, st.sampled_from(list(ref.COMPARISONS)), EXPRESSIONS, EXPRESSIONS)))
def test_comparisons_are_what_python_computes(case):
    check(*case)


@pytest.mark.parametrize("name", list(TYPES))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_column_alone_is_what_it_holds(name, data):
    check(ref.column(name, KINDS[name]), data.draw(rows_of([name])))
