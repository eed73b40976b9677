"""A verifier and a consumer onto a real node: once, resumed after a kill at any point, never of a development key."""

import json
import threading

import pytest
from tests.unit.serve.small import another, keep, parts
from tests.unit.settle.killed import forked
from tests.unit.settle.small import mine

from assay.chain.errors import CompileFailed, DevelopmentKeyRefused
from assay.chain.row import WRITTEN, row_contract
from assay.cli.main import run
from assay.core.errors import AssayError
from assay.core.keccak import keccak256
from assay.record import artefacts, journal, transactions
from assay.record.database import Database
from assay.release.features import task_of
from assay.release.parts import Parts
from assay.settle.contracts import build, encoded
from assay.settle.deploy import FACTORY_CODE, contract_of, create2, deployed, fits, prepare
from assay.settle.errors import ArgumentUnfit, ContractUnknown, NoChain, NoSigner, NotMined, OtherCode, RowOfAnother
from assay.settle.network import FACTORY, context_of, network, policy, selector
from assay.settle.registry import acting
from assay.settle.rows import require_row
from assay.task.chains import ContractSpec
from assay.task.task import Task
from assay.transpile.circuit.circuit import Circuit, Feature

# It keeps the verifier in an immutable, refuses zero, and has arguments of the awkward kinds.
CONSUMER = """
pragma solidity ^0.8.24;
import {Base} from "./base/Base.sol";
contract Consumer is Base {
    struct Line { uint24 lowest; int64[] steps; }
    address public immutable verifier;
    bytes32 public immutable modelId;
    uint256 public steps;
    constructor(address verifier_, bytes32 modelId_, Line memory line, uint256 huge) Base(huge) {
        require(verifier_.code.length > 0, "no verifier");
        verifier = verifier_; modelId = modelId_; steps = line.steps.length;
    }
}
"""
BASE = "pragma solidity ^0.8.24; contract Base { uint256 public huge; constructor(uint256 huge_) { huge = huge_; } }"
ARGUMENTS = ["$verifier", "$model_id", [3000, [-1, 2, 3]], str(2**200)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return parts(tmp_path_factory.mktemp("made"), compiled=True)


@pytest.fixture
def release(database, made):
    return keep(database, made)


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "contracts" / "base").mkdir(parents=True)
    (folder / "contracts" / "Consumer.sol").write_text(CONSUMER)
    (folder / "contracts" / "base" / "Base.sol").write_text(BASE)
    return folder


