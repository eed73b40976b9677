"""Answers: how far each is, its proof, and leaving the queue."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from assay.core import jsontext
from assay.core.hashing import digest
from assay.record import answers, artefacts, transactions
from assay.record.answers import Answer
from assay.record.errors import LeaseLost
from assay.record.states import AnswerState
from assay.serve.api.state import Key, Parts, State
from assay.serve.errors import AnswerEnded, NoProof, NotPermitted, RequestMalformed
from assay.serve.forget import forget
from assay.serve.keys import ApiKey
from assay.serve.outcomes import Brought, Value, bring

router = APIRouter(prefix="/v1/answers")
_PAGE = 50
_ABANDONABLE = ("received", "fixed")
_ID = re.compile(r"[A-Za-z0-9_]{1,40}")
_OF_ATTEMPT = ("hash", "max_fee", "priority_fee", "cancels", "at")


@router.get("")
def find(
    parts: Parts,
    key: Key,
    period: int | None = None,
    state: AnswerState | None = None,
    name: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """Answers, newest first, a page at a time; of an API key its own, of an admin's all."""
    key.require("read")
    owner = None if "admin" in key.scopes else key.id
    found = answers.find(
        parts.database,
        name,
        period=period,
        states=[state] if state else [],
        owner=owner,
        before=_place(cursor),
        limit=_PAGE + 1,
    )
    more = len(found) > _PAGE
    found = found[:_PAGE]
    return {
        "items": [shown(parts, one) for one in found],
        "next": _cursor(found[-1]) if more else None,
    }


@router.get("/{answer}")
def one(
    answer: str, response: Response, parts: Parts, key: Key, if_none_match: Annotated[str | None, Header()] = None
) -> Any:
    """One answer."""
    found = _own(parts, key, answer)
    tag = f'"{found.state}-{found.fence}{_tag_of(parts, found)}"'
    if if_none_match == tag:
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return shown(parts, found)


@router.get("/{answer}/proof")
def proof(answer: str, parts: Parts, key: Key) -> Any:
    """Its proof, as `proof.json`."""
    found = _own(parts, key, answer)
    if found.proof is not None and found.shows is None:
        raise NoProof(f"the proof of {answer} showed its row, and was forgotten with it", "Its digest is what is left.")
    if found.proof is None:
        raise NoProof(f"{answer} is {found.state} and has no proof", "Ask again when it is proven.")
    return proof_of(parts, found)


class Outcome(BaseModel):
    """What came of an answer."""

    model_config = ConfigDict(extra="forbid")

    outcome: Value | list[Value | None] = Field(
        description="In the unit of what is predicted; of a classifier the class, by its name or number. Of an answer "
        "to several rows a list with one for each, null where it is not known yet."
    )
    reason: str | None = Field(
        None, max_length=500, description="Why it is other than what was brought before; the history keeps both."
    )


@router.post("/{answer}/outcome")
def outcome(
    answer: str,
    body: Outcome,
    parts: Parts,
    key: Key,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> dict[str, Any]:
    """Bring what came of an answer; the same again changes nothing, another one is refused without a reason."""
    key.require("observe")
    found, changed = bring(parts.database, answer, Brought(body.outcome, key.id, idempotency_key, body.reason))
    return {"id": found.id, "outcome": found.outcome, "changed": changed}


@router.delete("/{answer}")
def cancel(answer: str, parts: Parts, key: Key) -> dict[str, Any]:
    """Take an answer back that is not proven yet; forget its row, and a proof that shows it, once it has ended."""
    key.require("prove")
    found = _own(parts, key, answer)
    if found.state in _ABANDONABLE:
        try:
            found = answers.commit(parts.database, found, "cancelled")
        except LeaseLost:
            raise AnswerEnded(f"{answer} is being proven", "Delete it again when it is.") from None
    if not found.ended:
        raise AnswerEnded(f"{answer} is {found.state}", "Delete it when it has ended.")
    if found.row is not None:
        forget(parts.database, who=key.id, why="its asker deleted it", ids=[found.id])
    return shown(parts, answers.get(parts.database, found.id))


def shown(parts: State, answer: Answer, *, proof: bool = False) -> dict[str, Any]:
    """An answer as the endpoint says it; with its proof where it is small enough to be read with it."""
    release = parts.models.release(answer.release)
    found: dict[str, Any] = {
        "id": answer.id,
        "state": answer.state,
        "model": answer.project,
        "version": release.version,
        "release": answer.release,
        "model_id": release.public["model_id"],
        "period": answer.period,
        "arm": answer.arm,
        "settle": answer.settle,
        "chain": answer.chain,
        "context": answer.context,
        "outputs": answer.outputs,
        "outcome": answer.outcome,
        "forgotten": answer.evidence.get("forgotten", {}).get("time"),
        "joined": answer.evidence.get("joined"),
        "transaction": answer.transaction,
        "settlement": None if answer.transaction is None else settlement(parts, answer.transaction),
        "error": answer.error,
        "timeline": [{"state": state, "time": at} for state, at in answer.timeline],
        "links": {"self": f"/v1/answers/{answer.id}"},
    }
    if answer.shows is not None:
        found["links"]["proof"] = f"/v1/answers/{answer.id}/proof"
        if proof:
            found["proof"] = proof_of(parts, answer)
    return found


def proof_of(parts: State, answer: Answer) -> Any:
    """An answer's `proof.json`; of one that is proven with others "joined" says which of the rows are its own."""
    found: Any = jsontext.parse(artefacts.get(parts.database, str(answer.proof)))
    joined = answer.evidence.get("joined")
    return found if joined is None else found | {"joined": joined}


def _tag_of(parts: State, answer: Answer) -> str:
    """What changes of an answer while its own state does not: what came of it, and how far it is settled."""
    came = "" if answer.outcome is None else f"-{digest(json.dumps(answer.outcome).encode())[:8]}"
    if answer.state != "settling" or answer.transaction is None:
        return came
    sent = transactions.get(parts.database, answer.transaction)
    return f"{came}-{sent.state}-{len(sent.attempts)}"


def settlement(parts: State, name: str) -> dict[str, Any]:
    """How far a transaction is; wei and hashes as text."""
    sent = transactions.get(parts.database, name)
    found: dict[str, Any] = {
        "state": sent.state,
        "chain": sent.chain,
        "account": sent.account,
        "nonce": sent.nonce,
        "to": sent.to,
        "attempts": [{name: one[name] for name in _OF_ATTEMPT} for one in sent.attempts],
        "error": sent.error,
        "timeline": [{"state": state, "time": at} for state, at in sent.timeline],
        "hash": sent.attempts[-1]["hash"],
    }
    if sent.mined is not None:
        found |= {name: sent.mined[name] for name in ("hash", "block", "block_hash", "ok", "gas_used")}
        found["paid_wei"] = str(int(sent.mined["gas_used"]) * int(sent.mined["price"]))
    return found


def _own(parts: State, key: ApiKey, name: str) -> Answer:
    key.require("read")
    found = answers.get(parts.database, name)
    if found.owner != key.id and "admin" not in key.scopes:
        raise NotPermitted(f"{name:.60} was asked for by another API key", "Use that key, or an admin's.")
    return found


def _cursor(last: Answer) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.created, last.id]).encode()).decode()


def _place(cursor: str | None) -> tuple[float, str] | None:
    if cursor is None:
        return None
    try:
        created, name = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if isinstance(created, float) and math.isfinite(created) and isinstance(name, str) and _ID.fullmatch(name):
            return created, name
    except (ValueError, TypeError):
        pass
    raise RequestMalformed("the cursor is none of this service's", "Begin with the first page.")
