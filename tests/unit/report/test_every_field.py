"""Every field of task.toml does something: each is changed, and what is checked, found, decided or said changes.

The sections are read from the schema itself, so a field without a case fails here. Those of [data] are in
tests/unit/data/test_fields.py.
"""

from __future__ import annotations

import shutil
from typing import get_args

import pytest

from assay.core.errors import AssayError
from assay.data.build import build
from assay.models.cost.cost import Calibration
from assay.models.search.explore import explore
from assay.project.check import check
from assay.report.write import write_report
from assay.task.chains import ChainSpec
from assay.task.data import DataSpec
from assay.task.outputs import OutputSpec, Serve
from assay.task.research import People
from assay.task.retrain import Retrain
from assay.task.sections import Section
from assay.task.task import Task
from assay.task.watch import Watch

from .conftest import CALIBRATION, content, decided, write_task

MONEY = {"loss": "abs(y - prediction)", "unit": "USD"}
RMSE = {"limits": {"metric": "rmse"}}
QUICK = {"trials": 4, "folds": 3, "seed": 5, "families": ["linear", "tree"]}
KNOWN = {"name": "rows", "known": "at once", "cost": "free", "used": True, "why": "it is all there is"}
OTHER = {"name": "mempool", "known": "before the block", "cost": "a node", "used": False, "why": "it is not kept"}
WORK = {"title": "A paper", "finding": "That it works."}


def existing(**more):
    return {"existing": {"kind": "column", "column": "today"} | more}


def constant(number):
    return existing(kind="constant", column=None, value=number) | explored()


def rule(text):
    return existing(kind="rule", column=None, rule=text) | explored()


def function(name):
    return existing(kind="function", column=None, function=name) | explored()


def predict(**more):
    return {"predict": {"target": "y", "type": "regression"} | more}


def protocol(**more):
    return {"protocol": more}


def value(**more):
    return {"value": more}


def limits(**more):
    return {"limits": more}


def explored(**more):
    return {"explore": QUICK | more}


def research(**more):
    return {"research": more}


def known(**more):
    return research(sources=[KNOWN, OTHER | more])


# How a change is seen, from the cheapest to the dearest: what `assay task check` finds, what the report says, what the
# dataset is, what is decided from the same candidates, and what exploration finds.
CHECK, REPORT, DATA, DECISION, FRONT = "check", "report", "dataset", "decision", "front"
CASES = {
    "Task.schema_": (CHECK, {}, {"schema": "assay-task/99"}),
    "Task.name": (REPORT, {"title": ""}, {"title": "", "name": "other"}),
    "Task.title": (REPORT, {}, {"title": "Another question"}),
    "Existing.kind": (FRONT, explored(), constant(0.0)),
    "Existing.description": (REPORT, existing(), existing(description="By hand")),
    "Existing.value": (FRONT, constant(0.0), constant(1.0)),
    "Existing.column": (FRONT, explored(), existing(column="x0") | explored()),
    "Existing.rule": (FRONT, rule("today"), rule("today * 2")),
    "Existing.function": (FRONT, function("f.py:f"), function("f.py:g")),
    "Predict.target": (DATA, predict(), predict(target="x0")),
    "Predict.type": (DATA, predict(), predict(type="binary")),
    "Predict.unit": (REPORT, predict(), predict(unit="USD")),
    "Predict.description": (REPORT, predict(), predict(description="What comes")),
    "Protocol.kind": (REPORT, protocol(), protocol(kind="amm")),
    "Protocol.chain": (REPORT, protocol(), protocol(chain="base")),
    "Protocol.chain_id": (CHECK, protocol(), protocol(chain_id=5)),
    "Protocol.block_seconds": (DECISION, protocol(), protocol(block_seconds=0.001)),
    "Protocol.latency_blocks": (DECISION, protocol(), protocol(latency_blocks=1, feature_delay_blocks=0)),
    "Protocol.feature_delay_blocks": (DECISION, protocol(), protocol(feature_delay_blocks=9)),
    "Protocol.state": (REPORT, protocol(), protocol(state="The fee")),
    "Protocol.inputs": (FRONT, explored(), protocol(inputs="private") | explored()),
    "Protocol.model": (CHECK, protocol(), protocol(model="public")),
    "Value.loss": (FRONT, explored(), value(loss="abs(y - prediction)") | explored()),
    "Value.unit": (DECISION, value(**MONEY | {"unit": "ETH"}) | RMSE, value(**MONEY) | RMSE),
    "Value.usd_per_unit": (
        DECISION,
        value(**MONEY | {"unit": "ETH"}) | RMSE,
        value(**MONEY | {"unit": "ETH"}, usd_per_unit=3.0) | RMSE,
    ),
    "Value.decisions_per_day": (REPORT, value(), value(decisions_per_day=7.0)),
    "Value.gas_price_gwei": (DECISION, value(), value(gas_price_gwei=2.0)),
    "Value.native_usd": (DECISION, value(), value(native_usd=100.0)),
    "Value.machine_usd_per_hour": (DECISION, value(), value(machine_usd_per_hour=100.0)),
    "Limits.metric": (DECISION, limits(), limits(metric="mae")),
    "Limits.better_than_existing": (DECISION, limits(), limits(better_than_existing=0.99)),
    "Limits.confidence": (DECISION, limits(better_than_existing=0.0), limits(better_than_existing=0.0, confidence=0.0)),
    "Limits.require": (DECISION, limits(), limits(require=["rmse <= 0.0001"])),
    "Limits.choose": (DECISION, value(**MONEY) | RMSE, value(**MONEY) | limits(metric="rmse", choose="cheapest")),
    "Limits.prove_seconds": (DECISION, limits(), limits(prove_seconds=0.0101)),
    "Limits.memory_mb": (DECISION, limits(), limits(memory_mb=26.0)),
    "Limits.gas": (DECISION, limits(), limits(gas=190_000)),
    "Limits.usd_per_inference": (DECISION, limits(), limits(usd_per_inference=0.61)),
    "Limits.latency_blocks": (DECISION, limits(), limits(latency_blocks=1) | protocol(feature_delay_blocks=0)),
    "Explore.families": (FRONT, explored(), explored(families=["linear"])),
    "Explore.trials": (FRONT, explored(), explored(trials=5)),
    "Explore.seed": (FRONT, explored(), explored(seed=6)),
    "Explore.folds": (FRONT, explored(), explored(folds=4)),
    "Research.works": (REPORT, research(), research(works=[WORK])),
    "Research.strategy": (REPORT, research(), research(strategy="First the simple ones.")),
    "Research.sources": (CHECK, research(), research(sources=[OTHER])),
    "Work.title": (REPORT, research(works=[WORK]), research(works=[WORK | {"title": "Another"}])),
    "Work.link": (REPORT, research(works=[WORK]), research(works=[WORK | {"link": "https://example.org/paper"}])),
    "Work.finding": (REPORT, research(works=[WORK]), research(works=[WORK | {"finding": "That it does not."}])),
    "Known.name": (CHECK, known(), research(sources=[KNOWN | {"name": "else"}, OTHER])),
    "Known.used_today": (REPORT, known(), known(used_today=True)),
    "Known.for_a_person": (REPORT, known(), known(for_a_person=True)),
    "Known.known": (REPORT, known(), known(known="a day later")),
    "Known.cost": (REPORT, known(), known(cost="500 USD")),
    "Known.used": (CHECK, known(), research(sources=[KNOWN | {"used": False}, OTHER])),
    "Known.why": (REPORT, known(), known(why="it is forged")),
}
# What another test holds.
ELSEWHERE = {
    "Protocol.max_batch": "tests/unit/bench/test_decide.py: keys of other batches",
    "Explore.workers": "tests/unit/models/search/test_workers.py: the same results from more processes",
}
OF_A_SECTION = {
    ChainSpec: "tests/unit/task/test_chains.py",
    DataSpec: "tests/unit/data/test_fields.py",
    People: "tests/unit/report/test_people.py",
    OutputSpec: "tests/unit/serve/outputs/",
    Retrain: "tests/unit/keep/retrain/test_due.py",
    Serve: "tests/unit/serve/test_forget.py",
    Watch: "tests/unit/keep/watch/test_service.py",
}


