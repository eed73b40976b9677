"""The second half: a release, a registry, a fee that follows it, the service that settles, its death, the way back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from assay.record import answers, releases, transactions
from assay.record.answers import Answer
from assay.record.database import Database
from assay.settle.network import selector
from assay.settle.node import Node
from demo.show import Show, Surprise
from demo.walk import assay
from demo.world import World

CHAIN = "local"
PICTURE, LOG = "page.png", "service.log"
_PATIENCE = 180.0

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Period:
    """One period that was answered, and the fee that followed."""

    block: int
    release: str
    state: str
    latency: int
    fee: int
    killed: bool


@dataclass
class Served:
    """What happened.

    Attributes
    ----------
    periods
        In their order.
    fee_before
        The existing fee, in hundredths of a basis point.
    registry
        What `assay status` says of it at the end.
    findings
        What `assay verify ADDRESS` says of the verifier.
    picture
        File of the page's picture; None without a browser.
    """

    fee_before: int
    periods: list[Period] = field(default_factory=list)
    registry: dict[str, Any] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    picture: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values."""
        return asdict(self)


class Service:
    """`assay up`, in a group of processes of its own."""

    def __init__(self, project: Path, log: Path) -> None:
        command = [sys.executable, "-m", "assay", "up", "-C", str(project), "--port", "0", "--chain", CHAIN]
        self._log, start = log, log.stat().st_size if log.exists() else 0
        with log.open("ab") as file:
            self.process = subprocess.Popen(command, stderr=file, start_new_session=True)
        until = time.monotonic() + _PATIENCE
        self.url = ""
        while not self.url:
            said = log.read_text()[start:]
            if (found := re.search(r"listening on (http://\S+)", said)) is not None:
                self.url = found[1]
            if self.process.poll() is not None or time.monotonic() > until:
                raise Surprise(f"the service did not start: {said.strip()[-300:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """All of it at once, as when a machine loses its power."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        """Let it finish what is under way."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


class Scene:
    """The project on its chain, with the service beside it."""

    def __init__(self, project: Path, folder: Path, world: World, url: str, database: Database) -> None:
        self.project, self.world, self.database = project, world, database
        self.node = Node(CHAIN, 31337, (url,))
        self.log, self.consumer = folder / LOG, ""
        self.service: Service | None = None

    def start(self) -> None:
        """Start the service."""
        self.service = Service(self.project, self.log)

    def fee(self) -> int:
        """What the pool would charge now."""
        return int.from_bytes(self.node.call({"to": self.consumer, "data": selector("fee()")}), "big")

    def period(self, *, kill: bool = False) -> Period:
        """Trade until a period ends, and go on until its answer is settled."""
        known = {one.id for one in self._answers()}
        for _ in range(3):  # the bar's two blocks, and the one that makes it final
            self.world.block()
        one = self._until(
            lambda: next((one for one in self._answers() if one.id not in known), None), "no row was made"
        )
        if kill and self.service is not None:
            self.service.kill()
            self.start()
        return self._settled(one, kill=kill)

    def _settled(self, one: Answer, *, kill: bool) -> Period:
        def ended() -> Answer | None:
            if self.world.waiting():
                self.world.block()
            now = answers.get(self.database, one.id)
            return now if now.ended else None

        done = self._until(ended, "its answer did not end")
        if done.state != "settled" or done.transaction is None:
            raise Surprise(f"the answer of block {done.period} is {done.state}: {done.error}")
        sent = transactions.get(self.database, done.transaction)
        release = releases.by_digest(self.database, done.release)
        latency = int((sent.mined or {})["block"]) - int(done.period or 0)
        return Period(int(done.period or 0), release.name, done.state, latency, self.fee(), kill)

    def _answers(self) -> list[Answer]:
        return answers.find(self.database, None, periods=True)

    def _until(self, found: Callable[[], Answer | None], otherwise: str) -> Answer:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if (one := found()) is not None:
                return one
            time.sleep(0.05)
        raise Surprise(f"{otherwise} within {_PATIENCE:g} s: {self.log.read_text().strip()[-300:]}")


def serve(show: Show, project: Path, folder: Path, url: str, world: World) -> Served:
    """All of it, on the chain that the data are of; stops if anything goes otherwise than it must."""
    at = ("-C", str(project))
    on = (*at, "--chain", CHAIN)
    shown = f"-C {project.name} --chain {CHAIN}"
    (folder / LOG).unlink(missing_ok=True)
    with show.step("Release"):
        made = assay("release", "create", *at, "--note", "the first")
    show.line(f'$ assay release create -C {project.name} --note "the first"')
    show.say(
        f"Version {made['version']} of {made['name']}, digest {made['digest'][:16]}: kept for ever, and it decides."
    )
    with closing(Database.of_project(project)) as database:
        with show.step("Registry") as doing:
            scene = Scene(project, folder, world, url, database)
            world.at_once(on=True)
            doing("deploying verifier, registry and the fee that follows it")
            contracts = {one["name"]: one["address"] for one in assay("deploy", *on)["contracts"]}
            scene.consumer = contracts["consumer"]
            assay("release", "promote", "1", *on, "--reason", "the first")
            world.at_once(on=False)
            served = Served(scene.fee())
            served.findings = assay("verify", contracts["verifier"], *on, "--release", "1")["findings"]
        for command in (f"deploy {shown}", f'release promote 1 {shown} --reason "the first"'):
            show.line(f"$ assay {command}")
        show.line(f"$ assay verify {contracts['verifier'][:8]}... {shown} --release 1")
        explain_registry(show, served, contracts)
        try:
            _periods(show, scene, served, on, shown)
            served.picture = _picture(scene, folder)
            status = assay("status", str(project))["chains"][0]
            served.registry, served.problems = status["registry"], status["problems"]
        finally:
            if scene.service is not None:
                scene.service.end()
    return served


def _periods(show: Show, scene: Scene, served: Served, on: tuple[str, ...], shown: str) -> None:
    with show.step("Service") as doing:
        doing("starting it")
        scene.start()
        doing("following the chain: each period's row, proof and settlement")
        served.periods.append(scene.period())
        doing("the service is killed in the midst of a period, and started again")
        served.periods.append(scene.period(kill=True))
        served.periods.append(scene.period())
    show.line(f"$ assay up {shown}")
    explain_periods(show, served.periods)
    with show.step("Back") as doing:
        doing("a second release decides")
        assay("release", "create", *on[:2], "--note", "the second")
        with _at_once(scene.world):
            assay("deploy", "2", *on)
            assay("release", "promote", "2", *on, "--reason", "a trial")
        second = scene.period()
        doing("and is taken back")
        with _at_once(scene.world):
            assay("release", "back", *on, "--reason", "it was a trial")
        first = scene.period()
        served.periods += [second, first]
    for command in (
        f'release create -C {on[1].rpartition("/")[2]} --note "the second"',
        f"deploy 2 {shown}",
        f'release promote 2 {shown} --reason "a trial"',
        f'release back {shown} --reason "it was a trial"',
    ):
        show.line(f"$ assay {command}")
    explain_periods(show, served.periods[-2:])
    names = [one.release.rpartition("@")[2] for one in served.periods]
    if names != ["1", "1", "1", "2", "1"]:
        raise Surprise(f"the periods were answered by the versions {names}")


@contextmanager
def _at_once(world: World) -> Any:
    world.at_once(on=True)
    yield
    world.at_once(on=False)


def _picture(scene: Scene, folder: Path) -> str | None:
    """The page as a browser shows it."""
    browser = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if browser is None or scene.service is None:
        return None
    key = (scene.project / ".assay" / "admin.key").read_text().strip()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{scene.service.url}/page")
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/page")
        page.screenshot(path=str(folder / PICTURE), full_page=True)
        opened.close()
    return str(folder / PICTURE)


def explain_registry(show: Show, served: Served, contracts: dict[str, str]) -> None:
    """Where everything is."""
    show.table(["contract", "address"], [[name, address] for name, address in contracts.items()])
    marks = {True: "holds", False: "FAILS", None: "open"}
    show.say("\n".join(f"{marks[one['holds']]:<6} {one['name']}: {one['said']}" for one in served.findings))
    show.say(f"No forecast counts yet, so the fee is today's: {served.fee_before / 10_000:.2f} %.")


def explain_periods(show: Show, periods: list[Period]) -> None:
    """Each period: who answered, how many blocks it took, and the fee after it."""
    rows = [
        [
            f"{one.block}{' (killed in it)' * one.killed}",
            one.release,
            one.state,
            str(one.latency),
            f"{one.fee / 10_000:.4f} %",
        ]
        for one in periods
    ]
    show.table(["period to block", "answered by", "answer", "blocks later", "fee after it"], rows)


def explain_end(show: Show, served: Served) -> None:
    """What the registry says at the end, and where the picture is."""
    registry = served.registry
    versions = ", ".join(f"{one['number']} ({one['release']}) {one['state']}" for one in registry["versions"])
    show.say(
        f"The registry: version {registry['default']} is the default since block {registry['since']}; {versions}. "
        f"{'Record and chain agree.' if not served.problems else ' '.join(served.problems)}"
    )
    if served.picture is None:
        show.say("No Chromium is installed: the page has no picture.")
    else:
        show.line(f"The page: {os.path.relpath(served.picture)}")
