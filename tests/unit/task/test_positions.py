"""Lines of fields: found for everything TOML can write."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.task.positions import line_of, positions

TEXT = '''# a comment with [brackets] and key = 1
schema = "assay-task/1"
title = """
[not.a.header]
no = "key"
"""

[data] # trailing
keep = [
    "a", # ] in a comment
    "b",
]
bars = { every = "1h", columns = [
    { name = "x", op = "last" },
    { name = "y [", op = "sum" },
] }

[[data.sources]]
name = 'it''s'

[[data.sources]]
"a key" . b = 2

[data.sources.rename]
old = "new"

[explore]
"trials" = 4
'''.replace("'it''s'", "'literal # [text'")


def test_every_kind_of_key_has_its_line():
    tomllib.loads(TEXT)
    found = positions(TEXT)
    line = dict(enumerate(TEXT.splitlines(), 1))
    for path, start in {
        ("schema",): "schema",
        ("title",): "title",
        ("data",): "[data]",
        ("data", "keep"): "keep",
        ("data", "bars"): "bars",
        ("data", "sources", 0): "[[data.sources]]",
        ("data", "sources", 0, "name"): "name",
        ("data", "sources", 1): "[[data.sources]]",
        ("data", "sources", 1, "a key", "b"): '"a key"',
        ("data", "sources", 1, "rename", "old"): "old",
        ("explore", "trials"): '"trials"',
    }.items():
        assert line[found[path]].startswith(start), path
    assert found["data", "sources", 0] < found["data", "sources", 1]
    assert ("not", "a", "header") not in found
    assert ("no",) not in found


def test_elements_of_an_array_of_tables_have_lines():
    text = 'columns = [\n    { name = "x" },\n    { name = "y", of = "{" },\n    { name = "z" },\n]\n'
    assert [positions(text)["columns", index] for index in range(3)] == [2, 3, 4]


def test_what_has_no_line_takes_that_of_what_is_around_it():
    found = positions("[limits]\ngas = 1\n")
    assert line_of(found, ("limits", "gas")) == 2
    assert line_of(found, ("limits", "memory_mb")) == 1
    assert line_of(found, ("nothing",)) is None


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "a = 1", "a = 1\r\nb = 2\r\n"])
def test_small_files(text):
    assert [path[0] for path in positions(text)] == list(tomllib.loads(text))


KEYS = st.text("abcdefgh_-0123456789", min_size=1, max_size=8)
STRINGS = st.text(max_size=20).filter(lambda text: all(ord(c) >= 32 and c not in "\x7f\\\"'" for c in text))


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, STRINGS, max_size=4), max_size=4))
def test_lines_are_those_of_the_text(tables):
    lines, expected = [], {}
    for table, fields in tables.items():
        lines.append(f"[{table}]")
        expected[table,] = len(lines)
        for key, value in fields.items():
            lines.append(f'{key} = "{value}" # {value}')
            expected[table, key] = len(lines)
    text = "\n".join(lines)
    tomllib.loads(text)
    assert positions(text) == expected
