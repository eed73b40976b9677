"""Entry point: runs one command and turns whatever happens into an exit code and at most one line.

====  ==================================================================
code  meaning
====  ==================================================================
0     done; for `verify`: valid; for `check`: the circuit is faithful
1     `verify`: the proof is not valid; `check`: the circuit is not faithful;
      `monitor`: an alarm stands
2     the command could not be carried out or was interrupted; nothing
      is left half-written, and what was finished before is kept
3     `decide`, `run`: no candidate meets every limit of the task;
      `retrain run`: a gate refuses the new model
====  ==================================================================
"""

from __future__ import annotations

import os
import signal
import sys

import typer

from assay.cli import commands, interruption
from assay.cli.app import app
from assay.cli.output import complain, complain_about
from assay.core.errors import AssayError

FAILED = 2
INTERRUPTED = 2
_STEPS = {"data", "decide", "explore", "report", "retrain", "run"}
_TYPER_INTERRUPTED = 128 + signal.SIGINT  # typer's word for KeyboardInterrupt


def run(arguments: list[str]) -> int:
    """Run `assay ARGUMENTS` and return the exit code."""
    json = "--json" in arguments
    try:
        commands.register(arguments)
        if not arguments or arguments in [[group.name] for group in app.registered_groups]:
            arguments = [*arguments, "--help"]
        code = app(arguments, prog_name="assay", standalone_mode=False)
        if code == _TYPER_INTERRUPTED:
            raise KeyboardInterrupt  # noqa: TRY301
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - one line, never a traceback
        return _stopped(error, arguments, json=json)
    return code if isinstance(code, int) else 0


def main() -> None:
    """Run the command line."""
    interruption.watch()
    sys.exit(run(sys.argv[1:]))


def _stopped(error: BaseException, arguments: list[str], *, json: bool) -> int:
    """Say in one line why the command did not end well."""
    if interruption.asked() or isinstance(error, KeyboardInterrupt | typer.Abort):
        kept = "what was finished is kept" if arguments[0] in _STEPS else "nothing was written"
        complain("cli/interrupted", f"Interrupted; {kept}. Run the command again.", json=json)
        return INTERRUPTED
    if isinstance(error, AssayError):
        complain_about(error, json=json)
    elif isinstance(error, typer.TyperException):
        complain("cli/usage", _sentence(error), json=json)
    elif isinstance(error, BrokenPipeError):
        # Whoever read standard output has left; what is still buffered must not raise at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif isinstance(error, MemoryError):
        complain("cli/out-of-memory", "There is not enough memory for this. Use fewer rows at once.", json=json)
    elif os.environ.get("ASSAY_DEBUG"):
        raise error
    else:
        # The last line of defence: a bug, but no traceback.
        what = " ".join(f"{type(error).__name__}: {error}".split())
        complain("internal", f"This is a bug in Assay: {what:.300}. Set ASSAY_DEBUG=1 and report it.", json=json)
    return FAILED


def _sentence(error: typer.TyperException) -> str:
    message = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)  # of the command, once it is known which
    command = "assay" if context is None else context.command_path
    return f"{message}{'' if message.endswith('?') else '.'} See `{command} --help`."
