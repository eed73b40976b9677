from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assay
from assay.transpile.circuit.circuit import Circuit, Feature, View
from assay.transpile.circuit.keys import float32_keys
from assay.transpile.errors import MissingValue, NotANumber, OutOfRange, RowsError, RowsUnreadable, RowsWidth
from assay.transpile.rows.columns import to_table
from assay.transpile.rows.rows import read_rows

LARGE = 2**63 - 1


@pytest.fixture
def circuit():
    return Circuit(
        kind="trees",
        inputs="public",
        features=[Feature("a"), Feature("b"), Feature("n", "integer", -5, LARGE)],
        outputs=["margin"],
        scale_bits=0,
        base=[0],
        views=[View(0, "low"), View(0, "high"), View(1, "low"), View(1, "high"), View(2, "refuse")],
    )


EXPECTED = ([1.5, None, 7], [-0.0, 2.0, LARGE])


def test_columns_that_are_too_many_or_absent_are_named(circuit):
    import polars as pl

    for columns, said in (
        (
            {"a": [1.0], "b": [2.0], "n": [1], "id": [7]},
            "4 values each and the model has 3 features; no feature is called id",
        ),
        ({"a": [1.0], "n": [1]}, "2 values each and the model has 3 features; no column is called b"),
        ({"a": [1.0], "id": [1], "c": [1], "n": [1]}, "no feature is called id, c, and no column is called b"),
        ({"w": [1], "x": [1], "y": [1], "z": [1]}, "4 values each and the model has 3 features"),
    ):
        with pytest.raises(RowsWidth) as caught:
            circuit.encode(pl.DataFrame(columns))
        assert caught.value.what.endswith(said)


def test_whole_numbers_beyond_64_bits_name_that_limit(circuit):
    with pytest.raises(OutOfRange) as caught:
        circuit.encode([[1.0, 2.0, 10**21]])
    assert "64 bits" in caught.value.todo
    with pytest.raises(OutOfRange) as caught:
        circuit.encode([[1.0, 2.0, LARGE + 1]])
    assert "wider range" in caught.value.todo


def check(circuit, X):
    words, missing = circuit.encode(X)
    assert missing.tolist() == [[False, True, False], [False, False, False]]
    assert words.dtype == np.uint64
    assert words[:, 2].tolist() == [12, LARGE + 5]
    assert words[:, 0].tolist() == float32_keys(np.array([1.5, 0.0])).tolist()
    assert words[:, 1].tolist() == [0, int(float32_keys(np.float32(2)))]


def test_lists_and_arrays(circuit):
    check(circuit, [list(row) for row in EXPECTED])
    check(circuit, tuple(tuple(row) for row in EXPECTED))
    check(circuit, np.array(EXPECTED, dtype=object))
    check(circuit, [np.array(row, dtype=object) for row in EXPECTED])
    assert circuit.encode([1.5, None, 7])[0].shape == (1, 3)
    assert circuit.encode(np.array([1.5, np.nan, 7]))[1].tolist() == [[False, True, False]]
    assert circuit.encode({"n": 7, "a": 1.5, "b": None})[0][0, 2] == 12
    masked = np.ma.array([[1.0, 2.0, 3.0]], mask=[[False, True, False]])
    assert circuit.encode(masked)[1].tolist() == [[False, True, False]]


def test_data_frames(circuit):
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    arrow = pytest.importorskip("pyarrow")
    columns = {"n": [7, LARGE], "a": [1.5, -0.0], "b": [None, 2.0]}
    check(circuit, pandas.DataFrame(columns))
    check(circuit, pandas.DataFrame(columns).astype({"n": "Int64", "b": "Float32"}))
    check(circuit, polars.DataFrame(columns))
    check(circuit, polars.DataFrame(columns).lazy())
    check(circuit, arrow.table(columns))
    # A row of a frame has its names; without them it goes by position.
    row = pandas.DataFrame(columns, dtype=object).iloc[1]
    assert circuit.encode(row)[0].tolist()[0] == circuit.encode([-0.0, 2.0, LARGE])[0].tolist()[0]
    assert circuit.encode(row.reset_index(drop=True)[[1, 2, 0]])[0].tolist()[0][2] == LARGE + 5
    with pytest.raises(NotANumber, match="categorical"):
        circuit.encode(pandas.DataFrame(columns).astype({"a": "category"}))
    with pytest.raises(NotANumber, match="'x' is no number"):
        circuit.encode(polars.DataFrame(columns | {"a": ["x", "y"]}))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64, np.uint64, np.bool_])
