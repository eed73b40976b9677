"""docs/guides/keys.md, and the commands that make keys: what is there is kept, and never lost."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import assay
from assay.prove.store import keep_under, link

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "keys.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def other_model(data, tmp_path):
    from xgboost import XGBClassifier

    X, y = data
    XGBClassifier(n_estimators=3, max_depth=2).fit(X, y > 1).save_model(tmp_path / "other.json")
    return tmp_path / "other.json"


def test_the_guide(circuit_folder, tmp_path, monkeypatch):
    circuit = assay.Circuit.load(circuit_folder)
    stored = keep_under(tmp_path / "keys", circuit, most=8)
    link(tmp_path / "decision" / "chosen", stored.folder)
    before = content(tmp_path / "keys")
    (commands,) = blocks("sh")
    packs, unpacks = commands.strip().splitlines()
    subprocess.run(packs, cwd=tmp_path, check=True, shell=True)  # noqa: S602
    backup = tmp_path / "keys-backup.tar.gz"
    assert backup.stat().st_mode & 0o777 == 0o600
    shutil.rmtree(tmp_path / "keys")
    subprocess.run(unpacks, cwd=tmp_path, check=True, shell=True)  # noqa: S602
    assert content(tmp_path / "keys") == before
    assert keep_under(tmp_path / "keys", circuit, most=8).kept
    monkeypatch.chdir(tmp_path)
    (program,) = blocks("python")
    exec(program, {})  # noqa: S102  (the guide's own lines)
    assert assay.Keys.load(tmp_path / "backup") == stored.keys


def test_transpile_again_keeps_the_keys(circuit_folder, xgboost_model, assay_command):
    before = content(circuit_folder)
    done = assay_command("transpile", xgboost_model, "--out", circuit_folder, "--max-batch", 8, "--json")
    assert (done.code, done.err) == (0, "")
    assert (done.json["kept"], done.json["modelId"]) == (True, assay.Keys.load(circuit_folder).model_id)
    assert content(circuit_folder) == before
    done = assay_command("transpile", xgboost_model, "--out", circuit_folder, "--max-batch", 8)
    assert "is kept: circuit, reference string and shape are the same" in done.out


def test_other_keys_in_the_folder_are_refused_or_moved_aside(
    circuit_folder, proof_file, other_model, tmp_path, assay_command
):
    folder = tmp_path / "own"
    shutil.copytree(circuit_folder, folder)
    before, identity = content(folder), assay.Keys.load(folder).model_id
    for arguments in (("transpile", other_model, "--out", folder), ("setup", folder, "--max-batch", 4)):
        done = assay_command(*arguments, "--json")
        assert (done.code, done.json["error"]["code"]) == (2, "io/proving-key")
        assert identity[:10] in done.err
        assert "--force" in done.err
        assert content(folder) == before
    done = assay_command("transpile", other_model, "--out", folder, "--max-batch", 8, "--force")
    assert (done.code, done.err) == (0, "")
    assert f"{identity[:10]}, was moved to {folder / 'replaced' / identity}" in done.out
    assert content(folder / "replaced" / identity) == before
    assert assay_command("verify", folder / "replaced" / identity, proof_file).code == 0


def test_setup_makes_the_keys_of_a_circuit(circuit_folder, rows_file, tmp_path, assay_command):
    shutil.copy(circuit_folder / "circuit.json", tmp_path)
    for place in (tmp_path, tmp_path / "circuit.json"):
        done = assay_command("setup", place, "--max-batch", 8, "--json")
        assert (done.code, done.err) == (0, "")
        assert done.json["modelId"] == assay.Keys.load(tmp_path).model_id
        assert done.json["kept"] == (place != tmp_path)
    done = assay_command("setup", circuit_folder, "--out", tmp_path / "fresh", "--max-batch", 8)
    assert (done.code, done.err) == (0, "")
    proof = tmp_path / "proof.json"
    assert assay_command("prove", tmp_path / "fresh", "--input", rows_file, "--out", proof).code == 0
    done = assay_command("verify", tmp_path, proof, "--json")
    assert (done.code, done.json["error"]["code"]) == (2, "proof/other-setup")
    assert "another setup" in done.err


def test_no_command_writes_over_a_proving_key(circuit_folder, rows_file, assay_command):
    before = content(circuit_folder)
    key = circuit_folder / "proving.key"
    for arguments in (
        ("prove", circuit_folder, "--input", rows_file, "--out", key),
        ("solidity", circuit_folder, "--out", key),
    ):
        done = assay_command(*arguments, "--json")
        assert (done.code, json.loads(done.out)["error"]["code"]) == (2, "io/proving-key")
    assert content(circuit_folder) == before


def test_a_key_is_given_as_its_file_or_its_folder(circuit_folder, proof_file, rows_file, tmp_path, assay_command):
    own = tmp_path / "from-a-friend.key"
    shutil.copy(circuit_folder / "verifying.key", own)
    for key in (circuit_folder, circuit_folder / "verifying.key", own):
        assert assay_command("verify", key, proof_file).code == 0
        assert assay_command("solidity", key, "--out", tmp_path / "V.sol").code == 0
    for key in (circuit_folder, circuit_folder / "proving.key"):
        assert assay_command("prove", key, "--input", rows_file, "--out", tmp_path / "p.json").code == 0
    done = assay_command("verify", circuit_folder / "proving.key", proof_file)
    assert (done.code, done.err.startswith("error[artefact/damaged]")) == (2, True)
    assert "is not a verifying key" in done.err
    done = assay_command("verify", tmp_path, proof_file)
    assert (done.code, done.err.startswith("error[io/not-found]")) == (2, True)
