"""What a certificate costs: `python -m benchmarks.certify`.

1,000 test rows of a model of 100 trees of depth 6, proven under its release's key in batches, written, and checked by a
second process as a stranger would.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from assay.core import files
from assay.data.build import build
from assay.prove.setup import setup
from assay.record import artefacts, releases
from assay.record.database import Database
from assay.record.releases import Release
from assay.release.make import describe, digest_of
from assay.release.parts import DATASET_ROWS, TEST_ROWS, Parts, test_rows
from assay.task.task import Task
from assay.transpile.api import transpile
from benchmarks import machine, results, shown

NAME = "certify"
TEST, BATCH, TREES, DEPTH, FEATURES = 1000, 128, 100, 6, 10
NAMES = [f"x{number}" for number in range(FEATURES)]
_KIBI = 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and write the result."""
    argparse.ArgumentParser(prog="python -m benchmarks.certify", description=__doc__).parse_args(arguments)
    started, load = machine.now(), machine.load_average()
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as name:
        found = _measured(Path(name))
    path = results.write(
        NAME,
        {
            "case": NAME,
            "title": "A certificate of 1,000 rows",
            "machine": machine.describe(),
            "started": started,
            "load_average_before": load,
            "load_average_after": machine.load_average(),
            "status": "ok",
            "configuration": {"rows_in_one_proof": BATCH, "trees": TREES, "depth": DEPTH, "features": FEATURES},
            **found,
        },
    )
    print(f"wrote {path}")


def _measured(place: Path) -> dict[str, Any]:
    with closing(Database(f"sqlite:///{place / 'records.sqlite'}")) as database:
        released(database, place, tests=TEST, trees=TREES, depth=DEPTH, batch=BATCH)
    file = place / "cert.json"
    records = f"sqlite:///{place / 'records.sqlite'}"
    command = ["certify", "1", "-C", str(place / "project"), "--database", records, "--out", str(file), "--json"]
    made, seconds, processor, memory = _timed(command)
    checked, verify_seconds, _, verify_memory = _timed(["verify", str(file), "--json"])
    return {
        "rows": made["claim"]["rows"],
        "certify_seconds": seconds,
        "certify_processor_seconds": processor,
        "certify_memory_bytes": memory,
        "verify_seconds": verify_seconds,
        "verify_memory_bytes": verify_memory,
        "valid": checked["valid"],
        "certificate_bytes": file.stat().st_size,
    }


def _timed(arguments: list[str]) -> tuple[dict[str, Any], float, float, int]:
    """What a command says, its seconds by the clock and of all cores, and the most memory that it held."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "assay", *arguments], stdout=subprocess.PIPE)
    said = process.stdout.read() if process.stdout else b""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"assay {arguments[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return json.loads(said), seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * _KIBI


def released(
    database: Database,
    place: Path,
    *,
    tests: int,
    trees: int,
    depth: int,
    batch: int,
    inputs: Literal["public", "private"] = "public",
) -> Release:
    """A release in a project's folder `place`/project, with the parts that a certificate reads: no search before it."""
    from xgboost import XGBRegressor

    random = np.random.default_rng(0)
    X = random.normal(size=(5 * tests, FEATURES)).astype(np.float32)
    y = X[:, 0] + np.abs(X[:, 1]) + X[:, 2] * X[:, 3] + random.normal(size=len(X)) * 0.1
    columns = {name: X[:, number] for number, name in enumerate(NAMES)} | {"today": X[:, 0], "y": y}
    pl.DataFrame(columns).write_csv(place / "rows.csv")
    answers = [f"file={place / 'rows.csv'}", "target=y", "type=regression", "existing=today"]
    options = [option for answer in answers for option in ("--answer", answer)]
    command = [sys.executable, "-m", "assay", "init", str(place / "project"), *options]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    written = place / "project" / "task.toml"
    written.write_text(written.read_text().replace("[protocol]", f'[protocol]\ninputs = "{inputs}"', 1))
    task = Task.load(place / "project")
    data = build(task, place / "project", place / "project" / "data")
    model = XGBRegressor(n_estimators=trees, max_depth=depth, random_state=0).fit(*data.arrays("train"))
    keys = setup(transpile(model, feature_names=data.features, inputs=inputs), max_batch=batch)
    keys.save(place / "keys")
    decision = {"dataset": data.hash, "chosen": "one", "rows": [{"id": "one", "fidelity": {}, "measured": {}}]}
    public = {
        "task.toml": files.read(place / "project" / "task.toml"),
        "manifest.json": files.read(data.folder / "manifest.json"),
        "decision.json": json.dumps(decision).encode(),
        "verifying.key": files.read(place / "keys" / "verifying.key"),
    }
    private = {
        "proving.key": files.read(place / "keys" / "proving.key"),
        DATASET_ROWS: files.read(data.folder / "rows.parquet"),
        TEST_ROWS: test_rows(data, keys.proving_key),
    }
    facts, kept = describe(task.name, Parts(keys.model_id, public, private), despite=None)
    with database.begin() as connection:
        for content in (*public.values(), *private.values()):
            artefacts.put_in(connection, content)
        return releases.keep_in(database, connection, Release(digest_of(facts), task.name, 1, facts, kept))


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    found = results.read(NAME)
    if found is None:
        return ""
    about = found["configuration"]
    return "\n".join(
        [
            f"## {found['title']}",
            "",
            f"`python -m benchmarks.certify`: {found['rows']:,} test rows of a model of",
            f"{about['trees']} trees of depth {about['depth']} proven in",
            f"batches of {about['rows_in_one_proof']}, and the file checked by another process.",
            "",
            "| | |",
            "|---|---:|",
            f"| certify | {shown.seconds(found['certify_seconds'])} |",
            f"| processor time of all cores | {shown.seconds(found['certify_processor_seconds'])} |",
            f"| peak memory | {shown.size(found['certify_memory_bytes'])} |",
            f"| verify | {shown.seconds(found['verify_seconds'])} |",
            f"| peak memory, verify | {shown.size(found['verify_memory_bytes'])} |",
            f"| certificate | {shown.size(found['certificate_bytes'])} |",
            "",
        ]
    )


if __name__ == "__main__":
    main()
