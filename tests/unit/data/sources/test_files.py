"""Parquet, CSV and package sources, good and bad."""

import bz2
import datetime as dt
import gzip
import math

import numpy as np
import polars as pl
import pytest
from tests.unit.data.small import make_task

from assay.core.errors import MissingLibrary, NotFound
from assay.data.errors import (
    ColumnMissing,
    Duplicated,
    ExpressionInvalid,
    FunctionFailed,
    MixedTypes,
    SettingsUnfit,
    SourceEmpty,
    SourceUnreadable,
)
from assay.data.expressions import wide
from assay.data.sources import parquet
from assay.data.sources.context import Context
from assay.data.sources.open import open_source
from assay.data.tables.table import collect
from assay.task import dialect


def opened(project, time=None, **source):
    data = make_task({"time": time, "sources": [{"name": "rows", **source}]}).data
    work = project / "work"
    work.mkdir(exist_ok=True)
    return open_source(data.sources[0], data, Context(project, work))["rows"]


def csv(project, text, name="rows.csv", **options):
    (project / name).write_text(text, encoding="utf-8")
    return opened(project, kind="csv", path=name, **options)


def test_types_of_a_csv_are_those_of_all_its_rows(project):
    many = "\n".join("1,2,x,true,2024-01-01" for _ in range(2000))
    found = csv(project, f"a,b,c,d,e\n{many}\n3,2.5,,,\n").frame()
    assert found.schema == {"a": pl.Int64, "b": pl.Float64, "c": pl.String, "d": pl.Boolean, "e": pl.String}
    assert found.row(-1) == (3, 2.5, None, None, None)


def test_missing_values_quotes_and_another_delimiter(project):
    found = csv(project, 'a;"b c"\n1;"x;y"\nNA;\n-;z\n', delimiter=";", missing=["", "NA", "-"]).frame()
    assert found.to_dict(as_series=False) == {"a": [1, None, None], "b c": ["x;y", None, "z"]}


def test_names_with_spaces_around_them(project):
    assert csv(project, "a, b ,c d\n1,2,3\n\n").frame().row(0, named=True) == {"a": 1, "b": 2, "c d": 3}


def test_keys_of_any_width_stay_exact(project):
    lines = "\n".join(f"{2**200 + n},{2**70 + n},{n}.5" for n in range(50))
    found = csv(project, f"id,wide,half\n{lines}\n", key=["id"]).frame()
    assert found.schema == {"id": pl.String, "wide": pl.Int128, "half": pl.Float64}
    assert found["id"].to_list() == [str(2**200 + n) for n in range(50)]
    assert found["wide"].to_list() == [2**70 + n for n in range(50)]


def test_whole_numbers_of_256_bits_stay_exact(project):
    values = [2**256 - 1, -(2**255), 7]
    found = csv(project, "v,w\n" + "".join(f"{value},1\n" for value in values) + ",2\n").frame()["v"]
    assert wide.integers(found.struct.field(wide.FIELD)).tolist() == [*values, 0]
    assert found.is_null().to_list() == [False, False, False, True]


DIALECTS = {
    "semicolons and decimal commas": (
        "name;price;n\na;1.234,50;1.000.000\nb;-0,25;7\nc;;3\n",
        {"delimiter": ";", "decimal": ",", "thousands": "."},
    ),
    "thousands in quotes": ('name,price,n\na,"1,234.50","1,000,000"\nb,-0.25,7\nc,,3\n', {"thousands": ","}),
    "lines above": (
        "made by X, 2024\n# rows\nname\tprice\tn\na\t1234.5\t1000000\nb\t-0.25\t7\nc\t\t3\n",
        {"delimiter": "\t", "skip_rows": 2},
    ),
    "UTF-16": ("name,price,n\na,1234.5,1000000\nb,-0.25,7\nc,,3\n", {"encoding": "utf-16"}),
    "apostrophes": ("name,price,n\na,1234.5,1'000'000\nb,-0.25,7\nc,,3\n", {"thousands": "'"}),
}


@pytest.mark.parametrize("what", DIALECTS)
def test_dialects_are_read_and_guessed(project, what):
    text, options = DIALECTS[what]
    (project / "rows.csv").write_bytes(text.encode(options.get("encoding", "utf-8")))
    found = opened(project, kind="csv", path="rows.csv", **options).frame()
    assert found["name"].to_list() == ["a", "b", "c"]
    assert found["price"].to_list() == [1234.5, -0.25, None]
    assert (found["n"].to_list(), found.schema["n"]) == ([1_000_000, 7, 3], pl.Int64)
    assert dialect.guess(project / "rows.csv").named == options


