"""From what somebody asks to an answer that is kept: rows are checked and fixed before anything is promised."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core.hashing import digest
from assay.record import answers
from assay.record.answers import Answer
from assay.serve.errors import CannotJoin, KeyNeeded, NothingSettles, QueueFull

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.states import AnswerState
    from assay.serve.models import Model

_SALT_BYTES = 16
WAITING: tuple[AnswerState, ...] = ("received", "fixed")


@dataclass(frozen=True)
class Question:
    """A request for a proof.

    Attributes
    ----------
    rows
        Lists of numbers, None for missing, in the order of the model's features.
    owner
        The API key's id.
    request
        Its idempotency key.
    settle
        Whether the proof goes to the consumer on the chain.
    context
        The context word that is bound into the proof, decimal.
    join
        Whether its proof may show the rows of other questions of the same owner that also allow it.
    """

    rows: list[list[Any]]
    owner: str
    request: str | None
    settle: bool = False
    context: str = "0"
    join: bool = False


def ask(
    database: Database, model: Model, question: Question, *, chain: str | None, most_waiting: int
) -> tuple[Answer, bool]:
    """Keep a question as an answer whose row is fixed; returns it and whether it is new.

    Raises
    ------
    RowsError
        The rows do not fit the model: nothing is kept.
    KeyNeeded, NothingSettles
        Settlement without an idempotency key, or without a chain.
    CannotJoin
        It is to be settled, or the model's rows are hidden: such a proof is of one question alone.
    QueueFull
        Too many answers wait.
    Conflict
        The idempotency key was used for another question.
    """
    if question.settle and chain is None:
        raise NothingSettles("this service settles on no chain", "Ask for the proof alone, or start it with --chain.")
    if question.settle and question.request is None:
        raise KeyNeeded(
            "a proof that is settled costs gas and needs an Idempotency-Key", "Send one, of your own making."
        )
    if question.join:
        _require_joinable(model, question)
    model.circuit.encode(question.rows)
    if answers.count(database, WAITING) >= most_waiting and not _known(database, question):
        raise QueueFull(f"{most_waiting} answers wait already", "Ask again later.")
    asked = {"release": model.release.digest, "rows": question.rows, "settle": question.settle}
    asked |= {"context": question.context} | ({"join": True} if question.join else {})
    text = json.dumps(asked, sort_keys=True, allow_nan=False)
    salt = secrets.token_hex(_SALT_BYTES)
    wanted = Answer(
        project=model.release.project,
        release=model.release.digest,
        chain=chain if question.settle else None,
        owner=question.owner,
        request=question.request,
        fingerprint=digest(text.encode()),
        state="fixed",
        settle=question.settle,
        context=question.context,
        row=question.rows,
        row_digest=digest(bytes.fromhex(salt) + json.dumps(question.rows).encode()),
        evidence={"salt": salt, "received": time.time()} | ({"join": True} if question.join else {}),
    )
    return answers.receive(database, wanted)


def _require_joinable(model: Model, question: Question) -> None:
    if question.settle:
        raise CannotJoin("a proof that is settled is of one question alone", 'Leave out "join" or "settle".')
    if model.circuit.inputs == "private":
        raise CannotJoin(
            f"{model.release.name} hides its rows, and a proof of it is of one question alone", "Do not join."
        )


def _known(database: Database, question: Question) -> bool:
    return question.request is not None and answers.by_request(database, question.owner, question.request) is not None
