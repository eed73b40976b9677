import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.jsontext import DEEPEST, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(alphabet='[]{}"\\a\u00e9'),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(alphabet='[{"\\'), inner, max_size=5),
)


@given(VALUES, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_what_json_reads_is_read(value, encoding):
    text = json.dumps([value] * 60)
    assert parse(text) == parse(text.encode(encoding)) == json.loads(text)


def _once(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError(pairs)
    return dict(pairs)


def test_a_name_that_stands_twice_is_refused_by_name():
    with pytest.raises(ValueError, match="'b' twice"):
        parse('[{"a": 1, "b": {"a": 2}, "b": 3}]')


@given(st.text(alphabet='[]{}",:\\ 1a', max_size=300))
def test_what_json_refuses_is_refused(text):
    try:
        expected = json.loads(text, object_pairs_hook=_once)
    except ValueError:
        with pytest.raises(ValueError, match=r"\w"):
            parse(text)
    else:
        assert parse(text) == expected


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_depth_is_bounded(opening, closing):
    each = opening.count("[") + opening.count("{")
    for levels, fine in ((DEEPEST // each, True), (DEEPEST // each + 1, False), (1_000_000, False)):
        text = opening * levels + "1" + closing * levels
        if fine:
            assert parse(text) == json.loads(text)
        else:
            with pytest.raises(ValueError, match="100 levels"):
                parse(text)


def test_brackets_in_strings_do_not_count():
    text = json.dumps(["[" * 500, '\\"[{' * 500] * 3)
    assert parse(text) == json.loads(text)


@pytest.mark.parametrize(
    "start",
    ['"' + '\\"' * 500_000, '["' + "[" * 1_000_000, '"' * 1_000_001, '[["' + '"\\' * 500_000],
    ids=["escaped", "brackets", "odd", "escapes"],
)
def test_strings_without_an_end_are_read_once(start):
    """A pattern that tried again from every quote would take hours."""
    with pytest.raises(ValueError, match=r"\w"):
        parse(start + "{" * (DEEPEST + 1))


def test_bytes_that_are_no_text():
    with pytest.raises(ValueError, match="decode"):
        parse(b'"\xff\xfe\xfd"')


@pytest.mark.parametrize(
    "program",
    [
        "from assay.prove.proof import Proof; Proof.from_json(text)",
        "from assay.transpile.circuit.circuit import Circuit; Circuit.from_json(text)",
        "from assay.core.envelope import decode; decode(text.encode() + b'\\n', kind='x', version=1)",
        "from assay.transpile.rows.rows import read_rows; read_rows(write('rows.json'))",
        "import assay; assay.transpile(write('model.json'))",
    ],
)
def test_no_reader_ends_the_process_where_recursion_is_allowed(program, tmp_path):
    """As it is once web3 is imported."""
    setup = (
        "import sys, pathlib; from assay.core.errors import AssayError; sys.setrecursionlimit(1_000_000)\n"
        "text = '[' * 1_000_000\n"
        f"def write(name): path = pathlib.Path({str(tmp_path)!r}) / name; path.write_text(text); return path\n"
    )
    code = f"{setup}try:\n    {program}\nexcept AssayError as error:\n    print(error.code)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "/" in done.stdout
