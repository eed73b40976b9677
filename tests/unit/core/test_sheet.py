"""CSV files that people bring: what is in them is read as it stands, or refused with its line."""

import pytest

from assay.core import sheet


def test_rows_by_column_with_their_lines():
    found = sheet.rows(b'\xef\xbb\xbf a ,b\n1, 2 \n\n"3\n4",5\n6\n7,8,, \n')
    assert found == [
        (2, {"a": "1", "b": "2"}),
        (5, {"a": "3\n4", "b": "5"}),
        (6, {"a": "6"}),
        (7, {"a": "7", "b": "8"}),
    ]
    assert sheet.rows(b"") == sheet.rows(b"a,b\r\n") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2,3\n", ", line 2: 3 values, and 2 columns"),
        (b"a, a\n1,2\n", ", line 1: a column is there twice"),
        (b'a\n"1\n', "unexpected end of data"),
        ("a\n1\n".encode("utf-16"), " is not UTF-8 text"),
    ],
)
def test_what_is_refused(content, said):
    with pytest.raises(ValueError, match=said):
        sheet.rows(content)


def test_numbers_are_what_a_file_has():
    assert [sheet.number(text) for text in ("1.5", "-2e3", "7")] == [1.5, -2000.0, 7.0]
    for text in ("1_000", "\u0663", "1,5", ""):
        with pytest.raises(ValueError, match=r".*"):
            sheet.number(text)
