"""The typer application that the commands register themselves with."""

from __future__ import annotations

from typing import Annotated

import typer

import assay

app = typer.Typer(
    name="assay",
    help="Prove what a trained model says, in zero knowledge, and verify it on Ethereum.",
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

srs_app = typer.Typer(help="Reference strings: the public parameters that all keys share.")
app.add_typer(srs_app, name="srs")

task_app = typer.Typer(help="The question: what exists, what is predicted, for whom, how good is enough.")
app.add_typer(task_app, name="task")

release_app = typer.Typer(help="Releases: what was decided, kept for ever; which one decides; and the way back.")
app.add_typer(release_app, name="release")

key_app = typer.Typer(help="API keys of the service that `assay up` starts.")
app.add_typer(key_app, name="key")


def _version(wanted: bool) -> None:  # noqa: FBT001  (typer calls it with the option's value)
    if wanted:
        typer.echo(f"assay {assay.__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Prove what a trained model says, in zero knowledge, and verify it on Ethereum."""
    del version
