"""The two state machines. There is no third: a deployment is transactions, a job is an answer that settles nothing."""

from __future__ import annotations

from typing import Literal

AnswerState = Literal[
    "received", "fixed", "proven", "answered", "settling", "settled", "expired", "refused", "cancelled"
]
TransactionState = Literal["signed", "broadcast", "mined", "final", "replaced", "cancelled"]

# received: asked for, durable. fixed: the row is made and will not change. proven: and its proof verified here.
# settling: its transaction is signed; back to proven if another program's took its nonce.
# settled: that transaction is final and did what it should.
ANSWER: dict[AnswerState, frozenset[AnswerState]] = {
    "received": frozenset({"fixed", "refused", "cancelled", "expired"}),
    "fixed": frozenset({"proven", "refused", "cancelled", "expired"}),
    "proven": frozenset({"answered", "settling", "refused", "cancelled", "expired"}),
    "settling": frozenset({"settled", "refused", "expired", "proven"}),
    "answered": frozenset(),
    "settled": frozenset(),
    "expired": frozenset(),
    "refused": frozenset(),
    "cancelled": frozenset(),
}

# replaced: something else took the nonce. cancelled: our own empty transfer did.
# mined goes back to broadcast when its block is no longer in the chain.
TRANSACTION: dict[TransactionState, frozenset[TransactionState]] = {
    "signed": frozenset({"broadcast", "mined", "replaced", "cancelled"}),
    "broadcast": frozenset({"mined", "replaced", "cancelled"}),
    "mined": frozenset({"broadcast", "final", "replaced", "cancelled"}),
    "final": frozenset(),
    "replaced": frozenset(),
    "cancelled": frozenset(),
}

ANSWER_ENDS = frozenset(state for state, after in ANSWER.items() if not after)
TRANSACTION_ENDS = frozenset(state for state, after in TRANSACTION.items() if not after)