def test_no_header_is_taken_for_a_line_above(project):
    # A comma too many in each row: the rows have one value more than the header, and reading says so.
    text = "at,v\n" + "".join(f"2024-01-{day:02},{day}.5,\n" for day in range(1, 20))
    (project / "rows.csv").write_text(text, encoding="utf-8")
    assert dialect.guess(project / "rows.csv").named == {}
    with pytest.raises(SourceUnreadable, match=r"line 2 of .* has 3 values, and the header 2"):
        opened(project, kind="csv", path="rows.csv")


@pytest.mark.parametrize(("pack", "words"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2")])
def test_what_is_packed_is_named(project, pack, words):
    (project / "rows.csv").write_bytes(pack(b"a,b\n1,2\n"))
    with pytest.raises(SourceUnreadable, match=f"compressed by {words}"):
        opened(project, kind="csv", path="rows.csv")


def test_letters_of_another_encoding(project):
    (project / "rows.csv").write_bytes("prés,y\n1,2\n".encode("latin-1"))
    source = {"kind": "csv", "path": "rows.csv"}
    assert opened(project, **source, encoding="latin-1").columns == ["prés", "y"]
    with pytest.raises(SourceUnreadable, match=r'encoding = "cp1252" would fit'):
        opened(project, **source)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("https://x.org\nat,v\n1,2\n3,4\n", SourceUnreadable, "line 2 of .* has 2 values.*skip_rows = 1 would fit"),
        ("at,v\n1,2\n3,4,5\n", SourceUnreadable, "line 3 of .* has 3 values, and the header 2.*too much"),
        ("at;v\n1;2,5\n3;4,5\n", SourceUnreadable, 'delimiter = ";", decimal = "," would fit'),
        ('at,v\n1,"1,234.50"\n2,"12,345.00"\n', MixedTypes, "'1,234.50' in row 1"),
        ("at,v\n1,$2.5\n2,$3\n", MixedTypes, r"another notation, such as '\$2.5' in row 1.*signs such as"),
    ],
)
def test_what_another_dialect_would_read_says_so(project, text, error, words):
    with pytest.raises(error, match=words):
        csv(project, text)


def test_a_csv_with_a_byte_order_mark_and_windows_lines(project):
    (project / "rows.csv").write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    assert opened(project, kind="csv", path="rows.csv").frame().to_dict(as_series=False) == {"a": [1], "b": [2]}


BAD_CSV = {
    "empty": ("", SourceEmpty, "is empty"),
    "a line cut short": ("a,b\n1,2\n3\n", SourceUnreadable, r"line 3 of .* has 1 values, and the header 2"),
    "a quoted line break, then a short line": ('a,b\n1,"x\ny"\n3\n', SourceUnreadable, "line 4 of"),
    "header only": ("a,b\n", SourceEmpty, "no rows"),
    "no header": ("1,2\n3,4\n", SourceUnreadable, "no header"),
    "a name twice": ("a,a\n1,2\n", SourceUnreadable, "two columns called 'a'"),
    "a column without a name": ("a,\n1,2\n", SourceUnreadable, "without a name"),
    "ragged": ("a,b\n1,2\n1,2,3\n", SourceUnreadable, "line 3 of .* has 3 values, and the header 2"),
    "another delimiter": ("a;b\n1;2\n", SourceUnreadable, "Set `delimiter`"),
    "text among numbers": ("a\n" + "1\n" * 50 + "oops\n", MixedTypes, "'oops' in row 51"),
}


@pytest.mark.parametrize(("text", "error", "words"), BAD_CSV.values(), ids=BAD_CSV)
def test_bad_csv(project, text, error, words):
    with pytest.raises(error, match=words) as caught:
        csv(project, text).frame()
    assert "\n" not in str(caught.value)


def test_a_csv_in_another_encoding(project):
    (project / "rows.csv").write_bytes("a,b\n1,\xfc\n".encode("latin-1"))
    with pytest.raises(SourceUnreadable):
        opened(project, kind="csv", path="rows.csv").frame()


def test_declared_types_win(project):
    found = csv(project, "id,n\n1,4\n2,x\n", types={"id": "text", "n": "text"}).frame()
    assert found["id"].to_list() == ["1", "2"]
    with pytest.raises(MixedTypes, match="'x' in row 2"):
        csv(project, "id,n\n1,4\n2,x\n", types={"n": "integer"})
    with pytest.raises(ColumnMissing, match="Did you mean id"):
        csv(project, "id,n\n1,4\n", types={"idd": "text"})


def write(project, name, **columns):
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).write_parquet(path)


