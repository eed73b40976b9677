"""A dispute file shows what was answered; whatever is changed in it shows."""

import io
import json
import zipfile

import pytest
from tests.unit.serve.small import keep, parts

from assay.core.errors import ArtefactVersion
from assay.core.keccak import keccak256
from assay.keep import dispute
from assay.keep.errors import DisputeAltered, NothingToDispute, OtherRows
from assay.prove.proof import Proof
from assay.record import answers, artefacts, transactions
from assay.record.answers import Answer
from assay.record.errors import Unknown
from assay.record.transactions import Transaction
from assay.release import alias
from assay.release.errors import ReleaseAltered
from assay.serve.ask import Question, ask
from assay.serve.forget import forget
from assay.serve.models import Models
from assay.serve.work import Worker

ROW = [0.5, -0.25, None]


@pytest.fixture
def asked(database, release):
    model = Models(database).of(release.digest)
    answer, _ = ask(database, model, Question([ROW], "me", "one", context="77"), chain=None, most_waiting=9)
    assert Worker(database, "one").step()
    return answers.get(database, answer.id)


@pytest.fixture
def file(database, asked, tmp_path):
    dispute.make(database, asked.id, tmp_path / "one.dispute")
    return tmp_path / "one.dispute"


def names(found, holds):
    return {one.name for one in found if one.holds is holds}


