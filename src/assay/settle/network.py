"""A chain as `task.toml` declares it, opened: its nodes, the account that signs there, and what that account may do."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.chain.context import LOCAL_CHAIN_IDS
from assay.core.keccak import keccak256
from assay.core.paths import place
from assay.data.sources.context import from_environment
from assay.settle.errors import NoChain, NoSigner
from assay.settle.fees import GWEI
from assay.settle.node import Node
from assay.settle.policy import WEI, Policy
from assay.settle.signer import Keystore, Kms, development_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from assay.settle.signer import Signer
    from assay.task.chains import ChainSpec
    from assay.task.task import Task

SETTLE = "settle(bytes,uint256[])"
POSTS = ("postRow(uint32,uint256[])", "postRow(uint256[])")
"""How consumers that follow a feed take a period's row."""
STATE_POST = "post(address,(bytes,bytes,bytes[])[])"
"""How a feed that computes rows from proven state is given the proofs."""
FACTORY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""The deterministic deployment proxy that Anvil, Hardhat and nearly every public chain have at this address."""
_KMS = "kms:"
_SHORTEST_PAUSE, _LOCAL_PAUSE, _LONGEST_PAUSE = 0.05, 0.1, 2.0


@dataclass(frozen=True)
class Network:
    """A declared chain.

    Attributes
    ----------
    name
        Of its [chains.NAME].
    chain_id
        Its id.
    spec
        What is declared.
    node
        Its nodes.
    """

    name: str
    chain_id: int
    spec: ChainSpec
    node: Node

    @property
    def local(self) -> bool:
        """Whether it is a development chain, where nothing is worth anything."""
        return self.chain_id in LOCAL_CHAIN_IDS

    @property
    def pause(self) -> float:
        """Seconds from one look to the next: an eighth of a block's, and fewer where blocks come when asked for."""
        longest = _LOCAL_PAUSE if self.local else _LONGEST_PAUSE
        return min(longest, max(_SHORTEST_PAUSE, float(self.spec.block_seconds or 12.0) / 8))


def network(task: Task, name: str | None = None) -> Network:
    """The chain of a name, by default the one that counts.

    Raises
    ------
    NoChain
        It has no section, no id or no node.
    """
    wanted = task.protocol.chain if name is None else name
    spec = task.chain(wanted)
    if name is not None and wanted not in task.chains:
        known = ", ".join(task.chains) or "none"
        raise NoChain(f'task.toml has no [chains."{wanted:.64}"]', f"Declare it, or choose one of: {known}.")
    if spec.id is None or not spec.rpc:
        lacks = "id" if spec.id is None else "rpc"
        raise NoChain(f'[chains."{wanted}"] of task.toml has no {lacks}', f"Write {lacks} = ... in it.")
    urls = tuple(from_environment(url, f"[chains.{wanted}] rpc") for url in spec.rpc)
    return Network(wanted, spec.id, spec, Node(wanted, spec.id, urls))


def signer(of: Network, project: Path) -> Signer:
    """Who signs on a chain: what is declared; on a local chain, without a declaration, a public test account.

    Raises
    ------
    NoSigner
        None is declared for a chain that is not local.
    KeyUnreadable
        It is none, or its passphrase is wrong.
    """
    return signing(of, project, of.spec.signer, of.spec.passphrase_file)


def signing(of: Network, project: Path, named: str, words: str = "") -> Signer:
    """`signer`, of another declaration than the chain's; raises as it does."""
    if not named and of.local:
        return development_key()
    if not named:
        raise NoSigner(
            f"[chains.{of.name}] names no signer, and chain {of.chain_id} is not a local one",
            'Write signer = "FILE" (a keystore) or "kms:KEY", and fund its account.',
        )
    if named.startswith(_KMS):
        return Kms(named.removeprefix(_KMS))
    return Keystore(place(project, named), place(project, words) if words else None)


def policy(of: Network, *consumers: str) -> Policy:
    """What the account may do there: settle, post rows, and what [chains.NAME] allows, within limits."""
    allowed: dict[str, set[str]] = {}
    for consumer in consumers:
        allowed.setdefault(consumer.lower(), set()).update(selector(one) for one in (SETTLE, *POSTS))
    for one in of.spec.allow:
        address, _, function = one.partition(":")
        allowed.setdefault(address.lower(), set()).add("*" if function in {"", "*"} else selector(function))
    return Policy(
        max_fee=int(of.spec.max_fee_gwei * GWEI),
        spend_per_day=int(of.spec.spend_per_day * WEI),
        allowed={address: frozenset(which) for address, which in allowed.items()},
        bump_after=of.spec.bump_after_blocks * float(of.spec.block_seconds or 12.0),
        confirmations=of.spec.confirmations if of.spec.confirmations is not None or not of.local else 0,
    )


def deploying(of: Network) -> Policy:
    """What the account may do while it deploys: create contracts, by itself or by the factory, and nothing else."""
    return replace(policy(of), creates=True, allowed={FACTORY.lower(): frozenset({"*"})})


def calling(of: Network, contract: str, functions: Sequence[str]) -> Policy:
    """What the account may do while it calls these functions of one contract, and nothing else."""
    return replace(policy(of), allowed={contract.lower(): frozenset(selector(one) for one in functions)})


def selector(function: str) -> str:
    """The four bytes that call "name(types)", 0x-hexadecimal."""
    return "0x" + keccak256(re.sub(r"\s", "", function).encode())[:4].hex()


def context_of(chain_id: int, consumer: str, period: int) -> int:
    """The word that binds a proof to one period of one consumer on one chain.

    keccak256 of `abi.encode(chain id, consumer, period)`: what `contextOf` of the consumers in `contracts/` gives.
    """
    words = (chain_id, int(consumer, 16), period)
    return int.from_bytes(keccak256(b"".join(word.to_bytes(32, "big") for word in words)), "big")
