"""The whole walk by the real commands: transpile, check, prove, verify, and a tampered proof."""

import json

import numpy as np
import pytest

from assay.core.hashing import digest


def xgboost_json(X, y, path):
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=8, max_depth=3).fit(X, y > 0)
    model.save_model(path / "model.json")
    return path / "model.json", lambda rows: model.predict(rows, output_margin=True)


def xgboost_ubj_three_classes(X, y, path):
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=4, max_depth=4, grow_policy="lossguide", tree_method="hist").fit(X, y)
    model.save_model(path / "model.ubj")
    return path / "model.ubj", lambda rows: model.predict(rows, output_margin=True)


def xgboost_regression(X, y, path):
    from xgboost import XGBRegressor

    model = XGBRegressor(n_estimators=6, max_depth=2, base_score=0.7).fit(X, np.nansum(X, axis=1))
    model.save_model(path / "model.json")
    return path / "model.json", model.predict


def lightgbm_binary(X, y, path):
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_estimators=8, num_leaves=7, min_child_samples=3, verbose=-1).fit(X, y > 0)
    model.booster_.save_model(path / "model.txt")
    return path / "model.txt", lambda rows: model.booster_.predict(rows, raw_score=True)


def lightgbm_three_classes(X, y, path):
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_estimators=4, num_leaves=5, min_child_samples=3, verbose=-1).fit(X, y)
    model.booster_.save_model(path / "model.txt")
    return path / "model.txt", lambda rows: model.booster_.predict(rows, raw_score=True)


MODELS = [xgboost_json, xgboost_ubj_three_classes, xgboost_regression, lightgbm_binary, lightgbm_three_classes]


@pytest.mark.parametrize("inputs", ["public", "private"])
@pytest.mark.parametrize("train", MODELS, ids=lambda train: train.__name__)
def test_the_walk(train, inputs, data, rows_file, tmp_path, assay_command):
    X, y = data
    model, margins = train(X, y, tmp_path)
    folder, proof = tmp_path / "circuit", tmp_path / "proof.json"

    done = assay_command("transpile", model, "--inputs", inputs, "--out", folder, "--max-batch", 8, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["srs"] == "development"
    assert {path.name for path in folder.iterdir()} == {"circuit.json", "proving.key", "verifying.key"}

    done = assay_command("check", folder, "--model", model, "--input", rows_file, "--json")
    assert (done.code, done.err) == (0, "")

    done = assay_command("prove", folder, "--input", rows_file, "--out", proof, "--json")
    assert (done.code, done.err) == (0, "")
    shown = json.loads(proof.read_text())
    assert done.json["outputs"] == shown["outputs"]
    expected = np.asarray(margins(X[:6]), dtype=np.float64).reshape(6, -1)
    assert np.allclose(np.array(shown["outputs"]), expected, rtol=1e-5, atol=1e-5)
    assert (shown["input_commitment"] is None) == (inputs == "public")

    done = assay_command("verify", folder, proof, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["valid"] is True
    assert done.json["outputs"] == shown["outputs"]


@pytest.mark.parametrize("field", ["outputs", "output_integers", "public_inputs", "proof", "artefact"])
def test_a_tampered_proof_is_not_valid(field, circuit_folder, proof_file, tmp_path, assay_command):
    fields = json.loads(proof_file.read_text())
    fields[field] = TAMPER[field](fields[field])
    place = tmp_path / "tampered.json"
    place.write_text(json.dumps(fields))
    done = assay_command("verify", circuit_folder, place)
    assert (done.code, done.err) == (1, "")
    assert "NOT VALID" in done.out
    done = assay_command("verify", circuit_folder, place, "--json")
    assert (done.code, done.json["valid"]) == (1, False)


def _change_late_character(text):
    # Late in the artefact stands the proof itself, not its frame.
    position = len(text) - 100
    return text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]


TAMPER = {
    "outputs": lambda outputs: [[value + 1 for value in row] for row in outputs],
    "output_integers": lambda rows: [[str(int(value) + 1) for value in row] for row in rows],
    "public_inputs": lambda words: [*words[:-1], "0x1"],
    "proof": lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
    "artefact": _change_late_character,
}


def test_the_same_rows_in_every_format_give_the_same_statement(circuit_folder, data, tmp_path, assay_command):
    import polars as pl

    rows = data[0][:3]
    frame = pl.DataFrame({f"f{column}": rows[:, column] for column in range(rows.shape[1])}).fill_nan(None)
    np.save(tmp_path / "rows.npy", rows)
    frame.write_csv(tmp_path / "rows.csv")
    frame.write_parquet(tmp_path / "rows.parquet")
    statements = set()
    for name in ("rows.npy", "rows.csv", "rows.parquet"):
        done = assay_command("prove", circuit_folder, "--input", tmp_path / name, "--out", tmp_path / f"{name}.proof")
        assert (done.code, done.err) == (0, "")
        statements.add(str(json.loads((tmp_path / f"{name}.proof").read_text())["public_inputs"]))
    assert len(statements) == 1


def test_the_contract_is_written(circuit_folder, tmp_path, assay_command):
    done = assay_command("solidity", circuit_folder, "--out", tmp_path / "Verifier.sol", "--json")
    assert (done.code, done.err) == (0, "")
    source = (tmp_path / "Verifier.sol").read_text()
    assert "pragma solidity" in source
    assert "function verify(bytes calldata" in source


@pytest.mark.slow
def test_the_bench_measures_everything(circuit_folder, rows_file, assay_command):
    done = assay_command("bench", circuit_folder, "--input", rows_file, "--runs", 1, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json


def test_check_says_no_to_another_model(circuit_folder, data, rows_file, tmp_path, assay_command):
    X, y = data
    other, _ = xgboost_json(X, 2 - y, tmp_path)
    done = assay_command("check", circuit_folder, "--model", other, "--input", rows_file)
    assert done.code == 1
    assert "Traceback" not in done.err


def test_transpile_is_repeatable(circuit_folder, xgboost_model, tmp_path, assay_command):
    done = assay_command("transpile", xgboost_model, "--out", tmp_path / "again", "--max-batch", 8)
    assert (done.code, done.err) == (0, "")
    first, again = (digest((folder / "circuit.json").read_bytes()) for folder in (circuit_folder, tmp_path / "again"))
    assert first == again
