"""Whatever happens becomes an exit code and at most one line on standard error."""

import json
import os
import signal
import subprocess
import sys
from threading import Event

import pytest

from assay.cli import commands, interruption, verify
from assay.cli.app import app
from assay.cli.main import run
from assay.cli.output import progress
from assay.core.errors import DiskFull
from assay.prove.keys import VerifyingKey


@pytest.fixture
def failing(monkeypatch):
    """Make `assay verify` fail in the given way."""

    def arrange(error):
        def load(path):
            raise error

        monkeypatch.setattr(VerifyingKey, "load", load)
        return ["verify", "folder", "proof.json"]

    return arrange


def test_help_lists_every_command(capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in ("transpile", "check", "prove", "verify", "solidity", "bench", "srs"):
        assert f"\n  {command} " in shown


@pytest.mark.parametrize("arguments", [[], ["srs"]])
def test_no_command_shows_the_help(capsys, arguments):
    assert run(arguments) == 0
    assert capsys.readouterr().out.startswith("Usage: assay")


@pytest.mark.parametrize(
    ("typed", "offered"), [("assay ver", {"verify"}), ("assay srs im", {"import"}), ("assay verify --js", {"--json"})]
)
def test_a_shell_completes_what_is_typed(typed, offered):
    environment = {"_ASSAY_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    command = [sys.executable, "-m", "assay"]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert set(done.stdout.split()) == offered


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("assay 0.")


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["verify"],
        ["verify", "a", "b", "c"],
        ["prove", "d", "--output", "x"],
        ["transpile", "m", "--out", "d", "--inputs", "secret"],
        ["srs", "generate", "--log-degree", "x"],
        ["bench", "d", "--input", "r", "--runs", "0"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(capsys, arguments):
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error[cli/usage]: ")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("command", [["status"], ["explore"], ["data", "build"], ["task", "check"], ["row"]])
def test_the_project_that_is_an_argument_may_follow_c_as_elsewhere(capsys, tmp_path, command):
    assert run([*command, str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert str(tmp_path) in said
    assert run([*command, "-C", str(tmp_path)]) == 2
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    "arguments", [["status", "a", "-C", "b"], ["status", "-C", "a", "-C", "b"], ["status", "-C"], ["setup", "-C", "a"]]
)
def test_one_folder_and_where_there_is_one(capsys, arguments):
    assert run(arguments) == 2
    assert capsys.readouterr().err.startswith("error[cli/usage]: ")


def test_an_error_is_one_line_with_its_code(capsys, failing):
    assert run(failing(DiskFull("cannot write x: no space", "Free some."))) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "error[io/disk-full]: cannot write x: no space. Free some.\n")


def test_an_error_is_an_object_with_json(capsys, failing):
    assert run([*failing(DiskFull("cannot write x", "Free some.")), "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "io/disk-full"
    assert error["message"] == "cannot write x. Free some."
    assert error["retry"] is True


def test_an_interruption_is_one_line_and_exit_2(capsys, failing):
    assert run(failing(KeyboardInterrupt())) == 2
    assert (
        capsys.readouterr().err == "error[cli/interrupted]: Interrupted; nothing was written. Run the command again.\n"
    )


@pytest.mark.parametrize("error", [RuntimeError("odd\nthing"), MemoryError(), RecursionError("deep")])
def test_a_bug_is_one_line_too(capsys, failing, error):
    assert run(failing(error)) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error[")
    assert shown.count("\n") == 1


def test_a_bug_shows_its_traceback_when_asked_to(monkeypatch, failing):
    monkeypatch.setenv("ASSAY_DEBUG", "1")
    with pytest.raises(RuntimeError, match="odd"):
        run(failing(RuntimeError("odd")))


def test_every_command_takes_json(capsys):
    for command in (["transpile"], ["check"], ["prove"], ["verify"], ["solidity"], ["bench"], ["srs", "import"]):
        assert run([*command, "--help"]) == 0
        assert "--json" in capsys.readouterr().out


def test_commands_import_no_room_before_they_run():
    assert not hasattr(verify, "VerifyingKey")


def test_an_interrupt_that_was_taken_for_another_error_is_still_one(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(interruption, "_asked", Event())
    assert run(["task", "check", str(tmp_path)]) == 2
    assert "[io/not-found]" in capfd.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        interruption._ask(signal.SIGINT, None)
    assert run(["task", "check", str(tmp_path)]) == 2
    assert "[cli/interrupted]" in capfd.readouterr().err
    # A step that goes on although the interrupt was swallowed stops at the next word it says.
    with progress("Working") as step, pytest.raises(KeyboardInterrupt):
        step("further")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prov"], "No such command 'prov'. Did you mean 'prove'? See `assay --help`."),
        (["bench", "folder"], "Missing option '--input'. See `assay bench --help`."),
        (["release", "show"], "Missing argument 'V'. See `assay release show --help`."),
    ],
)
def test_what_is_called_wrongly_names_the_help_of_the_command(arguments, said, capsys):
    assert run(arguments) == 2
    assert capsys.readouterr().err == f"error[cli/usage]: {said}\n"


def test_a_command_is_in_the_files_that_are_imported_for_it(capsys):
    commands.register()
    found = {}

    def look(group, names=()):
        for one in group.registered_commands:
            name = one.name or one.callback.__name__
            found.setdefault((*names, name)[0], set()).add(one.callback.__module__.removeprefix("assay.cli."))
        for inner in group.registered_groups:
            look(inner.typer_instance, (*names, inner.name))

    look(app)
    assert {name: set(commands.files_of(name)) for name in found} == found
    assert {file for files in found.values() for file in files} == set(commands.FILES)
    assert commands.files_of("bogus") == commands.files_of("--help") == commands.FILES


def test_a_command_imports_no_other_commands_and_a_group_alone_shows_its_help():
    program = (
        "import sys; from assay.cli.main import run; run(['feed']); print(sorted(m for m in sys.modules if m in {}))"
    )
    told = {f"assay.cli.{file}" for file in commands.FILES}
    done = subprocess.run(
        [sys.executable, "-c", program.format(told)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert done[0] == "Usage: assay feed [OPTIONS] COMMAND [ARGS]..."
    assert done[-1] == "['assay.cli.feed']"