def test_parquet_files_folders_and_patterns_are_read_in_order(project):
    for index in range(3):
        write(project, f"in [1]/part-{index}.parquet", n=[index * 2, index * 2 + 1])
    for path in ("in [1]", "in [[]1]/part-*.parquet"):
        assert opened(project, kind="parquet", path=path).frame()["n"].to_list() == list(range(6))
    assert opened(project, kind="parquet", path="in [1]/part-1.parquet").frame()["n"].to_list() == [2, 3]


def test_large_files_are_cut_and_small_ones_put_together(project, monkeypatch):
    monkeypatch.setattr(parquet, "PART_ROWS", 10)
    for index, rows in enumerate([4, 5, 3, 25, 2]):
        write(project, f"p/{index}.parquet", n=list(range(index * 100, index * 100 + rows)))
    table = opened(project, kind="parquet", path="p")
    heights = [frame.height for frame in table.batches()]
    assert max(heights) <= 10
    assert sum(heights) == 39
    assert len(heights) == 6
    expected = [index * 100 + n for index, rows in enumerate([4, 5, 3, 25, 2]) for n in range(rows)]
    assert table.frame()["n"].to_list() == expected


def test_a_parquet_file_cut_short(project):
    write(project, "rows.parquet", n=np.random.default_rng(0).normal(size=5000))
    content = (project / "rows.parquet").read_bytes()
    for size in (0, 3, len(content) // 2, len(content) - 1):
        (project / "rows.parquet").write_bytes(content[:size])
        with pytest.raises(SourceUnreadable, match="cut short"):
            opened(project, kind="parquet", path="rows.parquet").frame()


def test_a_parquet_file_with_damage_inside(project):
    write(project, "rows.parquet", n=np.random.default_rng(0).normal(size=5000))
    content = bytearray((project / "rows.parquet").read_bytes())
    content[100:20_000] = bytes(19_900)
    (project / "rows.parquet").write_bytes(content)
    with pytest.raises(SourceUnreadable, match="damaged"):
        opened(project, kind="parquet", path="rows.parquet").frame()


def test_columns_missing_or_of_another_type_in_a_later_file(project):
    write(project, "p/0.parquet", a=[1], b=[1.0])
    write(project, "p/1.parquet", a=[1], c=[1.0])
    with pytest.raises(ColumnMissing, match=r"1\.parquet has no column b"):
        opened(project, kind="parquet", path="p")
    write(project, "p/1.parquet", a=[1], b=["x"])
    with pytest.raises(MixedTypes, match=r"String in .* and Float64"):
        opened(project, kind="parquet", path="p")


def test_paths_that_lead_nowhere(project):
    with pytest.raises(NotFound):
        opened(project, kind="parquet", path="absent.parquet")
    (project / "empty").mkdir()
    with pytest.raises(SourceEmpty):
        opened(project, kind="parquet", path="empty")
    with pytest.raises(SourceEmpty):
        opened(project, kind="parquet", path="*.parquet")


def test_columns_are_renamed_and_rows_selected(project):
    found = csv(project, "A b,c\n1,2\n5,6\n", rename={"A b": "a"}, where="a > 2").frame()
    assert found.to_dict(as_series=False) == {"a": [5], "c": [6]}
    with pytest.raises(ColumnMissing, match=r"Did you mean A b\?"):
        csv(project, "A b,c\n1,2\n", rename={"A  b": "a"})
    with pytest.raises(Duplicated, match="two columns called c"):
        csv(project, "A b,c\n1,2\n", rename={"A b": "c"})


@pytest.mark.parametrize("name", ["^a.*$", "*"])
def test_a_name_that_would_stand_for_several_columns(project, name):
    write(project, "rows.parquet", **{name: [1], "a": [2]})
    with pytest.raises(SettingsUnfit, match="would stand for several"):
        opened(project, kind="parquet", path="rows.parquet")
    found = opened(project, kind="parquet", path="rows.parquet", rename={name: "b"}).frame()
    assert found.to_dict(as_series=False) == {"b": [1], "a": [2]}


def test_a_file_is_not_blamed_for_what_is_asked_of_it():
    part = pl.LazyFrame({"t": ["a"]}).select(pl.col("t").cast(pl.Float64))
    with pytest.raises(ExpressionInvalid, match=r"over the rows of rows\.csv cannot be computed"):
        collect(part, "rows.csv")


def test_duplicated_keys(project):
    with pytest.raises(Duplicated, match="2 rows have id 7"):
        csv(project, "id,n\n1,2\n7,1\n7,2\n", key=["id"])
    assert csv(project, "id,n\n1,2\n7,1\n7,2\n", key=["id", "n"]).frame().height == 3


INSTANT = dt.datetime(2024, 3, 1, 12, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "values",
    [
        ["2024-03-01T12:30:00Z"],
        ["2024-03-01 12:30:00"],
        [int(INSTANT.timestamp())],
        [int(INSTANT.timestamp() * 1000)],
        [int(INSTANT.timestamp() * 1_000_000)],
        [int(INSTANT.timestamp()) * 1_000_000_000],
        [INSTANT.timestamp()],
        [INSTANT.replace(tzinfo=None)],
        [INSTANT.astimezone(dt.timezone(dt.timedelta(hours=5)))],
    ],
    ids=["iso", "text", "seconds", "milliseconds", "microseconds", "nanoseconds", "float", "naive", "zone"],
)
def test_times_of_many_forms_are_one_instant(project, values):
    write(project, "rows.parquet", when=values)
    table = opened(project, time="when", kind="parquet", path="rows.parquet")
    assert table.frame()["when"].to_list() == [INSTANT]


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-01T12:30:00.000Z",
        "2024-03-01 12:30",
        "2024-03-01T14:30+02:00",
        "2024-03-01 09:30:00-0300",
        "2024-03-01 12:30:00 UTC",
    ],
)
def test_text_in_iso_8601_is_a_time_whatever_its_neighbours_look_like(project, text):
    found = csv(project, f"when,n\n2024-03-01,1\n{text},2\n", time="when").frame()
    assert found["when"].to_list() == [INSTANT.replace(hour=0, minute=0), INSTANT]


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (["2024-03-01", "03/02/2024"], {}, r"'03/02/2024' of when in row 2 of .* is no time in ISO 8601"),
        (["soon"], {}, "Write it like 2024-03-01T12:30:00Z"),
        (["01/03/2024"], {}, 'time_format = "%d/%m/%Y" or time_format = "%m/%d/%Y"'),
        (["31/03/2024"], {}, r'written: time_format = "%d/%m/%Y", in'),
        (["2024-13-01"], {}, "row 1"),
        (["20240301"], {}, "row 1"),
        ([1_700_000_000, 1 << 62], {"time_unit": "s"}, "'4611686018427387904' of when in row 2 .* set `time_unit`"),
        (
            [1_700_000_000, None, 1_700_003_600],
            {"time_unit": "ms"},
            "begin in 1970 if they count ms.* in 2023 if they count s. Write",
        ),
        ([1_700_000_000_000], {"time_unit": "s"}, "year"),
        ([1 << 62], {"time_unit": "us"}, ", counted in us since 1970, lies in no year"),
        ([1.7e9, float("inf")], {}, "row 2"),
        ([-(10**15)], {"time_unit": "ms"}, "lies in no year from 1 to 9999"),
    ],
)
def test_what_is_no_time_is_named_with_its_row(project, values, options, words):
    write(project, "rows.parquet", when=values)
    with pytest.raises(MixedTypes, match=words):
        opened(project, time="when", kind="parquet", path="rows.parquet", **options)


