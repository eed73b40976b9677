"""What the pages show: read from the records, made into plain values for the templates."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from assay.core.errors import AssayError
from assay.project.project import Project
from assay.prove.proof import Proof
from assay.record import answers, artefacts, releases, transactions
from assay.record.states import ANSWER, TRANSACTION, TRANSACTION_ENDS
from assay.release import alias
from assay.release.compare import compare
from assay.serve import keys
from assay.serve.api.answers import shown
from assay.serve.api.public import champions, problems_of, warnings_of
from assay.serve.errors import RequestMalformed
from assay.serve.outputs.loop import health
from assay.settle.registry import decided_on_chain
from assay.settle.shadow import last_default, verdicts

if TYPE_CHECKING:
    from assay.record.answers import Answer
    from assay.record.states import AnswerState
    from assay.record.transactions import Transaction
    from assay.serve.api.state import State
    from assay.serve.keys import ApiKey

PAGE = 50
_CHART = 200
_DAY = 86400.0


def owner_of(key: ApiKey) -> str | None:
    """Whose answers a key sees: its own; of an admin's key everybody's (None)."""
    return None if "admin" in key.scopes else key.id


def now(parts: State, key: ApiKey) -> dict[str, Any]:
    """Is it healthy, who decides, what was answered last and how fast, what was spent today."""
    owner = owner_of(key)
    last = answers.find(parts.database, None, owner=owner, limit=_CHART)
    taken = [(one.created, spent) for one in reversed(last) if (spent := proving(one)) is not None]
    today = time.time() // _DAY * _DAY
    paid = [cost(one) for one in transactions.recent(parts.database, 1000, since=today)]
    return {
        "problems": problems_of(parts),
        "warnings": warnings_of(parts),
        "deciders": [_decider(parts, digest) for digest in sorted(champions(parts).values())],
        "counts": {state: answers.count(parts.database, [state], owner) for state in ANSWER},
        "median": statistics.median([seconds for _, seconds in taken]) if taken else None,
        "taken": [[at for at, _ in taken], [seconds for _, seconds in taken]],
        "spent": sum(paid),
        "sent": sum(amount > 0 for amount in paid),
        "pending": len([one for one in transactions.recent(parts.database, 1000) if one.state not in TRANSACTION_ENDS]),
        "last": [shown(parts, one) for one in last[:10]],
        "oldest": min((one.created for one in last if not one.ended), default=None),
    }


def proving(one: Answer) -> float | None:
    """Seconds from a fixed row to a verified proof; None if it is not proven."""
    when = dict(one.timeline)
    return float(when["proven"] - when["fixed"]) if "proven" in when and "fixed" in when else None


def cost(one: Transaction) -> int:
    """Wei that a mined transaction burnt and paid."""
    if not one.mined:
        return 0
    return int(one.mined["gas_used"]) * int(one.mined["price"])


def _decider(parts: State, digest: str) -> dict[str, Any]:
    release = parts.models.release(digest)
    moved = alias.moves(parts.database, release.project)[-1].event
    return {"release": release, "since": moved.time, "who": moved.who, "why": moved.why}


def list_answers(
    parts: State, key: ApiKey, state: str | None, name: str | None, before: tuple[float, str] | None
) -> dict[str, Any]:
    """A page of answers, newest first; raises `RequestMalformed` for a state that there is not."""
    wanted: list[AnswerState] = [one for one in ANSWER if one == state]
    if state and not wanted:
        raise RequestMalformed(f'no answer is ever "{state:.40}"', f"The states are {', '.join(ANSWER)}.")
    found = answers.find(parts.database, name, states=wanted, owner=owner_of(key), before=before, limit=PAGE + 1)
    more = found[PAGE - 1] if len(found) > PAGE else None
    return {
        "items": [shown(parts, one) | {"seconds": proving(one)} for one in found[:PAGE]],
        "more": more and f"{more.created!r}~{more.id}",
        "states": list(ANSWER),
        "names": sorted({one.project for one in releases.find(parts.database)}),
        "state": state,
        "name": name,
    }


def one_answer(parts: State, one: Answer) -> dict[str, Any]:
    """One answer: its row, what was answered in words and numbers, its proof, its transaction, its way."""
    found = shown(parts, one)
    release = parts.models.release(one.release)
    proof = None
    if one.shows is not None:
        proof = Proof.from_json(artefacts.get(parts.database, one.shows))
    return {
        "answer": one,
        "shown": found,
        "release": release,
        "names": _names(parts, one),
        "answered": _said(proof, one),
        "steps": _steps(one),
        "words": None if proof is None else len(proof.public_inputs),
        "bytes": None if proof is None else len(proof.body),
        "transaction": transactions.get(parts.database, one.transaction) if one.transaction else None,
    }


def _names(parts: State, one: Answer) -> list[str] | None:
    try:
        return [feature.name for feature in parts.models.of(one.release).circuit.features]
    except AssayError:  # only the public part is held here
        return None


def _said(proof: Proof | None, one: Answer) -> list[dict[str, Any]]:
    """For each row: the class if the model classifies, its probabilities, and the numbers."""
    if proof is None or not one.outputs:
        return []
    values = one.outputs["values"]
    labels = _if_any(proof.labels)
    likely = _if_any(proof.probabilities)
    first = (one.evidence.get("joined") or {"first": 0})["first"]
    return [
        {
            "values": value,
            "integers": one.outputs["integers"][row - first],
            "ended": row - first in one.outputs.get("ended", ()),
            "label": None if labels is None else labels[row],
            "likely": None if likely is None else [float(part) for part in likely[row]],
        }
        for row, value in enumerate(values, first)
    ]


def _if_any(asked: Any) -> Any:
    try:
        return asked()
    except AssayError:  # the model does not classify
        return None


def _steps(one: Answer) -> list[dict[str, Any]]:
    steps, before = [], None
    for state, at in one.timeline:
        steps.append({"state": state, "at": at, "after": None if before is None else at - before})
        before = at
    return steps


def said_on_chain(parts: State, name: str) -> tuple[str, str] | None:
    """(chain, registry) where a registry says what decides of a project; None where the record alone does."""
    try:
        task = Project(parts.settings.project).task
        found = decided_on_chain(parts.database, task) if task.name == name else None
    except AssayError:  # no task here, or a node's address that only other parts' environment holds
        found = None
    if found is not None:
        return found.on.name, found.address
    return last_default(parts.database, name)  # such as of another project of the same database


def list_releases(parts: State) -> dict[str, Any]:
    """Releases by project, newest first, each project's decider, and its history."""
    deciders = champions(parts)
    projects: dict[str, Any] = {}
    for one in reversed(releases.find(parts.database)):
        projects.setdefault(one.project, {"items": [], "champion": deciders.get(one.project)})["items"].append(one)
    for name, found in projects.items():
        found["moves"] = list(reversed(alias.moves(parts.database, name)))
        versions = {one.digest: one.version for one in found["items"]}
        found["versions"] = versions
        found["said"] = verdicts(parts.database, name)
        found["on_chain"] = said_on_chain(parts, name)
    return {"projects": projects}