def test_types_of_arrays(dtype):
    circuit = Circuit("trees", "public", [Feature("a")], ["o"], 0, [0], [View(0, "low"), View(0, "high")])
    column = np.array([0, 1, 1], dtype=dtype)[:, np.newaxis]
    words, missing = circuit.encode(column)
    assert words[:, 0].tolist() == float32_keys(np.array([0, 1, 1], np.float32)).tolist()
    assert not missing.any()


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        ([[1, 2, 3], [1, 2]], RowsWidth, "row 1 has 2 values and row 0 has 3"),
        ([[1, 2]], RowsWidth, "2 values each and the model has 3"),
        ([], RowsWidth, "0 values|no rows"),
        ([[]], RowsWidth, "0 values"),
        (np.zeros((0, 3)), RowsWidth, "no rows"),
        (
            np.zeros((2, 3, 1)),
            RowsWidth,
            r"arrays of shape \[3, 1\] each, and the model has 3 features in no such order",
        ),
        ([[[1], [2], [3]]], RowsWidth, r"arrays of shape \[3, 1\] each"),
        ([[[1, 2], [3]]], RowsWidth, "row 0 is a list of lists of different shapes"),
        (np.float64(1), NotANumber, "float64"),
        (np.array(1.0), RowsWidth, "a single number"),
        ([[1, 2, 3], 4], RowsWidth, "row 1 is 4"),
        ([[1, "2", 3]], NotANumber, r"row 0, column 1 \(b\): '2' is no number"),
        ([[1, [2], 3]], NotANumber, "column 1"),
        ([[1, 2j, 3]], NotANumber, "column 1"),
        (np.array([["1", "2", "3"]]), NotANumber, "row 0, column 0"),
        (np.array([[1, 2, 3j]]), NotANumber, "no number"),
        ([[1, 2, 3.5]], NotANumber, r"column 2 \(n\): 3.5 is no whole number"),
        (np.array([[1, 2, 3.5]]), NotANumber, "no whole number"),
        ([[1, 2, None]], MissingValue, r"row 0, column 2 \(n\) is missing"),
        (np.array([[1, 2, 3], [1, 2, np.nan]]), MissingValue, "row 1, column 2"),
        ([[1, 2, -6]], OutOfRange, "-6 is outside the declared range -5 to 9223372036854775807"),
        ([[1, 2, LARGE + 1]], OutOfRange, "9223372036854775808"),
        ([[1, 2, float("inf")]], OutOfRange, "inf"),
        ([[1, 2, 10**5000]], OutOfRange, "thousands of digits"),
        ([[10**5000, 2, 3]], OutOfRange, "beyond the range of float32"),
        ([[1e300, 2, 3]], OutOfRange, "beyond the range of float32"),
        (np.array([[1, -1e39, 3]]), OutOfRange, r"column 1 \(b\)"),
        ("abc", NotANumber, "str"),
        (7, NotANumber, "int"),
        (None, NotANumber, "NoneType"),
        (object(), NotANumber, "object"),
    ],
)
def test_faults_are_named(circuit, rows, error, words):
    with pytest.raises(error, match=words):
        circuit.encode(rows)


def test_sparse_matrices_are_refused(circuit):
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(NotANumber, match="toarray"):
        circuit.encode(sparse.csr_matrix(np.eye(3)))


def test_files_of_rows(circuit, tmp_path):
    polars = pytest.importorskip("polars")
    (tmp_path / "rows.json").write_text(json.dumps({"inputs": EXPECTED}))
    (tmp_path / "rows.csv").write_text(f"b,a,n\n,1.5,7\r\n 2.0 ,-0.0,{LARGE}\n\n")
    polars.DataFrame({"a": [1.5, -0.0], "b": [None, 2.0], "n": [7, LARGE]}).write_parquet(tmp_path / "rows.parquet")
    for name in ("rows.json", "rows.csv", "rows.parquet"):
        check(circuit, read_rows(tmp_path / name))
    np.save(tmp_path / "rows.npy", np.array([[1.5, np.nan, 7], [0, 2, 8]]))
    assert circuit.encode(read_rows(tmp_path / "rows.npy"))[1][0].tolist() == [False, True, False]
    np.save(tmp_path / "big.npy", np.asfortranarray(np.array([[1, 2, 7], [3, 4, 8]], dtype=">i4")))
    assert circuit.encode(read_rows(tmp_path / "big.npy"))[0][:, 2].tolist() == [12, 13]
    np.save(tmp_path / "one.npy", np.array([1.5, np.nan, 7]))
    assert read_rows(tmp_path / "one.npy").rows == 1


