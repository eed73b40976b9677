"""What the service answers, proves and holds: `python -m benchmarks.serve`, four minutes on two cores.

`assay up` as anybody starts it (SQLite, no chain), asked by a generator on the same cores (`benchmarks.load`, aiohttp
on uvloop).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it has no types of its own

import assay
from assay.record import artefacts, releases
from assay.record.database import Database
from assay.record.releases import Release
from assay.release import alias
from assay.release.make import describe, digest_of
from assay.release.parts import Parts
from benchmarks import cases, machine, results, shown
from benchmarks.work import WORK

NAME = "serve"
SECONDS = 12.0
CLIENTS = 16
JOINED = 16
MODELS = {"trees": "xgb_100x6", "linear": "logistic_30"}
PEER = Path(__file__).parent / "peers" / "litserve"
GENERATOR = "benchmarks.load (aiohttp on uvloop), on the same cores"
TASK = """schema = "assay-task/1"
name = "trees"
existing = {kind = "constant", value = 0.0}
predict = {target = "y", type = "binary"}

[data]
sources = [{name = "rows", kind = "csv", path = "rows.csv"}]
"""
MUST: dict[str, tuple[str, Callable[[float], str], str]] = {
    "alone_seconds": ("a proof, 100 x 6, in a process of its own: the service cannot be faster", shown.seconds, ""),
    "proof_p50": ("request to proof in one call, 100 x 6, one client, half below", shown.seconds, "0.15 s"),
    "proof_p99": ("the same, 99 of 100 below", shown.seconds, "0.4 s"),
    "single_per_second": ("proofs a second, 16 clients, 100 x 6, each alone", shown.three, "8"),
    "joined_per_second": ("the same, joined", shown.three, "20"),
    "linear_per_second": ("proofs a second, 16 clients, 30 weights, each alone", shown.three, "40"),
    "linear_joined_per_second": ("the same, joined", shown.three, ""),
    "infer_per_second": ("answers without a proof a second, 16 clients, 100 x 6", shown.count, "1,000"),
    "infer_p99": ("the same, 99 of 100 below", shown.seconds, "40 ms"),
    "litserve_per_second": ("LitServe 0.2.19 with the same model, which proves nothing", shown.count, ""),
    "litserve_p99": ("the same, 99 of 100 below", shown.seconds, ""),
    "cold_start_seconds": ("from the command to ready", shown.seconds, "8 s"),
    "recovery_seconds": ("from the command after SIGKILL to what was under way, proven", shown.seconds, "5 s"),
    "idle_bytes": ("memory (PSS) of all processes, idle", shown.size, "400 MB"),
    "proving_bytes": ("the same while 16 clients ask for proofs, the most", shown.size, "600 MB"),
}
Figures = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each throughput; default %(default)s")
    parser.add_argument("--no-peer", action="store_true", help="leave LitServe out")
    options = parser.parse_args(arguments)
    started, load = machine.now(), machine.load_average()
    with tempfile.TemporaryDirectory(prefix="assay-serve-") as name:
        folder = Path(name)
        rows = _project(folder)
        figures = {"alone_seconds": _alone(folder / "trees", rows["trees"])}
        figures |= _measured(folder, rows, options.seconds)
        if not options.no_peer:
            figures |= _peer(rows["trees"], options.seconds)
    path = results.write(
        NAME,
        {
            "case": NAME,
            "title": "The service",
            "machine": machine.describe(),
            "started": started,
            "load_average_before": load,
            "load_average_after": machine.load_average(),
            "status": "ok",
            "configuration": {"clients": CLIENTS, "seconds": options.seconds, "generator": GENERATOR},
            "figures": figures,
        },
    )
    print(f"wrote {path}")


def _project(folder: Path) -> dict[str, list[list[float]]]:
    """A database with a release of each model; rows of each, by name."""
    (folder / "task.toml").write_text(TASK, encoding="utf-8")
    rows = {}
    with closing(Database.of_project(folder)) as database:
        for name, case_name in MODELS.items():
            case, place = cases.by_name(case_name), WORK / NAME / name
            cases.write(case, place)
            circuit = assay.transpile(case.load(place))
            keys = assay.setup(circuit, max_batch=JOINED)
            keys.save(folder / name)
            decision = {"dataset": "", "chosen": name, "rows": [{"id": name, "fidelity": {}, "measured": {}}]}
            public = {"task.toml": TASK.encode(), "decision.json": json.dumps(decision).encode()}
            public |= {"model-card.md": b"", "verifying.key": (folder / name / "verifying.key").read_bytes()}
            private = {"circuit.json": circuit.to_json().encode()}
            private |= {"proving.key": (folder / name / "proving.key").read_bytes()}
            _keep(database, Parts(keys.model_id, public, private), name)
            rows[name] = cases.rows(place)["test"].tolist()
    return rows


def _alone(keys: Path, rows: list[list[float]], count: int = 30) -> float:
    """Seconds of a proof without any service: half of them took less. The first one reads the reference string."""
    command = [sys.executable, "-m", "benchmarks.serve_alone", str(keys)]
    done = subprocess.run(command, input=json.dumps(rows[:count]), capture_output=True, text=True, check=True)
    return _part(json.loads(done.stdout), 0.5)


def _keep(database: Database, parts: Parts, name: str) -> None:
    public, private = describe(name, parts, despite=None)
    with database.begin() as connection:
        for content in (*parts.public.values(), *parts.private.values()):
            artefacts.put_in(connection, content)
        made = releases.keep_in(database, connection, Release(digest_of(public), name, 1, public, private, ""))
    alias.promote(database, made, who="benchmark", why="the first release")


class Service:
    """`assay up` as a command."""

    def __init__(self, folder: Path) -> None:
        self.begun = time.perf_counter()
        command = [sys.executable, "-m", "assay", "up", "-C", str(folder), "--port", "0", "--chain", "none"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.url = ""
        while not self.url:
            line = self.process.stderr.readline() if self.process.stderr else ""
            if not line:
                raise RuntimeError(f"assay up ended with {self.process.wait()}")
            self.url = line.split("listening on ")[1].strip() if "listening on " in line else ""
        threading.Thread(target=self._drain, daemon=True).start()
        self.key = (folder / ".assay" / "admin.key").read_text().strip()

    def _drain(self) -> None:
        for line in self.process.stderr or ():
            print(f"  assay up: {line.strip()}", flush=True)

    def get(self, path: str) -> Any:
        """The answer to a GET."""
        return self.ask(path)

    def ask(self, path: str, body: bytes | None = None) -> Any:
        """The answer to a GET, or to a POST of a body."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers)  # noqa: S310  our own service
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  as above
            return json.loads(answer.read())

    def ready(self) -> float:
        """Wait until it is; seconds from the command."""
        while True:
            try:
                if self.get("/v2/health/ready")["ready"]:
                    return time.perf_counter() - self.begun
            except OSError:
                time.sleep(0.02)

    def load(self, path: str, bodies: list[Any], *, clients: int, **until: float) -> dict[str, Any]:
        """What the generator found."""
        headers = {"Authorization": f"Bearer {self.key}", "Prefer": "wait=60"}
        return generated(self.url + path, bodies, headers, clients, **until)

    def memory(self) -> float:
        """PSS of all its processes, in bytes."""
        top = psutil.Process(self.process.pid)
        return float(sum(one.memory_full_info().pss for one in (top, *top.children(recursive=True))))

    def kill(self) -> None:
        """SIGKILL every process of it at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        """Ask it to end, and wait."""
        self.process.terminate()
        self.process.wait()


def generated(url: str, bodies: list[Any], headers: dict[str, str], clients: int, **until: float) -> dict[str, Any]:
    """Run the generator; raises where one answer was not what it had to be."""
    question = {"url": url, "headers": headers, "bodies": bodies, "clients": clients, **until}
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if found["wrong"]:
        raise RuntimeError(f"{url} answered {sorted(set(found['wrong']))} {len(found['wrong'])} times")
    return found


def _measured(folder: Path, rows: dict[str, list[list[float]]], seconds: float) -> Figures:
    service = Service(folder)
    try:
        figures = {"cold_start_seconds": service.ready()}
        for name in MODELS:  # keys and reference strings are read by the first proof
            service.load(_proofs(name), _bodies(rows[name]), clients=2, count=6)
        time.sleep(2)
        figures["idle_bytes"] = service.memory()
        one = service.load(_proofs("trees"), _bodies(rows["trees"]), clients=1, count=100)["latencies"]
        figures |= {"proof_p50": _part(one, 0.5), "proof_p99": _part(one, 0.99)}
        with _most_memory(service) as most:
            for key, name, join in (
                ("single_per_second", "trees", False),
                ("joined_per_second", "trees", True),
                ("linear_per_second", "linear", False),
                ("linear_joined_per_second", "linear", True),
            ):
                bodies = _bodies(rows[name], join=join)
                if join:  # the first proofs of each number of rows make their tables
                    service.load(_proofs(name), bodies, clients=CLIENTS, count=6 * CLIENTS)
                found = service.load(_proofs(name), bodies, clients=CLIENTS, seconds=seconds)
                figures[key] = found["answers"] / found["seconds"]
                print(key, figures[key], flush=True)
        figures["proving_bytes"] = most[0]
        service.load("/v2/models/trees/infer", _bodies(rows["trees"]), clients=2, count=50)
        found = service.load("/v2/models/trees/infer", _bodies(rows["trees"]), clients=CLIENTS, seconds=seconds)
        figures |= {"infer_per_second": found["answers"] / found["seconds"]}
        figures["infer_p99"] = _part(found["latencies"], 0.99)
        figures["recovery_seconds"], service = _recovery(folder, service, rows["trees"])
    finally:
        if service.process.poll() is None:
            service.end()
    print(figures, flush=True)
    return figures


def _recovery(folder: Path, service: Service, rows: list[list[float]]) -> tuple[float, Service]:
    """Kill everything while sixteen answers wait; until the first of them is proven, from the command on."""
    asked = [json.dumps({"inputs": [row]}).encode() for row in rows[:CLIENTS]]
    names = [service.ask(_proofs("trees"), body)["id"] for body in asked]
    service.kill()
    again = Service(folder)
    again.ready()
    while True:
        states = [again.get(f"/v1/answers/{name}")["state"] for name in names]
        waiting = [state for state in states if state != "answered"]
        if len(waiting) < len(names):
            first = time.perf_counter() - again.begun
            break
        time.sleep(0.02)
    while any(again.get(f"/v1/answers/{name}")["state"] != "answered" for name in names):
        time.sleep(0.1)
    return first, again


@contextmanager
def _most_memory(service: Service) -> Iterator[list[float]]:
    most, stop = [0.0], threading.Event()

    def look() -> None:
        while not stop.wait(0.5):
            most[0] = max(most[0], service.memory())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()


def _peer(rows: list[list[float]], seconds: float) -> Figures:
    """LitServe with the same model, asked the same way."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(_python()), str(PEER / "side.py"), str(WORK / NAME / "trees" / "model.json"), str(port)]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}/predict"
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.2)
        bodies = [{"inputs": [row]} for row in rows]
        generated(url, bodies, {}, 2, count=50)
        found = generated(url, bodies, {}, CLIENTS, seconds=seconds)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return {"litserve_per_second": found["answers"] / found["seconds"], "litserve_p99": _part(found["latencies"], 0.99)}


