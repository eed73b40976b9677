"""`assay verify cert.json`: a stranger checks a certificate, without the model, the service or a network."""

from __future__ import annotations

import base64
import math
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import AssayError
from assay.core.hashing import digest
from assay.data.dataset.manifest import Manifest
from assay.data.features import sequences
from assay.keep.certify.certificate import PARTS, Certificate, context_of
from assay.keep.certify.claim import claim, told
from assay.keep.certify.shown import shown_columns
from assay.keep.certify.standing import on_chain
from assay.keep.dispute import Finding, setup
from assay.keep.errors import CertificateAltered
from assay.prove.proof import Proof
from assay.prove.verify import verify as accept
from assay.release.key import verifying_key_of
from assay.release.make import digest_of, salted
from assay.release.parts import TEST_ROWS, statement
from assay.task.read import parse
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.circuit.public import public_words

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from assay.prove.keys import VerifyingKey
    from assay.settle.registry import Registry
    from assay.task.task import Task

_AGAIN = "Ask whoever made it for the file again: this one shows nothing."
_CLOSE = 1e-9
_SHARES = ("improvement", "interval")
"""Of the claim's figures those without a unit; the others are in the metric's, which may be tiny."""
TRAINED = "that the model was not trained on these rows cannot be shown by any proof"


@dataclass(frozen=True)
class _Read:
    """A certificate as its parts say it."""

    given: Certificate
    parts: dict[str, bytes]
    proofs: list[Proof]
    key: VerifyingKey
    task: Task
    about: Manifest
    frame: pl.DataFrame
    root: str


def verify(path: Path, registry: Registry | None = None, *, unchecked: bool = False) -> list[Finding]:
    """Check a certificate that nobody vouches for.

    Parameters
    ----------
    registry
        Of a chain: says since when it holds the release, and with it the rows.
    unchecked
        Rely on a key whose stamp nothing here confirms.

    Raises
    ------
    CertificateAltered, ArtefactVersion
        It cannot be read as a whole. What can be read and does not hold is a finding.
    """
    from polars.exceptions import PolarsError

    given = Certificate.load(path)
    try:
        one = _read(given)
        return [
            _release(one),
            _same("model", one.key.model_id, given.release["model_id"], "the verifying key is the release's"),
            setup(one.key),
            _same("root", given.root, one.root, f"the root stands for these {len(given.rows)} rows in this order"),
            _count(one),
            _proven(one, unchecked=unchecked),
            _words(one),
            _committed(given),
            on_chain(given.release, registry, digest(path.read_bytes())),
            _claim(one),
            Finding("training", None, f"open for ever: {TRAINED}"),
        ]
    except (LookupError, TypeError, ArithmeticError, ValueError, AttributeError, PolarsError) as error:
        raise CertificateAltered(f"{path} is malformed ({str(error)[:100]})", _AGAIN) from None


def _read(given: Certificate) -> _Read:
    parts = {name: base64.b64decode(given.parts[name], validate=True) for name in PARTS}
    text = parts["task.toml"].decode()
    return _Read(
        given,
        parts,
        proofs=[Proof.from_bytes(base64.b64decode(one, validate=True)) for one in given.proofs],
        key=verifying_key_of(parts["verifying.key"]),
        task=parse(tomllib.loads(text), text, "the certificate's task.toml"),
        about=Manifest.model_validate_json(parts["manifest.json"]),
        frame=given.canonical.frame(),
        root=given.canonical.root,
    )


def _same(name: str, said: Any, found: Any, what: str) -> Finding:
    return Finding(name, said == found, what if said == found else f"NOT: {what} ({said!s:.40} and {found!s:.40})")


def _release(one: _Read) -> Finding:
    """Every part is what the release's public part, and so its digest, names."""
    for name, content in one.parts.items():
        if digest(content) != one.given.release["parts"][name]["digest"]:
            return Finding("release", holds=False, said=f"NOT: {name} is the release's")
    said = f"task, data and key are those of the release {digest_of(one.given.release)}"
    return Finding("release", holds=True, said=said)


def _count(one: _Read) -> Finding:
    """The release's manifest says how many test rows there are: none was left out."""
    rows = one.about.rows["test"].rows
    return _same("count", len(one.given.rows), rows, "these are all the test rows that the release has")


