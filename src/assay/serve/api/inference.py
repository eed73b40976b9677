"""The Open Inference Protocol v2: what a model is, what it says of rows, and proofs of it."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from assay.record import answers
from assay.record.answers import Answer
from assay.serve.api.answers import shown
from assay.serve.api.state import Key, Parts, State
from assay.serve.api.tensors import Inputs, outputs_of, rows_of
from assay.serve.ask import Question, ask
from assay.serve.errors import NothingSettles
from assay.serve.keys import ApiKey
from assay.serve.models import Model

router = APIRouter()
_WORD = re.compile(r"0x[0-9a-fA-F]{1,64}|[0-9]{1,78}")
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
    context: StrictInt | str = Field(0, description="The context word bound into the proof; decimal or 0x-hexadecimal.")


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
    found = parts.models.answering(name, version)
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
    found = parts.models.answering(name, version)
    return {"name": name, "ready": True, "version": str(found.release.version)}


@router.post("/v2/models/{name}/infer", response_model=dict[str, Any])
@router.post("/v2/models/{name}/versions/{version}/infer", response_model=dict[str, Any])
async def infer(name: str, body: Infer, parts: Parts, key: Key, version: str | None = None) -> JSONResponse:
    """The integers that a proof would show, and the rows as words.

    `parameters.ended` names rows, counted from 0, for which values within a network ended before the model's own do.
    """
    key.require("infer")
    found = parts.models.held(name, version)
    if found is None:
        found = await asyncio.to_thread(parts.models.answering, name, version)
    if len(body.inputs) == 1 and found.quick:  # it takes less than to hand it to another thread and back
        return JSONResponse(_inferred(found, body, parts))
    return JSONResponse(await asyncio.to_thread(_inferred, found, body, parts))


def _inferred(found: Model, body: Infer, parts: State) -> dict[str, Any]:
    rows = rows_of(body.inputs, found, parts.settings.most_rows)
    words, missing = found.circuit.encode(rows)
    integers, ended = found.told_of(words, missing)
    return {
        "id": body.id or secrets.token_hex(8),
        "model_name": found.release.project,
        "model_version": str(found.release.version),
        "outputs": outputs_of(found, integers),
        "parameters": {
            "release": found.release.digest,
            "model_id": found.release.public["model_id"],
            "scale_bits": found.circuit.scale_bits,
            "words": found.words_of(words, missing),
            **({"ended": ended} if ended else {}),
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
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    prefer: Annotated[str, Header(max_length=200)] = "",
) -> dict[str, Any]:
    """Ask for a proof: 202 and where it will be, or 200 with it where `Prefer: wait=SECONDS` is long enough."""
    key.require("settle" if body.settle else "prove")
    kept = await asyncio.to_thread(_asked, name, version, body, parts, key, idempotency_key)
    waited = _WAIT.search(prefer)
    if waited:
        kept = await parts.waiting.ended(kept, min(float(waited[1]), parts.settings.longest_wait))
        response.headers["Preference-Applied"] = f"wait={waited[1]}"
    if kept.ended:
        response.status_code = 200
    else:
        response.headers["Retry-After"] = "1"
    response.headers["Location"] = f"/v1/answers/{kept.id}"
    return await asyncio.to_thread(shown, parts, kept, proof=kept.ended)


def _asked(name: str, version: str | None, body: Prove, parts: State, key: ApiKey, request: str | None) -> Answer:
    known = None if request is None else answers.by_request(parts.database, key.id, request)
    if known is None:
        parts.keyring.require_budget(key)
    elif version is None and known.project == name:  # whatever decides by now, the question was of this release
        version = known.release
    found = parts.models.answering(name, version)
    rows = rows_of(body.inputs, found, min(parts.settings.most_rows, found.verifying.max_batch))
    question = Question(rows, key.id, request, body.settle, _context(body.context), body.join)
    if body.settle and parts.chain is not None and parts.chain.task.name != found.release.project:
        raise NothingSettles(
            f"this service settles for {parts.chain.task.name}, and {name:.64} is another project of its database",
            "Ask the service that was started with that project.",
        )
    kept, _ = ask(parts.database, found, question, chain=parts.settings.chain, most_waiting=parts.settings.most_waiting)
    return kept


def _context(given: int | str) -> str:
    from assay.serve.errors import RequestMalformed

    if isinstance(given, str):
        given = int(given, 16 if given[1:2] == "x" else 10) if _WORD.fullmatch(given) else -1
    if not 0 <= given < 1 << 256:
        raise RequestMalformed("the context is no word", "Give a whole number below 2^256, decimal or 0x-hexadecimal.")
    return str(given)
