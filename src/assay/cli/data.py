"""`assay data`: collect, build and check the rows that models learn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.app import Group, app
from assay.cli.options import Json, Project  # noqa: TC001  (typer reads them)
from assay.cli.output import Output, progress, size, warn

if TYPE_CHECKING:
    from assay.data.dataset.dataset import Dataset

DATA_FOLDER = "data"
_MOST_CLASSES = 6

Collecting = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="A Ray cluster that collects chain data, by ranges of blocks."),
]
Building = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="A Ray cluster that collects chain data, decodes it and makes bars of it, by ranges of blocks.",
    ),
]

data_app = Group(help="Collect, build and check the rows that models learn from.")
app.add_typer(data_app, name="data")


@data_app.command("collect")
def collect(project: Project = Path(), *, ray: Collecting = None, json: Json = False) -> None:
    """Collect chain data from nodes; what is there already is not asked for again."""
    from assay.data.collect import collect as run
    from assay.task.task import Task

    task = Task.load(project)
    with progress("Collecting") as step:
        found = run(task, project, progress=step, ray=ray)
    rows = [(name, f"blocks {first} to {last}, {size(count)}") for name, first, last, count in found]
    fields = {"tables": [{"table": n, "first_block": a, "last_block": b, "bytes": c} for n, a, b, c in found]}
    Output(json=json).table(fields, f"{project}: {len(found)} tables of chain data", rows)


@data_app.command("build")
def build(project: Project = Path(), *, ray: Building = None, json: Json = False) -> None:
    """Build the dataset: sources, bars, features, labels, split; done already if nothing has changed."""
    from assay.data.dataset.dataset import Dataset
    from assay.data.spread import ALONE
    from assay.project.project import Project as Opened

    with progress("Building the dataset") as step:

        def told(words: str) -> None:
            step(words)
            if ALONE in words:  # a cluster was asked for
                warn(words)

        Opened(project).step("data", progress=told, ray=ray)
    _show(Dataset.load(project / DATA_FOLDER), Output(json=json))


@data_app.command("show")
def show(project: Project = Path(), *, json: Json = False) -> None:
    """Say what the dataset holds."""
    from assay.data.dataset.dataset import Dataset

    _show(Dataset.load(project / DATA_FOLDER), Output(json=json))


@data_app.command("check")
def check(project: Project = Path(), *, json: Json = False) -> int:
    """Look for leaks and broken contracts: exit 0 if there are none, 1 if there are."""
    from assay.data.check import check as run
    from assay.task.task import Task

    task = Task.load(project)
    with progress("Checking the data") as step:
        report = run(task, project, progress=step)
    Output(json=json).result(report.to_dict(), str(report))
    return 0 if report.ok else 1


@data_app.command("compare")
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A table: a source, SOURCE.DATASET, or an event.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The table it is compared with.")],
    project: Project = Path(),
    *,
    on: Annotated[list[str] | None, typer.Option("--on", metavar="COLUMN", help="What tells rows apart.")] = None,
    json: Json = False,
) -> int:
    """Compare two tables that should be the same, such as one chain from two nodes: exit 0 if they are, 1 if not."""
    from assay.data.compare import compare as run
    from assay.task.task import Task

    task = Task.load(project)
    with progress("Comparing") as step:
        found = run(task, project, first, second, on=on or (), progress=step)
    Output(json=json).result(found.to_dict(), str(found))
    return 0 if found.equal else 1


@data_app.command("rows")
def rows(
    project: Project = Path(),
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write them (.json or .parquet).")],
    part: Annotated[str, typer.Option("--part", metavar="NAME", help="train, validation or test.")] = "test",
    last: Annotated[int | None, typer.Option("--last", min=1, help="Only so many, the latest.")] = None,
    json: Json = False,
) -> None:
    """Write rows of the dataset as `assay prove --input` takes them; with `window` in [data], whole windows."""
    from assay.data.dataset.dataset import Dataset
    from assay.data.rows_file import write_rows

    dataset = Dataset.load(project / DATA_FOLDER)
    with progress("Writing rows"):
        count = write_rows(dataset, part, out, last)
    fields = {"file": str(out), "rows": count, "part": part, "features": dataset.inputs}
    window = dataset.manifest.window
    shown = [("part", part), ("numbers a row", str(len(dataset.inputs)))]
    shown += [("window", f"{window} rows, the oldest first")] if window > 1 else []
    Output(json=json).table(fields, f"{out}: {count} rows", shown)


def _show(dataset: Dataset, output: Output) -> None:
    about = dataset.manifest
    parts = ", ".join(f"{name} {part.rows}" for name, part in about.rows.items())
    unit = "rows" if about.entity is None else "times"
    rows = [
        ("rows", f"{sum(part.rows for part in about.rows.values())} ({parts})"),
        *([("series", f"{about.series}, told apart by {about.entity}")] if about.entity else []),
        ("features", str(len(about.features))),
        *([("window", f"{about.window} rows, {about.before} of them in no part")] if about.window > 1 else []),
        ("target", f"{about.target} ({about.type}){_classes(about.classes)}"),
        ("split", f"by {about.split}" + f", embargo of {about.embargo} {unit}" * bool(about.embargo)),
        ("hash", about.content_hash[:16]),
    ]
    rows += about.told()
    fields = {"folder": str(dataset.folder), **about.model_dump(mode="json", by_alias=True)}
    output.table(fields, str(dataset.folder), rows)


def _classes(names: tuple[str, ...]) -> str:
    """Which class has which number, where their names do not say it: a probability is that of class 1."""
    if list(names) == [str(number) for number in range(len(names))]:
        return ""
    listed = [f"{number} is {name:.40}" for number, name in enumerate(names)]
    return f": {', '.join(listed[:_MOST_CLASSES])}{', ...' if len(listed) > _MOST_CLASSES else ''}"
