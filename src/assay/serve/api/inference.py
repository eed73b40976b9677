"""The Open Inference Protocol v2: what a model is, what it says of rows, and proofs of it."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from assay.record import answers
from assay.record.answers import Answer
from assay.record.releases import Release
from assay.serve.api.answers import shown
from assay.serve.api.state import Key, Parts, State
from assay.serve.api.tensors import Inputs, outputs_of, rows_of
from assay.serve.ask import Question, ask

router = APIRouter()
_POLL_SECONDS = 0.004
_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*(\d{1,4})")


class Infer(BaseModel):
    """A question without a proof."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = Field(None, max_length=100)
    inputs: Inputs
    outputs: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {}


class Prove(BaseModel):
    """A question that is answered with a proof."""

    model_config = ConfigDict(extra="forbid")

    inputs: Inputs
    settle: bool = False
    join: bool = Field(
        default=False,
        description="Whether one proof may also show the rows of your API key's other questions that allow it, wait at "
        "the same time and have the same context: at most 16 rows. The answer then says which are its own.",
    )
    context: int | str = Field(0, description="The context word bound into the proof; decimal or 0x-hexadecimal.")


@router.get("/v2")
def server() -> dict[str, Any]:
    """What answers here."""
    import assay

    return {"name": "assay", "version": assay.__version__, "extensions": ["proofs"]}


@router.get("/v2/models/{name}")
@router.get("/v2/models/{name}/versions/{version}")
def model(name: str, parts: Parts, key: Key, version: str | None = None) -> dict[str, Any]:
    """A model's inputs and outputs."""
    key.require("read")
    found = parts.models.of(parts.models.named(name, version).digest)
    return {
        "name": found.release.project,
        "versions": [str(found.release.version)],
        "platform": "assay",
        "inputs": [{"name": one.name, "datatype": "FP64", "shape": [-1]} for one in found.circuit.features],
        "outputs": [
            {"name": "integers", "datatype": "BYTES", "shape": [-1, len(found.circuit.outputs)]},
            {"name": "values", "datatype": "FP64", "shape": [-1, len(found.circuit.outputs)]},
        ],
        "parameters": {"release": found.release.digest, "model_id": found.release.public["model_id"]},
    }


@router.get("/v2/models/{name}/ready")
@router.get("/v2/models/{name}/versions/{version}/ready")
def model_ready(name: str, parts: Parts, key: Key, version: str | None = None) -> dict[str, Any]:
    """Whether a model answers: its keys are loaded for it."""
    key.require("read")
    found = parts.models.of(parts.models.named(name, version).digest)
    return {"name": name, "ready": True, "version": str(found.release.version)}


@router.post("/v2/models/{name}/infer")
@router.post("/v2/models/{name}/versions/{version}/infer")
def infer(name: str, body: Infer, parts: Parts, key: Key, version: str | None = None) -> dict[str, Any]:
    """The integers that a proof would show, and the rows as words."""
    key.require("infer")
    found = parts.models.of(parts.models.named(name, version).digest)
    rows = rows_of(body.inputs, found, parts.settings.most_rows)
    return {
        "id": body.id or secrets.token_hex(8),
        "model_name": found.release.project,
        "model_version": str(found.release.version),
        "outputs": outputs_of(found, found.integers(rows)),
        "parameters": {
            "release": found.release.digest,
            "model_id": found.release.public["model_id"],
            "scale_bits": found.circuit.scale_bits,
            "words": found.words(rows),
        },
    }


@router.post("/v2/models/{name}/proofs", status_code=202)
@router.post("/v2/models/{name}/versions/{version}/proofs", status_code=202)
async def proofs(
    name: str,
    body: Prove,
    response: Response,
    parts: Parts,
    key: Key,
    version: str | None = None,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    prefer: Annotated[str, Header(max_length=200)] = "",
) -> dict[str, Any]:
    """Ask for a proof: 202 and where it will be, or 200 with it where `Prefer: wait=SECONDS` is long enough."""
    key.require("settle" if body.settle else "prove")
    parts.keyring.require_budget(key)
    kept = await asyncio.to_thread(_asked, name, version, body, parts, key.id, idempotency_key)
    waited = _WAIT.search(prefer)
    if waited:
        kept = await _ended(parts, kept, min(float(waited[1]), parts.settings.longest_wait))
        response.headers["Preference-Applied"] = f"wait={waited[1]}"
    if kept.ended:
        response.status_code = 200
        parts.keyring.proved(key, _seconds(kept))
    else:
        response.headers["Retry-After"] = "1"
    response.headers["Location"] = f"/v1/answers/{kept.id}"
    return await asyncio.to_thread(shown, parts, kept, proof=kept.ended)


def _asked(name: str, version: str | None, body: Prove, parts: State, owner: str, request: str | None) -> Answer:
    release: Release = parts.models.named(name, version)
    found = parts.models.of(release.digest)
    rows = rows_of(body.inputs, found, min(parts.settings.most_rows, found.verifying.max_batch))
    question = Question(rows, owner, request, body.settle, _context(body.context), body.join)
    kept, _ = ask(parts.database, found, question, chain=parts.settings.chain, most_waiting=parts.settings.most_waiting)
    return kept


def _context(given: int | str) -> str:
    from assay.serve.errors import RequestMalformed

    try:
        found = int(given, 0) if isinstance(given, str) else given
    except ValueError:
        found = -1
    if not 0 <= found < 1 << 256:
        raise RequestMalformed("the context is no word", "Give a whole number below 2^256, decimal or 0x-hexadecimal.")
    return str(found)


async def _ended(parts: State, kept: Answer, seconds: float) -> Answer:
    """The answer when it has ended or the time is over; a proof that is settled has its proof before."""
    until = time.monotonic() + seconds
    while not kept.ended and time.monotonic() < until:
        await asyncio.sleep(_POLL_SECONDS)
        kept = await asyncio.to_thread(answers.get, parts.database, kept.id)
    return kept


def _seconds(kept: Answer) -> float:
    when = dict(kept.timeline)
    if "proven" not in when or "fixed" not in when:
        return 0.0
    joined = kept.evidence.get("joined")
    share = 1.0 if joined is None else float(joined["rows"] / joined["of"])
    return share * float(when["proven"] - when["fixed"])
