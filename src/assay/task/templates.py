"""The projects that `assay init` can start: what each asks, and which files it writes."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core import files as core_files
from assay.task import guess
from assay.task.credit import CATEGORIES
from assay.task.errors import AnswerMissing, TemplateUnknown
from assay.task.fields import MISSING, seconds
from assay.task.questions import PROTOCOL, Answers, Question, number, whole
from assay.task.read import nearest
from assay.task.timing import QUESTIONS, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FOLDER = Path(__file__).with_name("templates")
LIBRARY = "contracts/assay"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_FUNCTION = re.compile(r"[^:]+\.py:[A-Za-z_]\w*\Z")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z")
_TYPES = ("regression", "binary", "multiclass")


@dataclass(frozen=True)
class Template:
    """A kind of project.

    Attributes
    ----------
    name, about
        What `--template` takes, and one sentence.
    title
        The question, where the answers do not say it.
    questions
        In the order they are asked.
    complete
        From the answers and the project's folder to what the template's text needs.
    files
        Beside task.toml: name in the project, name in the template.
    contract
        The consumer that fits, filled in like task.toml: its name in `contracts/`; empty for none.
    library
        What it imports of Assay's own contracts, as they are: paths in `contracts/assay/`.
    """

    name: str
    about: str
    title: str
    questions: tuple[Question, ...]
    complete: Callable[[dict[str, Any], Path], dict[str, Any]] = lambda answers, _: answers
    files: Mapping[str, str] = field(default_factory=dict)
    contract: str = ""
    library: tuple[str, ...] = ()

    @property
    def written(self) -> tuple[str, ...]:
        """Every file beside task.toml and .gitignore."""
        own = (*self.files, f"contracts/{self.contract}") if self.contract else tuple(self.files)
        return own + tuple(f"{LIBRARY}/{file}" for file in self.library)

    def render(self, answers: dict[str, Any], folder: Path, name: str) -> dict[str, str]:
        """The project's files: texts by name."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        environment = Environment(  # noqa: S701  it writes TOML, not HTML
            loader=FileSystemLoader(_FOLDER),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["toml"] = toml
        environment.filters["toml_key"] = toml_key
        values = {"name": name, "title": self.title} | self.complete(answers, folder)
        task = environment.get_template(f"{self.name}/task.toml.j2").render(values)
        ignored = (_FOLDER / "gitignore").read_text(encoding="utf-8")
        own = {file: (_FOLDER / self.name / source).read_text(encoding="utf-8") for file, source in self.files.items()}
        if self.contract:
            contract = environment.get_template(f"{self.name}/{self.contract}.j2")
            own[f"contracts/{self.contract}"] = contract.render(values)
        own |= library(self.library)
        return {"task.toml": task, ".gitignore": _completed(folder / ".gitignore", ignored)} | own


def library(files: Sequence[str]) -> dict[str, str]:
    """Assay's own contracts, by their places in a project."""
    return {f"{LIBRARY}/{file}": (_FOLDER / "contracts" / file).read_text(encoding="utf-8") for file in files}


def _completed(place: Path, ours: str) -> str:
    """What a .gitignore that is there already says, and of ours what it lacks."""
    if not place.is_file():
        return ours
    text = core_files.read(place).decode("utf-8", "surrogateescape")
    known = text.splitlines()
    lacking = [line for line in ours.splitlines() if line not in known]
    if not any(line for line in lacking if not line.startswith("#")):
        return text
    return text + ("\n" if text and not text.endswith("\n") else "") + "\n".join(lacking) + "\n"