def changed(file, name, change):
    """The file with one entry changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(buffer, "w") as target:
        for one in source.namelist():
            content = source.read(one)
            target.writestr(one, change(content) if one == name else content)
    out = file.with_suffix(".changed")
    out.write_bytes(buffer.getvalue())
    return out


def edited(path, value):
    def change(content):
        found = json.loads(content)
        place = found
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return json.dumps(found)

    return change


def test_everything_holds(file):
    found = dispute.verify(file)
    assert (names(found, False), names(found, None)) == (set(), {"setup", "service"})
    assert {one.name for one in found} == {
        "release", "answer", "key", "setup", "proof", "outputs", "context", "row", "words", "history", "decided",
        "service",
    }  # fmt: skip
    assert file.stat().st_mode & 0o777 == 0o600


def test_nothing_of_the_model_is_in_it(file, database, release):
    with zipfile.ZipFile(file) as archive:
        circuit = json.loads(archive.read(dispute.INPUTS))
        whole = b"".join(archive.read(name) for name in archive.namelist())
    assert [len(tree["nodes"]) for tree in circuit["trees"]] == [1]
    own = json.loads(artefacts.get(database, release.private["circuit.json"]["digest"]))
    for tree in own["trees"]:
        for node in tree["nodes"]:
            if "key" in node:
                assert node["key"].encode() not in whole


@pytest.mark.parametrize(
    ("entry", "path", "value", "fails"),
    [
        ("dispute.json", ("answer", "row", 0, 0), 0.75, {"row", "words"}),
        ("dispute.json", ("answer", "outputs", "integers", 0, 0), "1", {"outputs"}),
        ("dispute.json", ("answer", "outputs", "values", 0, 0), 1.5, {"outputs"}),
        ("dispute.json", ("answer", "context"), "78", {"context"}),
        ("dispute.json", ("answer", "release"), "0" * 64, {"answer"}),
        ("dispute.json", ("release", "digest"), "0" * 64, {"release"}),
        ("dispute.json", ("events", 0, "why"), "another reason", set()),  # the last event: nothing follows from it
        ("inputs.json", ("features", 0, "fill"), 3.0, set()),
    ],
)
def test_what_is_changed_shows(file, entry, path, value, fails):
    found = dispute.verify(changed(file, entry, edited(path, value)))
    assert names(found, False) == fails


def test_a_history_that_was_altered_shows(database, asked, made_again, tmp_path):
    second = keep(database, made_again)
    alias.promote(database, second, who="me", why="better")
    dispute.make(database, asked.id, tmp_path / "x")
    assert names(dispute.verify(tmp_path / "x"), False) == set()
    altered = changed(tmp_path / "x", "dispute.json", edited(("events", 0, "why"), "another"))
    assert names(dispute.verify(altered), False) == {"history"}


def test_a_release_that_did_not_decide_is_said_to_be_none(database, asked, made_again, tmp_path):
    second = keep(database, made_again)
    model = Models(database).of(second.digest)
    answer, _ = ask(database, model, Question([ROW], "me", "two"), chain=None, most_waiting=9)
    Worker(database, "one").step()
    dispute.make(database, answer.id, tmp_path / "x")
    assert names(dispute.verify(tmp_path / "x"), None) == {"decided", "setup", "service"}


def test_another_proof_shows(file, database, asked, release):
    model = Models(database).of(release.digest)
    answer, _ = ask(database, model, Question([[1, 2, 3]], "me", "two"), chain=None, most_waiting=9)
    Worker(database, "one").step()
    other = artefacts.get(database, answers.get(database, answer.id).proof)
    found = dispute.verify(changed(file, "proof.json", lambda _: other))
    assert {"words", "context"} <= names(found, False)


def test_a_part_of_the_release_that_was_altered(file):
    with pytest.raises(ReleaseAltered, match=r"task\.toml"):
        dispute.verify(changed(file, "parts/task.toml", lambda content: content[:-1] + b"#"))


def test_a_transaction_is_compared_with_its_bytes_and_the_proof(database, asked, tmp_path):
    proof = Proof.from_json(artefacts.get(database, asked.proof))
    raw = b"\x02signed" + proof.calldata()
    attempt = {
        "hash": "0x" + keccak256(raw).hex(),
        "raw": "0x" + raw.hex(),
        "max_fee": 2,
        "priority_fee": 1,
        "cancels": False,
    }
    data = "0x" + proof.calldata().hex()
    wanted = Transaction("local", "0x" + "a" * 40, 0, "settle", asked.id, "0x" + "c" * 40, data, 1)
    with database.begin() as connection:
        kept, _ = transactions.keep_in(database, connection, wanted, 0, lambda _: attempt)
    from sqlalchemy import update

    from assay.record.schema import answers as table

    with database.begin() as connection:
        connection.execute(update(table).where(table.c.id == asked.id).values(transaction=kept.id))
    dispute.make(database, asked.id, tmp_path / "x")
    found = dispute.verify(tmp_path / "x")
    assert "transaction" in names(found, True)
    bad = changed(tmp_path / "x", "dispute.json", edited(("transactions", 0, "attempts", 0, "raw"), "0x00"))
    assert names(dispute.verify(bad), False) == {"transaction"}
    bad = changed(tmp_path / "x", "dispute.json", edited(("transactions", 0, "data"), "0x00"))
    assert names(dispute.verify(bad), False) == {"transaction"}
    another = {"hash": "0x" + keccak256(b"\x02other").hex(), "raw": "0x" + b"\x02other".hex(), "cancels": False}
    for path, value in (
        (("transactions", 0, "attempts"), [another]),  # somebody's, which carries another thing
        (("transactions", 0, "attempts"), [attempt | {"cancels": True}]),
        (("transactions", 0, "mined"), {"hash": another["hash"], "block": 1, "block_hash": "0x1"}),
    ):
        bad = changed(tmp_path / "x", "dispute.json", edited(path, value))
        assert names(dispute.verify(bad), False) == {"transaction"}


def test_a_forgotten_row_leaves_its_digest(database, asked, tmp_path):
    answers.forget(database, before=9e9)
    with pytest.raises(NothingToDispute, match="forgotten with it"):
        dispute.make(database, asked.id, tmp_path / "x")


def test_a_proof_that_hides_its_row_stays_and_whoever_has_the_row_shows_that_it_is_the_one(
    database, tmp_path_factory, tmp_path
):
    release = keep(database, parts(tmp_path_factory.mktemp("hidden"), hidden=True))
    model = Models(database).of(release.digest)
    answer, _ = ask(database, model, Question([ROW], "me", "one"), chain=None, most_waiting=9)
    assert Worker(database, "one").step()
    assert forget(database, who="me", why="asked to", ids=[answer.id]).proofs == 0
    dispute.make(database, answer.id, tmp_path / "x")
    found = dispute.verify(tmp_path / "x")
    assert (names(found, False), names(found, None)) == (set(), {"row", "words", "setup", "service"})
    assert "proof" in names(found, True)
    dispute.make(database, answer.id, tmp_path / "y", rows=[ROW])
    assert "row" in names(dispute.verify(tmp_path / "y"), True)
    with pytest.raises(OtherRows):
        dispute.make(database, answer.id, tmp_path / "z", rows=[[0.5, -0.25, 1]])
    assert not (tmp_path / "z").exists()


@pytest.mark.parametrize(
    ("entry", "change", "error"),
    [
        ("dispute.json", edited(("schema",), "assay-dispute/7"), ArtefactVersion),
        ("dispute.json", lambda _: b"{}", DisputeAltered),
        ("dispute.json", lambda _: b"[" * 100_000, DisputeAltered),
        ("dispute.json", edited(("answer",), None), DisputeAltered),
        ("dispute.json", edited(("events",), [{"x": 1}]), DisputeAltered),
        ("dispute.json", edited(("answer", "context"), "x"), DisputeAltered),
        ("proof.json", lambda _: b"x", DisputeAltered),
        ("inputs.json", lambda _: b"{}", DisputeAltered),
        ("release.json", lambda _: b"{}", ReleaseAltered),
    ],
)
def test_what_cannot_be_read_is_refused(file, entry, change, error):
    with pytest.raises(error):
        dispute.verify(changed(file, entry, change))


def test_what_is_none(database, release, tmp_path):
    with pytest.raises(Unknown):
        dispute.make(database, "ans_0", tmp_path / "x")
    kept, _ = answers.receive(database, Answer("credit", release.digest, request="r", owner="me", fingerprint="f"))
    with pytest.raises(NothingToDispute):
        dispute.make(database, kept.id, tmp_path / "x")
    assert not (tmp_path / "x").exists()
    (tmp_path / "y").write_bytes(b"PK nothing")
    assert not dispute.is_dispute(tmp_path / "y")
