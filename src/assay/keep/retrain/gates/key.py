"""Gate: the key is of the reference string that the champion's key is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.prove.keys import VerifyingKey

GATE = "key"
_TAU = 128
"""A key's bytes end with the string's secret in G2."""


def gate(before: VerifyingKey, now: VerifyingKey | None) -> Verdict:
    """Whether the key is checked, and of the same ceremony: a retraining must not change whom one has to trust."""
    if now is None:
        return fails(GATE, "No candidate was chosen, so there is no key.")
    try:
        check = now.check
    except AssayError as error:
        return fails(GATE, f"The key is refused: {error.what}")
    if now.srs_kind != before.srs_kind or now.content[-_TAU:] != before.content[-_TAU:]:
        return fails(
            GATE,
            f"The key is of the {now.srs_kind} string {_of(now)}, the champion's of the {before.srs_kind} string "
            f"{_of(before)}: whoever verifies would have to trust another ceremony.",
        )
    if not check.checked:
        return fails(GATE, check.note)
    return holds(GATE, f"The key is of the {now.srs_kind} string {_of(now)}, as the champion's is.")


def _of(key: VerifyingKey) -> str:
    return f"[tau]_2 0x{key.content[-_TAU:].hex()[:12]}"
