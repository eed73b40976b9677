"""`assay up`: the parts of the service as processes, started together, ended together, started again when one dies."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from assay.core.errors import AssayError
from assay.record.database import Database
from assay.serve import keys, pulse, turning
from assay.serve import parts as run
from assay.serve.errors import CannotListen
from assay.serve.turning import Turning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

    from assay.serve.settings import Settings
    from assay.serve.watching import Watching

Part = Literal["api", "work", "live", "settle", "outputs", "watch"]
PARTS: tuple[Part, ...] = get_args(Part)
SILENT_SECONDS = 60.0
"""A part that has not said for so long that it runs is ended, and started again."""
_GRACE_SECONDS = 20.0
_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""Of a name's addresses this machine may have some: without IPv6 it has one of localhost's two."""
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0
_LONGEST_LOOK = 1.0
_WATCH_AFTER = 5.0
"""Seconds after the others in which the watch starts: it looks back, and what answers has the processor first."""


def listening(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen at every address of a host, before anything else is started; raises `CannotListen`."""
    if found := turning.inherited():
        return found
    missing: OSError | None = None
    try:
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                found.append(socket.create_server(address, family=family))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
        if missing is not None and not found:
            raise missing
    except OSError as error:
        for one in found:
            one.close()
        raise CannotListen(
            f"the endpoint cannot listen on {host}:{port} ({error.strerror or error})",
            "Choose another --port (0 takes a free one) or --host, or end what listens there.",
        ) from None
    return found


def serve_api(
    settings: Settings,
    database: Database,
    sockets: list[socket.socket],
    told: Callable[[str], None],
    watching: Watching | None = None,
    *,
    hung: Callable[[float], None] = lambda _: None,
) -> None:
    """Run the endpoint in this process until SIGTERM or SIGINT; requests that are under way are answered first.

    Parameters
    ----------
    hung
        Told for how many seconds the event loop has not turned.
    """
    import uvicorn

    from assay.serve.api.app import make_app
    from assay.serve.api.http import Http

    app = make_app(settings, database, None if watching is None else watching.view(settings, database))
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=int(_GRACE_SECONDS),
        http=Http,
    )

    class Server(uvicorn.Server):
        """Says that it turns, and ends well when it is asked to end: uvicorn's own would raise the signal again."""

        async def on_tick(self, counter: int) -> bool:
            turns.beat()
            return await super().on_tick(counter)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, self.handle_exit)
            yield

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.assay.stopping.set()  # a page that listens for changes would hold the end up
            super().handle_exit(sig, frame)

    turns, server = Turning(), Server(config)
    turns.look_after(lambda seconds: os._exit(run.HUNG) if app.state.assay.stopping.is_set() else hung(seconds))
    thread = threading.Thread(target=_tell, args=(server, told), daemon=True)
    thread.start()
    server.run(sockets)
    turns.end()


def _tell(server: object, told: Callable[[str], None]) -> None:
    while not getattr(server, "started", False):
        time.sleep(0.02)
    for one in getattr(server, "servers", []):
        for opened in one.sockets:
            host, port = opened.getsockname()[:2]
            told(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}")


