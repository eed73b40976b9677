"""Keys that whoever pins them should not believe: refused with their reference string at hand, and without."""

import json
from dataclasses import dataclass

import pytest
from Crypto.Hash import keccak

import assay
from assay import _core
from assay.chain.solidity import render
from assay.cli.main import run
from assay.core.errors import ReadOnly
from assay.prove import check, srs
from assay.prove.errors import KeyForged, KeyUnchecked
from assay.prove.keys import VerifyingKey

# Behind the magic, the kind and the inputs (docs/spec/protocol.md, section 7).
STAMP = 11 + 2


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache of its own, so that nothing is known of any key yet."""
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def key(own_cache, circuit):
    return assay.setup(circuit, max_batch=2).verifying_key


@pytest.fixture
def calls(monkeypatch):
    """The strings that the native check was asked about."""
    asked = []

    def counted(content, path, true=_core.check_key):
        asked.append(path)
        return true(content, path)

    monkeypatch.setattr(_core, "check_key", counted)
    return asked


def copy(key, content=None, **pinned):
    """The key as somebody else reads it, with other bytes or other facts beside them."""
    facts = key.about | {"srs": key.about["srs"] | pinned}
    return VerifyingKey(key.content if content is None else content, facts)


def first_point(content):
    views = int.from_bytes(content[STAMP + 2 + 12 * 4 : STAMP + 2 + 13 * 4], "big")
    return STAMP + 2 + 13 * 4 + 6 * views


def with_other_positions(content):
    """[Pub] exchanged with [G]: both are points, so the key can be read and verifies."""
    at = first_point(content)
    return content[:at] + content[at + 64 : at + 128] + content[at : at + 64] + content[at + 128 :]


def stamped(content, stamp):
    return content[:STAMP] + bytes([stamp]) + content[STAMP + 1 :]


def kept(folder):
    return sorted(path.name for path in (folder / "checked-keys").glob("*"))


def recut(change=lambda _: None, *, degree, kind=None):
    """Put another cut of the cache's string in its place: fewer powers, so another digest, and the same secret.

    In the older form, which has no powers in G2.
    """
    (old,) = srs.available()
    data = old.path.read_bytes()
    tau, powers = data[49:177], data[-64 * (old.degree + 1) :][: 64 * (degree + 1)]
    stamp = data[12:13] if kind is None else bytes([kind == "ceremony"])
    hashed = keccak.new(digest_bits=256, data=stamp + powers + tau).digest()
    cut = bytearray(b"assay-srs/1\0" + stamp + degree.to_bytes(4, "big") + hashed + tau + powers)
    change(cut)
    old.path.unlink()
    path = old.path.with_name(f"{kind or old.kind}-{degree}-0x{hashed.hex()}.srs")
    path.write_bytes(cut)
    return f"0x{hashed.hex()}"


def test_an_honest_key_agrees_with_its_string(own_cache, key):
    assert key.check.checked
    assert key.check.srs == key.about["srs"]["digest"]
    assert key.check.note == f"The key agrees with the development reference string {key.check.srs[:18]}."


def test_a_key_is_checked_once(own_cache, key, calls):
    for _ in range(3):
        assert copy(key).check.checked
    assert len(calls) == 1
    assert len(kept(own_cache)) == 1


def test_a_verdict_is_of_one_key_and_one_string(own_cache, key, calls, circuit):
    assert key.check.checked
    assert assay.setup(circuit, max_batch=2).verifying_key.check.checked
    other = recut(degree=key.about["srs"]["degree"] - 1)
    assert copy(key).check.srs == other != key.check.srs
    assert len(calls) == len(kept(own_cache)) == 3


@pytest.mark.parametrize("content", [b"", b"yes", b"\xff\xfe"])
def test_a_damaged_verdict_counts_for_nothing(own_cache, key, calls, content):
    assert key.check.checked
    (own_cache / "checked-keys" / kept(own_cache)[0]).write_bytes(content)
    assert copy(key).check.checked
    assert len(calls) == 2


def test_a_cache_that_cannot_be_written_costs_time_alone(own_cache, key, calls, monkeypatch):
    def refuse(place, content):
        raise ReadOnly(f"cannot write {place}")

    monkeypatch.setattr(check.files, "write", refuse)
    assert key.check.checked
    assert copy(key).check.checked
    assert (len(calls), kept(own_cache)) == (2, [])


@dataclass
class Forgery:
    change: object
    pinned: dict
    says: str


FORGERIES = {
    "positions": Forgery(with_other_positions, {}, "does not prove"),
    "stamp": Forgery(lambda content: stamped(content, 1), {"kind": "ceremony"}, "does not prove"),
    "stamp, string unnamed": Forgery(
        lambda content: stamped(content, 1), {"kind": "ceremony", "digest": "0x00"}, "does not prove"
    ),
    "stamp of the key alone": Forgery(lambda content: stamped(content, 1), {}, "does not prove"),
    "stamp beside the key alone": Forgery(lambda content: content, {"kind": "ceremony"}, "stamped development"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_key_is_refused(own_cache, key, name):
    forgery = FORGERIES[name]
    forged = copy(key, forgery.change(key.content), **forgery.pinned)
    for _ in range(2):
        with pytest.raises(KeyForged, match=forgery.says) as caught:
            _ = forged.check
        assert caught.value.code == "key/forged"
    assert kept(own_cache) == []
    with pytest.raises(KeyForged):
        assay.solidity(forged)


def test_a_string_of_another_secret_under_the_name_that_the_key_gives(own_cache, key):
    other = srs.generate(srs.SMALLEST + srs.SLACK)
    with pytest.raises(KeyForged, match="reference string is not this one"):
        _ = copy(key, digest=other.digest).check


def test_verifying_with_a_forged_key_is_refused(own_cache, circuit, rows):
    keys = assay.setup(circuit, max_batch=2)
    proof = assay.prove(keys.proving_key, rows[:1])
    with pytest.raises(KeyForged):
        assay.verify(copy(keys.verifying_key, kind="ceremony"), proof)
    assert assay.verify(keys.verifying_key, proof)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Go to another machine, on which there is no string."""

    def go():
        monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "elsewhere"))

    return go


