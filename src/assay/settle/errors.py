"""What sending transactions can be refused for.

::

    AssayError
    └── SettleError                     settle
        ├── NodeFault                   settle/node
        │   ├── NodeUnreachable         settle/unreachable
        │   ├── NodeLimited             settle/limited
        │   ├── NodesDisagree           settle/nodes-disagree
        │   └── WrongChain              settle/wrong-chain
        ├── NotTaken                    settle/not-taken
        │   ├── AlreadyKnown            settle/already-known
        │   ├── NonceTooLow             settle/nonce-too-low
        │   ├── Underpriced             settle/underpriced
        │   └── OutOfFunds              settle/out-of-funds
        ├── Reverts                     settle/reverts
        ├── NotAllowed                  settle/not-allowed
        ├── SpendLimit                  settle/spend-limit
        ├── FeeCap                      settle/fee-cap
        ├── KeyUnreadable               settle/key
        ├── NotCancellable              settle/not-cancellable
        ├── NoChain                     settle/no-chain
        ├── NoSigner                    settle/no-signer
        ├── NoConsumer                  settle/no-consumer
        ├── ContractUnknown             settle/contract-unknown
        ├── ArgumentUnfit               settle/argument
        ├── OtherCode                   settle/other-code
        ├── NotMined                    settle/not-mined
        ├── NoRegistry                  settle/no-registry
        ├── NoDefault                   settle/no-default
        ├── NotPermitted                settle/not-permitted
        ├── NotUsable                   settle/not-usable
        ├── NotRehearsed                settle/not-rehearsed
        ├── RowOfAnother                settle/row-of-another
        └── RowUnfit                    settle/row-unfit
"""

from __future__ import annotations

from assay.core.errors import AssayError


class SettleError(AssayError):
    """Base of everything this room raises."""

    code = "settle"


class NodeFault(SettleError):
    """A node answers with an error of its own."""

    code = "settle/node"
    retry = True


class NodeUnreachable(NodeFault):
    """No node answers."""

    code = "settle/unreachable"


class NodeLimited(NodeFault):
    """A node limits requests."""

    code = "settle/limited"


class NodesDisagree(NodeFault):
    """Two nodes have different blocks at one height: nothing is sent until they agree."""

    code = "settle/nodes-disagree"


class WrongChain(NodeFault):
    """A node is on another chain than the one it is declared for."""

    code = "settle/wrong-chain"
    retry = False


class NotTaken(SettleError):
    """A node did not take the transaction."""

    code = "settle/not-taken"
    retry = True


class AlreadyKnown(NotTaken):
    """The node has the transaction already: as good as taken."""

    code = "settle/already-known"


class NonceTooLow(NotTaken):
    """The chain has a transaction of this nonce."""

    code = "settle/nonce-too-low"


class Underpriced(NotTaken):
    """The fees are too low, or not enough above those of the one it replaces."""

    code = "settle/underpriced"


class OutOfFunds(NotTaken):
    """The account cannot pay for it."""

    code = "settle/out-of-funds"


class Reverts(SettleError):
    """The contract refuses the call; it was not sent. `data` are the bytes it refuses with, 0x-hexadecimal."""

    code = "settle/reverts"
    data: str = ""


class NotAllowed(SettleError):
    """The contract or function is none that this account may call."""

    code = "settle/not-allowed"


class SpendLimit(SettleError):
    """What may be spent in a day would be passed."""

    code = "settle/spend-limit"
    retry = True


class FeeCap(SettleError):
    """The chain asks more for a unit of gas than the cap allows."""

    code = "settle/fee-cap"
    retry = True


class KeyUnreadable(SettleError):
    """The signing key cannot be read or used."""

    code = "settle/key"


class NotCancellable(SettleError):
    """The transaction is mined, or has ended."""

    code = "settle/not-cancellable"


class NoChain(SettleError):
    """A chain is not declared, or not so that anything could be sent there."""

    code = "settle/no-chain"


class NoSigner(SettleError):
    """Nobody signs on a chain that is not local."""

    code = "settle/no-signer"


class NoConsumer(SettleError):
    """No contract is known that acts on answers."""

    code = "settle/no-consumer"


class ContractUnknown(SettleError):
    """A contract that is to be deployed is not where it is said to be."""

    code = "settle/contract-unknown"


class ArgumentUnfit(SettleError):
    """A constructor's argument is not of its type, or names what there is not."""

    code = "settle/argument"


class OtherCode(SettleError):
    """The code at an address is another than the one that was deployed."""

    code = "settle/other-code"


class RowOfAnother(SettleError):
    """The contract that makes rows is of another model than the release that is deployed."""

    code = "settle/row-of-another"


class NotMined(SettleError):
    """A transaction did not come into a block, or its contract refused it."""

    code = "settle/not-mined"
    retry = True


class NoRegistry(SettleError):
    """No registry is known, or no contract stands where it should be."""

    code = "settle/no-registry"


class NoDefault(SettleError):
    """The registry has no default that counts, or one that is no release here."""

    code = "settle/no-default"


class NotPermitted(SettleError):
    """The account does not hold the role that the registry asks for."""

    code = "settle/not-permitted"


class NotUsable(SettleError):
    """The version was refused, retired or frozen, or its verifier is not on the chain."""

    code = "settle/not-usable"


class NotRehearsed(SettleError):
    """The release did not pass a rehearsal, and the chain is not a local one."""

    code = "settle/not-rehearsed"


class RowUnfit(SettleError):
    """What should be signed, or was, is no row of a feed."""

    code = "settle/row-unfit"
