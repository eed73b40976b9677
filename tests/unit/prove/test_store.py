"""Keys that fit are kept, those that do not are left or moved aside, and none is ever lost."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.unit.prove.test_srs import arkworks

import assay
from assay.bench.circuits import trees
from assay.core import files
from assay.core.errors import KeyInPlace
from assay.prove import srs as references
from assay.prove.errors import OtherModel, OtherSetup
from assay.prove.setup import fitting_batch, required_degree, setup
from assay.prove.store import KEYS_FOLDER, adopt, keep_in, keep_under, link
from assay.transpile.circuit.circuit import Circuit

SECRET = {"proving.key", "circuit.json"}


@pytest.fixture
def root(tmp_path):
    return tmp_path / KEYS_FOLDER


def contents(folder):
    """Every file's bytes; a link counts as one."""
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() or path.is_symlink()
    }


def test_a_project_s_keys_are_kept_while_circuit_string_and_shape_are_the_same(root, circuit, rows):
    first = keep_under(root, circuit, most=8)
    assert (first.kept, first.folder) == (False, root / first.keys.model_id)
    assert {path.name for path in first.folder.iterdir()} == SECRET | {"verifying.key", "rows.schema.json"}
    assert assay.verify(first.keys.verifying_key, assay.prove(first.keys.proving_key, rows))
    before = contents(root)
    # Facts beside the circuit are not what is proven.
    other_words = Circuit.from_json(json.dumps(circuit.to_dict() | {"meta": {"library": "another"}}))
    again = keep_under(root, other_words, most=8)
    assert (again.kept, again.keys, contents(root)) == (True, first.keys, before)
    assert "is kept" in again.note


@pytest.mark.parametrize("change", ["circuit", "shape", "string"])
def test_keys_that_do_not_fit_stay_beside_new_ones(root, circuit, other_circuit, change, monkeypatch, tmp_path):
    first = keep_under(root, circuit, most=8)
    before = contents(root)
    if change == "string":
        monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    wanted = other_circuit if change == "circuit" else circuit
    second = keep_under(root, wanted, most=4 if change == "shape" else 8, prefer=first.keys.model_id)
    assert not second.kept
    assert second.keys.model_id != first.keys.model_id
    assert {name: content for name, content in contents(root).items() if name in before} == before
    assert first.keys.model_id in second.note
    reason = {"circuit": "another circuit", "shape": "8 rows a proof, and 4 are wanted", "string": "is not in"}[change]
    assert reason in second.note
    # And the first is found again once it fits.
    monkeypatch.undo()
    assert keep_under(root, circuit, most=8).keys == first.keys


def test_a_key_named_by_the_decision_comes_first(root, circuit, tmp_path):
    made = [keep_under(tmp_path / name, circuit, most=8) for name in "ab"]
    for one in made:
        shutil.copytree(one.folder, root / one.folder.name)
    for one in made:
        assert keep_under(root, circuit, most=8, prefer=one.keys.model_id).keys == one.keys


def test_a_damaged_key_is_left_for_its_backup_and_said(root, circuit):
    first = keep_under(root, circuit, most=8)
    whole = (first.folder / "proving.key").read_bytes()
    (first.folder / "proving.key").write_bytes(b"[[[[")
    second = keep_under(root, circuit, most=8, prefer=first.keys.model_id)
    assert not second.kept
    assert first.keys.model_id in second.note
    assert "cannot be used" in second.note
    assert (first.folder / "proving.key").read_bytes() == b"[[[["
    (first.folder / "proving.key").write_bytes(whole)
    assert keep_under(root, circuit, most=8, prefer=first.keys.model_id).keys == first.keys


def test_a_key_that_is_gone_is_missed_aloud(root, circuit):
    first = keep_under(root, circuit, most=8)
    shutil.rmtree(first.folder)
    assert "not in keys any more" in keep_under(root, circuit, most=8, prefer=first.keys.model_id).note