def test_without_the_string_the_key_still_has_to_prove_itself(own_cache, key, elsewhere):
    elsewhere()
    other = copy(key)
    assert (other.check.checked, other.check.srs) == (True, None)
    assert other.check.note.startswith("The key's public parts are the protocol's, by its own proof (its development ")
    assert other.check.note.endswith("whoever made that string can forge proofs.")
    assert "KEY NOT CHECKED" not in assay.solidity(other)
    for forged in (stamped(key.content, 1), with_other_positions(key.content)):
        with pytest.raises(KeyForged, match="does not prove"):
            _ = copy(key, forged, kind="ceremony").check


def points(key):
    """Where the key's points stand: its commitments, hidden ones among them, and its proof of itself."""
    places = range(first_point(key.content), len(key.content) - 128, 64)
    assert places[-1] == len(key.content) - 128 - 64
    return places


def test_a_key_with_one_wrong_polynomial_is_refused_whatever_is_said(own_cache, circuit, rows, elsewhere):
    keys = assay.setup(circuit, max_batch=4)
    key, proof = keys.verifying_key, assay.prove(keys.proving_key, rows[:1])
    elsewhere()
    assert assay.verify(copy(key), proof)
    generator = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
    for at in points(key):
        forged = copy(key, key.content[:at] + generator + key.content[at + 64 :])
        for unchecked in (False, True):
            for rely in (
                lambda forged=forged, said=unchecked: assay.verify(forged, proof, unchecked=said),
                lambda forged=forged, said=unchecked: assay.solidity(forged, unchecked=said),
                lambda forged=forged, said=unchecked: render(forged.content, unchecked=said),
            ):
                with pytest.raises(KeyForged, match="does not prove"):
                    rely()


@pytest.fixture
def dressed_up(own_cache, circuit, rows):
    """Keys and a proof whose maker, who knows the development string's secret, stamped them with "ceremony".

    The key is whole otherwise, its proof of itself too.
    """
    assay.setup(circuit, max_batch=2)
    (development,) = srs.available()
    true = development.path.read_bytes()
    recut(degree=development.degree, kind="ceremony")
    keys = assay.setup(circuit, max_batch=2)
    proof = assay.prove(keys.proving_key, rows[:1])
    assert keys.verifying_key.srs_kind == "ceremony"
    assert assay.verify(keys.verifying_key, proof)  # here, where the string was put as if it had been imported
    return keys.verifying_key, proof, (development.path, true)