def _proven(one: _Read, *, unchecked: bool) -> Finding:
    """Each proof is valid and made for its place in this very list, and together they cover it."""
    first, total = 0, len(one.given.rows)
    for number, proof in enumerate(one.proofs, 1):
        if proof.context != context_of(one.root, first, total):
            return Finding("proofs", holds=False, said=f"NOT: proof {number} was made for these rows at this place")
        try:
            accept(one.key, proof, unchecked=unchecked)
        except AssayError as error:
            return Finding("proofs", holds=False, said=f"NOT: proof {number} is valid under the key ({error.what})")
        first += proof.rows
    if first != total:
        return Finding("proofs", holds=False, said=f"NOT: the proofs are of {first} rows, and there are {total}")
    return Finding("proofs", holds=True, said=f"{len(one.proofs)} proofs of all {total} rows are valid")


def _words(one: _Read) -> Finding:
    what = "the rows give the words that the proofs show"
    hide = [proof.input_commitment is not None for proof in one.proofs]
    if one.given.hidden:
        return _hidden(one, hide)
    if one.given.inputs is None or any(hide):
        return Finding("words", holds=False, said=f"NOT: {what} (they are hidden, which the certificate denies)")
    circuit = Circuit.from_json(one.given.inputs)
    names = sequences.names([feature.name for feature in one.about.features], one.about.window)
    try:
        rows = public_words(circuit, *circuit.encode(one.frame.select(names)))
    except AssayError as error:
        return Finding("words", holds=False, said=f"NOT: the rows can be made into words ({error.what})")
    width = len(rows[0])
    shown = [word for proof in one.proofs for word in proof.public_inputs[: proof.rows * width]]
    same = [word for row in rows for word in row] == shown
    return Finding("words", same, what if same else f"NOT: {what}")


def _hidden(one: _Read, hide: list[bool]) -> Finding:
    """Nothing ties what stands beside a hidden row to it, so there is no more of that than the metric needs."""
    if not all(hide):
        return Finding("words", holds=False, said="NOT: the proofs hide their rows")
    about = one.about
    named = [about.target, about.time, about.entity, *about.keep, *(feature.name for feature in about.features)]
    columns = [*one.frame.columns, *(name for name in named if name is not None)]
    try:
        coded, told = shown_columns(one.task, about, columns)
    except AssayError as error:
        return Finding("words", holds=False, said=f"NOT: hidden rows can be judged ({error.what})")
    if more := [name for name in one.frame.columns if name not in (*coded, *told)]:
        what = "of hidden rows nothing is shown but what the metric needs"
        return Finding("words", holds=False, said=f"NOT: {what} ({more[0]:.40})")
    said = "the rows are hidden: each proof shows a commitment to them, and what is shown beside it, the label too, is "
    return Finding("words", None, f"{said}its maker's word")


def _committed(given: Certificate) -> Finding:
    """Whether the release named the rows, salted, before it was known how good the model is on them."""
    named = TEST_ROWS in given.release["private"]
    if not named or given.hidden:
        why = "and they are hidden, so that nobody sees whether it is these" if named else "so they may be any"
        said = (
            f"the release {'names its rows' if named else 'names no rows'}, {why}: they may have been chosen afterwards"
        )
        return Finding("rows", None, said)
    if given.salt is None or given.inputs is None:
        # Whoever has chosen other rows could keep back what would show it.
        return Finding(
            "rows", holds=False, said="NOT: the release names its rows, and the salt that shows which is here"
        )
    content = digest(statement(given.root, len(given.rows), given.inputs))
    return _same(
        "rows",
        given.release["private"].get(TEST_ROWS),
        salted(content, given.salt),
        "the release's digest names these very rows, and how they are read: whoever knew it before knows that none "
        "was chosen afterwards",
    )


def _claim(one: _Read) -> Finding:
    if one.key.answers is None:
        return Finding("claim", holds=False, said="NOT: the key says what its outputs mean")
    outputs = np.concatenate([proof.outputs for proof in one.proofs]) if one.proofs else np.zeros((0, 1))
    if len(outputs) != len(one.given.rows):
        return Finding("claim", holds=False, said="NOT: there is one proven output for each row")
    try:
        own = claim(one.task, one.about, one.frame, outputs, one.key.answers)
    except AssayError as error:
        return Finding("claim", holds=False, said=f"NOT: the metric can be computed ({error.what})")
    said, found = one.given.claim.model_dump(), own.model_dump()
    scale = max(abs(own.value), abs(own.existing or 0.0))
    wrong = [name for name in found if not _close(said[name], found[name], 1.0 if name in _SHARES else scale)]
    if wrong:
        given = f"{wrong[0]} is {said[wrong[0]]!s:.80}"
        return Finding("claim", holds=False, said=f"NOT: {given}; computed here: {told(own)}")
    return Finding("claim", holds=True, said=told(own))


def _close(one: Any, other: Any, scale: float) -> bool:
    """Equal but for the last digits of what they were summed from, which differ between processors."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_close(one[name], other[name], scale) for name in one)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE * scale)
    return bool(one == other)
