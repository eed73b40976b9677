"""The typer application that the commands register themselves with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperOption

import assay

if TYPE_CHECKING:
    from collections.abc import Callable


class Command(TyperCommand):
    """A command whose options are each given once: of two values, neither is silently the one that counts."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an option that is given again, unless it takes a list; a project's folder may follow `-C`."""
        args = self._folder(args)
        *_, order = self.make_parser(ctx).parse_args(args=list(args))
        for option in order:
            once = isinstance(option, TyperOption) and not (option.multiple or option.is_flag)
            if once and order.count(option) > 1:
                ctx.fail(f"{option.opts[0]} is given {order.count(option)} times; give it once")
        return super().parse_args(ctx, args)

    def _folder(self, args: list[str]) -> list[str]:
        """`-C DIR` as every command of a project takes it, also those whose argument is the folder."""
        placed = any(isinstance(one, TyperArgument) and one.name == "project" for one in self.params)
        if not placed or "-C" not in args[:-1] or any("-C" in one.opts for one in self.params):
            return args
        place = args.index("-C")
        literal = "--" in args[:place]
        return args if literal else [*args[:place], *args[place + 1 :]]


class Group(typer.Typer):
    """Commands of that kind."""

    def command(self, *args: Any, **options: Any) -> Callable[..., Any]:
        """Register a command."""
        return super().command(*args, cls=Command, **options)


app = Group(
    name="assay",
    help="Prove what a trained model says, in zero knowledge, and verify it on Ethereum.",
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

srs_app = Group(help="Reference strings: the public parameters that all keys share.")
app.add_typer(srs_app, name="srs")

task_app = Group(help="The question: what exists, what is predicted, for whom, how good is enough.")
app.add_typer(task_app, name="task")

release_app = Group(help="Releases: what was decided, kept for ever; which one decides; and the way back.")
app.add_typer(release_app, name="release")

feed_app = Group(help="Feeds: rows that m of n signers vouch for, of what is not on the chain.")
app.add_typer(feed_app, name="feed")

experiment_app = Group(help="Does the model pay: experiments whose result cannot be argued away.")
app.add_typer(experiment_app, name="experiment")

retrain_app = Group(help="Retraining: a new model on what came since, judged on fresh rows, and the way back.")
app.add_typer(retrain_app, name="retrain")

key_app = Group(help="API keys of the service that `assay up` starts.")
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
