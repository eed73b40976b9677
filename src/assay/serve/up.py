"""`assay up`: the parts of the service as processes, started together, ended together, started again when one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from assay.record.database import Database
from assay.serve import keys
from assay.serve import parts as run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

    from assay.serve.settings import Settings

Part = Literal["api", "work", "live", "settle", "outputs"]
PARTS: tuple[Part, ...] = get_args(Part)
_GRACE_SECONDS = 20.0
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0


def serve_api(settings: Settings, database: Database, told: Callable[[str], None]) -> None:
    """Run the endpoint in this process until SIGTERM or SIGINT; requests that are under way are answered first."""
    import uvicorn

    from assay.serve.api.app import make_app

    app = make_app(settings, database)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=int(_GRACE_SECONDS),
        h11_max_incomplete_event_size=64 << 10,
    )

    class Server(uvicorn.Server):
        """Ends well when it is asked to end: uvicorn's own would raise the signal again afterwards."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, self.handle_exit)
            yield

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.assay.stopping.set()  # a page that listens for changes would hold the end up
            super().handle_exit(sig, frame)

    server = Server(config)
    thread = threading.Thread(target=_tell, args=(server, told), daemon=True)
    thread.start()
    server.run()


def _tell(server: object, told: Callable[[str], None]) -> None:
    while not getattr(server, "started", False):
        time.sleep(0.02)
    for one in getattr(server, "servers", []):
        for socket in one.sockets:
            host, port = socket.getsockname()[:2]
            told(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}")


@dataclass
class Child:
    """A part in a process of its own, started again, later each time, when it ends by itself."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    wait: float = _FIRST_WAIT
    not_before: float = 0.0
    started: float = field(default=0.0)

    def look(self, told: Callable[[str], None]) -> None:
        """Start it if it does not run."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            self.wait = _FIRST_WAIT if now - self.started > _LONGEST_WAIT else min(_LONGEST_WAIT, self.wait * 2)
            told(f"the part {self.name} ended with {self.process.returncode}; it is started again in {self.wait:g} s")
            self.process, self.not_before = None, now + self.wait
        if now >= self.not_before:
            self.process = subprocess.Popen(self.command, env=self.environment)  # noqa: S603  our own interpreter
            self.started = now

    def ask_to_end(self) -> None:
        """Ask it to finish what is under way."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self) -> None:
        """Wait until it has finished; kill it if it does not."""
        if self.process is None:
            return
        try:
            self.process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


def up(settings: Settings, parts: Sequence[Part], told: Callable[[str], None]) -> None:
    """Start the parts and stay until SIGTERM or SIGINT.

    Parameters
    ----------
    told
        Told, in one line each, what a person at the terminal should know.
    """
    database = Database(settings.database)
    first = keys.first_admin(database, settings.project / ".assay")
    if first is not None:
        told(f"an admin's API key was written to {first} (only you can read it)")
    alone = {"work": run.work, "live": run.live, "settle": run.settle, "outputs": run.outputs}
    if len(parts) == 1 and parts[0] in alone:
        database.close()
        alone[parts[0]](settings, told)
        return
    children = [_child(settings, part) for part in parts if part in alone]
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(children, stop, told), daemon=True)
    watcher.start()
    try:
        if "api" in parts:
            serve_api(settings, database, told)
        else:
            ended = run.ending()
            while not ended():
                stop.wait(0.1)
    finally:
        stop.set()
        watcher.join()
        for child in children:
            child.ask_to_end()
        for child in children:
            child.end()
        database.close()


def _child(settings: Settings, part: Part) -> Child:
    command = [sys.executable, "-m", "assay", "up", "-C", str(settings.project), "--only", part]
    command += ["--chain", settings.chain or "none"]
    # The address may hold a password, and everybody can read a process's arguments.
    return Child(part, command, os.environ | {"ASSAY_DATABASE": settings.database})


def _watch(children: Sequence[Child], stop: threading.Event, told: Callable[[str], None]) -> None:
    while not stop.is_set():
        for child in children:
            child.look(told)
        stop.wait(0.1)
