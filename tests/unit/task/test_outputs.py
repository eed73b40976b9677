"""`[serve]` and `[[outputs]]`: what fits each kind, and no secret in a file that becomes part of releases."""

import pytest
from pydantic import ValidationError

from assay.task.outputs import OutputSpec, Serve

HOOK = {"name": "a", "kind": "webhook", "url": "https://example.org/x", "secret_file": "s"}


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"name": "a", "kind": "postgresql"}, "needs url"),
        ({"name": "a", "kind": "parquet"}, "needs path"),
        ({"name": "a", "kind": "duckdb", "path": "x", "url": "https://x"}, "url is nothing of"),
        ({"name": "a", "kind": "postgresql", "url": "$X", "path": "x"}, "path is nothing of"),
        ({"name": "a", "kind": "sqlite", "path": "x", "secret_file": "s"}, "secret_file is nothing of"),
        ({"name": "a", "kind": "sqlite", "path": "x", "states": ["settled"]}, "states is nothing of"),
        (HOOK | {"secret_file": None}, "needs secret_file"),
        (HOOK | {"rows": True}, "never told of rows"),
        (HOOK | {"table": "x"}, "no table"),
        (HOOK | {"url": "https://user:word@example.org/"}, "holds a secret"),
        ({"name": "a", "kind": "postgresql", "url": "postgresql://me:word@host/base"}, "holds a secret"),
        ({"name": "a", "kind": "sqlite", "path": "x", "table": 'x"; DROP'}, "pattern"),
        ({"name": "A b", "kind": "sqlite", "path": "x"}, "pattern"),
        ({"name": "a", "kind": "kafka", "path": "x"}, "kind"),
    ],
)
def test_what_does_not_fit(fields, what):
    with pytest.raises(ValidationError, match=what) as caught:
        OutputSpec.model_validate(fields)
    assert "word@" not in str(caught.value).split("input_value")[0]


@pytest.mark.parametrize(("text", "found"), [("forever", None), ("30d", 2_592_000), ("12h", 43_200)])
def test_how_long_rows_are_kept(text, found):
    assert Serve(keep_rows=text).keep_seconds == found


@pytest.mark.parametrize("text", ["", "0d", "soon", "30", "-1d"])
def test_what_is_no_duration(text):
    with pytest.raises(ValidationError, match="is no duration"):
        Serve(keep_rows=text)
