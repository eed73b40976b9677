"""Who gets which arm: the draws of `Switchback.sol` and `EntityDraw.sol`, which anybody can make again.

A switchback's operator holds a chain of hashes: the last link is a secret, each earlier one the hash of the next, the
anchor the hash of the first. The contract draws a period's arm from its link and the hash of the block before the
period; of a period whose link was withheld, a later link shows what would have been drawn. Entities are drawn from a
secret that was committed to and the hash of a later block.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

from assay.compare.errors import LinkRefused
from assay.core.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = 1_000_000
"""Parts of a share."""
_WORD = 32


def new_secret() -> bytes:
    """What a chain of hashes ends in, or entities are drawn from: 256 random bits."""
    return secrets.token_bytes(_WORD)


def commitment(secret: bytes) -> bytes:
    """What is published of a secret before the draw."""
    return keccak256(secret)


@lru_cache(maxsize=4)  # it is asked for in every period, and takes a second for some thousands of them
def links(secret: bytes, periods: int) -> tuple[bytes, ...]:
    """The anchor, then the link of each period in order; the last is the secret itself."""
    found = [secret]
    for _ in range(periods):
        found.append(keccak256(found[-1]))
    return tuple(found[::-1])


def withheld(known: Mapping[int, bytes], anchor: bytes) -> dict[int, bytes]:
    """The links of all periods up to the last that was opened, of those withheld, too.

    Parameters
    ----------
    known
        The links that were opened, by period from 1.
    anchor
        What stood on the chain before the start.

    Raises
    ------
    LinkRefused
        One of them does not belong to the chain: what was opened is not what was committed to.
    """
    found: dict[int, bytes] = {}
    link = b""
    for period in range(max(known, default=0), 0, -1):
        link = keccak256(link) if link else known[period]
        if known.get(period, link) != link:
            raise LinkRefused(f"the link of period {period} is not of this chain", "Read the contract's events anew.")
        found[period] = link
    if found and keccak256(link) != anchor:
        raise LinkRefused("the links do not hash to the anchor", "Read the contract's events anew.")
    return dict(sorted(found.items()))


def period_is_new(plan: bytes, period: int, link: bytes, mixed: bytes, share: int) -> bool:
    """Whether a period is drawn to the new arm: the contract's own sum.

    Parameters
    ----------
    plan
        SHA-256 of the plan.
    period
        From 1.
    link
        The period's.
    mixed
        The hash of the block before the period.
    share
        Chance of the new arm, in `PARTS`.
    """
    return _falls(keccak256(plan + period.to_bytes(_WORD, "big") + link + mixed), share)


def seed_of(plan: bytes, secret: bytes, mixed: bytes) -> bytes:
    """What entities are drawn by, once the secret is shown and a block's hash mixed in."""
    return keccak256(plan + secret + mixed)


def entity_is_new(seed: bytes, entity: bytes, share: int) -> bool:
    """Whether an entity, an address of 20 bytes, is drawn to the new arm."""
    return _falls(keccak256(seed + entity.rjust(_WORD, b"\0")), share)


def _falls(draw: bytes, share: int) -> bool:
    return int.from_bytes(draw, "big") % PARTS < share
