"""A whole `assay up` killed at any moment, judged from outside; `python -m tests.soak.whole --help`.

It answers, joins proofs, settles, follows a chain, fills a table and tells a webhook. Whoever asks does as a client
should: what was not acknowledged is asked for again, under the same key.
"""

import argparse
import random
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from tests.served import Service
from tests.soak.end import ended
from tests.soak.judge import verdict
from tests.unit.serve.chain import deploy
from tests.unit.serve.followed import project, swapping
from tests.unit.serve.outputs.receiver import receiving, secret

from assay.record import answers
from assay.serve.outputs.loop import standing
from assay.settle.node import Node
from assay.settle.signer import development_key

LONGEST_LIFE = 2.5
"""From when it listens until it is killed, at most, by the time that it took to start: parts start one after another,
on a busy machine later."""
MOST_WAITING = 12
"""Questions without a proof: a machine that is busy is not asked for more than it proves."""
STRANGER = 2
"""The account that swaps: not the one that settles."""
OUTPUTS = """
[[outputs]]
name = "table"
kind = "sqlite"
path = "out/answers.sqlite"

[[outputs]]
name = "hook"
kind = "webhook"
url = "{url}"
secret_file = "hook.secret"
local = true
"""


class Asker:
    """Asks one question after the other; `settling` is each one's context by its id, `joined` the ids of the others."""

    def __init__(self, database):
        self.database, self.number, self.settling, self.joined = database, 0, {}, []

    def until_gone(self, service):
        """Ask in a thread until nobody answers any more."""
        thread = threading.Thread(target=self._ask, args=(service,))
        thread.start()
        return thread

    def _ask(self, service):
        try:
            while service.process.poll() is None:
                if answers.count(self.database, ["fixed"]) < MOST_WAITING:
                    self.one(service)
                time.sleep(0.1)
        except (OSError, ValueError):
            pass  # it was killed: the same question goes to the next one

    def one(self, service):
        number = self.number
        body = {"inputs": [[float(number % 7), 0.5]]}
        body |= {"settle": True, "context": number + 1} if number % 3 == 0 else {"join": True}
        name = service.ask("/v2/models/fee/proofs", body, f"soak {number}")["id"]
        if number % 3 == 0:
            self.settling[name] = number + 1
        else:
            self.joined.append(name)
        self.number += 1


def run(folder, kills, seed):
    """Kill it so often and let one end; what happened, and the judge's faults."""
    luck, said = random.Random(seed), []
    with swapping(STRANGER) as chain, receiving() as hook:
        node, account = Node("local", 31337, (chain.node.url,)), development_key().address
        consumer = deploy(node, account)
        (folder / "hook.secret").write_text(secret() + "\n")
        (folder / "hook.secret").chmod(0o600)
        chain.swap(150)
        more, last = f'consumer = "{consumer}"\n', OUTPUTS.format(url=hook.url)
        made = project(chain, folder, more, max_batch=16, last=last)
        asker = Asker(made.database)
        for _ in range(kills):
            began = time.monotonic()
            service = Service(folder)
            now = time.monotonic()
            asking, until = asker.until_gone(service), now + luck.uniform(0.05, LONGEST_LIFE) * (now - began)
            while time.monotonic() < until:
                chain.swap(1)
                time.sleep(0.1)
            service.kill()
            asking.join()
            said += service.said
        said += _finish(made, chain, node, asker)
        found = answers.find(made.database, "fee", limit=10**6)
        live = {one.id: int(one.context) for one in found if one.period is not None}
        faults = verdict(made.database, node, consumer, account, asker.settling | live, joined=asker.joined)
        faults += _outputs(found, folder, hook)
        faults += [f"it said: {line.strip()}" for line in said if "Traceback" in line or "ended with" in line]
        made.database.close()
    counted = {"accepted": asker.number, "joined": len(asker.joined), "periods": len(live), "told": len(hook.found)}
    return {"kills": kills, "seed": seed} | counted | {"faults": faults}


def _finish(made, chain, node, asker):
    """Let it end everything; what it said. No new period begins once all that have are bound to the consumer."""
    service = Service(made.folder)
    asker.one(service)
    before = _periods(made)
    while _periods(made) == before:
        chain.swap(1)
        time.sleep(0.2)
    while answers.count(made.database, ["received"]):
        time.sleep(0.2)
    service.kill()
    last = Service(made.folder, "--only", "api,work,settle,outputs")
    while answers.count(made.database, ["received", "fixed", "proven", "settling"]) or any(
        standing(made.database, spec, made.task.name)[0] for spec in made.task.outputs
    ):
        node.ask("anvil_mine", "0x1")
        time.sleep(0.2)
    said = last.ask(f"/v1/answers/{next(iter(asker.settling))}")
    code = last.end()
    if (code, said["state"], said["settlement"]["state"]) != (0, "settled", "final"):
        last.said.append(f"ended with {code}; the first answer is {said['state']}")
    return service.said + last.said


def _periods(made):
    return len(answers.find(made.database, "fee", periods=True, limit=10**6))


def _outputs(found, folder, hook):
    """Each answer once, as it stands, in the table; the webhook was told of each, however often, under one id."""
    with closing(sqlite3.connect(folder / "out" / "answers.sqlite")) as connection:
        there = connection.execute("SELECT id, state FROM answers ORDER BY id").fetchall()
    wanted = sorted((one.id, one.state) for one in found)
    faults = [] if there == wanted else [f"the table has {len(there)} answers, not these {len(wanted)} as they stand"]
    # Alarms of the watch come to the same address, under ids of their own.
    told = {headers["webhook-id"] for _, headers, _ in hook.found if headers["webhook-id"].startswith("ans_")}
    missed = {f"{name}.{state}" for name, state in wanted} ^ told
    return faults + [f"the webhook was told of {len(told)} answers, not of {sorted(missed)}"] * bool(missed)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        start = time.monotonic()
        found = run(Path(name), given.kills, given.seed)
    return ended(found, start, given.out)


if __name__ == "__main__":
    sys.exit(main())
