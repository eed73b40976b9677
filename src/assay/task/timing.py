"""Questions of a new project about its rows' time, and what `task.toml` comes to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from assay.task import series, times
from assay.task.errors import AnswerMissing
from assay.task.questions import Answers, Question, whole
from assay.task.read import nearest

if TYPE_CHECKING:
    import polars as pl

    from assay.task.guess import Rows

UNKNOWN = "unknown"


def settings(answers: Answers) -> dict[str, Any]:
    """What the project's file says of time, by the names of its template."""
    rows: Rows = answers["file"]
    time = answers["time"]
    said = {"time": time, "random": time is None and bool(rows.times), "sort": False, "entity": None, "horizon": None}
    said |= {"time_unit": None, "time_format": None, "unknown": False}
    if time is None:
        return said
    reading: times.Reading = answers["time_format"]
    said |= {"time_unit": reading.unit, "time_format": reading.form, "entity": answers["entity"]}
    said |= {"horizon": answers["horizon"], "unknown": answers["horizon"] is None}
    return said | {"sort": not _ascending(_timed(rows, time, reading), time, answers["entity"])}


def _timed(rows: Rows, time: str, reading: times.Reading) -> pl.DataFrame:
    """The first rows with the time column read."""
    return rows.head.with_columns(times.moments(rows.head[time], reading).alias(time))


def _ascending(frame: pl.DataFrame, time: str, entity: str | None) -> bool:
    """Whether no time is before that of the row before, of its series."""
    import polars as pl

    step = pl.col(time).shift(1)
    before = step if entity is None else step.over(entity)
    return not frame.select((pl.col(time) < before).any()).item()


def _time(text: str, answers: Answers) -> str | None:
    if text in {"", "none"}:
        return None
    rows: Rows = answers["file"]
    if text not in rows.columns:
        guessed = nearest(text, rows.columns)
        raise AnswerMissing(
            f'{rows.path} has no column "{text}"', f"{guessed} It has {', '.join(rows.columns)}.".strip()
        )
    return text


def _likeliest(answers: Answers) -> str:
    """The column that looks most like the rows' time."""
    found = [one.column for one in answers["file"].times if one.column != answers["target"]]
    return found[0] if found else "none"


def _several(answers: Answers) -> bool:
    return len(answers["file"].times) > 1


def _readings(answers: Answers) -> tuple[times.Reading, ...]:
    """The ways in which the time column reads; of several, those by which the rows are in order."""
    rows: Rows = answers["file"]
    time = answers["time"]
    known = [one.readings for one in rows.times if one.column == time]
    found = known[0] if known else tuple(times.readings(rows.head[time]))
    if len(found) < 2:
        return found
    steady = [one for one in found if series.course(rows.head[time], one)[0] is not None]
    return tuple(steady) if len(steady) == 1 else found


def _form_text(answers: Answers) -> str:
    found = [one.form or one.unit or "ISO 8601" for one in _readings(answers)]
    shown = f" It may be {' or '.join(str(one) for one in found)}." if found else ""
    units = ", ".join(get_args(times.Unit))
    return f'How is {answers["time"]} written? (such as "%d/%m/%Y %H:%M", or what it counts: {units}){shown}'


def _form_default(answers: Answers) -> str | None:
    if answers["time"] is None:
        return ""
    found = _readings(answers)
    return None if len(found) != 1 else found[0].form or found[0].unit or ""


def _unclear(answers: Answers) -> bool:
    return answers["time"] is not None and len(_readings(answers)) != 1


def _form(text: str, answers: Answers) -> times.Reading:
    if answers["time"] is None:
        return times.Reading()
    units: tuple[times.Unit, ...] = get_args(times.Unit)
    unit = next((unit for unit in units if unit == text), None)
    if unit is None and text and (problem := times.problem(text)) is not None:
        raise AnswerMissing(f'"{text}" does not say how times are written: {problem}', "Write it like %d/%m/%Y.")
    reading = times.Reading(unit=unit, form=None if unit else text or None)
    values = answers["file"].head[answers["time"]]
    if values.dtype.is_temporal() and reading != times.Reading():
        raise AnswerMissing(f"{values.name} holds times already", "Leave time_format out.")
    read = times.moments(values, reading)
    if read.null_count() > values.null_count():
        bad = values.filter(read.is_null() & values.is_not_null())[0]
        raise AnswerMissing(f"{values.name} holds {bad!r:.40}, which is no such time", _form_text(answers))
    return reading


def _repeats(answers: Answers) -> bool:
    """Whether some time is there more than once."""
    if answers["time"] is None:
        return False
    return bool(_timed(answers["file"], answers["time"], answers["time_format"])[answers["time"]].is_duplicated().any())


def _entity_text(answers: Answers) -> str:
    asked = f"Times of {answers['time']} are there more than once: which column tells series apart? (none: nothing)"
    parts = [name for name in series.clocks(answers["file"].columns) if name != answers["time"]]
    if not parts:
        return asked
    belong = f"{' and '.join(parts[:3])} {'belongs' if len(parts) == 1 else 'belong'}"
    return f"{asked} If {belong} to the time, make one column of it all first."


def _entity_default(answers: Answers) -> str:
    if not _repeats(answers):
        return "none"
    frame = _timed(answers["file"], answers["time"], answers["time_format"])
    return series.apart(frame, answers["time"], answers["target"]) or "none"


def _horizon_text(answers: Answers) -> str:
    how = _how(answers)
    found = f" It is {how[1]}." if how else ""
    return f"How many rows ahead does {answers['target']} look? (0: it is of its own row; {UNKNOWN}){found}"


def _how(answers: Answers) -> tuple[int, str] | None:
    frame = _timed(answers["file"], answers["time"], answers["time_format"]).sort(answers["time"], maintain_order=True)
    return series.looks_ahead(frame.drop(answers["time"]), answers["target"], answers["entity"])


def _horizon_default(answers: Answers) -> str:
    how = _how(answers) if answers["time"] is not None else None
    return str(how[0]) if how else UNKNOWN


def _horizon(text: str, answers: Answers) -> int | None:
    return None if text == UNKNOWN else whole(0)(text, answers)


def _has_time(answers: Answers) -> bool:
    return answers["time"] is not None


QUESTIONS = (
    Question("time", "Which column is the time of a row? (none: they have no order)", _time, _likeliest, when=_several),
    Question("time_format", _form_text, _form, _form_default, when=_unclear),
    Question("entity", _entity_text, _time, _entity_default, when=_repeats),
    Question("horizon", _horizon_text, _horizon, _horizon_default, when=_has_time),
)
"""What is asked about the rows' time: only what the rows themselves leave open."""
