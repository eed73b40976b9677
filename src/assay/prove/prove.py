"""Prove: from rows to a proof of what the model says of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assay.core.arguments import expect
from assay.core.errors import WrongType
from assay.prove.errors import WrongContext
from assay.prove.keys import ProvingKey, VerifyingKey
from assay.prove.native import native
from assay.prove.proof import Proof
from assay.transpile.rows.saturated import hidden

if TYPE_CHECKING:
    from assay.transpile.rows.saturated import Saturated

_CALL = "assay.prove(keys.proving_key, X)"
_CONTEXT = re.compile(r"[0-9]{1,100}|0[xX][0-9a-fA-F]{1,100}")


def prove(
    proving_key: ProvingKey, X: Any, *, opening: bytes | None = None, context: int = 0, saturate: bool = False
) -> Proof:
    """Prove the model's outputs for one row or a batch, in one proof.

    Parameters
    ----------
    proving_key
        Of the model, from `assay.setup`. It keeps the reference string in memory after
        the first proof, so later proofs with the same object start at once.
    X
        One row (F values) or rows (N x F), array-like or a data frame; NaN or None is missing.
    opening
        Circuits with private inputs only: 32 secret bytes that blind the commitment to the
        rows. Two proofs of the same rows with the same bytes show the same commitment. Fresh
        randomness by default.
    context
        Any word of 32 bytes, as an integer from 0 to 2^256 - 1, to which the proof is bound: whoever asks for the
        proof says what it must be (a consumer, a chain, a period), and the proof is not valid with another one.
    saturate
        Prove the end of the range in place of a value outside of its feature's declared range, and say so in
        `Proof.saturated` and proof.json; such rows are refused otherwise. Whole numbers and the features of
        networks and linear models have ranges, other features of trees have none.

    Returns
    -------
    The proof, with the outputs it shows: raw margins, before any link function. `Proof.ended` names the rows for which
    a value within a network ends before the model's own does.

    Raises
    ------
    WrongType
        An argument is of another kind, as where the two are swapped.
    AssayError
        The rows do not fit the circuit's features ("rows/...").
    RowsRefused
        There are more rows than the key allows.
    SrsMissing
        The reference string of the key is not in the cache.
    WrongContext
        `context` is not such an integer.
    """
    expect(proving_key, ProvingKey, name="proving_key", call=_CALL)
    if isinstance(X, ProvingKey | VerifyingKey | Proof):
        raise WrongType(f"X is a {type(X).__name__}, and has to be rows", f"Call {_CALL}.")
    if opening is not None:
        expect(opening, bytes, name="opening", call=_CALL, hint="Give 32 secret bytes, as secrets.token_bytes(32).")
    if not _is_word(context):
        raise WrongContext(context)
    beyond: list[Saturated] = []
    if saturate:
        words, missing, beyond = proving_key.saturate(X)
    else:
        words, missing = proving_key.encode(X)
    prover = proving_key.prover
    with native():
        data, ended = prover.prove(
            words.astype("<u8").tobytes(),
            missing.astype("u1").tobytes(),
            len(words),
            opening,
            context.to_bytes(32, "big"),
        )
    proof = Proof.from_bytes(data)
    told = tuple(beyond) if proof.input_commitment is None else hidden(beyond)
    return replace(proof, answers=proving_key.answers, saturated=told, ended=tuple(ended))


def _is_word(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 256


def read_context(text: str) -> int:
    """Read a context as people write it: a decimal number, or 0x and hexadecimal digits.

    Raises
    ------
    WrongContext
        It is neither, or not below 2^256.
    """
    if not _CONTEXT.fullmatch(text):
        raise WrongContext(text)
    value = int(text, 16 if text[:2].lower() == "0x" else 10)
    if not _is_word(value):
        raise WrongContext(text)
    return value