def test_fewer_rows_where_the_string_is_short_and_said(root, circuit, tmp_path, monkeypatch):
    """As with an imported ceremony of few powers: a proof of fewer rows, not a development string."""
    text = circuit.to_json()
    assert fitting_batch(text, 8) == 8
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    source = arkworks(tmp_path, required_degree(text, 32))
    for made in (tmp_path / "cache").rglob("development*"):
        made.unlink()
    assert references.import_file(source).kind == "ceremony"
    assert (fitting_batch(text, 100), fitting_batch(text, 4)) == (32, 4)
    stored = keep_under(root, circuit, most=100)
    assert (stored.keys.proving_key.max_batch, stored.keys.proving_key.srs_kind) == (32, "ceremony")
    assert "of up to 32 rows and not of 100, for which the reference string is too short" in stored.note
    again = keep_under(root, circuit, most=100)
    assert again.kept
    assert "too short" in again.note
    assert setup(circuit).proving_key.max_batch == 32


def test_a_folder_of_its_own_keeps_its_keys(circuit, other_circuit, tmp_path):
    place = tmp_path / "own"
    first = keep_in(place, circuit, max_batch=8)
    before = contents(place)
    assert keep_in(place, circuit, max_batch=8).kept
    for circuit_, batch in ((circuit, 4), (other_circuit, 8)):
        with pytest.raises(KeyInPlace, match=first.keys.model_id[:10]):
            keep_in(place, circuit_, max_batch=batch)
    assert contents(place) == before


def test_force_moves_keys_aside(circuit, other_circuit, tmp_path):
    place = tmp_path / "own"
    first = keep_in(place, circuit, max_batch=8)
    before = contents(place)
    second = keep_in(place, other_circuit, max_batch=8, force=True)
    aside = place / "replaced" / first.keys.model_id
    assert contents(aside) == before
    assert assay.Keys.load(place) == second.keys
    assert str(aside) in second.note
    assert first.keys.model_id[:10] in second.note
    # What cannot be read is moved as well.
    (place / "verifying.key").write_bytes(b"")
    keep_in(place, circuit, max_batch=8, force=True)
    moved = [path for path in (place / "replaced").iterdir() if path.name.startswith("unreadable-")]
    assert [assay.ProvingKey.load(one / "proving.key") for one in moved] == [second.keys.proving_key]


def test_no_save_replaces_a_proving_key(keys, other_circuit, tmp_path):
    keys.save(tmp_path)
    keys.save(tmp_path)  # the same one
    other = assay.setup(other_circuit, max_batch=8)
    before = contents(tmp_path)
    for replace in (
        lambda: other.save(tmp_path),
        lambda: other.proving_key.save(tmp_path / "proving.key"),
        lambda: other.verifying_key.save(tmp_path / "proving.key"),
        lambda: files.write(tmp_path / "proving.key", "a proof"),
    ):
        with pytest.raises(KeyInPlace, match="cannot be made again"):
            replace()
    assert contents(tmp_path) == before


def test_secret_files_are_secret_from_their_first_byte(root, circuit, monkeypatch, tmp_path):
    """Whatever the umask; looked at when each file is renamed, or linked, into its place and when it is there."""
    seen = {}
    replace, link = type(tmp_path).replace, os.link

    def watched(self, target):
        seen[os.fspath(target).rpartition("/")[2]] = stat.S_IMODE(self.stat().st_mode)
        return replace(self, target)

    def linked(source, target):
        seen[os.fspath(target).rpartition("/")[2]] = stat.S_IMODE(source.stat().st_mode)
        link(source, target)

    monkeypatch.setattr(type(tmp_path), "replace", watched)
    monkeypatch.setattr(os, "link", linked)
    umask = os.umask(0)
    try:
        stored = keep_under(root, circuit, most=8)
        keep_in(tmp_path / "own", circuit, max_batch=8)
    finally:
        os.umask(umask)
    for folder in (stored.folder, tmp_path / "own"):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert {name for name, mode in modes.items() if mode == 0o600} == SECRET
    assert {name for name, mode in seen.items() if mode == 0o600} == SECRET


