"""Every bad input is one clear line with a code, exit 2, and nothing left behind."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from assay.core.envelope import Envelope, encode

LINE = re.compile(r"error\[[a-z]+(/[a-z0-9-]+)+\]: [^\n]{10,}\n")


def check_refused(done, *words):
    assert done.code == 2, (done.code, done.out, done.err)
    assert done.out == ""
    assert LINE.fullmatch(done.err), done.err
    for word in words:
        assert word in done.err


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def text_of_model(xgboost_model):
    return xgboost_model.read_text()


def model_with(change):
    def make(text):
        fields = json.loads(text)
        change(fields["learner"])
        return json.dumps(fields)

    return make


def _wild_child(learner):
    learner["gradient_booster"]["model"]["trees"][0]["left_children"][0] = 10**6


def _cycle(learner):
    learner["gradient_booster"]["model"]["trees"][0]["left_children"][0] = 0


def _nan_leaf(learner):
    tree = learner["gradient_booster"]["model"]["trees"][0]
    leaf = tree["left_children"].index(-1)
    tree["split_conditions"][leaf] = float("nan")


BAD_MODELS = {
    "empty": ("model.json", lambda text: ""),
    "truncated": ("model.json", lambda text: text[: len(text) // 2]),
    "not a model": ("model.json", lambda text: "{}"),
    "binary": ("model.json", lambda text: "\0\1\2" * 50),
    "deeply nested": ("model.json", lambda text: "[" * 200_000),
    "wild child": ("model.json", model_with(_wild_child)),
    "cycle": ("model.json", model_with(_cycle)),
    "leaf that is no number": ("model.json", model_with(_nan_leaf)),
    "truncated ubj": ("model.ubj", lambda text: "{L\0\0\0"),
    "truncated txt": ("model.txt", lambda text: "tree\nversion=v4\nnum_class=1\n"),
    "unknown suffix": ("model.pkl", lambda text: text),
}


@pytest.mark.parametrize(("name", "make"), BAD_MODELS.values(), ids=BAD_MODELS)
def test_model_files(name, make, xgboost_model, tmp_path, assay_command):
    (tmp_path / name).write_text(make(text_of_model(xgboost_model)))
    check_refused(assay_command("transpile", tmp_path / name, "--out", tmp_path / "out"))
    assert listing(tmp_path) == [name]


def test_a_model_that_is_not_there(tmp_path, assay_command):
    check_refused(assay_command("transpile", tmp_path / "absent.json", "--out", tmp_path / "out"), "absent.json")
    assert listing(tmp_path) == []


def test_an_unsupported_kind_is_named_with_what_is_supported(tmp_path, assay_command):
    (tmp_path / "model.pt").write_bytes(b"\x08\x07")
    done = assay_command("transpile", tmp_path / "model.pt", "--out", tmp_path / "out")
    check_refused(done, "model/unsupported", "network in its framework's own format", "ONNX")
    (tmp_path / "model.joblib").write_bytes(b"\x08\x07")
    done = assay_command("transpile", tmp_path / "model.joblib", "--out", tmp_path / "out")
    check_refused(done, "model/unsupported", "pickle", "XGBoost", "LightGBM", "scikit-learn")
    # The command gives no option that was not typed, so it is the file that is complained about.
    (tmp_path / "model.onnx").write_bytes(b"\x08\x07")
    done = assay_command("transpile", tmp_path / "model.onnx", "--out", tmp_path / "out")
    check_refused(done, "model/unreadable", "no graph")
    assert listing(tmp_path) == ["model.joblib", "model.onnx", "model.pt"]


BAD_ROWS = {
    "empty": ("rows.json", ""),
    "truncated": ("rows.json", '{"inputs": [[1, 2, 3'),
    "no inputs": ("rows.json", '{"rows": [[1, 2, 3, 4, 5]]}'),
    "no rows": ("rows.json", '{"inputs": []}'),
    "too narrow": ("rows.json", '{"inputs": [[1, 2, 3, 4]]}'),
    "too wide": ("rows.json", '{"inputs": [[1, 2, 3, 4, 5, 6]]}'),
    "ragged": ("rows.json", '{"inputs": [[1, 2, 3, 4, 5], [1]]}'),
    "text": ("rows.json", '{"inputs": [[1, 2, "three", 4, 5]]}'),
    "boolean": ("rows.json", '{"inputs": [[1, 2, {}, 4, 5]]}'),
    "text in csv": ("rows.csv", "f0,f1,f2,f3,f4\n1,2,three,4,5\n"),
    "csv of another width": ("rows.csv", "a,b\n1,2\n"),
    "npy that is none": ("rows.npy", "not numpy"),
    "parquet that is none": ("rows.parquet", "not parquet"),
    "unknown suffix": ("rows.xlsx", "1"),
    "nested": ("rows.json", "[" * 200_000),
}


@pytest.mark.parametrize(("name", "content"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_rows(name, content, circuit_folder, tmp_path, assay_command):
    (tmp_path / name).write_text(content)
    check_refused(assay_command("prove", circuit_folder, "--input", tmp_path / name, "--out", tmp_path / "proof.json"))
    assert listing(tmp_path) == [name]


def test_more_rows_than_the_keys_allow(circuit_folder, tmp_path, assay_command):
    np.save(tmp_path / "rows.npy", np.zeros((9, 5), dtype=np.float32))
    done = assay_command("prove", circuit_folder, "--input", tmp_path / "rows.npy", "--out", tmp_path / "proof.json")
    check_refused(done, "8", "9")
    assert listing(tmp_path) == ["rows.npy"]


def test_a_proof_for_another_model(data, circuit_folder, proof_file, tmp_path, assay_command):
    from xgboost import XGBClassifier

    X, y = data
    XGBClassifier(n_estimators=3, max_depth=2).fit(X, y > 1).save_model(tmp_path / "other.json")
    done = assay_command("transpile", tmp_path / "other.json", "--out", tmp_path / "other", "--max-batch", 8)
    assert done.code == 0, done.err
    check_refused(assay_command("verify", tmp_path / "other", proof_file), "proof/other-model")


BAD_PROOFS = {
    "empty": lambda fields: "",
    "truncated": lambda fields: json.dumps(fields)[:-20],
    "another json": lambda fields: "[]",
    "another version": lambda fields: json.dumps(fields | {"schema": "assay-proof/9"}),
    "no bytes": lambda fields: json.dumps(fields | {"artefact": ""}),
    "bytes cut": lambda fields: json.dumps(fields | {"artefact": fields["artefact"][:40]}),
}


@pytest.mark.parametrize("make", BAD_PROOFS.values(), ids=BAD_PROOFS)
def test_proofs_that_cannot_be_read(make, circuit_folder, proof_file, tmp_path, assay_command):
    (tmp_path / "proof.json").write_text(make(json.loads(proof_file.read_text())))
    check_refused(assay_command("verify", circuit_folder, tmp_path / "proof.json"))


@pytest.mark.parametrize("name", ["proving.key", "verifying.key"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-5],
        lambda data: data.replace(b'"version":1', b'"version":2', 1),
        lambda data: b"{}\n" + data,
        # A header that matches, around bytes that are no key: only the native core can tell.
        lambda data: encode(
            Envelope(
                json.loads(data.split(b"\n")[0])["artefact"][6:], b"junk", json.loads(data.split(b"\n")[0])["about"]
            ),
            version=1,
        ),
    ],
    ids=["empty", "truncated", "other version", "other header", "junk inside"],
)
def test_keys(name, damage, circuit_folder, proof_file, rows_file, tmp_path, assay_command):
    folder = tmp_path / "dir"
    folder.mkdir()
    for path in circuit_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    before = listing(tmp_path)
    if name == "proving.key":
        done = assay_command("prove", folder, "--input", rows_file, "--out", tmp_path / "proof.json")
    else:
        done = assay_command("verify", folder, proof_file)
    check_refused(done)
    assert listing(tmp_path) == before


def test_an_srs_that_is_too_small_says_what_is_needed(xgboost_model, tmp_path, assay_command):
    made = assay_command("srs", "generate", "--log-degree", 5, "--json", env=_cache(tmp_path))
    assert made.code == 0, made.err
    done = assay_command("transpile", xgboost_model, "--srs", made.json["path"], "--out", tmp_path / "out")
    check_refused(done, "srs/too-small", "32")
    assert not (tmp_path / "out").exists()


def test_a_reference_string_that_is_gone(circuit_folder, rows_file, tmp_path, assay_command):
    proof = tmp_path / "proof.json"
    done = assay_command("prove", circuit_folder, "--input", rows_file, "--out", proof, env=_cache(tmp_path))
    check_refused(done, "srs/missing", "ASSAY_CACHE")
    assert not proof.exists()


def test_a_ceremony_file_that_is_none(tmp_path, assay_command):
    (tmp_path / "bad.ptau").write_bytes(b"ptau" + bytes(500))
    check_refused(assay_command("srs", "import", tmp_path / "bad.ptau", env=_cache(tmp_path)))
    assert [name for name in listing(tmp_path) if name.endswith(".srs")] == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_full_disk_leaves_nothing(circuit_folder, rows_file, tmp_path, assay_command):
    def limit():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    proof = tmp_path / "proof.json"
    done = assay_command("prove", circuit_folder, "--input", rows_file, "--out", proof, preexec_fn=limit)
    check_refused(done, "io/disk-full", "proof.json")
    assert listing(tmp_path) == []


def test_a_place_that_is_a_folder(circuit_folder, rows_file, tmp_path, assay_command):
    check_refused(assay_command("prove", circuit_folder, "--input", rows_file, "--out", tmp_path), "io/wrong-kind")
    assert listing(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_interruption_leaves_nothing(tmp_path):
    command = [sys.executable, "-m", "assay", "srs", "generate", "--log-degree", "18"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=_cache(tmp_path))
    started = time.monotonic()
    while not listing(tmp_path) and time.monotonic() - started < 60:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 2
    assert LINE.fullmatch(error), error
    assert [name for name in listing(tmp_path) if "." in name] == []


def _cache(folder):
    import os

    return os.environ | {"ASSAY_CACHE": str(folder / "cache")}


def test_what_a_command_writes_replaces_nothing_of_another_kind(circuit_folder, rows_file, tmp_path, assay_command):
    """A slip of the fingers cost rows, the contract that somebody wrote, or the key that proofs are verified by."""
    rows, own, key = tmp_path / "rows.json", tmp_path / "Pool.sol", circuit_folder / "verifying.key"
    rows.write_bytes(rows_file.read_bytes())
    own.write_text("// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\ncontract Pool {}\n")
    before = {place: place.read_bytes() for place in (rows, own, key, circuit_folder / "circuit.json")}
    for command, given in (("prove", ("--input", rows)), ("solidity", ())):
        for place in before:
            check_refused(assay_command(command, circuit_folder, *given, "--out", place), "another kind")
    assert {place: place.read_bytes() for place in before} == before
