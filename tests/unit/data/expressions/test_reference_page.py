"""Every example of docs/reference/expressions.md."""

import json
import math
import re
from pathlib import Path

import polars as pl
import pytest

from assay.data.expressions import evaluated, wide

PAGE = (Path(__file__).parents[4] / "docs/reference/expressions.md").read_text(encoding="utf-8")
ROW = json.loads(re.search(r"```json\n(.*?)\n```", PAGE, re.DOTALL)[1])
EXAMPLES = re.findall(r"^\| `(.+?)` \| `(.+?)` \|$", PAGE, re.MULTILINE)
NAMED = {"NULL": None, "TRUE": True, "FALSE": False, "NaN": math.nan, "inf": math.inf}


def frame():
    row = ROW | {"at": "x"}
    types = {"reserve0": pl.Int128, "nothing": pl.Int64}
    at = pl.Series([ROW["at"]]).str.to_datetime(time_zone="UTC").alias("at")
    return pl.DataFrame({name: [value] for name, value in row.items()}, schema_overrides=types).with_columns(at)


def test_the_page_has_examples():
    assert len(EXAMPLES) > 60


@pytest.mark.parametrize(("sql", "expected"), EXAMPLES)
@pytest.mark.parametrize("lazily", [False, True])
def test_examples(sql, expected, lazily):
    sql = sql.replace("\\|", "|")
    rows = frame().lazy() if lazily else frame()
    found = evaluated(rows, {"v": sql}, "test")
    column = (found.collect() if lazily else found)["v"]
    got = wide.integers(column.struct.field("whole"))[0] if wide.is_wide(column.dtype) else column[0]
    want = NAMED[expected] if expected in NAMED else expected.strip("'") if expected[0] == "'" else json.loads(expected)
    assert type(got) is type(want)
    assert got == want or (math.isnan(got) and math.isnan(want))
