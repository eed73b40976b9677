"""What the service refuses.

::

    AssayError
    └── ServeError                      serve
        ├── NotAuthorised               serve/not-authorised
        ├── NotPermitted                serve/not-permitted
        ├── QueueFull                   serve/queue-full
        ├── BudgetSpent                 serve/budget-spent
        ├── RequestMalformed            serve/request-malformed
        ├── RequestTooLarge             serve/request-too-large
        ├── KeyNeeded                   serve/idempotency-key-needed
        ├── NothingSettles              serve/nothing-settles
        ├── NoOutputs                   serve/no-outputs
        ├── CannotJoin                  serve/cannot-join
        ├── AnswerEnded                 serve/answer-ended
        ├── NoSuchModel                 serve/no-such-model
        ├── NoProof                     serve/no-proof
        ├── DecidedOnChain              serve/decided-on-chain
        ├── SelfCheckFailed             serve/self-check-failed
        ├── ProverLost                  serve/prover-lost
        ├── CannotListen                serve/cannot-listen
        ├── ServiceUnreachable          serve/unreachable
        └── Refused                     serve/refused; a service's own code, where it says one
"""

from __future__ import annotations

from assay.core.errors import AssayError


class ServeError(AssayError):
    """Base of everything this room raises."""

    code = "serve"


class NotAuthorised(ServeError):
    """The request has no API key, or one that is unknown, revoked or over."""

    code = "serve/not-authorised"


class NotPermitted(ServeError):
    """The API key does not have the scope, or the answer is somebody else's."""

    code = "serve/not-permitted"


class QueueFull(ServeError):
    """As many answers wait as are allowed to."""

    code = "serve/queue-full"
    retry = True


class BudgetSpent(ServeError):
    """The API key has used what it may in this minute or hour."""

    code = "serve/budget-spent"
    retry = True


class RequestMalformed(ServeError):
    """The body is not what the interface describes."""

    code = "serve/request-malformed"


class RequestTooLarge(ServeError):
    """The body is longer than is read."""

    code = "serve/request-too-large"


class KeyNeeded(ServeError):
    """What costs money, and what corrects, needs an Idempotency-Key."""

    code = "serve/idempotency-key-needed"


class NothingSettles(ServeError):
    """Settlement is asked for and no chain has a consumer."""

    code = "serve/nothing-settles"


class NoOutputs(ServeError):
    """The part that brings answers to outputs is asked for, and none is declared."""

    code = "serve/no-outputs"


class CannotJoin(ServeError):
    """The question's proof may not show the rows of others beside its own."""

    code = "serve/cannot-join"


class AnswerEnded(ServeError):
    """Nothing can be done with the answer any more."""

    code = "serve/answer-ended"


class NoSuchModel(ServeError):
    """No release of this name and version is served here."""

    code = "serve/no-such-model"


class NoProof(ServeError):
    """The answer has no proof yet, or never will."""

    code = "serve/no-proof"


class DecidedOnChain(ServeError):
    """A chain's registry says what decides; this process has no account to speak to it with."""

    code = "serve/decided-on-chain"


class SelfCheckFailed(ServeError):
    """A proof made here does not verify: it never leaves."""

    code = "serve/self-check-failed"


class ProverLost(ServeError):
    """Prover after prover ended, or hung, while it made the proof of an answer."""

    code = "serve/prover-lost"


class CannotListen(ServeError):
    """The endpoint cannot have its address: another program listens there, or it is none of this machine."""

    code = "serve/cannot-listen"


class ServiceUnreachable(ServeError):
    """No service answers the client."""

    code = "serve/unreachable"
    retry = True


class Refused(ServeError):
    """A service refuses what the client asks; `code` is what it says, `status` that of HTTP."""

    code = "serve/refused"
    status: int = 0
