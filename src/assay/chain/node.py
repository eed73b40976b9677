"""A real local Ethereum node (Anvil) for demos, benchmarks and tests."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Self

from assay.chain.errors import NodeFailed
from assay.chain.npm import foundry_binary

if TYPE_CHECKING:
    from types import TracebackType

LOCAL_CHAIN_ID = 31337
_LISTENING = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")

# A pipe ties the node to this process: when it ends without a word, as that of a process that was killed, the node
# ends too, and its folder (the first argument) goes.
_TIED = """place=$1; shift; exec 3<&0
(read -r _ <&3 || { kill -9 $$; rm -rf "$place"; }) &
exec "$@" 3<&- </dev/null"""


class LocalNode:
    """An Anvil process on a free port of the loopback interface; a context manager.

    >>> with LocalNode() as node:                                   # doctest: +SKIP
    ...     node.url
    'http://127.0.0.1:41321'

    The node runs the newest hardfork Anvil knows unless `hardfork` names another. Its ten
    accounts are Anvil's public test accounts. The process is ended when the block is left,
    when the object is collected and when the interpreter exits.

    Parameters
    ----------
    hardfork
        Name of a hardfork ("prague", "osaka"), or None for Anvil's newest.
    chain_id
        Id that the chain says it has.
    timeout
        Seconds to wait for the first answer.
    began
        Time of the first block, in seconds since 1970; now, if it is not given. The same transactions at the same
        times then make the same blocks.

    Raises
    ------
    ToolMissing
        Anvil is not installed.
    NodeFailed
        It did not start or did not answer in time.
    """

    def __init__(
        self,
        *,
        hardfork: str | None = None,
        chain_id: int = LOCAL_CHAIN_ID,
        timeout: float = 20.0,
        began: int | None = None,
    ) -> None:
        self._hardfork = hardfork
        self._chain_id = chain_id
        self._timeout = timeout
        self._began = began
        self._process: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., LocalNode] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers; nothing happens when it runs already."""
        if self._process is not None:
            return
        # Port 0: the kernel picks a free port and Anvil prints it, so two nodes cannot collide.
        command = [str(foundry_binary("anvil")), "--host", "127.0.0.1", "--port", "0", "--no-cors"]
        command += ["--chain-id", str(self._chain_id)]
        if self._began is not None:
            command += ["--timestamp", str(self._began)]
        if self._hardfork is not None:
            command += ["--hardfork", self._hardfork]
        log = Path(tempfile.mkdtemp(prefix="assay-anvil-")) / "anvil.log"
        # A node that is killed would leave past states, megabytes a block of a large chain, in the user's home.
        command += ["--cache-path", str(log.parent)]
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603  a fixed program, no input of others
                ["/bin/sh", "-c", _TIED, "sh", str(log.parent), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._end = weakref.finalize(self, _end_process, self._process, log)
        try:
            self.url = self._wait(self._process, log)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process; nothing happens when it has ended already."""
        if self._end is not None:
            self._end()
        self._process, self._end, self.url = None, None, ""

    def _wait(self, process: subprocess.Popen[bytes], log: Path) -> str:
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            text = log.read_text(errors="replace")
            if process.poll() is not None:
                raise NodeFailed(f"Anvil ended with code {process.returncode}: {_last_line(text)}.")
            if (found := _LISTENING.search(text)) and _answers(url := f"http://127.0.0.1:{found[1]}"):
                return url
            time.sleep(0.02)
        raise NodeFailed(
            f"Anvil did not answer within {self._timeout:g} s.", "Try again, or allow more time with `timeout`."
        )


def _answers(url: str) -> bool:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
    # A loopback address that Anvil printed.
    request = urllib.request.Request(  # noqa: S310
        url, body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
            return "result" in json.load(answer)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it printed nothing"


def _end_process(process: subprocess.Popen[bytes], log: Path) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b"over\n")
            process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    shutil.rmtree(log.parent, ignore_errors=True)