def one_release(parts: State, name: str, version: str) -> dict[str, Any]:
    """One release, and what differs from the one that decides (or decided before it)."""
    release = releases.get(parts.database, name, version)
    deciding = champions(parts).get(name)
    other = parts.models.release(deciding) if deciding and deciding != release.digest else None
    return {
        "release": release,
        "deciding": deciding == release.digest,
        "on_chain": said_on_chain(parts, name),
        "said": verdicts(parts.database, name).get(release.digest, []),
        "other": other,
        "differences": [] if other is None else compare(parts.database, other, release),
        "card": _text(parts, release, "model-card.md"),
        "task": _text(parts, release, "task.toml"),
    }


def _text(parts: State, release: Any, name: str) -> str | None:
    part = release.public["parts"].get(name)
    return None if part is None else artefacts.get(parts.database, part["digest"]).decode(errors="replace")


def list_transactions(parts: State) -> dict[str, Any]:
    """The newest transactions of all chains."""
    found = transactions.recent(parts.database, PAGE)
    return {"items": [(one, cost(one)) for one in found], "states": list(TRANSACTION)}


def settings_of(parts: State) -> dict[str, Any]:
    """What the service was started with, and its API keys; no secret is among them."""
    found = parts.settings
    limits = {
        "answers that may wait": found.most_waiting,
        "rows of one request": found.most_rows,
        "bytes of one request": found.most_bytes,
        "seconds that a request may wait": found.longest_wait,
    }
    return {
        "settings": found,
        "address": parts.database.shown,
        "limits": limits,
        "outputs": [(one, health(parts.database, one, found.name)) for one in found.outputs],
        "keys": sorted(keys.current(parts.database).values(), key=lambda key: key.name),
    }