def template(name: str) -> Template:
    """The template of that name; raises TemplateUnknown."""
    if name not in TEMPLATES:
        guessed = nearest(name, TEMPLATES)
        raise TemplateUnknown(f'no template is called "{name}"', f"{guessed} They are {', '.join(TEMPLATES)}.".strip())
    return TEMPLATES[name]


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, float) and abs(value) < 1e15 and value == int(value):
        return f"{value:.1f}"
    # JSON's strings are TOML's, but for the one control character that JSON leaves alone.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(name: str) -> str:
    """A name as TOML writes it in a table's header: bare where it may be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml(name)


def _columns(answers: Answers) -> str:
    rows: guess.Rows = answers["file"]
    shown = ", ".join(rows.columns[:30]) + (", ..." if len(rows.columns) > 30 else "")
    return f"Which column holds the answer to predict? The columns are: {shown}."


def _target(text: str, answers: Answers) -> str:
    rows: guess.Rows = answers["file"]
    if rows.head[_column(text, answers)].null_count() == rows.head.height:
        raise AnswerMissing(f"the column {text} of {rows.path} has no value", "Name the one that holds the answers.")
    return text


def _column(text: str, answers: Answers) -> str:
    rows: guess.Rows = answers["file"]
    if text not in rows.columns:
        guessed = nearest(text, rows.columns)
        raise AnswerMissing(
            f'{rows.path} has no column "{text}"', f"{guessed} It has {', '.join(rows.columns)}.".strip()
        )
    return text


def _type(text: str, _answers: Answers) -> str:
    if text not in _TYPES:
        raise AnswerMissing(f'"{text}" is no kind of answer', f"{nearest(text, _TYPES)} Choose {', '.join(_TYPES)}.")
    return text


def _existing(text: str, answers: Answers) -> dict[str, Any]:
    """A number, a column, a function of the project, an SQL rule, or nothing."""
    rows: guess.Rows = answers["file"]
    if text.lower() in {"", "nothing", "none"}:
        usual = guess.usual_answer(rows, answers["target"], answers["type"])
        about = "Nothing decides today; this stands for the answer of somebody who knows no features"
        about += guess.whose_share(rows, answers["target"], answers["type"])
        return {"kind": "constant", "field": "value", "value": usual, "description": about}
    if _NUMBER.match(text):
        if not math.isfinite(float(text)):
            raise AnswerMissing(f"{text:.40} is too large for a number", "Write a smaller one.")
        about = "The same answer for every row."
        return {"kind": "constant", "field": "value", "value": float(text), "description": about}
    if text in rows.columns:
        about = f"The column {text} holds today's answers."
        return {"kind": "column", "field": "column", "value": text, "description": about}
    if _FUNCTION.match(text):
        return {"kind": "function", "field": "function", "value": text, "description": "A Python function."}
    if re.fullmatch(r"\w+", text):
        raise AnswerMissing(f'{rows.path} has no column "{text}"', nearest(text, rows.columns) or "Check the name.")
    return {"kind": "rule", "field": "rule", "value": text, "description": "A rule over the columns."}


def _complete_blank(answers: dict[str, Any], folder: Path) -> dict[str, Any]:
    rows: guess.Rows = answers["file"]
    existing, target = answers["existing"], answers["target"]
    return (
        answers
        | settings(answers)
        | {
            "title": f"Predict {target}, better than today",
            "source": rows.kind,
            "dialect": rows.dialect.named,
            "missing": rows.missing if rows.missing != MISSING else (),
            "path": _from(rows.path, folder),
            "keep": [existing["value"]] if existing["kind"] == "column" else [],
            "drop": [],
        }
    )


def _from(path: Path, folder: Path) -> str:
    """The path as the project names it: relative where both lie in one folder tree, so that it can move."""
    absolute, base = path.resolve(), folder.resolve()
    if absolute.is_relative_to(base.parent):
        return Path(os.path.relpath(absolute, base)).as_posix()
    return absolute.as_posix()


def _address(text: str, _answers: Answers) -> str:
    if not _ADDRESS.match(text):
        raise AnswerMissing(f'"{text}" is no address', "An address is 0x and 40 hexadecimal digits.")
    return text


def _last_block(text: str, answers: Answers) -> int | str | None:
    return "latest" if text == "latest" else whole(0)(text, answers)


def _with_defaults(**defaults: str) -> tuple[Question, ...]:
    """The common questions with a template's own defaults."""
    return tuple(
        Question(q.name, q.text, q.read, defaults.get(q.name, q.default), q.level) if q.name in defaults else q
        for q in PROTOCOL
    )