def test_git_clean_spares_keys_whatever_is_ignored(root, circuit, tmp_path):
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed, so its cleaning was NOT tried")
    (tmp_path / ".gitignore").write_text("*.key\n*.json\n/decision/\n")
    stored = keep_under(root, circuit, most=8)
    link(tmp_path / "decision" / "chosen", stored.folder)
    before = contents(root)
    for command in (["init", "-q"], ["clean", "-fdXq"]):
        subprocess.run([git, "-C", str(tmp_path), *command], check=True)
    assert contents(root) == before
    assert not (tmp_path / "decision").exists()


def test_a_link_is_relative_and_changes_at_once(root, circuit, other_circuit, tmp_path):
    chosen = tmp_path / "decision" / "chosen"
    for one in (circuit, other_circuit):
        stored = keep_under(root, one, most=8)
        link(chosen, stored.folder)
        assert assay.Keys.load(chosen) == stored.keys
        assert chosen.readlink() == Path("..", KEYS_FOLDER, stored.keys.model_id)
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(moved)
    assert assay.Keys.load(moved / "decision" / "chosen") == stored.keys
    moved.rename(tmp_path)


def test_a_folder_of_keys_from_before_is_adopted(root, circuit, keys, tmp_path):
    old = tmp_path / "decision" / "chosen"
    for _ in range(2):  # the second time it is a copy of what is there
        circuit.save(old)
        keys.save(old)
        assert adopt(root, old) == root / keys.model_id
        assert not old.exists()
        assert assay.Keys.load(root / keys.model_id) == keys
    circuit.save(old)
    (old / "proving.key").write_bytes(b"damaged")
    (old / "verifying.key").write_bytes((root / keys.model_id / "verifying.key").read_bytes())
    assert adopt(root, old) == root / f"{keys.model_id}-2"
    assert assay.Keys.load(root / keys.model_id) == keys


def test_a_proof_of_another_setup_is_told_from_one_of_another_model(root, circuit, other_circuit, rows, tmp_path):
    first, second = keep_under(root, circuit, most=8), keep_under(root, circuit, most=4)
    third = keep_under(root, other_circuit, most=8)
    for proven, key in ((first, second), (second, first)):
        proof = assay.prove(proven.keys.proving_key, rows)
        with pytest.raises(OtherSetup, match="another setup of the model") as caught:
            assay.verify(assay.VerifyingKey.load(key.folder / "verifying.key"), proof)
        assert str(proven.folder) in caught.value.todo
        assert caught.value.code == "proof/other-setup"
        with pytest.raises(OtherModel) as caught:
            assay.verify(assay.VerifyingKey.load(third.folder / "verifying.key"), proof)
        assert caught.value.code == "proof/other-model"
    # The keys of the other setup are gone or were never here: the circuit tells.
    proof = assay.prove(assay.setup(circuit, max_batch=8).proving_key, rows)
    with pytest.raises(OtherSetup, match="as far as can be told"):
        assay.verify(assay.VerifyingKey.load(first.folder / "verifying.key"), proof)
    with pytest.raises(OtherModel) as caught:
        assay.verify(assay.VerifyingKey.load(third.folder / "verifying.key"), proof)
    assert caught.value.code == "proof/other-model"
    # Nothing but the key: nothing can tell, but that another shape is another circuit.
    second.keys.verifying_key.save(tmp_path / "alone.key")
    with pytest.raises(OtherModel, match="of another model, or of another setup of the same one") as caught:
        assay.verify(assay.VerifyingKey.load(tmp_path / "alone.key"), proof)
    assert caught.value.code == "proof/other-model"
    wider = assay.setup(trees(features=3, rules=1, count=2, depth=2), max_batch=1).verifying_key
    with pytest.raises(OtherModel, match="the key is for 3 features, and the proof has 2") as caught:
        assay.verify(wider, proof)
    assert caught.value.code == "proof/other-model"


