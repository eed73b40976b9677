"""Run one measured stage in a process of its own, watched so that it cannot take the machine down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.1
SPARE_BYTES = 2 << 30
MESSAGE_LENGTH = 600


class StageFailed(Exception):
    """A stage ended with an error, or was stopped; the message says how."""

    def __init__(self, stage: str, message: str, peak_memory_bytes: int) -> None:
        super().__init__(f"{stage}: {message}")
        self.stage = stage
        self.message = message
        self.peak_memory_bytes = peak_memory_bytes


@dataclass(frozen=True)
class Limits:
    """When a stage is stopped: seconds of wall time, and bytes of memory (None: all but 2 GiB of what is free)."""

    seconds: float = 3600.0
    memory_bytes: int | None = None


def run_stage(
    stage: str, command: list[str], *, limits: Limits, cwd: Path, environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """Run `command` with the path of a result file appended and return the JSON it writes there.

    Raises:
        StageFailed: it ended with another code than 0, used too much memory or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        result, log = Path(folder) / "result.json", Path(folder) / "log.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, str(result)],
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                stopped, peak = _watch(process, limits)
            finally:
                _end(process)
        if stopped is not None:
            raise StageFailed(stage, stopped, peak)
        if process.returncode != 0 or not result.is_file():
            raise StageFailed(stage, _reason(process.returncode, log), peak)
        measured: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return measured


def failure(error: Exception) -> dict[str, Any]:
    """What went wrong and where, for a result's record; what is no stage is the settlement on the node."""
    if isinstance(error, StageFailed):
        return {"stage": error.stage, "message": error.message, "peak_memory_bytes": error.peak_memory_bytes}
    return {"stage": "settlement", "message": str(error)}


def peak_memory_bytes() -> int:
    """High-water mark of this process's memory.

    Not `getrusage`: its mark also counts the parent's memory at the moment of the fork.
    """
    return _status_bytes(Path("/proc/self/status"), "VmHWM")


def memory_in_use_bytes() -> int:
    """Memory of this process now."""
    return _status_bytes(Path("/proc/self/status"), "VmRSS")


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> tuple[str | None, int]:
    """Wait for the end; why it was stopped (None: it ended by itself) and the most memory it was seen with."""
    limit = limits.memory_bytes or max(_free_bytes() - SPARE_BYTES, 1 << 30)
    deadline = time.monotonic() + limits.seconds
    status = Path(f"/proc/{process.pid}/status")
    peak = 0
    while process.poll() is None:
        peak = max(peak, _status_bytes(status, "VmRSS"))
        if peak > limit:
            return f"stopped: it needed more than the {limit / 1e9:.1f} GB of memory that were free", peak
        if time.monotonic() > deadline:
            return f"stopped after {limits.seconds:.0f} s", peak
        time.sleep(POLL_SECONDS)
    return None, peak


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the stage and what it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _reason(code: int, log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if code < 0:
        lines.append(f"ended by {signal.Signals(-code).name}")
    # The last line of a traceback is the error; other programs may say more in the lines before.
    shown = lines[-1:] if any(line.startswith("Traceback") for line in lines) else lines[-3:]
    return " | ".join(shown)[-MESSAGE_LENGTH:] or f"ended with code {code}"


def _free_bytes() -> int:
    return _status_bytes(Path("/proc/meminfo"), "MemAvailable")


def _status_bytes(path: Path, field: str) -> int:
    """A field in kB of one of the kernel's status files; 0 when the process has just ended."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    _, found, rest = text.partition(f"{field}:")
    return int(rest.split(maxsplit=1)[0]) * 1024 if found else 0
