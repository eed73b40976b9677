"""Every command and option that a page of the site names is there, and every piece of a task is of one."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
from jsonschema import Draft202012Validator
from tools import site

from assay.cli import commands
from assay.cli.app import app

ROOT = Path(__file__).parents[3]
_FENCE = re.compile(r"^(```|~~~)([^\n]*)\n(.*?)^\1", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`(assay [^`]+)`(?!`)", re.DOTALL)
_LINE = re.compile(r"^(?:\$ |[A-Z_]+=\S+ )*(assay .+)$", re.MULTILINE)


def named(text):
    """What stands on a page as a command: lines of its blocks, and what is written as code within a sentence."""
    for _, _, block in _FENCE.findall(text):
        yield from _LINE.findall(block.replace("\\\n", " "))
    yield from (" ".join(found.split()) for found in _INLINE.findall(_FENCE.sub("", text)))


def faults(line, root):
    """What of a command there is not: words that are no command, options that it has not."""
    words = shlex.split(line.replace("'s", "s"), comments=True)[1:]
    reached = [(root, "assay")]
    for word in words:
        if word in {"|", ">", ">>", "&&", ";", "&"} or word.startswith("$("):
            return
        if word.startswith("--"):
            for name in word.split("|"):
                if not all(has(command, name.partition("=")[0]) for command, _ in reached):
                    yield f"{reached[0][1]} has no {name}"
        elif all(hasattr(command, "commands") for command, _ in reached):
            step = [(command, path, one) for command, path in reached for one in word.split("|")]
            if word.isupper():
                return
            if wrong := [f"{path} {one}" for command, path, one in step if one not in command.commands]:
                yield from (f"there is no {one}" for one in wrong if not one.endswith("..."))
                return
            reached = [(command.commands[one], f"{path} {one}") for command, path, one in step]


def has(command, option):
    own = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    return option.strip(".,:)]") in own | {"--help"}


@pytest.fixture(scope="module")
def root():
    commands.register()
    return typer.main.get_command(app)


@pytest.mark.parametrize("page", site.pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_of_a_page_are_there(page, root):
    lines = list(named(page.read_text(encoding="utf-8")))
    assert [f"{line}: {fault}" for line in lines for fault in faults(line, root)] == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("assay certfy --out cert.json", "there is no assay certfy"),
        ("assay release promot 2", "there is no assay release promot"),
        ("assay certify --output cert.json", "assay certify has no --output"),
        ("assay experiment plan|begin", "there is no assay experiment begin"),
        ("assay release promote 2 --reason x | tee log", None),
    ],
)
def test_one_that_is_not_there_is_named(line, fault, root):
    assert list(faults(line, root)) == ([] if fault is None else [fault])


@pytest.mark.parametrize("page", site.pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_whatever_a_page_writes_into_a_task_is_of_it(page):
    """Pieces of a task: what they leave out is elsewhere, and what they have is known and of its kind."""
    schema = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "task.schema.json").read_text()))
    blocks = [tomllib.loads(block) for _, kind, block in _FENCE.findall(page.read_text()) if kind.startswith("toml")]
    tasks = [block for block in blocks if "profile" not in block]  # Foundry's
    wrong = [f"{one.json_path}: {one.message}" for task in tasks for one in schema.iter_errors(task)]
    assert [one for one in wrong if not one.endswith("is a required property")] == []
