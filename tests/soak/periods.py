"""Answers settled through a node that misbehaves, until all have ended; `python -m tests.soak.periods --help`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import update
from tests.soak.chaos import FAULTS, Chaos
from tests.soak.end import ended
from tests.soak.judge import verdict
from tests.unit.serve.chain import deploy, settler
from tests.unit.serve.small import keep, parts
from tests.unit.settle.small import Key

import assay
from assay.chain.node import LocalNode
from assay.record import answers, artefacts, schema
from assay.record.answers import Answer
from assay.record.database import Database
from assay.serve.models import Models
from assay.settle.node import Node

A_RUN = 100
"""Answers that one chain settles."""


def run(url, count, seed, *, share=0.25, faults=FAULTS, made=None):
    """Settle `count` answers; what happened, and the judge's faults."""
    database = Database(url)
    with LocalNode() as anvil, Chaos(anvil.url, seed, share, faults) as chaos:
        node, key = Node("local", 31337, (anvil.url,)), Key()
        consumer = deploy(node, key.address)
        release = keep(database, made)
        model = Models(database).of(release.digest)
        loop = settler(
            database,
            chaos.url,
            key,
            consumer,
            confirmations=8,
            bump_after_blocks=1,
            block_seconds=0.05,
            max_fee_gwei=1e6,
        )
        accepted, turns = {}, 0
        while turns < 400 * count:
            if len(accepted) < count:
                accepted |= _ask(database, model, release, len(accepted) + 1)
            loop.step()
            turns += 1
            if turns % 3 == 0:
                chaos.ask("anvil_mine", "0x1")
            _hurry(database)
            if len(accepted) == count and not answers.count(database, ("proven", "settling")):
                break
        faults_found = verdict(database, node, consumer, key.address, accepted)
        sent = node.count(key.address)
    database.close()
    return {"count": count, "seed": seed, "turns": turns, "sent": sent, "faults": faults_found, "done": chaos.done}


def _ask(database, model, release, context):
    proof = assay.prove(model.proving, [[0.5, -0.25, None]], context=context)
    kept = artefacts.put(database, proof.to_json().encode())
    asked = Answer("credit", release.digest, chain="local", owner="soak", request=str(context), state="proven")
    fields = {"settle": True, "context": str(context), "proof": kept}
    one, _ = answers.receive(database, Answer(**(vars(asked) | fields)))
    return {one.id: context}


def _hurry(database):
    """Waiting is for people: what waits for a node is due at once."""
    with database.begin() as connection:
        connection.execute(update(schema.answers).where(schema.answers.c.state == "proven").values(due=0.0))


def summed(runs):
    """What several runs found together; each run's own seed is in `seeds`."""
    return {
        "count": sum(one["count"] for one in runs),
        "seeds": [one["seed"] for one in runs],
        "turns": sum(one["turns"] for one in runs),
        "sent": sum(one["sent"] for one in runs),
        "faults": [fault for one in runs for fault in one["faults"]],
        "done": {fault: sum(one["done"][fault] for one in runs) for fault in runs[0]["done"]},
    }


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=1000, help=f"in runs of {A_RUN}, each with a chain of its own")
    options.add_argument("--seed", type=int, default=1, help="of the first run; the next ones count on")
    options.add_argument("--share", type=float, default=0.25)
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    start, runs = time.monotonic(), []
    with tempfile.TemporaryDirectory() as name:
        made = parts(Path(name))
        for number, first in enumerate(range(0, given.count, A_RUN)):
            url, count = f"sqlite:///{name}/{number}.sqlite", min(A_RUN, given.count - first)
            runs.append(run(url, count, given.seed + number, share=given.share, made=made))
    return ended(summed(runs), start, given.out)


if __name__ == "__main__":
    sys.exit(main())
