"""`[chains.NAME]`: one Ethereum network each: its nodes, its contracts, and what may be spent there."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator

from assay.task.sections import LARGEST, Amount, Name, Positive, Section, Whole

KNOWN_IDS = {
    "ethereum": 1,
    "optimism": 10,
    "gnosis": 100,
    "polygon": 137,
    "base": 8453,
    "arbitrum": 42161,
    "sepolia": 11155111,
    "local": 31337,
}
"""Ids of chains by their usual names; others say theirs in [chains.NAME] id."""

ChainName = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
"""At most as long as the records keep it."""
Address = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$")]
_MAY_CALL = re.compile(r"0x[0-9a-fA-F]{40}(:(\*|[A-Za-z_]\w*\([\w,()\[\]]*\)))?\Z")


class ContractSpec(Section):
    """A contract of the project that `assay deploy` brings onto the chain, after the verifier and those before it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")] = Field(
        description='What others call it: "consumer" is the one that acts on answers, "registry" the ModelRegistry, '
        '"model" a ModelWithRow, which the registry then gets in the verifier\'s place.'
    )
    source: Annotated[str, StringConstraints(pattern=r"^[^:]+\.sol:[A-Za-z_]\w*$", max_length=300)] = Field(
        description='Where it is: "contracts/Fee.sol:Fee", a file in the project and a contract in it.'
    )
    arguments: tuple[Any, ...] = Field(
        (),
        description='Its constructor\'s arguments. "$verifier", "$code_hash" (of the verifier), "$model_id", '
        '"$release", "$account" (who signs) and "$NAME" of a contract before it stand for what they name, '
        '"$NAME.code_hash" for the hash of its code; '
        "integers that TOML cannot hold and bytes are text.",
    )

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in {"verifier", "code_hash", "model_id", "release", "account"}:
            raise ValueError(f"{name} is a name of its own")
        return name


class ChainSpec(Section):
    """An Ethereum network. `[protocol] chain` names the one that counts; `--chain NAME` names another."""

    id: Whole | None = Field(
        None,
        ge=1,
        le=LARGEST,
        description="Its chain id; a node that answers with another one is refused. Known of ethereum, optimism, "
        "gnosis, polygon, base, arbitrum, sepolia and local (31337).",
    )
    rpc: tuple[Name, ...] = Field(
        (),
        description='HTTP addresses of its nodes, or "$NAME" of the environment. They are asked in this order; where '
        "two have different blocks at one height, nothing is sent.",
    )
    block_seconds: Positive | None = Field(
        None, description="Seconds from one block to the next; by default those of [protocol]."
    )
    confirmations: Whole | None = Field(
        None,
        ge=0,
        le=LARGEST,
        description="Blocks after which a transaction is final. By default what the node calls finalized.",
    )
    verifier: Address | None = Field(
        None, description="The verifier's address, if it was not deployed by `assay deploy` from this database."
    )
    registry: Address | None = Field(None, description="The ModelRegistry that consumers follow.")
    consumer: Address | None = Field(
        None, description="The contract that acts on answers: its settle(bytes,uint256[]) is called with each proof."
    )
    signer: str = Field(
        "",
        description="Who signs and pays: a keystore file (version 3) in the project's folder or at a whole path, or "
        '"kms:KEY" for AWS KMS. On a local chain (id 1337 or 31337) nothing is needed: a public test account signs.',
    )
    passphrase_file: str = Field(
        "", description="A file that holds the keystore's passphrase; without it the terminal is asked."
    )
    spend_per_day: Positive = Field(
        0.1, description="The most that may be spent in 24 hours, in the chain's native token."
    )
    max_fee_gwei: Positive = Field(200.0, description="The most that is paid for a unit of gas, in gwei.")
    bump_after_blocks: Amount = Field(
        3, description="Blocks that a transaction waits until it is sent again with an eighth more for gas."
    )
    allow: tuple[Name, ...] = Field(
        (),
        description='What the account may call beside the consumer\'s settle: "0xADDRESS:function(types)", or '
        '"0xADDRESS" for every function.',
    )
    late_after_blocks: Amount | None = Field(
        None,
        description="Blocks after which an answer that is not on the chain yet is expired and never sent. By default "
        "the task's latency_blocks; without either, none is.",
    )

    contracts: tuple[ContractSpec, ...] = Field((), description="The project's contracts, in the order of deployment.")

    @field_validator("contracts")
    @classmethod
    def _are_told_apart(cls, contracts: tuple[ContractSpec, ...]) -> tuple[ContractSpec, ...]:
        names = [one.name for one in contracts]
        if len(set(names)) < len(names):
            raise ValueError("two contracts have the same name")
        return contracts

    @field_validator("allow")
    @classmethod
    def _can_be_read(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for one in allow:
            if not _MAY_CALL.match(one):
                raise ValueError(f'"{one}" is not written "0xADDRESS" or "0xADDRESS:function(types)"')
        return allow