def sections(model=Task):
    """Every section below `model` with its fields, each once; other sections are no fields of their own."""
    inner = {}
    fields = set()
    for name, about in model.model_fields.items():
        found = [one for one in parts_of(about.annotation) if issubclass(one, Section)]
        inner |= dict.fromkeys(found)
        if not found or model is not Task:
            fields.add(name)
    yield model.__name__, fields
    for one in inner:
        if one not in OF_A_SECTION:
            yield from sections(one)


def parts_of(annotation):
    """The classes that a type is made of."""
    if isinstance(annotation, type):
        yield annotation
    for one in get_args(annotation):
        yield from parts_of(one)


def test_no_field_is_left_out():
    every = {f"{name}.{field}" for name, fields in sections() for field in fields}
    assert {name.partition(".")[0] for name in every} == {
        *("Task", "Existing", "Predict", "Protocol", "Value", "Limits", "Explore", "Research", "Work", "Known")
    }
    assert every - set(CASES) - set(ELSEWHERE) == set()
    assert (set(CASES) | set(ELSEWHERE)) - every == set()


@pytest.mark.parametrize("name", CASES)
def test_a_field_that_is_changed_changes_what_comes_of_it(name, stages, tmp_path):
    lens, *tasks = CASES[name]
    before, after = (seen(lens, stages, content(**task), tmp_path / str(at)) for at, task in enumerate(tasks))
    assert before != after
    # An error on both sides would say nothing of the field.
    assert not (isinstance(before, AssayError) and isinstance(after, AssayError)), (before, after)


def seen(lens, stages, task, folder):
    """What comes of a task, as far as the lens goes."""
    stages.copy(folder, front=lens == REPORT, decision=lens == REPORT)
    write_task(folder, {name: without_none(value) for name, value in task.items()})
    (folder / "f.py").write_text("def f(rows):\n    return rows['today']\ndef g(rows):\n    return rows['today'] * 2\n")
    try:
        loaded = Task.load(folder)
        if lens == CHECK:
            return check(folder).lines()
        if lens == REPORT:
            return [path.read_text() for path in write_report(folder, progress=lambda _: None)]
        if lens == DATA:
            return build(loaded, folder, folder / "again").hash
        if lens == DECISION:
            return decided(loaded, stages.front).model_dump(mode="json")
        return front_of(loaded, stages, folder)
    except AssayError as error:
        return error


def front_of(task, stages, folder):
    """What exploration finds: the candidates with their figures, and how many trials there were."""
    shutil.rmtree(folder / "candidates", ignore_errors=True)
    front = explore(task, stages.dataset, folder / "candidates", folder, calibration=Calibration.load(CALIBRATION))
    listed = [*front.candidates, *front.references]
    return front.trials, [(one.family, one.title, one.cv.mean, dict(one.validation)) for one in listed]


def without_none(value):
    return {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value
