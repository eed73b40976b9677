"""One file that settles what was answered, and how: a stranger checks it years later, without the service.

A ZIP: `dispute.json` (the answer, its history, its transactions), `proof.json`, `inputs.json` (how a row becomes words;
nothing of the model), and the release's public part as its export has it.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import assay
from assay.core import files, jsontext
from assay.core.errors import ArtefactVersion, AssayError
from assay.core.hashing import digest
from assay.core.keccak import keccak256
from assay.core.zips import MALFORMED, entry
from assay.keep.errors import DisputeAltered, NothingToDispute, OtherRows
from assay.prove.keys import PROVING_KEY_FILE, VERIFYING_KEY_FILE, ProvingKey, VerifyingKey
from assay.prove.proof import Proof
from assay.prove.verify import verify as accept
from assay.record import answers, artefacts, journal, releases, transactions
from assay.record.journal import FIRST, Event
from assay.release import alias, export
from assay.release.make import private_digests
from assay.settle import state
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.circuit.public import public_words

if TYPE_CHECKING:
    from assay.record.answers import Answer
    from assay.record.database import Database
    from assay.record.releases import Release

SCHEMA = "assay-dispute/1"
ABOUT, PROOF, INPUTS, STATE = "dispute.json", "proof.json", "inputs.json", "state.json"
_LARGEST = 64 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)
_AGAIN = "Ask whoever made it for the file again: this one shows nothing."


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it holds (None: it could not be checked here), in a sentence."""

    name: str
    holds: bool | None
    said: str


def setup(key: VerifyingKey) -> Finding:
    """Whose secret the key is under: a proof shows nothing to whom its maker could deceive."""
    if key.srs_kind == "development":
        said = "its reference string is a development one, whose maker can prove anything: only for tests"
        return Finding("setup", None, f"{said}. {key.check.note}")
    return Finding("setup", key.check.checked or None, key.check.note)