def test_a_ceremony_stamp_under_a_tau_that_nobody_knows_is_refused(dressed_up, elsewhere, tmp_path, capsys):
    key, proof, _ = dressed_up
    elsewhere()
    key = copy(key)
    assert not key.check.checked
    assert key.check.note.startswith("KEY NOT CHECKED: it says that it is of a ceremony, and its [tau]_2 (0x")
    for rely in (lambda: assay.verify(key, proof), lambda: assay.solidity(key), lambda: render(key.content)):
        with pytest.raises(KeyUnchecked, match="KEY NOT CHECKED") as caught:
            rely()
        assert caught.value.code == "key/unchecked"
        assert "--unchecked" in caught.value.todo
    assert assay.verify(key, proof, unchecked=True)
    source = render(key.content, unchecked=True)
    assert not source.check.checked
    for text in (source.text, assay.solidity(key, unchecked=True)):
        assert f"\n// {key.check.note}\n" in text
    key.save(tmp_path / "verifying.key")
    (tmp_path / "proof.json").write_text(proof.to_json())
    verify = ["verify", str(tmp_path), str(tmp_path / "proof.json")]
    solidity = ["solidity", str(tmp_path), "--out", str(tmp_path / "V.sol")]
    for command in (verify, solidity):
        assert run(command) == 2
        assert capsys.readouterr().err.startswith("error[key/unchecked]: KEY NOT CHECKED: ")
        assert not (tmp_path / "V.sol").exists()
    for command in (verify, solidity):
        assert run([*command, "--unchecked"]) == 0
        said = capsys.readouterr()
        assert said.out.endswith(f"\n  {key.check.note}\n")
        assert said.err == f"warning: {key.check.note}\n"
        assert run([*command, "--unchecked", "--json"]) == 0
        said = capsys.readouterr()
        assert json.loads(said.out)["key"] == {"checked": False, "srs": None, "note": key.check.note}
        assert said.err == f"warning: {key.check.note}\n"
    assert "// KEY NOT CHECKED" in (tmp_path / "V.sol").read_text()


def test_a_ceremony_stamp_under_a_development_tau_is_refused_where_the_string_is(dressed_up, own_cache):
    key, proof, (path, content) = dressed_up
    for made in srs.available():
        made.path.unlink()
    path.write_bytes(content)
    for unchecked in (False, True):
        with pytest.raises(KeyForged, match=r"stamped ceremony, and its \[tau\]_2 is that of a development string"):
            assay.verify(copy(key), proof, unchecked=unchecked)
    recut(degree=100)  # too short to compute the public parts again
    with pytest.raises(KeyForged, match="development string"):
        assay.verify(copy(key), proof, unchecked=True)


def test_whoever_imported_a_string_vouches_for_it(dressed_up, own_cache):
    key, _, _ = dressed_up
    recut(degree=100)
    assert copy(key).check.checked
    assert copy(key).check.note.endswith("its [tau]_2 is that of a string that was imported here.")


def test_the_tau_of_a_ceremony_that_is_known_needs_no_string(dressed_up, elsewhere, monkeypatch):
    key, proof, _ = dressed_up
    elsewhere()
    known = [{"name": "our-own", "tau_g2": key.content[-128:].hex(), "source": "", "also": []}]
    monkeypatch.setattr(_core, "ceremonies", lambda: known)
    assert assay.verify(copy(key), proof)
    assert copy(key).check.note.endswith("its [tau]_2 is that of our-own.")


def test_another_cut_of_the_same_string_can_tell_as_well(own_cache, key):
    other = recut(degree=key.about["srs"]["degree"] - 1)
    assert key.check.srs == other
    with pytest.raises(KeyForged, match="does not prove"):
        _ = copy(key, with_other_positions(key.content)).check


def test_a_string_that_is_too_short_cannot_tell(own_cache, key):
    recut(degree=100)
    assert (key.check.checked, key.check.srs) == (True, None)
    assert "the reference string has 101 powers" in key.check.note


def test_a_damaged_string_cannot_tell(own_cache, key):
    def damage(data):
        data[400] ^= 1

    recut(damage, degree=key.about["srs"]["degree"] - 1)
    assert (key.check.checked, key.check.srs) == (True, None)
    assert "by its own proof (the reference string is " in key.check.note


def test_the_commands_say_what_was_checked(own_cache, circuit, rows, tmp_path, capsys, monkeypatch):
    keys = assay.setup(circuit, max_batch=2)
    keys.save(tmp_path / "keys")
    (tmp_path / "proof.json").write_text(assay.prove(keys.proving_key, rows[:1]).to_json())
    verify = ["verify", str(tmp_path / "keys"), str(tmp_path / "proof.json")]
    solidity = ["solidity", str(tmp_path / "keys"), "--out", str(tmp_path / "V.sol")]
    for command in (verify, solidity):
        assert run([*command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["key"] == keys.verifying_key.check.to_dict()
        assert run(command) == 0
        assert capsys.readouterr().out.endswith(f"\n  {keys.verifying_key.check.note}\n")
    with monkeypatch.context() as patch:
        patch.setenv("ASSAY_CACHE", str(tmp_path / "empty"))
        for command in (verify, solidity):
            assert run([*command, "--json"]) == 0
            assert json.loads(capsys.readouterr().out)["key"]["srs"] is None
    copy(keys.verifying_key, kind="ceremony").save(tmp_path / "keys" / "verifying.key")
    (tmp_path / "V.sol").unlink()
    for command in (verify, solidity):
        assert run(command) == 2
        assert capsys.readouterr().err.startswith("error[key/forged]: the verifying key is stamped development")
    assert not (tmp_path / "V.sol").exists()
