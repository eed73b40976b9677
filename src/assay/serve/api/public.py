"""What strangers and machines ask: is it alive, which releases are there, does this proof hold, and figures."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel, ConfigDict

from assay.core.errors import AssayError
from assay.prove.proof import Proof
from assay.prove.verify import verify
from assay.record import answers, claims, journal, releases
from assay.record.states import ANSWER
from assay.release import alias
from assay.serve.api.state import Key, Parts, State
from assay.serve.errors import NoSuchModel
from assay.serve.outputs.loop import standing
from assay.serve.watching import View
from assay.settle.shadow import verdicts

router = APIRouter()
LEFT_SECONDS = 30.0
"""An answer that waits longer for a prover while none proves anything waits for one that is not there."""
_LOOKED_AT, _TRIES = 20, 3


class Verify(BaseModel):
    """A proof, as `proof.json` holds it, and whose it should be."""

    model_config = ConfigDict(extra="forbid")

    proof: dict[str, Any]
    release: str | None = None


@router.get("/v2/health/live")
def live() -> dict[str, bool]:
    """The process answers."""
    return {"live": True}


@router.get("/v2/health/ready")
def ready(parts: Parts, response: Response) -> dict[str, Any]:
    """It would answer a question: database, release, keys, room in the queue, a prover, and the chain it settles on.

    Warnings, such as outputs that fail, keep nobody from asking.
    """
    problems = problems_of(parts)
    response.status_code = 503 if problems else 200
    return {"ready": not problems, "problems": problems, "warnings": warnings_of(parts)}


def problems_of(parts: State) -> list[str]:
    """Why a question would not be answered now; empty if it would."""
    problems = []
    try:
        parts.database.require_room()
        deciding = champions(parts)
        problems += [] if deciding else ["no release decides"]
        for digest in deciding.values():
            parts.models.require(digest)
        if answers.count(parts.database, ("received", "fixed")) >= parts.settings.most_waiting:
            problems.append("the queue is full")
        left = claims.left(parts.database, "fixed")
        problems += _failing(parts)
        if left.seconds >= LEFT_SECONDS and not left.held:
            problems.append(
                f"answers that wait for a prover: {left.count}, the first for {left.seconds:.0f} s; none takes them"
            )
    except AssayError as error:
        problems.append(f"{error.code}: {error.what}")
    return problems + ([] if parts.chain is None else parts.chain.problems())


def _failing(parts: State) -> list[str]:
    """What keeps provers from proving, if that is not over after some tries."""
    waiting = answers.find(parts.database, None, states=["fixed"], limit=_LOOKED_AT)
    failed = [one.error for one in waiting if one.error is not None and one.attempts >= _TRIES]
    return [f"nothing is proven: [{failed[0]['code']}] {failed[0]['what']}"] if failed else []


def warnings_of(parts: State) -> list[str]:
    """What does not work and keeps nobody from asking."""
    try:
        failing = [(spec.name, standing(parts.database, spec, parts.settings.name)) for spec in parts.settings.outputs]
    except AssayError as error:
        return [f"{error.code}: {error.what}"]
    return [
        f"the output {name} fails, {count} changes behind: [{error['code']}] {error['what']}"
        for name, (count, error) in failing
        if error is not None
    ]


@router.get("/v1/releases")
def all_releases(parts: Parts, key: Key) -> dict[str, Any]:
    """Releases, oldest first, and which decide."""
    key.require("read")
    deciding, found = champions(parts), releases.find(parts.database)
    said = {name: verdicts(parts.database, name) for name in {one.project for one in found}}
    return {
        "items": [
            {
                "name": one.project,
                "version": one.version,
                "digest": one.digest,
                "model_id": one.public["model_id"],
                "aliases": ["champion"] if deciding.get(one.project) == one.digest else [],
                "chains": said[one.project].get(one.digest, []),
                "note": one.note,
                "created": one.created,
                "served": bool(one.private),
            }
            for one in found
        ]
    }


@router.get("/v1/releases/history")
def history(parts: Parts, key: Key, name: str) -> dict[str, Any]:
    """Which release of a project decided, from when, who said so and why."""
    key.require("read")
    return {
        "items": [
            {
                "before": move.before,
                "after": move.after,
                "version": move.event.what["version"],
                "back": move.back,
                "who": move.event.who,
                "why": move.event.why,
                "time": move.event.time,
                "chain": move.event.chain,
                "block": move.event.block,
            }
            for move in alias.moves(parts.database, name)
        ],
        "events": journal.verify(parts.database, name),
    }


@router.post("/v1/verify")
def check(body: Verify, parts: Parts) -> dict[str, Any]:
    """Whether a proof is valid under a release's key; anyone may ask."""
    proof = Proof.from_json(_text(body.proof))
    for one in releases.find(parts.database):
        if one.public["model_id"] == proof.verifying_key and body.release in {None, one.digest, one.name}:
            found = parts.models.verifying(one.digest)
            try:
                verify(found, proof)
            except AssayError as error:
                return {"valid": False, "release": one.name, "code": error.code, "what": error.what}
            integers = [[str(value) for value in row] for row in proof.output_integers]
            shown = {"valid": True, "release": one.name, "digest": one.digest, "integers": integers}
            return shown | proof.remarks
    raise NoSuchModel(
        f"the proof is of the model {proof.verifying_key[:18]}, which no release here has", "Check the key."
    )


