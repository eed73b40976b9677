"""Questions of a new project, in plain words, and what counts as an answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.task.chains import KNOWN_IDS
from assay.task.errors import AnswerMissing

Answers = Mapping[str, Any]
Ask = Callable[[str, str | None], str]
"""Shows a question and a default, returns what was typed; raises EOFError where nobody answers."""


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    name
        What `--answer NAME=VALUE` calls it.
    text
        The question; may depend on the answers before it.
    read
        From what was typed to the value; raises AnswerMissing if it is no answer.
    default
        What counts if nothing is typed, None if the answer is needed; may depend on the answers before it.
    level
        "always": asked; "more": asked if the user wants to say more; "never": only given or default.
    when
        Whether the answers before it leave it open; else its default counts, and it is not asked.
    """

    name: str
    text: str | Callable[[Answers], str]
    read: Callable[[str, Answers], Any] = field(default=lambda text, _: text)
    default: str | Callable[[Answers], str | None] | None = None
    level: str = "always"
    when: Callable[[Answers], bool] = field(default=lambda _: True)


def interview(questions: tuple[Question, ...], given: Mapping[str, str], ask: Ask | None) -> dict[str, Any]:
    """Ask what was not given; without `ask`, or when nobody answers, defaults count.

    Raises
    ------
    AnswerMissing
        If a given answer is none, is to no question, or one without a default is missing.
    """
    _refuse_unknown(questions, given)
    answers: dict[str, Any] = {}
    more = False
    for level in ("always", "more", "never"):
        chosen = [question for question in questions if question.level == level]
        if level == "more" and ask is not None and any(question.name not in given for question in chosen):
            more = _wants_more(ask)
        asking = ask if level == "always" or (level == "more" and more) else None
        for question in chosen:
            open_ = question.name not in given and question.when(answers)
            answers[question.name] = _answer(question, given, answers, asking if open_ else None)
    return answers


def _answer(question: Question, given: Mapping[str, str], answers: Answers, ask: Ask | None) -> Any:
    default = question.default(answers) if callable(question.default) else question.default
    if question.name in given:
        return question.read(given[question.name].strip(), answers)
    if ask is None and default is not None:
        return question.read(default, answers)
    text = question.text(answers) if callable(question.text) else question.text
    problem = ""
    while ask is not None:
        try:
            typed = ask(f"{problem}{text}", default).strip()
        except EOFError:
            break
        try:
            return question.read(typed or default or "", answers)
        except AnswerMissing as error:
            problem = f"{error}\n"
    if problem:
        raise AnswerMissing(problem.strip())
    if default is None:
        raise AnswerMissing(f'"{text}" has no answer', f"Give it with --answer {question.name}=VALUE.")
    return question.read(default, answers)


def _wants_more(ask: Ask) -> bool:
    text = "Shall I also ask about the chain, the costs and what is good enough? (yes or no)"
    try:
        return ask(text, "no").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _refuse_unknown(questions: tuple[Question, ...], given: Mapping[str, str]) -> None:
    names = [question.name for question in questions]
    for name in given:
        if name not in names:
            raise AnswerMissing(f'no question is called "{name}"', f"They are called {', '.join(names)}.")


def number(low: float = 0.0, *, above: bool = False) -> Callable[[str, Answers], float]:
    """An answer that is a number of at least `low`, or above it."""

    def read(text: str, _answers: Answers) -> float:
        try:
            value = float(text.replace("_", ""))
        except ValueError:
            raise AnswerMissing(f'"{text}" is no number', "Write it like 0.25.") from None
        if not (low < value if above else low <= value) or value == float("inf"):
            raise AnswerMissing(f"{text} is {'not above' if above else 'below'} {low:g}", "Give a larger number.")
        return value

    return read


def whole(low: int, *, optional: bool = False) -> Callable[[str, Answers], int | None]:
    """An answer that is a whole number of at least `low`; nothing is None if it is optional."""

    def read(text: str, _answers: Answers) -> int | None:
        if optional and text in {"", "none"}:
            return None
        if not re.fullmatch(r"[0-9][0-9_]{0,17}", text) or int(text) < low:
            raise AnswerMissing(f'"{text}" is no whole number of at least {low}', "Write digits only.")
        return int(text)

    return read


def optional_number(text: str, answers: Answers) -> float | None:
    """An answer that is a number above 0, or nothing."""
    return None if text in {"", "none"} else number(above=True)(text, answers)


def _known_id(name: str) -> str | None:
    return str(KNOWN_IDS[name]) if name in KNOWN_IDS else None


PROTOCOL = (
    Question("chain", "On which chain does the answer act?", default="ethereum", level="more"),
    Question(
        "chain_id",
        "What is that chain's id?",
        whole(1),
        lambda given: _known_id(given["chain"]),
        level="more",
        when=lambda given: given["chain"] not in KNOWN_IDS,
    ),
    Question("block_seconds", "How many seconds from one block to the next?", number(above=True), "12", level="more"),
    Question(
        "latency_blocks",
        "How many blocks may pass from the end of the data until the answer has acted? (none: no limit)",
        whole(1, optional=True),
        "none",
        level="more",
    ),
    Question("decisions_per_day", "How many answers a day are needed?", number(above=True), "24", level="more"),
    Question("gas_price_gwei", "What does a unit of gas cost, in gwei?", number(), "1", level="more"),
    Question("native_usd", "What does the chain's native token cost, in USD?", number(), "3000", level="more"),
    Question(
        "better_than_existing",
        "How much better than today must a model be? (0.05 is 5 % better, 0 at least as good)",
        number(),
        "0",
        level="more",
    ),
    Question(
        "usd_per_inference",
        "What may one proven answer cost, in USD? (none: no limit)",
        optional_number,
        "none",
        level="more",
    ),
    Question("trials", "How many models shall be tried?", whole(1), "40", level="more"),
)
"""What every template asks last, and takes a default for."""