def test_numbers_count_the_one_unit_in_which_all_lie_in_plausible_years(project):
    # 1980 to 2099 in nanoseconds; no guess is made where some lie elsewhere.
    write(project, "rows.parquet", when=[number * 10**17 for number in range(4, 41)])
    table = opened(project, time="when", kind="parquet", path="rows.parquet")
    assert (table.frame()["when"][0].year, table.frame()["when"][-1].year) == (1982, 2096)
    assert table.notes == ("when of rows is read as numbers of ns since 1970",)
    write(project, "rows.parquet", when=[number * 10**17 for number in range(41)])
    with pytest.raises(MixedTypes, match=r"'0' of when in row 1 of .* lies in no year from 1980 to 2099"):
        opened(project, time="when", kind="parquet", path="rows.parquet")
    told = opened(project, time="when", kind="parquet", path="rows.parquet", time_unit="ns")
    assert (told.frame()["when"][0].year, told.notes) == (1970, ())


def test_a_date_is_its_midnight(project):
    write(project, "rows.parquet", when=[dt.date(2024, 3, 1)])
    found = opened(project, time="when", kind="parquet", path="rows.parquet").frame()
    assert found["when"].to_list() == [dt.datetime(2024, 3, 1, tzinfo=dt.UTC)]


def test_a_column_that_can_be_no_time(project):
    write(project, "rows.parquet", when=[True])
    with pytest.raises(MixedTypes, match="when"):
        opened(project, time="when", kind="parquet", path="rows.parquet").frame()