def _complete_fee(answers: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Labels begin where the answer can act: bars that pass before are left out."""
    bar, blocks = answers["bar"], answers["latency_blocks"] or 0
    gap = int(blocks * answers["block_seconds"] // seconds(bar)) if blocks else 0
    # Whole numbers of about ten digits, whatever the assets' decimals.
    places, thousandths = 9 + answers["decimals0"] - answers["decimals1"], answers["decimals0"] - 3
    factor = f" * POW(10, {places})" if places > 0 else ""
    price = f"reserve1_raw{factor} // reserve0_raw"
    flow = f" // POW(10, {thousandths})" if thousandths > 0 else ""
    # A contract counts fees in hundredths of a basis point, and ages in seconds.
    contract = {
        "existing_fee": round(answers["fee_percent"] * 10_000),
        "fee_slope": round(answers["slope"] * 1_000_000),
        "max_age": int(8 * seconds(answers["bar"])),
    }
    return answers | {"gap": gap, "price": price, "flow": flow} | contract


def _duration(text: str, _answers: Answers) -> str:
    try:
        seconds(text)
    except ValueError as error:
        raise AnswerMissing(str(error)) from None
    return text


_FOLLOWER = (
    "VerifierCalls.sol",
    "consumers/RegistryFollower.sol",
    "interfaces/IAssayVerifier.sol",
    "registry/IGate.sol",
    "registry/IModelRegistry.sol",
    "registry/ModelRegistry.sol",
)

_BLANK = Template(
    "blank",
    "Rows of your own: a CSV or Parquet file with a column to predict.",
    "",
    (
        Question("file", "Which file holds your rows, one case a row? (.csv or .parquet)", lambda t, _: guess.look(t)),
        Question("target", _columns, _target),
        Question(
            "type",
            "What kind of answer is it? (regression: a number; binary: one of two; multiclass: one of several)",
            _type,
            lambda answers: guess.kind_of_target(answers["file"], answers["target"]),
        ),
        Question(
            "existing",
            "What decides today? (a number, a column, an SQL rule over the columns, FILE.py:FUNCTION, or nothing)",
            _existing,
            "nothing",
        ),
        *QUESTIONS,
        *PROTOCOL,
    ),
    _complete_blank,
)

_DYNAMIC_FEE = Template(
    "dynamic-fee",
    "A pool's fee that follows a forecast of volatility, from its swaps on the chain.",
    "Should the pool's fee follow tomorrow's volatility?",
    (
        Question("pool", "What is the pool's address? (it emits Uniswap v2's Swap and Sync)", _address),
        Question("rpc", "Which node has its history? ($NAME: from the environment)", default="$RPC_URL"),
        Question("fee_percent", "What is the fee today, in percent?", number(above=True), "0.3"),
        Question("start_block", "From which block?", whole(0), "0", "more"),
        Question("end_block", "To which block?", _last_block, "latest", "more"),
        Question("bar", "How long is a bar? Four of them are the horizon.", _duration, "6h", "more"),
        Question("decimals0", "How many decimals has asset 0?", whole(0), "18", "more"),
        Question("decimals1", "How many decimals has asset 1?", whole(0), "18", "more"),
        Question("slope", "Which fee does a daily volatility of 1 mean?", number(above=True), "0.4", "never"),
        Question("noise_percent", "What would be traded a day without a fee, in percent?", number(), "1.5", "never"),
        *_with_defaults(latency_blocks="1800", better_than_existing="0.02"),
    ),
    _complete_fee,
    contract="PoolFee.sol",
    library=(
        "AssayWords.sol",
        "FeeLine.sol",
        "RowCalls.sol",
        "consumers/ObservedFee.sol",
        "consumers/ObservedRegistryFee.sol",
        "consumers/RegistryFee.sol",
        "examples/FixedFee.sol",
        "interfaces/IFeeSource.sol",
        "interfaces/IObservations.sol",
        "interfaces/IRow.sol",
        "observations/Observations.sol",
        "observations/Observed.sol",
        "registry/ModelWithRow.sol",
        *_FOLLOWER,
    ),
)

_CREDIT_SCORE = Template(
    "credit-score",
    "Who will pay a credit back: tabular data that a Python package carries, against a scorecard.",
    "Does a model know better than the scorecard who will pay a credit back?",
    _with_defaults(decisions_per_day="50"),
    lambda answers, _: {**answers, "categories": CATEGORIES},
    {"existing.py": "existing.py"},
    contract="BorrowerLimit.sol",
    library=(
        "AssayWords.sol",
        "consumers/CreditLimit.sol",
        "examples/FixedLimit.sol",
        "interfaces/ILimitSource.sol",
        *_FOLLOWER,
    ),
)

TEMPLATES = {found.name: found for found in (_DYNAMIC_FEE, _CREDIT_SCORE, _BLANK)}