@router.get("/metrics")
def metrics(parts: Parts) -> Response:
    """Figures in Prometheus' form; counts only, nothing of rows or keys."""
    registry = CollectorRegistry()
    states = Gauge("assay_answers", "Answers by state", ["state"], registry=registry)
    for state in ANSWER:
        states.labels(state).set(answers.count(parts.database, [state]))
    left = Gauge("assay_left_seconds", "How long the first answer waits that no prover has taken", registry=registry)
    left.set(claims.left(parts.database, "fixed").seconds)
    if parts.settings.outputs:
        behind = Gauge("assay_output_behind", "Changes that an output lacks", ["output"], registry=registry)
        failing = Gauge("assay_output_failing", "Whether it failed last", ["output"], registry=registry)
        for spec in parts.settings.outputs:
            count, error = standing(parts.database, spec, parts.settings.name)
            behind.labels(spec.name).set(count)
            failing.labels(spec.name).set(error is not None)
    if parts.chain is not None:
        found = Gauge("assay_chain_problems", "What keeps answers from being settled", ["chain"], registry=registry)
        found.labels(parts.chain.name).set(len(parts.chain.problems()))
    if parts.watch is not None:
        _watched(parts.watch, registry)
    listeners = Gauge("assay_listeners", "Who listens to server-sent events of answers", registry=registry)
    listeners.set(len(parts.listeners))
    Gauge("assay_releases", "Releases", registry=registry).set(len(releases.find(parts.database)))
    Gauge("assay_time_seconds", "Time of this answer", registry=registry).set(time.time())
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _watched(view: View, registry: CollectorRegistry) -> None:
    alarm = Gauge("assay_watch_alarm", "Whether an alarm of this signal stands", ["signal"], registry=registry)
    known = Gauge("assay_watch_known", "Whether enough is known to judge it", ["signal"], registry=registry)
    found = Gauge("assay_watch_figure", "What was found, by signal", ["signal", "figure"], registry=registry)
    for name, state, stands, figures in view.figures():
        alarm.labels(name).set(stands)
        known.labels(name).set(state != "unknown")
        for figure, value in figures.items():
            found.labels(name, figure.replace(" ", "_")).set(value)


def champions(parts: State) -> dict[str, str]:
    """The release that decides, by project."""
    names = {one.project for one in releases.find(parts.database)}
    found = {name: alias.champion(parts.database, name) for name in names}
    return {name: digest for name, digest in found.items() if digest is not None}


def _text(content: dict[str, Any]) -> str:
    import json

    return json.dumps(content)