def task(chains, chain="local"):
    return Task.model_validate(
        {
            "name": "credit",
            "existing": {"kind": "constant", "value": 0.0},
            "predict": {"target": "y", "type": "binary"},
            "data": {"sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}]},
            "protocol": {"chain": chain},
            "chains": chains,
        }
    )


@pytest.fixture
def local(anvil):
    contracts = [{"name": "consumer", "source": "contracts/Consumer.sol:Consumer", "arguments": ARGUMENTS}]
    return task({"local": {"rpc": [anvil.url], "confirmations": 5, "contracts": contracts}})


@pytest.fixture
def prepared(database, project, local, release):
    def make():
        found = prepare(database, project, local, release, None, who="me")
        found.poll = 0.02
        return found

    return make


def test_several_commands_at_once_write_what_they_brought_down_once(prepared, database):
    found = prepared().run()
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM event WHERE kind = 'contract.deployed'")
        [last] = connection.exec_driver_sql("SELECT digest FROM event").scalars()
    commands, begin, written = [prepared() for _ in range(6)], threading.Barrier(6), []

    def record(one):
        code = one.on.node.code(found[0].address)
        begin.wait()
        written.append(one._record("verifier", found[0].address, code, None))

    threads = [threading.Thread(target=record, args=(one,)) for one in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [event] = journal.read(database, "credit", ["contract.deployed"])
    assert (event.before, written) == (last, [deployed(database, "credit", "local")[0]] * 6)


def test_it_is_deployed_once_and_what_is_there_is_compared(prepared, database, node, release, made):
    plan = prepared().plan()
    assert [(step.name, step.there, step.gas > 500_000) for step in plan[:1]] == [("verifier", False, True)]
    found = prepared().run()
    assert [one.name for one in found] == ["verifier", "consumer"]
    assert [one.address for one in found] == [step.address for step in plan]
    assert keccak256(node.code(found[0].address)) == keccak256(made.public["Verifier.runtime.bin"])
    said = node.call({"to": found[0].address, "data": selector("modelId()")})
    assert said.hex() == release.public["model_id"].removeprefix("0x")
    reads = {"verifier()": int(found[0].address, 16), "steps()": 3, "huge()": 2**200}
    for function, value in reads.items():
        assert int(node.call({"to": found[1].address, "data": selector(function)}).hex(), 16) == value
    count = node.count(prepared().outbox.account)
    assert prepared().run() == found
    assert all(step.there and step.gas == 0 for step in prepared().plan())
    assert (node.count(prepared().outbox.account), len(deployed(database, "credit", "local"))) == (count, 2)
    events = journal.read(database, "credit", ["contract.deployed"])
    assert events[1].what["code_hash"] == "0x" + keccak256(node.code(found[1].address)).hex()
    assert json.loads(artefacts.get(database, events[1].evidence["abi"]))
    assert journal.verify(database, "credit") == 3
    on = prepared().on
    assert contract_of(database, "credit", on, "consumer") == found[1]
    may = policy(on, found[1].address).allowed
    assert list(may) == [found[1].address.lower()]
    assert selector("settle(bytes,uint256[])") in may[found[1].address.lower()]


def test_a_consumer_pins_the_code_of_the_contracts_before_it_and_each_release_has_its_own(
    database, project, release, made, node, anvil
):
    (project / "contracts" / "Row.sol").write_text(
        "pragma solidity ^0.8.24; contract Row { uint256 public constant said = 3; }"
    )
    contracts = [
        {"name": "row", "source": "contracts/Row.sol:Row"},
        {
            "name": "consumer",
            "source": "contracts/Consumer.sol:Consumer",
            "arguments": ["$verifier", "$row.code_hash", [3000, [1]], "$verifier.code_hash"],
        },
    ]
    found = task({"local": {"rpc": [anvil.url], "contracts": contracts}})
    ready = prepare(database, project, found, release, None, who="me")
    ready.poll = 0.02
    planned = ready.plan()
    _, row, consumer = ready.run()
    # The plan knew the address, in which the hash is: without immutable values it follows from the source.
    assert [step.address for step in planned[1:]] == [row.address, consumer.address]
    read = {"modelId()": keccak256(node.code(row.address)), "huge()": keccak256(made.public["Verifier.runtime.bin"])}
    assert {name: node.call({"to": consumer.address, "data": selector(name)}) for name in read} == read

    (project / "contracts" / "Row.sol").write_text(
        "pragma solidity ^0.8.24; contract Row { uint256 public constant said = 4; }"
    )
    second = another(database, release)
    later = prepare(database, project, found, second, None, who="me")
    later.poll = 0.02
    newest = later.run()[-1]
    assert newest.address != consumer.address
    on = later.on
    assert contract_of(database, "credit", on, "consumer") == newest
    assert acting(database, "credit", on, "consumer", release.digest) == consumer
    assert acting(database, "credit", on, "consumer", second.digest) == newest
    # One that never had a contract is acted on by the one that was deployed last.
    assert acting(database, "credit", on, "consumer", "0" * 64) == newest
    # Where a registry says what counts, consumers follow it: of several the newest acts.
    declared = task({"local": {"rpc": [anvil.url], "registry": row.address, "contracts": contracts}})
    assert acting(database, "credit", network(declared), "consumer", release.digest) == newest


def test_what_is_deployed_again_acts_again(database, project, release, anvil):
    def deploy(huge):
        arguments = [*ARGUMENTS[:-1], str(huge)]
        contracts = [{"name": "consumer", "source": "contracts/Consumer.sol:Consumer", "arguments": arguments}]
        ready = prepare(
            database, project, task({"local": {"rpc": [anvil.url], "contracts": contracts}}), release, None, who="me"
        )
        ready.poll = 0.02
        return ready.on, ready.run()[-1]

    (on, first), (_, second) = deploy(1), deploy(2)
    assert contract_of(database, "credit", on, "consumer") == second
    _, again = deploy(1)
    assert again.address == first.address
    assert contract_of(database, "credit", on, "consumer") == again
    assert acting(database, "credit", on, "consumer", release.digest) == again
    count = len(deployed(database, "credit", "local"))
    assert deploy(1)[1] == again
    assert len(deployed(database, "credit", "local")) == count


HISTORY = """schema = "assay-task/1"
name = "fee"
existing = {kind = "constant", value = 0.0}
predict = {target = "y", type = "regression"}

[data]
time = "at"
sources = [{name = "trades", kind = "csv", path = "trades.csv"}]
label = {op = "forward_value", of = "price", horizon = 1}

[data.bars]
every = "1h"
columns = [{name = "price", op = "last", of = "p", onchain = "price"}]

[[data.features]]
name = "moved"
op = "difference"
of = "price"
onchain = "observations"
"""


def test_a_row_of_another_model_is_not_deployed(database, project, made):
    def circuit(most):
        return Circuit("linear", "public", [Feature("moved", "fixed", -most, most)], ["y"], 0, [0], weights=[[1]])

    own = {"task.toml": HISTORY.encode()}, {"circuit.json": circuit(10**10).to_json().encode()}
    one = keep(database, Parts(made.model_id, made.public | own[0], made.private | own[1]), "fee")
    specs = [ContractSpec(name=name, source=f"contracts/Row.sol:{name}") for name in ("row", "other")]
    found, file = task_of(database, one), project / "contracts" / "Row.sol"
    file.write_text(row_contract(found, circuit(10**10)))
    require_row(database, project, one, specs)
    file.write_text(row_contract(found, circuit(10**11)))
    with pytest.raises(RowOfAnother, match=f"assay row --release {one.version}"):
        require_row(database, project, one, specs)
    # What it says to do.
    (project / "task.toml").write_text(HISTORY)
    url = database.url.render_as_string(hide_password=False)
    assert run(["row", str(project), "--release", str(one.version), "--database", url]) == 0
    require_row(database, project, one, specs)
    # One that somebody wrote by hand is theirs.
    file.write_text(file.read_text().replace(WRITTEN, "// Mine"))
    require_row(database, project, one, specs)
    # A model of features that no contract computes has no row.
    file.write_text(row_contract(found, circuit(10**10)))
    plain = HISTORY.replace(
        'op = "difference"\nof = "price"\nonchain = "observations"', 'op = "difference"\nof = "price"'
    )
    other = keep(database, Parts(made.model_id, made.public | {"task.toml": plain.encode()}, made.private | own[1]))
    with pytest.raises(RowOfAnother, match="no contract can make those of"):
        require_row(database, project, other, specs)


def test_another_database_finds_what_is_there(prepared, project, local, node, made, tmp_path):
    before = prepared().run()
    other = Database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    count = node.count(prepared().outbox.account)
    found = prepare(other, project, local, keep(other, made), None, who="somebody else").run()
    assert [one.address for one in found] == [one.address for one in before]
    assert (node.count(prepared().outbox.account), transactions.find(other, "local")) == (count, [])
    other.close()


def test_a_chain_without_the_factory_gets_ordinary_creations(prepared, database, node):
    node.ask("anvil_setCode", FACTORY, "0x")
    found = prepared().run()
    assert [one.to for one in transactions.find(database, "local")] == [None, None]
    count = node.count(prepared().outbox.account)
    assert prepared().run() == found
    assert node.count(prepared().outbox.account) == count


def test_killed_at_every_point_it_goes_on(project, local, made, node, tmp_path):
    """A process is killed at each of the steps that leave a trace, and another one goes on."""
    point, killed = 0, True
    while killed:
        before = node.ask("evm_snapshot")
        database = Database(f"sqlite:///{tmp_path / f'{point}.sqlite'}")
        # The native core's threads do not pass a fork, so that everything is opened before it.
        release = keep(database, made)
        first, second = (prepare(database, project, local, release, None, who="me") for _ in range(2))
        killed = _forked(database, first, point)
        assert not _forked(database, second, None)
        assert [one.nonce for one in transactions.find(database, "local")] == [0, 1]
        assert node.count(first.outbox.account) == 2
        assert [one.name for one in deployed(database, "credit", "local")] == ["verifier", "consumer"]
        journal.verify(database, "credit")
        database.close()
        assert node.ask("evm_revert", before)
        point += 1
    assert point >= 9


def _forked(database, ready, point):
    """Deploy in a process of its own; whether it was killed at the point."""
    ready.poll = 0.02
    database.engine.dispose(close=False)
    return forked(ready.run, point)


def test_a_reorg_after_it_was_mined_brings_it_back(prepared, node, anvil):
    found = prepared().run()
    node.ask("anvil_reorg", 2, [])
    assert not node.code(found[1].address)
    assert prepared().run() == found
    assert node.code(found[1].address)


def test_development_keys_stay_on_local_chains(database, project, release, anvil):
    elsewhere = task({"far": {"id": 4242, "rpc": [anvil.url], "signer": "none.json"}}, "far")
    with pytest.raises(DevelopmentKeyRefused, match="4242"):
        prepare(database, project, elsewhere, release, None, who="me", unchecked=True)
    assert transactions.find(database, "far") == []


@pytest.mark.parametrize(
    ("chains", "name", "kind"),
    [
        ({}, "nowhere", NoChain),
        ({"local": {}}, "local", NoChain),
        ({"x": {"rpc": ["http://127.0.0.1:1"]}}, "x", NoChain),
        ({"local": {"rpc": ["$NO_SUCH_VARIABLE"]}}, "local", AssayError),
    ],
)
def test_a_chain_that_is_not_declared_well(chains, name, kind):
    with pytest.raises(kind):
        network(task(chains), name)


def test_without_a_signer_nothing_is_sent_on_a_real_chain(anvil, tmp_path):
    from assay.settle.network import signer

    with pytest.raises(NoSigner, match="4242"):
        signer(network(task({"far": {"id": 4242, "rpc": [anvil.url]}}), "far"), tmp_path)


def test_a_constructor_that_refuses_is_named_before_it_is_sent(database, project, local, release, node, prepared):
    (project / "contracts" / "Consumer.sol").write_text(CONSUMER.replace("code.length > 0", "code.length > 99999"))
    with pytest.raises(AssayError, match="no verifier"):
        prepared().run()
    assert [one.subject.split(":")[0] for one in transactions.find(database, "local")] == ["verifier"]


def test_no_block_within_the_time_and_the_next_run_goes_on(prepared, node):
    node.ask("evm_setAutomine", False)
    waiting = prepared()
    waiting.patience = 0.2
    with pytest.raises(NotMined, match="goes on from there"):
        waiting.run()
    node.ask("evm_setAutomine", True)
    mine(node)
    assert len(prepared().run()) == 2


def test_other_code_at_the_address_is_not_taken_for_the_contract(prepared, database, node):
    address = prepared().plan()[0].address
    node.ask("anvil_setCode", address, "0x6001")
    with pytest.raises(OtherCode):
        prepared().run()
    assert deployed(database, "credit", "local") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["$verifier", "$model_id", [1, []]], "takes 4 arguments"),
        (["$verifier", "$model_id", [2**24, []], 1], "is no "),
        (["$nobody", "$model_id", [1, []], 1], "There are: "),
        (["0x12", "$model_id", [1, []], 1], "is no address"),
        (["$verifier", "$model_id", [1, []], True], "is no uint256"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, said, project):
    spec = ContractSpec(name="consumer", source="contracts/Consumer.sol:Consumer", arguments=tuple(arguments))
    known = {"verifier": "0x" + "11" * 20, "model_id": "0x" + "22" * 32}
    with pytest.raises(ArgumentUnfit, match=said.replace("(", r"\(")):
        encoded(spec, build(project, [spec])[0].compiled.abi, known)


def test_contracts_that_are_not_there(project):
    with pytest.raises(ContractUnknown, match="It has: Base, Consumer"):
        build(project, [ContractSpec(name="a", source="contracts/Consumer.sol:Other")])
    (project / "contracts" / "Out.sol").write_text('import "../../../etc/passwd"; contract Out {}')
    with pytest.raises(CompileFailed, match="which is not there"):
        build(project, [ContractSpec(name="a", source="contracts/Out.sol:Out")])


def test_addresses_and_contexts_are_those_of_the_chain(node):
    """Examples of EIP-1014 use other deployers; the factory itself and Solidity's abi.encode are the judges."""
    creation = bytes.fromhex("600160005260206000f3")
    call = {"from": node.ask("eth_accounts")[0], "to": FACTORY, "data": "0x" + "00" * 32 + creation.hex()}
    sent = node.ask("eth_sendTransaction", call)
    while node.receipt(sent) is None:
        pass
    assert node.code(FACTORY) == FACTORY_CODE
    assert len(node.code(create2(creation))) == 32
    from eth_abi import encode

    packed = encode(["uint256", "address", "uint64"], [31337, "0x" + "ab" * 20, 7])
    assert context_of(31337, "0x" + "ab" * 20, 7) == int.from_bytes(keccak256(packed), "big")


def test_immutable_values_are_the_only_difference_that_is_allowed():
    assert fits(b"\x01\x00\x02", b"\x01\x77\x02")
    assert not fits(b"\x01\x00\x02", b"\x03\x77\x02")
    assert not fits(b"\x01\x00", b"\x01\x00\x00")
    assert not fits(b"", b"")