def test_package_data_by_function(project):
    prices = opened(project, time="Date", kind="package", load="arch.data.sp500:load").frame()
    assert prices.height > 4000
    assert prices["Date"][0] == dt.datetime(1999, 1, 4, tzinfo=dt.UTC)
    cancer = opened(project, kind="package", load="sklearn.datasets:load_breast_cancer").frame()
    assert cancer.shape == (569, 31)
    assert opened(project, kind="package", load="statsmodels.datasets.fair:load_pandas").frame().height > 6000


def test_package_data_by_file(project):
    path = "statsmodels.datasets.fair:fair.csv"
    with pytest.raises(NotFound):
        opened(project, kind="package", file=path.replace("fair.csv", "absent.csv"))
    found = opened(project, kind="package", file=path)
    assert found.frame().height == 6366


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"load": "no_such_package.data:load"}, MissingLibrary),
        ({"load": "math:no_such_function"}, FunctionFailed),
        ({"load": "math:sqrt"}, FunctionFailed),
        ({"load": "math:hypot"}, FunctionFailed),
        ({"load": "sys:exit"}, FunctionFailed),
    ],
)
def test_packages_that_give_no_table(project, options, error):
    assert math.hypot() == 0
    with pytest.raises(error):
        opened(project, kind="package", **options)


def test_equal_content_has_an_equal_digest_wherever_it_lies(project, tmp_path):
    write(project, "p/0.parquet", a=[1, 2])
    write(tmp_path / "elsewhere", "q/0.parquet", a=[1, 2])
    here = opened(project, kind="parquet", path="p")
    there = opened(project, kind="parquet", path=str(tmp_path / "elsewhere" / "q"))
    assert here.digest == there.digest
    write(project, "p/0.parquet", a=[1, 3])
    assert opened(project, kind="parquet", path="p").digest != here.digest


def test_blank_lines_are_left_out_and_counted(project):
    table = csv(project, "a,b\n1,2\n\n3,\n,\n   \n\n")
    assert table.frame().rows() == [(1, 2), (3, None)]
    assert table.notes == ("4 lines of rows hold no value and are left out",)


def test_a_header_below_a_blank_line_is_named(project):
    with pytest.raises(SourceEmpty, match=r"begins with a blank line.* skip_rows = 1 would fit"):
        csv(project, "\na,b\n1,2\n3,4\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_line_ends_of_old_macs(project, encoding):
    (project / "rows.csv").write_bytes("a,b\r1,x\r2,y\r".encode(encoding))
    found = opened(project, kind="csv", path="rows.csv", encoding=encoding).frame()
    assert found.rows() == [(1, "x"), (2, "y")]


def test_a_first_column_without_a_name_is_called_as_pandas_calls_it(project):
    assert csv(project, ",a\n7,1\n8,2\n").columns == ["Unnamed: 0", "a"]
    assert csv(project, ",Unnamed: 0,a\n0,7,1\n1,8,2\n").columns == ["Unnamed: 0.1", "Unnamed: 0", "a"]
    assert csv(project, ",0,1\n0,7,1\n1,8,2\n").columns == ["Unnamed: 0", "0", "1"]
    with pytest.raises(SourceUnreadable, match="no header"):
        csv(project, ",2.5,7\n1,2,3\n")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2024-10-24 15:34:35 +UTC", None),
        ("2024-10-24 15:34:35 +0000 UTC", None),
        ("2024-10-24T15:34:35 GMT", None),
        ("2024-10-24 15:34:35.000 UTC", None),
        ("Oct-24-2024 03:34:35 PM +UTC", "%b-%d-%Y %I:%M:%S %p"),
        ("Oct-24-2024 03:34:35 PM +UTC", "%b-%d-%Y %I:%M:%S %p +UTC"),
        ("24/10/2024 15:34:35 UTC", "%d/%m/%Y %H:%M:%S"),
        ("24/10/2024 15:34:35 UTC", "%d/%m/%Y %H:%M:%S %#z"),
    ],
)
def test_times_that_say_that_they_are_in_utc(project, text, form):
    found = csv(project, f"at,a\n{text},1\n", time="at", time_format=form).frame()
    assert found["at"][0] == dt.datetime(2024, 10, 24, 15, 34, 35, tzinfo=dt.UTC)


def test_times_and_texts_that_are_stored_as_categories(project):
    at = pl.Series("at", ["2024-01-01", "2024-01-02"])
    for dtype in (pl.Categorical, pl.Enum(at)):
        pl.DataFrame({"at": at.cast(dtype), "a": [1, 2]}).write_parquet(project / "rows.parquet")
        found = opened(project, time="at", kind="parquet", path="rows.parquet").frame()
        assert found["at"].dt.day().to_list() == [1, 2]
