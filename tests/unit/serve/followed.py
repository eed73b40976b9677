"""A project of a chain's swaps: the chain, its bars, a model of them as a release; what `assay up` follows."""

import json
import random
from contextlib import contextmanager
from types import SimpleNamespace

from tests.unit.data.small import SWAP, word
from tests.unit.data.sources.test_cryo import BYTECODE, send
from tests.unit.serve.small import keep
from xgboost import XGBRegressor

import assay
from assay.chain.node import LocalNode
from assay.data.build import build
from assay.data.sources.rpc import Rpc
from assay.record.database import Database
from assay.release.parts import Parts, contract
from assay.task.task import Task

TASK = """
schema = "assay-task/1"
name = "fee"
existing = {{kind = "constant", value = 0.0}}
predict = {{target = "next", type = "regression"}}

[data]
keep = ["block_number"]
events = [{{name = "swap", signature = "{swap}", decimals = {{amountIn = 18}}}}]
features = [{{name = "amount", op = "column"}}, {{name = "mean", op = "rolling_mean", of = "amount", window = 3}}]
label = {{op = "forward_value", of = "amount"}}
split = {{train = 0.34, validation = 0.33, test = 0.33}}

[[data.sources]]
name = "pool"
kind = "rpc"
rpc = "{url}"
contract = "{pool}"
chunk_size = 8
end_block = {end}
reorg_buffer = 0

[data.bars]
every = "4 blocks"
columns = [{{name = "amount", op = "sum", of = "amountIn", empty = "zero"}}]

[protocol]
chain = "local"
feature_delay_blocks = 0

[chains.local]
rpc = ["{url}"]
block_seconds = 0.2
confirmations = 2
{more}
"""
FEE = """
[[chains.local.contracts]]
name = "registry"
source = "contracts/registry/ModelRegistry.sol:ModelRegistry"
arguments = ["0x{task}", "$account", "$account", "$account", 0, "0x0000000000000000000000000000000000000000"]

[[chains.local.contracts]]
name = "existing"
source = "contracts/examples/FixedFee.sol:FixedFee"
arguments = [3000]

[[chains.local.contracts]]
name = "consumer"
source = "contracts/consumers/RegistryFee.sol:RegistryFee"
arguments = ["$registry", "$account", "$existing", 864000, 100000, 5000000, [500, 1000, 100, 100000]]
"""
FORECAST = """
[[chains.local.contracts]]
name = "consumer"
source = "contracts/examples/ForecastFee.sol:ForecastFee"
arguments = ["$verifier", "$code_hash", "$model_id", "$account", 3000, 864000, [500, 1000, 100, 100000]]
"""


@contextmanager
def swapping(account=0):
    """A node with a pool; swaps are sent by one of its accounts, each in a block of its own."""
    with LocalNode() as node:
        rpc = Rpc(node.url)
        by = {"from": rpc.ask("eth_accounts")[account]}
        pool = send(rpc, data=BYTECODE, **by)["contractAddress"]
        luck = random.Random(9)

        def swap(count):
            for _ in range(count):
                data = word(b"\x11" * 20) + word(luck.randint(1, 10**19)) + word(7) + word(3) + word(1)
                send(rpc, to=pool, data="0x" + data.hex(), **by)

        yield SimpleNamespace(node=node, rpc=rpc, pool=pool, swap=swap)


def project(chain, folder, more="", *, max_batch=1, last=""):
    """A project of the chain's swaps, its model as a release, and its folder; `more` ends its chain's section."""
    text = TASK.format(url=chain.node.url, pool=chain.pool, end=chain.rpc.head(), swap=SWAP, more=more) + last
    (folder / "task.toml").write_text(text)
    task = Task.load(folder)
    dataset = build(task, folder, folder / "data")
    database = Database.of_project(folder)
    release = keep(database, _parts(dataset, folder, text, max_batch=max_batch), "fee")
    return SimpleNamespace(task=task, database=database, release=release, folder=folder, dataset=dataset)


def retrained(project):
    """A release of the project with another model, which decides nothing yet."""
    text = (project.folder / "task.toml").read_text()
    return keep(project.database, _parts(project.dataset, project.folder, text, trees=2, place="keys-2"), "fee")


def _parts(dataset, folder, text, *, trees=3, max_batch=1, place="keys"):
    rows = dataset.frame()
    X, y = rows.select(dataset.features).to_numpy(), rows["next"].to_numpy()
    circuit = assay.transpile(XGBRegressor(n_estimators=trees, max_depth=2).fit(X, y))
    return packed(dataset, folder, circuit, text, max_batch=max_batch, place=place)


def packed(dataset, folder, circuit, text="", *, max_batch=1, place="keys"):
    """A release's parts, of a circuit; `text` is the task's, else what the folder has."""
    text = text or (folder / "task.toml").read_text()
    keys = assay.setup(circuit, max_batch=max_batch)
    keys.save(folder / place)
    decision = {"dataset": dataset.hash, "chosen": "one", "rows": [{"id": "one", "fidelity": {}, "measured": {}}]}
    public = {"task.toml": text.encode(), "decision.json": json.dumps(decision).encode()}
    public["manifest.json"] = (folder / "data" / "manifest.json").read_bytes()
    public["verifying.key"] = (folder / place / "verifying.key").read_bytes()
    private = {"circuit.json": circuit.to_json().encode()}
    private["proving.key"] = (folder / place / "proving.key").read_bytes()
    private["dataset/rows.parquet"] = (folder / "data" / "rows.parquet").read_bytes()
    return Parts(keys.model_id, public | contract(keys.verifying_key), private)
