"""An experiment on a real node: a project with releases, two fees that can be told apart, and blocks by hand."""

import json

from tests.unit.serve.small import keep
from tests.unit.settle.small import Key, mine
from xgboost import XGBRegressor

import assay
from assay.chain.compile import compile_solidity, read_sources
from assay.compare import start as start_of
from assay.compare.plan import PLAN_FILE
from assay.compare.start import CONTRACTS, Starter
from assay.compare.steward import Steward
from assay.record import answers, claims, transactions
from assay.record.answers import Answer
from assay.record.database import Database
from assay.release.parts import Parts, contract
from assay.settle.network import network, selector, signer
from assay.settle.node import Node
from assay.settle.outbox import Outbox
from assay.settle.policy import Policy
from assay.task.task import Task

OLD_FEE, NEW_FEE = 3000, 500
TASK = """
schema = "assay-task/1"
name = "fee"
existing = {{kind = "constant", value = 0.0}}
predict = {{target = "y", type = "regression"}}

[data]
sources = [{{name = "rows", kind = "csv", path = "rows.csv"}}]
features = [{{name = "x", op = "column"}}]

[value]
loss = "abs(y - prediction)"
unit = "USD a decision"

[protocol]
chain = "local"

[chains.local]
rpc = ["{url}"]
block_seconds = 0.2
confirmations = 1
"""
PLAN = """schema = "assay-experiment/1"
name = "{name}"
design = "switchback"

[arms]
old_contract = "{old}"
new_contract = "{new}"

[switchback]
start_block = {start}
period_blocks = 6
periods = {periods}
grace_blocks = 4
burn_in_blocks = 0

[metric]
of = "{metric}"
unit = "USD a decision"

[aim]
smallest_effect = 0.5

{more}
"""


class Stage:
    """A project folder with one release, its records, and the chain that it acts on."""

    def __init__(self, folder, url):
        self.folder, self.node = folder, Node("local", 31337, (url,))
        (folder / "task.toml").write_text(TASK.format(url=url))
        self.task = Task.load(folder)
        self.on = network(self.task)
        self.database = Database.of_project(folder)
        self.release = keep(self.database, parts(folder), "fee")
        self.old, self.new = (self._fee(fee) for fee in (OLD_FEE, NEW_FEE))
        self.said = []

    def _fee(self, fee):
        fixed = compile_solidity(read_sources(CONTRACTS, paths=["examples/FixedFee.sol"]))["FixedFee"]
        code = fixed.bytecode + fee.to_bytes(32, "big")
        return self.sent({"from": self.node.ask("eth_accounts")[1], "data": "0x" + code.hex()}).contract

    def sent(self, transaction):
        name = self.node.ask("eth_sendTransaction", transaction | {"gas": hex(3_000_000)})
        while (found := self.node.receipt(name)) is None:
            pass
        return found

    def plan(self, *, name="one", start=None, periods=6, metric="loss", more="", ahead=20):
        start = start or self.node.head() + ahead
        terms = {"name": name, "old": self.old, "new": self.new, "start": start, "periods": periods}
        (self.folder / PLAN_FILE).write_text(PLAN.format(metric=metric, more=more, **terms))
        return start

    def starter(self):
        return Starter(self.database, self.folder, self.task, "me", self.said.append, poll=0.02)

    def steward(self):
        return Steward(self.database, "fee", self.folder, self.on, self.said.append, look_seconds=0.0)

    def to(self, block):
        """Mine up to a block."""
        mine(self.node, block - self.node.head())

    def fee(self, address):
        return int(self.node.call({"to": address, "data": selector("fee()")}).hex(), 16)

    def answered(self, block, value, outcome, *, settled=True, arm="champion", release=None, ended=None):
        """An answer to the row of a block, as the loops leave it; `ended` as "cancelled": it was taken back in time."""
        cancelled = ended == "cancelled"
        made, _ = answers.receive(
            self.database,
            Answer(
                "fee",
                (release or self.release).digest,
                chain="local",
                period=block,
                arm=arm,
                row=[[1.0]],
                state="received",
            ),
        )
        (held,) = claims.claim(self.database, ["received"], "test", 60.0)
        assert held.id == made.id
        held = answers.commit(self.database, held, "fixed")
        outputs = {"integers": [["1"]], "values": [[value]]}
        held = answers.commit(self.database, held, "proven", outputs=outputs)
        if settled:
            key = Key()
            wanted = transactions.Transaction("local", key.address, 0, "settle", held.id, self.new, "0x", 21_000)
            settles, cancels = "0x" + held.id[4:], "0x" + held.id[:3:-1]
            attempt = {"hash": settles, "max_fee": "1", "cancels": False}
            with self.database.begin() as connection:
                kept, _ = transactions.keep_in(self.database, connection, wanted, 0, lambda _: attempt)
            if cancelled:
                attempts = [*kept.attempts, attempt | {"hash": cancels, "cancels": True}]
                kept = transactions.move(self.database, kept, "broadcast", attempts=attempts)
            mined = {"ok": True, "block": block + 2, "gas_used": 250_000, "price": "1000000000"}
            mined["hash"] = cancels if cancelled else settles
            transactions.move(self.database, kept, "mined", mined=mined)
            held = answers.commit(self.database, held, "settling", transaction=kept.id)
            answers.commit(self.database, held, "expired" if cancelled else "settled")
        else:
            if ended == "reverted":
                self._reverted(held, block)
            answers.commit(self.database, held, "expired")
        if outcome is not None:
            answers.observe(self.database, held.id, outcome)

    def _reverted(self, held, block):
        """A settlement that was sent twice, and paid for nothing."""
        wanted = transactions.Transaction("local", Key().address, 0, "settle", held.id, self.new, "0x", 21_000)
        first, again = ({"hash": f"0x{number}{held.id[5:]}", "max_fee": "1", "cancels": False} for number in (1, 2))
        with self.database.begin() as connection:
            kept, _ = transactions.keep_in(self.database, connection, wanted, 0, lambda _: first)
        kept = transactions.move(self.database, kept, "broadcast", attempts=[*kept.attempts, again])
        mined = {"ok": False, "block": block + 2, "gas_used": 30_000, "price": "2000000000", "hash": again["hash"]}
        transactions.move(self.database, kept, "mined", mined=mined)


def parts(folder):
    import numpy as np

    rows = np.linspace(0, 1, 40, dtype=np.float32)[:, None]
    circuit = assay.transpile(XGBRegressor(n_estimators=1, max_depth=1).fit(rows, rows[:, 0]))
    keys = assay.setup(circuit, max_batch=1)
    place = folder / "keys"
    keys.save(place)
    decision = {"dataset": "d" * 64, "chosen": "one", "rows": [{"id": "one", "fidelity": {}, "measured": {}}]}
    public = {
        "task.toml": (folder / "task.toml").read_bytes(),
        "decision.json": json.dumps(decision).encode(),
        "manifest.json": json.dumps({"features": [{"name": "x"}]}).encode(),
        "verifying.key": (place / "verifying.key").read_bytes(),
    }
    private = {"circuit.json": circuit.to_json().encode(), "proving.key": (place / "proving.key").read_bytes()}
    return Parts(keys.model_id, public | contract(keys.verifying_key), private)


__all__ = ["NEW_FEE", "OLD_FEE", "Outbox", "Policy", "Stage", "signer", "start_of"]