@pytest.mark.parametrize("text", ["", " ", "NA", "nan", "NaN", "null", "None"])
def test_missing_values_in_csv(text, circuit, tmp_path):
    (tmp_path / "rows.csv").write_text(f"a,b,n\n1,{text},3\n")
    assert circuit.encode(read_rows(tmp_path / "rows.csv"))[1].tolist() == [[False, True, False]]


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("rows.json", b"", RowsUnreadable, "no JSON"),
        ("rows.json", b"[" * 100_000, RowsUnreadable, "no JSON"),
        ("rows.json", b"[[1, 2]]", RowsUnreadable, 'no list "inputs"'),
        ("rows.json", b'{"inputs": 3}', RowsUnreadable, 'no list "inputs"'),
        ("rows.json", b'{"inputs": []}', RowsWidth, "no rows"),
        ("rows.json", b'{"inputs": [1, 2]}', RowsWidth, "row 0"),
        ("rows.json", b'{"inputs": [[1, [2]]]}', NotANumber, "row 0, column 1"),
        ("rows.json", b'{"inputs": [[1, 2], [3]]}', RowsWidth, "row 1 has 1 values"),
        ("rows.json", b'{"inputs": [[\xff]]}', RowsUnreadable, "no JSON"),
        ("rows.csv", b"", RowsWidth, "no rows"),
        ("rows.csv", b"a,b\n", RowsWidth, "no rows"),
        ("rows.csv", b"1,2\n3,4\n", RowsUnreadable, "no header"),
        ("rows.csv", b"a,b\n1,2\n3\n", RowsWidth, "row 1 of"),
        ("rows.csv", b'a,b\n1,"2\n', RowsUnreadable, "no CSV"),
        ("rows.csv", b"a,b\n1,\xff\n", RowsUnreadable, "no CSV"),
        ("rows.npy", b"", RowsUnreadable, "npy"),
        ("rows.npy", b"\x93NUMPY\x01\x00garbage", RowsUnreadable, "npy"),
        ("rows.npy", pickle.dumps([1]), RowsUnreadable, "npy"),
        ("rows.parquet", b"PAR1 nonsense PAR1", RowsUnreadable, "Parquet"),
        ("rows.txt", b"1", RowsUnreadable, "no file of rows"),
    ],
)
def test_bad_files_of_rows(name, content, error, words, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=words):
        read_rows(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.json", b'{"inputs": [[1, "2", 3]]}', r"row 0, column 1 \(b\): '2' is no number"),
        ("rows.csv", b"a,b,n\n1,2,3\n3,x,3\n", r"row 1, column 1 \(b\): 'x' is no number"),
        ("rows.csv", b"a,b,n\n1,1_000,3\n", r"row 0, column 1 \(b\): '1_000' is no number"),
        ("rows.csv", b"a,b,n\n1,1,x\n", r"row 0, column 2 \(n\): 'x' is no number"),
    ],
)
def test_text_in_files_is_no_number(name, content, words, circuit, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotANumber, match=words):
        circuit.encode(read_rows(tmp_path / name))


def test_hostile_npy_files(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, np.zeros((2, 3)))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"(2, 3)", b"(2000000000000, 300000)"[:6].ljust(6)))
    with pytest.raises(RowsUnreadable):
        read_rows(path)
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000, 3000), }".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(48))
    with pytest.raises(RowsUnreadable):
        read_rows(path)
    for array in (np.array([[1, "a"]], dtype=object), np.array([["a"]]), np.array([[1j]])):
        np.save(path, array, allow_pickle=True)
        with pytest.raises(NotANumber):
            read_rows(path)
    np.save(path, np.zeros(()))
    with pytest.raises(RowsWidth, match="one number and no rows"):
        read_rows(path)


def test_rows_may_be_arrays_of_the_models_own_shape(tmp_path):
    places = [(i, j) for i in range(3) for j in range(2)]
    features = [Feature(f"x[0,{i},{j}]", "fixed", -100, 100) for i, j in places]
    circuit = Circuit("network", "public", features, ["o"], 0, [0])
    rows = np.arange(12.0).reshape(2, 3, 2)
    wanted = circuit.encode(rows.reshape(2, 6))[0].tolist()
    np.save(tmp_path / "rows.npy", np.asfortranarray(rows))
    (tmp_path / "rows.json").write_text(json.dumps({"inputs": rows.tolist()}))
    files = [read_rows(tmp_path / f"rows.{suffix}") for suffix in ("npy", "json")]
    for shaped in (rows, rows[:, np.newaxis], rows[..., np.newaxis], rows.tolist(), list(rows), *files):
        assert circuit.encode(shaped)[0].tolist() == wanted
    for turned in (rows.transpose(0, 2, 1), rows.transpose(0, 2, 1).tolist(), np.zeros((2, 6, 1))):
        with pytest.raises(RowsWidth, match=r"each and the model's input is of shape \[1, 3, 2\]. Bring their axes"):
            circuit.encode(turned)
    several = Circuit("network", "public", [*features[:5], Feature("z[0,0]", "fixed", 0, 1)], ["o"], 0, [0])
    with pytest.raises(RowsWidth, match="in no such order"):
        several.encode(rows)


