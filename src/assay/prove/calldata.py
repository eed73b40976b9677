"""Calldata of the verifier contract's `verify(bytes proof, uint256[] publicInputs)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VERIFY_SELECTOR = bytes.fromhex("9649daae")
"""First four bytes of keccak256("verify(bytes,uint256[])")."""

_WORD = 32


def verify_calldata(body: bytes, public_inputs: Sequence[int]) -> bytes:
    """Encode a call of the verifier, in the canonical form, the only one that it accepts.

    Parameters
    ----------
    body
        The proof as the contract reads it.
    public_inputs
        The public words, each in 0 .. 2^256 - 1.

    Returns
    -------
    4 + 32 * (4 + ceil(len(body) / 32) + len(public_inputs)) bytes.

    Source: Solidity contract ABI specification, "Use of Dynamic Types".
    """
    padded = body + bytes(-len(body) % _WORD)
    head = (2 * _WORD, 3 * _WORD + len(padded), len(body))
    return b"".join((VERIFY_SELECTOR, _words(head), padded, _words((len(public_inputs), *public_inputs))))


def _words(values: Sequence[int]) -> bytes:
    return b"".join(value.to_bytes(_WORD, "big") for value in values)
