"""A network whose maker does not hide it: `assay setup --model public`, and everybody's check of it."""

from __future__ import annotations

import json

import pytest
from tests.agreement.circuits import linear
from tests.agreement.network_circuits import NetworkCircuit


@pytest.fixture(scope="module")
def place(tmp_path_factory, assay_command):
    """A folder with a network's keys and its published model."""
    folder = tmp_path_factory.mktemp("network")
    (folder / "circuit.json").write_text(NetworkCircuit("dense").to_json())
    done = assay_command("setup", folder, "--max-batch", 2, "--model", "public", "--json")
    assert done.code == 0, done.err
    assert done.json["published"] == str(folder / "public-model.json")
    return folder


def test_whoever_has_both_files_checks_the_weights(place, assay_command):
    done = assay_command("verify", place, "--model", place / "public-model.json", "--json")
    assert done.code == 0, done.err
    assert done.json["weights"].startswith("The key's weights are the published ones")
    assert "weights" not in assay_command("verify", place, "--json").json


def changed(place, change):
    content = json.loads((place / "public-model.json").read_text())
    change(content)
    other = place / "other.json"
    other.write_text(json.dumps(content))
    return other


def other_weight(content):
    values = content["circuit"]["network"]["weights"][0]["values"]
    values[0] = values[0].replace("130", "131", 1)


def other_blinding(content):
    content["blinding"][3] = content["blinding"][3][:-1] + ("1" if content["blinding"][3][-1] == "0" else "0")


def other_wiring(content):
    content["circuit"]["network"]["output_bits"] = 11


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_weight, "its weights are not the published ones"),
        (other_blinding, "its weights are not the published ones"),
        (other_wiring, "its shape is not that of the circuit"),
        (lambda content: content["blinding"].pop(), "a value for each column"),
        (lambda content: content.update(modelId="0x" + "00" * 32), "is of the model 0x0000"),
        (lambda content: content.pop("circuit"), "holds no public-model"),
        (lambda content: content.update(schema="assay-public-model/9"), "assay-public-model/1 is read"),
    ],
)
def test_anything_else_is_refused(place, assay_command, change, said):
    done = assay_command("verify", place, "--model", changed(place, change))
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_kept_keys_can_be_published_later_and_are_the_same(place, assay_command):
    (place / "public-model.json").unlink()
    hidden = assay_command("setup", place, "--max-batch", 2, "--json")
    assert "published" not in hidden.json
    assert not (place / "public-model.json").exists()
    again = assay_command("setup", place, "--max-batch", 2, "--model", "public", "--json")
    assert again.json["kept"]
    assert assay_command("verify", place, "--model", place / "public-model.json").code == 0


def test_other_kinds_are_refused_by_name(tmp_path, assay_command):
    (tmp_path / "circuit.json").write_text(linear(1).to_json())
    done = assay_command("setup", tmp_path, "--model", "public")
    assert done.code == 2
    assert "only networks are published" in done.err
