"""What came of answers that were asked for at the endpoint: brought by whoever learns it, kept once, and corrected only
with a reason, which the history keeps beside both values.

Of a live loop's periods the chain says it (`assay.serve.live`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core import jsontext
from assay.record import answers, artefacts, journal, releases
from assay.record.errors import Conflict
from assay.record.journal import Event
from assay.serve.errors import AnswerEnded, KeyNeeded, RequestMalformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from assay.record.answers import Answer
    from assay.record.database import Database

GIVEN, CHANGED = "outcome.given", "outcome.changed"
MANIFEST = "manifest.json"
LONGEST = 200
"""Characters of a class's name, where nothing says which there are."""

MANY, SHOWN = 10, 60
"""Classes, and characters of a value, that a refusal names."""
LARGEST = 1e100
"""So that the square of an outcome, and a sum of those, is a number."""

Value = bool | int | float | str


@dataclass(frozen=True)
class Brought:
    """What somebody says came of an answer.

    Attributes
    ----------
    value
        A number, or a class by its name or number; of several rows one for each, None where it is not known yet.
    who
        An API key's id, or an account.
    request
        Idempotency key: the same one is the same outcome, also if another came since.
    correct
        Why it is other than what was said before.
    """

    value: Value | Sequence[Value | None]
    who: str
    request: str | None = None
    correct: str | None = None


def bring(database: Database, name: str, brought: Brought, *, look: bool = False) -> tuple[Answer, bool]:
    """Keep what came of an answer; returns the answer as it then is, and whether anything changed.

    Parameters
    ----------
    look
        Change nothing, and say whether anything would.

    Raises
    ------
    Unknown
        There is no such answer.
    RequestMalformed
        The outcome is none of what the model predicts, or not one for each row.
    AnswerEnded
        Nothing was answered, the rows were forgotten, or the chain says what comes of it.
    Conflict
        Another outcome is kept, and no reason given; or the idempotency key was used for another one.
    KeyNeeded
        It corrects, without an idempotency key.
    """
    one = answers.get(database, name)
    _require_open(one)
    correct = _reason(brought)
    given = _fitting(one, brought.value, *asked(database, one.release))
    what = {"said": given, "before": None, "now": given, "request": brought.request}
    happened = Event(GIVEN if correct is None else CHANGED, one.id, brought.who, what, correct or "as it came")

    def wanted(connection: Connection) -> bool:
        """Whether it is new, with nobody else's event between this look and the event."""
        if brought.request is not None and _was_said(connection, one, brought, given):
            return False
        kept = answers.outcome_in(connection, one.id)
        now = _together(kept, given)
        if now == kept:
            if correct is None or look:
                return False
            what.update(before=kept, now=kept)  # remembered: it must not undo what comes before it arrives again
            return True
        if _changes(kept, given) and correct is None:
            raise Conflict(
                f"what came of {one.id} is kept already, and is {_shown(kept)}, not {_shown(given)}",
                "Bring the same again, or say why it changes: a reason. The history keeps both.",
            )
        what.update(before=kept, now=now)
        if not look:
            answers.observe_in(connection, one.id, now)
        return True

    if look:
        with database.read() as connection:
            return one, wanted(connection)
    changed = journal.append_if(database, one.project, happened, wanted) is not None and what["before"] != what["now"]
    return answers.get(database, one.id), changed


def _reason(brought: Brought) -> str | None:
    found = (brought.correct or "").strip() or None
    if "\0" in (found or ""):
        raise RequestMalformed("the reason has a character that is no text", "Leave NUL out.")
    if found is not None and brought.request is None:
        raise KeyNeeded(
            "a correction has no Idempotency-Key",
            "Send one: without it a correction that arrives twice would undo a later one.",
        )
    return found


def _require_open(one: Answer) -> None:
    if one.period is not None:
        raise AnswerEnded(f"what comes of {one.id} is read from its chain", "Nothing needs to be brought.")
    if one.ended and one.outputs is None:
        raise AnswerEnded(f"{one.id} is {one.state}: nothing was answered, so nothing came of it", "Leave it out.")
    if one.row is None:
        raise AnswerEnded(f"the rows of {one.id} were forgotten, so nothing can be judged by it", "Leave it out.")


def asked(database: Database, release: str) -> tuple[str | None, tuple[str, ...]]:
    """The type of what the release predicts, and the names of its classes; None and none where nothing says it."""
    parts = releases.by_digest(database, release).public["parts"]
    if MANIFEST not in parts:
        return None, ()
    manifest: Any = jsontext.parse(artefacts.get(database, parts[MANIFEST]["digest"]))
    return manifest.get("type"), tuple(manifest.get("classes", ()))


def _fitting(one: Answer, value: Any, kind: str | None, classes: tuple[str, ...]) -> Any:
    """As it is kept: a number or a class's name; of several rows a list."""
    rows = len(one.row)
    if not isinstance(value, list | tuple):
        if rows != 1:
            raise RequestMalformed(f"{one.id} has {rows} rows, and one outcome was given", "Give a list, one for each.")
        return _value(value, kind, classes)
    if len(value) != rows:
        raise RequestMalformed(
            f"{one.id} has {rows} rows, and {len(value)} outcomes were given", "Give one for each, null if not known."
        )
    found = [None if given is None else _value(given, kind, classes) for given in value]
    return found[0] if rows == 1 else found


def _value(given: Any, kind: str | None, classes: tuple[str, ...]) -> Any:
    if classes:
        names = [str(given)]
        if isinstance(given, bool):
            names += [str(given).lower(), str(int(given))]
        elif isinstance(given, float) and given.is_integer():
            names.append(str(int(given)))
        for name in names:
            if name in classes:
                return name
        known = ", ".join(classes[:MANY]) + (", ..." if len(classes) > MANY else "")
        raise RequestMalformed(f"the outcome {_shown(given)} is no class of the model", f"They are {known}.")
    if isinstance(given, str) and kind is None and 0 < len(given) <= LONGEST and given.isprintable():
        return given
    if isinstance(given, int | float) and not isinstance(given, bool) and _is_finite(given):
        return given
    raise RequestMalformed(f"the outcome {_shown(given)} is no finite number", "Give it in the unit of the target.")


def _is_finite(given: float) -> bool:
    return abs(given) <= LARGEST


def _was_said(connection: Connection, one: Answer, brought: Brought, given: Any) -> bool:
    """Whether this request was kept before; raises `Conflict` where it said something else."""
    for event in journal.read_in(connection, one.project, [GIVEN, CHANGED], subject=one.id):
        if (event.who, event.what.get("request")) == (brought.who, brought.request):
            if event.what["said"] != given:
                raise Conflict(
                    f'the key "{brought.request:.60}" was used for another outcome of {one.id}',
                    "Use a new key for each.",
                )
            return True
    return False


def _together(kept: Any, given: Any) -> Any:
    """What is known of each row: what is given, else what was kept."""
    if not isinstance(given, list):
        return kept if given is None else given
    before = kept if isinstance(kept, list) else [None] * len(given)
    return [old if new is None else new for old, new in zip(before, given, strict=True)]


def _changes(kept: Any, given: Any) -> bool:
    """Whether something that was known is said to be otherwise."""
    if kept is None or given is None:
        return False
    if not isinstance(given, list):
        return bool(kept != given)
    return any(old is not None and new is not None and old != new for old, new in zip(kept, given, strict=True))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
