"""What other contracts keep, as `[[data.bars.state]]` of `task.toml` names it: words of storage at the end of a bar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from assay.core.keccak import keccak256
from assay.task.fields import Address, Column, Switch
from assay.task.sections import LARGEST, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD_BITS = 256
_WORD = 1 << WORD_BITS
_HEX = re.compile(r"0x[0-9a-fA-F]{1,64}\Z")

Whole = (
    Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
    | Annotated[str, StringConstraints(pattern=_HEX.pattern.replace(r"\Z", "$"))]
)


class StateWord(Section):
    """A number that another contract keeps, as it stands at the end of each bar of blocks: a column of the bars.

    Features of such columns that say `onchain = "state"` are computed by a contract from storage proofs as well.
    """

    name: Column = Field(description="The column's name.")
    account: Address | None = Field(None, description="The contract whose storage it is; one for all words.")
    slot: Whole | None = Field(
        None,
        description='The slot, as `solc --storage-layout` prints it; beyond 63 bits "0x" and its digits. Of a '
        "mapping the mapping's own, with `keys`.",
    )
    keys: tuple[Whole, ...] = Field(
        (), description="Keys of a mapping, the outermost first: numbers, or addresses and bytes32 as hexadecimal."
    )
    plus: Column | None = Field(
        None,
        description="A word that is added to the slot, such as the index of an array's element; it is listed before "
        "this one and has no `plus` itself.",
    )
    from_bit: Annotated[int, Field(strict=True, ge=0, lt=WORD_BITS)] = Field(
        0, description="Where in the slot the number begins, counted from its lowest bit."
    )
    bits: Annotated[int, Field(strict=True, ge=1, le=WORD_BITS)] = Field(WORD_BITS, description="How many bits it has.")
    signed: Switch = Field(default=False, description="Whether it is in two's complement.")
    may_be_zero: Switch = Field(
        default=False,
        description="Whether the slot may hold nothing, which is zero; else that is refused: it is a wrong slot.",
    )
    header: Literal["timestamp"] | None = Field(
        None, description='"timestamp": instead of a slot, the time of the bar\'s last block, in seconds since 1970.'
    )

    @model_validator(mode="after")
    def _one_place(self) -> StateWord:
        if (self.slot is None) == (self.header is None):
            raise ValueError('give either slot or header = "timestamp"')
        if (self.slot is None) != (self.account is None):
            raise ValueError("a slot is of an account, and the block's time is of none")
        if self.header is not None and self.model_fields_set - {"name", "header"}:
            raise ValueError(f'header = "{self.header}" takes a name and nothing else')
        if self.from_bit + self.bits > WORD_BITS:
            raise ValueError(f"a slot has {WORD_BITS} bits: from_bit and bits are {self.from_bit + self.bits} together")
        return self

    @property
    def place(self) -> Place:
        """Where its slot is; of a mapping's entry as Solidity places it."""
        found = number(self.slot or 0)
        for key in self.keys:
            found = int.from_bytes(keccak256(number(key).to_bytes(32, "big") + found.to_bytes(32, "big")), "big")
        return Place(found, self.plus)

    def read(self, word: int) -> int:
        """The number in a slot's word."""
        value = word >> self.from_bit & (1 << self.bits) - 1
        return value - (1 << self.bits) if self.signed and value >> self.bits - 1 else value


@dataclass(frozen=True)
class Place:
    """A slot: its number, and the word that is added to it, if one is."""

    slot: int
    plus: str | None = None

    def at(self, words: dict[str, int]) -> int:
        """The slot's number, where the words of the same block are known that are added."""
        return (self.slot + (words[self.plus] if self.plus else 0)) % _WORD


def number(written: int | str) -> int:
    """A slot or key as it is written."""
    return written if isinstance(written, int) else int(written, 16)


def places(words: Sequence[StateWord]) -> list[Place]:
    """The slots of all words, each once: first those that are known beforehand."""
    found = dict.fromkeys(word.place for word in words if word.slot is not None)
    return sorted(found, key=lambda place: place.plus is not None)


def may_be_zero(words: Sequence[StateWord], place: Place) -> bool:
    """Whether a slot may hold nothing: all that is read of it says so."""
    return all(word.may_be_zero for word in words if word.slot is not None and word.place == place)
