"""Rows one after the other become windows, the oldest row's numbers first."""

import json

import numpy as np
import pytest

from assay.data.features import sequences
from assay.transpile.circuit.circuit import Circuit, Feature
from assay.transpile.errors import RowsWidth
from assay.transpile.rows.rows import read_rows
from assay.transpile.rows.schema import rows_schema
from assay.transpile.rows.windows import window_of, windowed

NAMES = sequences.names(["volume", "trades"], 3)


def test_names_of_a_datasets_windows_are_known():
    assert window_of(NAMES) == (3, ["volume", "trades"])
    assert window_of(["a", "b"]) == (1, ["a", "b"])
    # Names that only look like them, or in another order, are names.
    assert window_of(["a@-1", "b"]) == (1, ["a@-1", "b"])
    assert window_of(["a", "a@-1"]) == (1, ["a", "a@-1"])
    assert window_of(["a@-1"]) == (1, ["a@-1"])


def test_a_file_of_rows_becomes_windows(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("trades,volume\n" + "\n".join(f"{10 + n},{n}" for n in range(5)))
    table, count = windowed(read_rows(file), NAMES)
    assert (count, table.rows, table.names) == (3, 3, NAMES)
    assert np.stack(table.columns, axis=1).tolist() == [
        [0, 10, 1, 11, 2, 12],
        [1, 11, 2, 12, 3, 13],
        [2, 12, 3, 13, 4, 14],
    ]


def test_whole_windows_and_other_columns_stay_as_they_are(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(",".join(NAMES) + "\n1,2,3,4,5,6\n")
    table = read_rows(file)
    assert windowed(table, NAMES) == (table, 1)
    plain = tmp_path / "rows.json"
    plain.write_text(json.dumps({"inputs": [[1, 2], [3, 4], [5, 6]]}))
    assert windowed(read_rows(plain), NAMES)[1] == 1  # no names: nothing is guessed


def test_too_few_rows_are_refused(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("volume,trades\n1,2\n3,4\n")
    with pytest.raises(RowsWidth, match="there are 2 rows, and the model reads 3 at once"):
        windowed(read_rows(file), NAMES)


def test_the_schema_of_a_network_takes_no_missing_values():
    circuit = Circuit("network", "public", [Feature("x", "fixed", -4, 4, 1)], ["y"], 3, [0])
    row = json.loads(rows_schema(circuit, max_batch=1))["properties"]["inputs"]["items"]["prefixItems"][0]
    assert row["type"] == "number"