def _python() -> Path:
    """The peer's own environment; the first call installs it."""
    requirements, place = PEER / "requirements.txt", PEER / ".venv"
    stamp = place / "requirements.sha256"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != digest:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        install = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", str(requirements)]
        subprocess.run(install, check=True)
        stamp.write_text(digest, encoding="ascii")
    return place / "bin" / "python"


def _proofs(name: str) -> str:
    return f"/v2/models/{name}/proofs"


def _bodies(rows: list[list[float]], *, join: bool = False) -> list[Any]:
    return [{"inputs": [row]} | ({"join": True} if join else {}) for row in rows]


def _part(latencies: list[float], share: float) -> float:
    return latencies[min(len(latencies) - 1, int(len(latencies) * share))]


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    about = result["configuration"]
    lines = [
        f"## {result['title']}",
        "",
        "`python -m benchmarks.serve`: `assay up` as anybody starts it (SQLite, no chain; one process answers, one",
        f"proves), asked by {about['generator']}; {about['seconds']:g} s of each throughput, warm;",
        f"load {result['load_average_before']} at the start.",
        "",
        "| | measured | must |",
        "|---|---:|---:|",
    ]
    found = result["figures"]
    lines += [f"| {label} | {show(found[key])} | {must} |" for key, (label, show, must) in MUST.items() if key in found]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
