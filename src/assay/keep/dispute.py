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

import numpy as np

import assay
from assay.core import files, jsontext
from assay.core.errors import ArtefactVersion, AssayError
from assay.core.hashing import digest
from assay.core.keccak import keccak256
from assay.core.zips import MALFORMED, entry
from assay.keep.errors import DisputeAltered, NothingToDispute, OtherRows
from assay.prove.keys import VERIFYING_KEY_FILE, VerifyingKey
from assay.prove.proof import Proof
from assay.prove.verify import verify as accept
from assay.record import answers, artefacts, journal, releases, transactions
from assay.record.journal import FIRST, Event
from assay.release import alias, export
from assay.release.make import private_digests
from assay.release.parts import CIRCUIT_FILE
from assay.transpile.circuit.circuit import Circuit, Tree

if TYPE_CHECKING:
    from assay.record.answers import Answer
    from assay.record.database import Database
    from assay.record.releases import Release

SCHEMA = "assay-dispute/1"
ABOUT, PROOF, INPUTS = "dispute.json", "proof.json", "inputs.json"
_LARGEST = 64 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)
_AGAIN = "Ask whoever made it for the file again: this one shows nothing."


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it holds (None: it could not be checked here), in a sentence."""

    name: str
    holds: bool | None
    said: str


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
            export.RELEASE_FILE: json.dumps(release.public, indent=1, sort_keys=True).encode(),
            **{
                f"parts/{name}": artefacts.get(database, one["digest"]) for name, one in release.public["parts"].items()
            },
        }.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    files.write(path, buffer.getvalue(), secret=True)  # it shows a row


def _rows_of(answer: Answer, rows: Any) -> Any:
    salt = bytes.fromhex(answer.evidence.get("salt", ""))
    if digest(salt + json.dumps(rows).encode()) != answer.row_digest:
        raise OtherRows(
            f"the rows are not those of {answer.id}: their salted digest is another one",
            "Give them as they were asked, number by number: 1 and 1.0 are written differently.",
        )
    return rows


def _inputs(database: Database, release: Release) -> Any:
    """The circuit without its model: the features, and what is made of a missing value. None if it is not held."""
    if not release.private:
        return None
    circuit = Circuit.from_json(artefacts.get(database, private_digests(release)[CIRCUIT_FILE]))
    width = len(circuit.outputs)
    if circuit.kind == "network":
        return None
    zero = np.zeros(1, np.int32)
    leaf = Tree(zero - 1, np.zeros(1, np.uint64), zero, zero, np.zeros((1, width), np.int64))
    empty = [[0] * len(circuit.features) for _ in range(width)]
    changes: dict[str, Any] = {"trees": [leaf]} if circuit.kind == "trees" else {"weights": empty}
    return replace(circuit, base=[0] * width, meta={}, **changes).to_dict()


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
    about, proof_text, inputs = _read(path)
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
            _valid(key, proof),
            _same(
                "outputs", answer["outputs"]["integers"], _own(answer, proof), "the answer says what the proof shows"
            ),
            _same(
                "context", int(answer["context"]), proof.context, "the proof is bound to the context that was asked for"
            ),
            _row(answer),
            _words(answer, inputs, proof),
            _history(events),
            _decided(events, answer, release),
            *(_sent(one, proof) for one in about["transactions"]),
        ]
    except (KeyError, TypeError, ValueError, AttributeError, AssayError) as error:
        raise DisputeAltered(f"{path} is malformed ({str(error)[:100]})", _AGAIN) from None


def _key(content: bytes) -> VerifyingKey:
    with tempfile.TemporaryDirectory(prefix="assay-keys-") as name:
        place = Path(name) / VERIFYING_KEY_FILE
        place.write_bytes(content)
        return VerifyingKey.load(place)


def _read(path: Path) -> tuple[Any, bytes, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            found = {name: entry(archive, name, _LARGEST) for name in (ABOUT, PROOF, INPUTS)}
        about: Any = jsontext.parse(found[ABOUT])
        schema = about["schema"]
        inputs = jsontext.parse(found[INPUTS])
    except MALFORMED as error:
        raise DisputeAltered(f"{path} is no dispute file, or is damaged ({str(error)[:80]})", _AGAIN) from None
    if schema != SCHEMA:
        raise ArtefactVersion(f"{path} has the format {schema!s:.40}, and {SCHEMA} is read", "Use a newer Assay.")
    return about, found[PROOF], inputs


def _same(name: str, said: Any, found: Any, what: str) -> Finding:
    return Finding(name, said == found, what if said == found else f"NOT: {what} ({said!s:.40} and {found!s:.40})")


def _valid(key: VerifyingKey, proof: Proof) -> Finding:
    try:
        accept(key, proof, unchecked=True)
    except AssayError as error:
        return Finding("proof", holds=False, said=f"NOT: the proof is valid under the key ({error.what})")
    return Finding("proof", holds=True, said=f"the proof is valid under the key; {key.check.note}")


def _integers(proof: Proof) -> list[list[str]]:
    return [[str(value) for value in row] for row in proof.output_integers]


def _own(answer: dict[str, Any], proof: Proof) -> list[list[str]]:
    """The outputs of the answer's own rows, where its proof shows others', too."""
    joined = answer["evidence"].get("joined")
    found = _integers(proof)
    return found if joined is None else found[joined["first"] : joined["first"] + joined["rows"]]


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
    words, missing = circuit.encode(answer["row"])
    absent = 1 << circuit.bits
    own = [absent if gone else int(word) for word, gone in zip(words.ravel(), missing.ravel(), strict=True)]
    joined = answer["evidence"].get("joined")
    at = 0 if joined is None else joined["first"] * words.shape[1]
    return _same("words", own, proof.public_inputs[at : at + len(own)], what)


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
    """Each attempt's bytes hash to its hash, and carry this proof."""
    for attempt in one["attempts"]:
        if "0x" + keccak256(bytes.fromhex(attempt["raw"].removeprefix("0x"))).hex() != attempt["hash"]:
            return Finding("transaction", holds=False, said=f"NOT: the bytes of {attempt['hash']} have that hash")
    carries = proof.body.hex() in one["data"]
    mined = one["mined"]
    where = f"mined in block {mined['block']} ({mined['block_hash']})" if mined else "not mined"
    said = f"{one['attempts'][-1]['hash']} on {one['chain']}, {where}, carries the proof: compare with the chain"
    return Finding("transaction", carries, said if carries else f"NOT: {said}")