@dataclass
class Child:
    """A part in a process of its own, started again, later each time, when it ends by itself or runs no more.

    Parameters
    ----------
    ends
        Whether it stays ended when it could not be started, or not go on, and said why.
    require
        Raises what keeps it from being started now.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    wait: float = _FIRST_WAIT
    not_before: float = 0.0
    ends: bool = False
    require: Callable[[], None] = lambda: None
    code: int | None = None
    started: float = field(default=0.0)
    _pulse: int = -1
    _looked: float = 0.0
    _silence: float = 0.0

    def look(self, told: Callable[[str], None]) -> None:
        """Start it if it does not run; end it if it does not say that it runs."""
        if self.process is not None and self.process.poll() is None:
            if not self._is_silent():
                return
            told(f"the part {self.name} hangs, or is stopped: nothing was heard of it for {self._silence:.0f} s")
            self._silence = 0.0
            self.process.kill()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_LONGEST_LOOK)
            if self.process.returncode is None:  # the kernel does not let it go yet
                return
        now = time.monotonic()
        if self.process is not None:
            self._ended(now, told)
        if self.code is None and now >= self.not_before:
            self.require()
            self._start()

    def _start(self) -> None:
        self._pulse, theirs = os.pipe()
        os.set_blocking(self._pulse, False)
        environment = {**self.environment, pulse.FILE: str(theirs)}
        try:
            self.process = subprocess.Popen(self.command, env=environment, pass_fds=[theirs])  # noqa: S603  our own
        except OSError:
            os.close(self._pulse)
            raise
        finally:
            os.close(theirs)
        self.started = self._looked = time.monotonic()
        self._silence = 0.0

    def _ended(self, now: float, told: Callable[[str], None]) -> None:
        found = self.process.returncode if self.process is not None else 0
        os.close(self._pulse)
        self.process = None
        if self.ends and found in {1, 2}:
            self.code = found
            return
        self.wait = _FIRST_WAIT if now - self.started > _LONGEST_WAIT else min(_LONGEST_WAIT, self.wait * 2)
        told(f"the part {self.name} ended with {found}; it is started again in {self.wait:g} s")
        self.not_before = now + self.wait

    def _is_silent(self) -> bool:
        """Whether it has not been heard for too long; while this process was stopped itself, it could not listen."""
        now, heard = time.monotonic(), b""
        with suppress(BlockingIOError):
            heard = os.read(self._pulse, 4096)
        self._silence = 0.0 if heard else self._silence + min(now - self._looked, _LONGEST_LOOK)
        self._looked = now
        return self._silence > SILENT_SECONDS

    def ask_to_end(self) -> None:
        """Ask it to finish what is under way."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self, until: float) -> None:
        """Wait until it has finished; kill it if it has not then (by the monotonic clock)."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def up(
    settings: Settings, parts: Sequence[Part], told: Callable[[str], None], watching: Watching | None = None
) -> None:
    """Start the parts and stay until SIGTERM or SIGINT.

    Parameters
    ----------
    told
        Told, in one line each, what a person at the terminal should know.
    watching
        The part "watch", and what the page and the figures show of it.

    Raises
    ------
    CannotListen
        The endpoint's address is taken, or none of this machine.
    SystemExit
        The only part ended by itself; the code is its own.
    """
    watched = pulse.begin()
    sockets = listening(settings.host, settings.port) if "api" in parts else []
    database = Database(settings.database)
    first = keys.first_admin(database, settings.project / ".assay")
    if first is not None:
        told(f"an admin's API key was written to {first} (only you can read it)")
    alone: dict[Part, Callable[[Settings, Callable[[str], None]], None]]
    alone = {"work": run.work, "live": run.live, "settle": run.settle, "outputs": run.outputs}
    if watching is not None:
        alone["watch"] = watching.run
    if watched:
        database.close()
        alone[parts[0]](settings, told)
        return
    # A part that begins where the records are gone would make empty ones in their place.
    children = [_child(settings, part, database.require_file) for part in parts if part in alone]
    for child in children:
        child.ends = len(parts) == 1
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(children, stop, told), daemon=True)
    watcher.start()

    def hung(seconds: float) -> None:
        told(f"the endpoint hangs: it has answered nothing for {seconds:.0f} s; it is started again, and its parts")
        stop.set()
        watcher.join()
        _end(children)
        turning.begin_anew(sockets)

    try:
        if "api" in parts:
            serve_api(settings, database, sockets, told, watching, hung=hung)
        else:
            ended, turns = run.ending(alone=True), Turning()
            while not ended() and any(child.code is None for child in children):
                turns.beat()
                stop.wait(0.1)
    finally:
        stop.set()
        watcher.join()
        _end(children)
        database.close()
    if code := max((child.code or 0 for child in children), default=0):
        raise SystemExit(code)


def _end(children: Sequence[Child]) -> None:
    for child in children:
        child.ask_to_end()
    until = time.monotonic() + _GRACE_SECONDS
    for child in children:
        child.end(until)


def _child(settings: Settings, part: Part, require: Callable[[], None] = lambda: None) -> Child:
    command = [sys.executable, "-m", "assay", "up", "-C", str(settings.project), "--only", part]
    command += ["--chain", settings.chain or "none"]
    # The address may hold a password, and everybody can read a process's arguments.
    later = time.monotonic() + _WATCH_AFTER if part == "watch" else 0.0
    environment = {name: value for name, value in os.environ.items() if name != turning.NOTIFY}
    environment |= {"ASSAY_DATABASE": settings.database}
    return Child(part, command, environment, not_before=later, require=require)


def _watch(children: Sequence[Child], stop: threading.Event, told: Callable[[str], None]) -> None:
    while not stop.is_set():
        for child in children:
            try:
                child.look(told)
            except OSError as error:  # no memory, or no process is left: the others are looked after all the same
                told(f"the part {child.name} cannot be started ({error.strerror}); it is tried again")
                child.not_before = time.monotonic() + _LONGEST_WAIT
            except AssayError as error:
                told(f"the part {child.name} is not started: [{error.code}] {error}")
                child.not_before = time.monotonic() + _LONGEST_WAIT
        stop.wait(0.1)
