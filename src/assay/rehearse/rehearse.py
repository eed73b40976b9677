"""`assay rehearse`: a release, the project's contracts and the service on a local chain, before they count."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import assay
from assay.chain.node import LocalNode
from assay.record import artefacts, journal
from assay.record.journal import Event
from assay.rehearse.door import Door
from assay.rehearse.errors import NothingToReplay
from assay.rehearse.judge import judge
from assay.rehearse.play import Play, period_blocks
from assay.rehearse.report import page
from assay.rehearse.stage import LOCAL_ID, set_up
from assay.release.rehearsed import REHEARSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.rehearse.judge import Finding
    from assay.rehearse.play import Period
    from assay.task.task import Task

SCHEMA = "assay-rehearsal/1"
LEAST = 4


@dataclass(frozen=True)
class Rehearsal:
    """What a rehearsal found.

    Attributes
    ----------
    passed
        Whether everything holds that something says should.
    findings
        What was looked at.
    periods
        What became of each.
    said
        What was other than in production.
    """

    release: str
    digest: str
    chain: str
    seed: int
    period_blocks: int
    within: int | None
    passed: bool
    findings: list[Finding]
    periods: list[Period]
    said: list[str]
    when: float
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values."""
        return {"schema": SCHEMA, "assay": assay.__version__, **asdict(self)}


def rehearse(
    database: Database,
    project: Path,
    task: Task,
    release: Release,
    *,
    who: str,
    periods: int,
    seed: int = 1,
    told: Callable[[str], None] = lambda _: None,
) -> tuple[Rehearsal, str]:
    """Play so many periods of a release and judge them; kept in the records as an event with its report.

    Parameters
    ----------
    periods
        Rows of the test set, the newest; every other one is disturbed.
    seed
        Of what is drawn: at which state the service is killed, how deep a reorg is.
    told
        Told, in one line each, what is done.

    Returns
    -------
        What was found, and its page.

    Raises
    ------
    NothingToReplay
        The release's dataset is not held here, or has fewer rows.
    NoConsumer, SettleError
        The contracts cannot be deployed, or nothing acts on answers.
    ServiceEnded
        The service ended by itself.
    """
    began, clock = time.time(), time.monotonic()
    if periods < LEAST:
        raise NothingToReplay(f"{periods} periods show nothing", f"Play {LEAST} or more.")
    spec = task.chain(task.protocol.chain)
    late = spec.late_after_blocks if spec.late_after_blocks is not None else task.latency_blocks
    within = None if late is None else int(late)
    length = period_blocks(task.value.decisions_per_day, float(spec.block_seconds or task.protocol.block_seconds))
    with (
        tempfile.TemporaryDirectory(prefix="assay-rehearsal-") as name,
        LocalNode(chain_id=LOCAL_ID) as node,
        Door(node.url) as door,
    ):
        stage = set_up(database, project, task, release, Path(name), urls=(node.url, door.url), told=told)
        try:
            if len(stage.rows) < periods:
                raise NothingToReplay(
                    f"the test set of {release.name} has {len(stage.rows)} rows, for {periods} periods",
                    "Play fewer: --periods.",
                )
            played = Play(stage, door, within, length, seed, told).run(periods)
            findings = judge(stage, played, within)
        finally:
            stage.end()
            stage.database.close()
    passed = all(one.holds is not False for one in findings)
    found = Rehearsal(
        release.name,
        release.digest,
        task.protocol.chain,
        seed,
        length,
        within,
        passed,
        findings,
        played,
        stage.said,
        began,
        round(time.monotonic() - clock, 1),
    )
    html = page(found)
    _keep(database, task.name, found, html, who)
    return found, html


def _keep(database: Database, project: str, found: Rehearsal, html: str, who: str) -> None:
    evidence = {
        "json": artefacts.put(database, json.dumps(found.to_dict()).encode()),
        "html": artefacts.put(database, html.encode()),
    }
    failed = [one.name for one in found.findings if one.holds is False]
    what = {"digest": found.digest, "passed": found.passed, "periods": len(found.periods), "failed": failed}
    why = "everything holds" if found.passed else f"what does not hold: {', '.join(failed)}"
    journal.append(database, project, Event(REHEARSED, found.release, who, what, why, evidence))
