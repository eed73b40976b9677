"""What can go wrong between a verifying key and a chain, each with a stable code.

::

    AssayError
    └── ChainError
        ├── ToolMissing            chain/tool-missing        node, anvil or solc is not installed
        ├── NodeFailed             chain/node-failed         the local node did not start or stopped answering
        ├── CompileFailed          chain/compile-failed      solc refused a source
        ├── ContractTooLarge       chain/contract-too-large  a contract does not fit a chain's size limit
        ├── DevelopmentKeyRefused  chain/development-key     a development SRS may not leave a local chain
        ├── NoAccount              chain/no-account          nobody to sign a transaction
        ├── NodeUnreachable        chain/unreachable         no node answers at the address
        ├── NodeRefused            chain/node-refused        the node would not take a request
        ├── TransactionReverted    chain/reverted            a contract refused a call
        ├── ModelElsewhere         chain/model-elsewhere     a shared verifier did not make a model's contract
        ├── RowNotOnChain          chain/row                 a feature is not computed on the chain
        ├── KeyNotSupported        chain/key-not-supported   no Solidity verifier exists for this key
        ├── StateNotServed         chain/state-not-served    a node has no proofs of a block's state
        ├── StateAltered           chain/state-altered       a proof of a state proves nothing
        ├── NoStorage              chain/no-storage          the account of a state proof keeps nothing
        └── SlotEmpty              chain/slot-empty          the slot of a state proof holds nothing
"""

from __future__ import annotations

from assay.core.errors import AssayError


class ChainError(AssayError):
    """Base of everything this room raises."""

    code = "chain/error"


class ToolMissing(ChainError):
    """A program that ships as an npm package, or Node.js itself, is not installed."""

    code = "chain/tool-missing"


class NodeFailed(ChainError):
    """The local Ethereum node stopped, or did not answer in time."""

    code = "chain/node-failed"


class CompileFailed(ChainError):
    """The Solidity compiler refused a source."""

    code = "chain/compile-failed"


class ContractTooLarge(ChainError):
    """The runtime code is over the limit that every Ethereum chain enforces."""

    code = "chain/contract-too-large"


class DevelopmentKeyRefused(ChainError):
    """A verifier made from a development SRS was about to reach a chain that is not local."""

    code = "chain/development-key"


class NoAccount(ChainError):
    """No private key was given and the node has no unlocked account."""

    code = "chain/no-account"


class NodeUnreachable(ChainError):
    """No Ethereum node answers at the given address."""

    code = "chain/unreachable"


class NodeRefused(ChainError):
    """The node did not take a request: too little gas or money, a nonce in use, an unknown method."""

    code = "chain/node-refused"


class TransactionReverted(ChainError):
    """A contract refused a call or a transaction; `reason` names the contract's own error."""

    code = "chain/reverted"

    def __init__(self, what: str, todo: str = "", *, reason: str = "") -> None:
        super().__init__(what, todo)
        self.reason = reason


class ModelElsewhere(ChainError):
    """What stands where a shared verifier makes a model's contract is something else."""

    code = "chain/model-elsewhere"


class RowNotOnChain(ChainError):
    """A model's row cannot be made of a market's own history."""

    code = "chain/row"


class KeyNotSupported(ChainError):
    """The verifying key describes something that the Solidity generator does not know."""

    code = "chain/key-not-supported"


class StateNotServed(ChainError):
    """The node has not the block, or no proofs of its state any more."""

    code = "chain/state-not-served"


class StateAltered(ChainError):
    """A proof of an account or a slot does not lead from the block's hash to it."""

    code = "chain/state-altered"


class NoStorage(ChainError):
    """The account is there and has an empty storage: it is none of a contract that keeps something."""

    code = "chain/no-storage"


class SlotEmpty(ChainError):
    """The slot is proven to hold nothing."""

    code = "chain/slot-empty"