def make(database: Database, identity: str, path: Path, *, rows: Any = None) -> None:
    """Write everything that is known of an answer into one file.

    Parameters
    ----------
    rows
        The answer's rows by whoever still has them, where they were forgotten here; their salted digest must be the one
        that was kept.

    Raises
    ------
    Unknown, NothingToDispute
        There is no such answer, or it has no proof (any more).
    OtherRows
        The rows are not the answer's.
    """
    answer = answers.get(database, identity)
    if answer.proof is not None and answer.shows is None:
        raise NothingToDispute(
            f"the proof of {identity} showed its row, and was forgotten with it", "Whoever was given it may have it."
        )
    if rows is not None:
        answer = replace(answer, row=_rows_of(answer, rows))
    if answer.proof is None:
        raise NothingToDispute(f"{identity} is {answer.state} and has no proof", "There is nothing to check yet.")
    release = releases.by_digest(database, answer.release)
    sent = [transactions.get(database, answer.transaction)] if answer.transaction else []
    about = {
        "schema": SCHEMA,
        "assay": assay.__version__,
        "answer": {name: value for name, value in asdict(answer).items() if not name.startswith("lease")},
        "release": {"project": release.project, "version": release.version, "digest": release.digest},
        "transactions": [asdict(one) for one in sent],
        "events": [asdict(one) for one in journal.read(database, answer.project)],
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {
            ABOUT: json.dumps(about, indent=1).encode(),
            PROOF: artefacts.get(database, answer.proof),
            INPUTS: json.dumps(_inputs(database, release), indent=1).encode(),
            **_state(database, answer),
            export.RELEASE_FILE: json.dumps(release.public, indent=1, sort_keys=True).encode(),
            **{
                f"parts/{name}": artefacts.get(database, one["digest"]) for name, one in release.public["parts"].items()
            },
        }.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    files.write(path, buffer.getvalue(), secret=True, over=ABOUT)  # it shows a row


def _state(database: Database, answer: Answer) -> dict[str, bytes]:
    """The proofs of state that the row was computed from: no node has them any more."""
    kept = answer.evidence.get("state")
    return {} if kept is None else {STATE: artefacts.get(database, kept)}


def _rows_of(answer: Answer, rows: Any) -> Any:
    salt = bytes.fromhex(answer.evidence.get("salt", ""))
    if digest(salt + json.dumps(rows).encode()) != answer.row_digest:
        raise OtherRows(
            f"the rows are not those of {answer.id}: their salted digest is another one",
            "Give them as they were asked, number by number: 1 and 1.0 are written differently.",
        )
    return rows


def _inputs(database: Database, release: Release) -> Any:
    """How a row becomes words: the circuit without its model. None if it is not held."""
    if not release.private:
        return None
    with tempfile.TemporaryDirectory(prefix="assay-keys-") as name:  # mode 0700
        place = Path(name) / PROVING_KEY_FILE
        place.write_bytes(artefacts.get(database, private_digests(release)[PROVING_KEY_FILE]))
        return jsontext.parse(ProvingKey.load(place).interface)


def is_dispute(path: Path) -> bool:
    """Whether a file looks like one of these."""
    try:
        with zipfile.ZipFile(path) as archive:
            return ABOUT in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def verify(path: Path) -> list[Finding]:
    """Check a file that nobody vouches for, alone: no service, no chain, no network.

    Raises
    ------
    DisputeAltered, ReleaseAltered, ArtefactVersion
        It cannot be read as a whole. What can be read and does not hold is a finding.
    """
    release, parts = export.read(path)
    about, proof_text, inputs, kept = _read(path)
    key = _key(parts[release.public["parts"][VERIFYING_KEY_FILE]["digest"]])
    try:
        answer, events = about["answer"], [Event(**one) for one in about["events"]]
        proof = Proof.from_json(proof_text)
        return [
            _same(
                "release", about["release"]["digest"], release.digest, "the release's digest is that of its public part"
            ),
            _same("answer", answer["release"], release.digest, "the answer is of this release"),
            _same("key", key.model_id, release.public["model_id"], "the verifying key is the release's"),
            setup(key),
            _valid(key, proof),
            _same("outputs", _said(answer["outputs"]), _own(answer, proof), "the answer says what the proof shows"),
            _same(
                "context", int(answer["context"]), proof.context, "the proof is bound to the context that was asked for"
            ),
            _row(answer),
            _words(answer, inputs, proof),
            *_proven(answer, kept),
            _history(events),
            _decided(events, answer, release),
            *(_sent(one, proof) for one in about["transactions"]),
            Finding("service", None, _ALONE),
        ]
    except (KeyError, TypeError, ValueError, AttributeError, AssayError) as error:
        raise DisputeAltered(f"{path} is malformed ({str(error)[:100]})", _AGAIN) from None


_ALONE = "what only the service says: who asked and when, its state, and what came of it"


def _key(content: bytes) -> VerifyingKey:
    with tempfile.TemporaryDirectory(prefix="assay-keys-") as name:
        place = Path(name) / VERIFYING_KEY_FILE
        place.write_bytes(content)
        return VerifyingKey.load(place)


def _read(path: Path) -> tuple[Any, bytes, Any, bytes | None]:
    try:
        with zipfile.ZipFile(path) as archive:
            found = {name: entry(archive, name, _LARGEST) for name in (ABOUT, PROOF, INPUTS)}
            kept = entry(archive, STATE, _LARGEST) if STATE in archive.namelist() else None
        about: Any = jsontext.parse(found[ABOUT])
        schema = about["schema"]
        inputs = jsontext.parse(found[INPUTS])
    except MALFORMED as error:
        raise DisputeAltered(f"{path} is no dispute file, or is damaged ({str(error)[:80]})", _AGAIN) from None
    if schema != SCHEMA:
        raise ArtefactVersion(f"{path} has the format {schema!s:.40}, and {SCHEMA} is read", "Use a newer Assay.")
    return about, found[PROOF], inputs, kept


def _same(name: str, said: Any, found: Any, what: str) -> Finding:
    return Finding(name, said == found, what if said == found else f"NOT: {what} ({said!s:.40} and {found!s:.40})")


def _valid(key: VerifyingKey, proof: Proof) -> Finding:
    try:
        accept(key, proof, unchecked=True)
    except AssayError as error:
        return Finding("proof", holds=False, said=f"NOT: the proof is valid under the key ({error.what})")
    return Finding("proof", holds=True, said="the proof is valid under the key")


def _said(outputs: dict[str, Any]) -> list[Any]:
    return [outputs["integers"], outputs["values"]]


def _own(answer: dict[str, Any], proof: Proof) -> list[Any]:
    """Integers and numbers of the answer's own rows, where its proof shows others', too."""
    joined = answer["evidence"].get("joined")
    first, count = (0, proof.rows) if joined is None else (joined["first"], joined["rows"])
    integers = [[str(value) for value in row] for row in proof.output_integers]
    return [found[first : first + count] for found in (integers, proof.outputs.tolist())]


def _row(answer: dict[str, Any]) -> Finding:
    if answer["row"] is None:
        return Finding(
            "row", holds=None, said="the row was forgotten, as was agreed; its salted digest is all that is left"
        )
    salted = digest(bytes.fromhex(answer["evidence"]["salt"]) + json.dumps(answer["row"]).encode())
    return _same("row", answer["row_digest"], salted, "the row is the one whose salted digest was kept")


def _words(answer: dict[str, Any], inputs: Any, proof: Proof) -> Finding:
    what = "the row gives the words that the proof shows"
    if answer["row"] is None or inputs is None:
        return Finding("words", holds=None, said=f"not checked: {what} (the row or the features are not in the file)")
    if proof.input_commitment is not None:
        return Finding(
            "words", holds=None, said=f"not checked: {what} (they are hidden; whoever holds the opening secret can)"
        )
    circuit = Circuit.from_json(json.dumps(inputs))
    rows = public_words(circuit, *circuit.encode(answer["row"]))
    own = [word for row in rows for word in row]
    joined = answer["evidence"].get("joined")
    at = 0 if joined is None else joined["first"] * len(rows[0])
    return _same("words", own, proof.public_inputs[at : at + len(own)], what)


def _proven(answer: dict[str, Any], kept: bytes | None) -> list[Finding]:
    """The proofs of state lead from a block's hash to the words that the row was computed from."""
    said = answer["evidence"].get("state")
    if said is None:
        return []
    what = "the state that the row was computed from is proven against its blocks' hashes"
    if kept is None or digest(kept) != said:
        return [Finding("state", holds=False, said=f"NOT: {what} (the proofs are not those that were kept)")]
    try:
        proofs = state.from_bytes(kept)
        shown = [(proof.number, "0x" + proof.block_hash.hex(), proof.words(absent=True)) for proof in proofs]
    except AssayError as error:
        return [Finding("state", holds=False, said=f"NOT: {what} ({error.what})")]
    for number, block_hash, _ in shown:
        if number == answer["period"] and block_hash != answer["evidence"]["block_hash"]:
            return [Finding("state", holds=False, said=f"NOT: the proof of block {number} is of the answer's block")]
    blocks = "; ".join(f"block {number} ({block_hash})" for number, block_hash, _ in shown)
    words = ", ".join(hex(word) for _, _, found in shown for word in found)
    return [Finding("state", holds=True, said=f"{what}: {words} in {blocks}; compare the hashes with the chain")]


def _history(events: list[Event]) -> Finding:
    before = FIRST
    for one in events:
        if one.before != before:
            return Finding(
                "history", holds=False, said=f"NOT: each event follows from the one before it (event {one.number})"
            )
        before = one.digest()
    return Finding(
        "history", holds=True, said=f"each of {len(events)} events follows from the one before it; the last is {before}"
    )


def _decided(events: list[Event], answer: dict[str, Any], release: Release) -> Finding:
    """Which release decided when the answer was asked for: the fold over the events in the file."""
    found = None
    for one in events:
        if one.kind == alias.MOVED and one.subject == alias.CHAMPION and one.time <= answer["created"]:
            found = one.what["after"]
    if found == release.digest:
        return Finding("decided", holds=True, said="the release decided when it was asked")
    return Finding(
        "decided", holds=None, said="the release did not decide when it was asked: it was asked for by its version"
    )


def _sent(one: dict[str, Any], proof: Proof) -> Finding:
    """Each attempt's bytes hash to its hash and carry this proof, unless they take the transaction back."""
    for attempt in one["attempts"]:
        if "0x" + keccak256(bytes.fromhex(attempt["raw"].removeprefix("0x"))).hex() != attempt["hash"]:
            return Finding("transaction", holds=False, said=f"NOT: the bytes of {attempt['hash']} have that hash")
    sent, mined = [attempt for attempt in one["attempts"] if not attempt["cancels"]], one["mined"]
    carries = bool(sent) and all(
        proof.body.hex() in content for content in (one["data"], *(each["raw"] for each in sent))
    )
    carries &= mined is None or mined["hash"] in {attempt["hash"] for attempt in one["attempts"]}
    where = f"mined in block {mined['block']} ({mined['block_hash']})" if mined else "not mined"
    said = f"{one['attempts'][-1]['hash']} on {one['chain']}, {where}, carries the proof: compare with the chain"
    return Finding("transaction", carries, said if carries else f"NOT: {said}")