def test_keys_that_were_forced_away_tell_too(circuit, rows, tmp_path):
    first = keep_in(tmp_path, circuit, max_batch=8)
    proof = assay.prove(first.keys.proving_key, rows)
    second = keep_in(tmp_path, circuit, max_batch=4, force=True)
    with pytest.raises(OtherSetup, match=first.keys.model_id[:10]) as caught:
        assay.verify(assay.VerifyingKey.load(tmp_path / "verifying.key"), proof)
    aside = tmp_path / "replaced" / first.keys.model_id / "verifying.key"
    assert str(aside) in caught.value.todo
    assert assay.verify(assay.VerifyingKey.load(aside), proof)
    with pytest.raises(OtherSetup, match=second.keys.model_id[:10]):
        assay.verify(assay.VerifyingKey.load(aside), assay.prove(second.keys.proving_key, rows))


def test_private_rows_do_not_tell_but_the_folder_does(root, private_circuit, rows):
    first, second = keep_under(root, private_circuit, most=8), keep_under(root, private_circuit, most=4)
    proof = assay.prove(first.keys.proving_key, rows)
    key = assay.VerifyingKey.load(second.folder / "verifying.key")
    with pytest.raises(OtherSetup):
        assay.verify(key, proof)
    shutil.rmtree(first.folder)
    with pytest.raises(OtherModel) as caught:
        assay.verify(key, proof)
    assert caught.value.code == "proof/other-model"


PROGRAM = """
import sys
from pathlib import Path
from assay.prove.store import keep_in, keep_under
from assay.transpile.circuit.circuit import Circuit
circuit = Circuit.load(sys.argv[1])
sys.stdout.write("ready\\n")
sys.stdout.flush()
for batch in range(1, 9):
    keep_under(Path(sys.argv[2]), circuit, most=batch)
    keep_in(Path(sys.argv[3]), circuit, max_batch=batch, force=True)
"""


@pytest.mark.parametrize("milliseconds", [0, 5, 10, 20, 30, 45, 60, 90, 130, 180])
def test_a_kill_in_the_middle_of_setup_leaves_every_key_whole(root, circuit, tmp_path, milliseconds):
    first, alone = keep_under(root, circuit, most=16), keep_in(tmp_path / "own", circuit, max_batch=16)
    before = contents(first.folder)
    command = [sys.executable, "-c", PROGRAM, str(first.folder), str(root), str(tmp_path / "own")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(milliseconds / 1000)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert contents(first.folder) == before
    for folder in root.iterdir():
        if folder.is_dir() and ".partial-" not in folder.name:
            assert assay.Keys.load(folder).model_id == folder.name
    own = tmp_path / "own"
    places = [own / "replaced" / alone.keys.model_id, own]
    assert any((one / "proving.key").exists() and assay.Keys.load(one) == alone.keys for one in places)
    # And all goes on.
    assert keep_under(root, circuit, most=16).keys == first.keys
    assert keep_in(own, circuit, max_batch=3, force=True).keys.proving_key.max_batch == 3


def test_the_rows_schema_says_what_rows_are(root, circuit):
    schema = json.loads((keep_under(root, circuit, most=8).folder / "rows.schema.json").read_text())
    inputs = schema["properties"]["inputs"]
    assert (inputs["minItems"], inputs["maxItems"]) == (1, 8)
    items = inputs["items"]["prefixItems"]
    assert [one["title"] for one in items] == ["a", "b"]
    assert all(one["type"] == ["number", "null"] for one in items)


def test_the_rows_schema_of_whole_and_fixed_numbers():
    from assay.bench.circuits import linear, trees
    from assay.transpile.rows.schema import rows_schema

    def item(circuit):
        return json.loads(rows_schema(circuit, max_batch=1))["properties"]["inputs"]["items"]["prefixItems"][0]

    whole = item(trees(features=1, rules=1, count=1, depth=1, wide=True))
    assert (whole["type"], whole["minimum"], whole["maximum"]) == ("integer", 0, (1 << 63) - 1)
    fixed = item(linear(features=2))
    assert (fixed["type"], fixed["minimum"], fixed["maximum"]) == ("number", -1.0, 1.0)
    assert np.isfinite(fixed["maximum"])