def test_absent_files(tmp_path):
    with pytest.raises(RowsUnreadable, match="No such file"):
        read_rows(tmp_path / "absent.json")
    with pytest.raises(RowsUnreadable):
        read_rows("zero\0byte.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(RowsUnreadable):
        read_rows(tmp_path / "folder.json")


def fault(call):
    """The error of a call; None if it went well. Errors of other kinds are the test's failure."""
    try:
        call()
    except RowsError as error:
        assert_clear(error)
        return error
    return None


def assert_clear(error):
    assert str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("suffix", ["json", "csv", "npy", "parquet"])
@given(content=st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_give_rows_or_a_clear_error(suffix, content, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / f"rows.{suffix}"
    path.write_bytes(content)
    error = fault(lambda: read_rows(path))
    assert error is None or error.code.startswith("rows/")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(json_values)
@settings(max_examples=300, deadline=None)
def test_any_value_gives_words_or_a_clear_error(value):
    circuit = Circuit("trees", "public", [Feature("a"), Feature("n", "integer", 0, 9)], ["o"], 0, [0], [View(0, "low")])
    linear = Circuit("linear", "public", [Feature("a", "fixed", -9, 9, 2)], ["o"], 0, [0], weights=[[1]])
    for one in (circuit, linear):
        error = fault(lambda circuit=one: circuit.encode(value))
        if error is None:
            words, missing = one.encode(value)
            assert words.shape == missing.shape
            assert words.shape[1] == len(one.features)


def test_a_table_passes_through():
    table = to_table([[1, 2], [3, None]])
    assert to_table(table) is table
    assert issubclass(RowsError, assay.AssayError)


def test_dictionaries_are_rows_or_columns_by_name(circuit):
    rows = [{"n": 7, "b": None, "a": 1.5}, {"a": -0.0, "b": 2.0, "n": LARGE}]
    columns = {"n": [7, LARGE], "a": np.array([1.5, -0.0]), "b": (None, 2.0)}
    expected = circuit.encode([[1.5, None, 7], [-0.0, 2.0, LARGE]])
    for form in (rows, tuple(rows), columns):
        for found, wanted in zip(circuit.encode(form), expected, strict=True):
            assert (found == wanted).all()
    assert (circuit.encode(rows[0])[0] == expected[0][:1]).all()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"a": 1, "b": 2, "n": 3}, {"a": 1, "n": 3}], "row 0 has 'b', and row 1 has not"),
        ([{"a": 1, "n": 3}, {"a": 1, "b": 2, "n": 3}], "row 1 has 'b', and row 0 has not"),
        ({"a": [1, 2], "b": [1], "n": [1, 2]}, "the columns a and b are no lists of equal length"),
        ([{"a": 1, "b": 2, "m": 3}], "no feature is called m"),
    ],
)
def test_dictionaries_that_do_not_fit_say_which_name(circuit, rows, said):
    with pytest.raises(RowsError, match=said):
        circuit.encode(rows)


def fixed(count: int) -> Circuit:
    features = [Feature(f"x{i}", "fixed", -(3 << (i % 9)), 5 << (i % 9), i % 9) for i in range(count)]
    return Circuit("linear", "public", features, ["o"], 0, [0], weights=[[1] * count])


def test_many_fixed_features_at_once_are_those_one_by_one():
    circuit = fixed(40)
    rows = np.random.default_rng(4).uniform(-3, 5, (50, 40))
    rows[0] = np.round(rows[0])
    rows[1] = np.round(rows[1] * 2) / 2
    for floats in (rows, rows.astype(np.float32)):
        words, missing = circuit.encode(floats)
        single, none = circuit.encode(floats.astype(object))
        assert words.dtype == single.dtype == np.uint64
        assert (words == single).all()
        assert not missing.any()
        assert not none.any()


@pytest.mark.parametrize("value", [5.3, -3.3, 1e308, np.inf, -np.inf, np.nan])
def test_one_value_beyond_its_range_among_many_is_named(value):
    circuit = fixed(40)
    rows = np.zeros((3, 40))
    rows[2, 31] = value
    with pytest.raises(RowsError) as caught:
        circuit.encode(rows)
    assert "column 31 (x31)" in caught.value.what or "x31" in caught.value.what
    with pytest.raises(type(caught.value)) as single:
        circuit.encode(rows.astype(object))
    assert single.value.what == caught.value.what
