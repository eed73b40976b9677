import json

import numpy as np
import pytest

import assay
from assay.core.errors import ArtefactDamaged, ArtefactVersion, NotFound
from assay.prove.errors import SrsMissing
from assay.prove.keys import Keys, ProvingKey, VerifyingKey


def test_keys_go_there_and_back_and_still_work(keys, rows, tmp_path):
    keys.save(tmp_path / "keys")
    again = Keys.load(tmp_path / "keys")
    assert again == keys
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {"proving.key", "verifying.key"}
    assert assay.verify(again.verifying_key, assay.prove(again.proving_key, rows))


def test_keys_say_where_their_reference_string_is_from(keys):
    assert (keys.proving_key.srs_kind, keys.verifying_key.srs_kind) == ("development", "development")
    assert (keys.proving_key.max_batch, keys.verifying_key.max_batch) == (8, 8)


def test_keys_compare_by_content(keys, other_circuit):
    other = assay.setup(other_circuit, max_batch=8)
    assert keys.proving_key != other.proving_key
    assert keys.verifying_key != other.verifying_key
    assert keys.proving_key != keys.verifying_key
    assert len({keys.verifying_key, other.verifying_key, keys.verifying_key}) == 2


def test_the_facts_beside_a_proving_key_do_not_hold_the_model(circuit, keys):
    interface = json.loads(keys.proving_key.about["interface"])
    assert [node for tree in interface["trees"] for node in tree["nodes"]] == [{"leaf": ["0"]}]
    # Of the facts beside the circuit only what outputs mean, which the public key says too.
    assert (interface["base"], interface["meta"]) == (["0"], circuit.answers.to_dict())
    assert interface["features"] == circuit.to_dict()["features"]


def test_rows_are_encoded_as_the_circuit_encodes_them(circuit, keys, rows):
    for mine, theirs in zip(keys.proving_key.encode(rows), circuit.encode(rows), strict=True):
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize(("kind", "name"), [(ProvingKey, "verifying.key"), (VerifyingKey, "proving.key")])
def test_a_key_of_the_other_kind_is_refused(keys, tmp_path, kind, name):
    keys.save(tmp_path)
    with pytest.raises(ArtefactDamaged, match=f"is not a {kind.KIND.replace('-', ' ')}"):
        kind.load(tmp_path / name)


def test_a_damaged_key_is_refused(keys, tmp_path):
    keys.save(tmp_path)
    place = tmp_path / "proving.key"
    for damaged in (place.read_bytes()[:-1], place.read_bytes() + b"x", b""):
        place.write_bytes(damaged)
        with pytest.raises(ArtefactDamaged):
            ProvingKey.load(place)


def test_a_key_of_another_version_is_refused(keys, tmp_path):
    keys.save(tmp_path)
    place = tmp_path / "verifying.key"
    place.write_bytes(place.read_bytes().replace(b'"version":1', b'"version":7', 1))
    with pytest.raises(ArtefactVersion, match="format version 7"):
        VerifyingKey.load(place)


def test_a_missing_key_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"verifying\.key"):
        VerifyingKey.load(tmp_path / "verifying.key")


def test_a_missing_reference_string_is_one_clear_sentence(keys, rows, tmp_path, monkeypatch):
    keys.save(tmp_path)
    key = ProvingKey.load(tmp_path / "proving.key")
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "empty"))
    with pytest.raises(SrsMissing, match="development reference string") as caught:
        assay.prove(key, rows)
    assert "ASSAY_CACHE" in caught.value.todo
