"""A real registry on a real node: proposed, allowed, the default, back, frozen; by whom, from when, and never twice."""

import shutil
from pathlib import Path

import pytest
from eth_abi import encode
from tests.unit.serve.small import another, keep, parts
from tests.unit.settle.killed import forked
from tests.unit.settle.small import Key, mine

from assay.chain.compile import compile_solidity, read_sources
from assay.keep.certify.standing import on_chain
from assay.record import artefacts, journal, transactions
from assay.record.database import Database
from assay.record.journal import Event
from assay.release import alias
from assay.release.errors import NoWayBack
from assay.release.rehearsed import REHEARSED
from assay.settle.deploy import contract_of, deployed, prepare
from assay.settle.errors import NoDefault, NoRegistry, NotPermitted, NotRehearsed, NotUsable
from assay.settle.network import network, selector
from assay.settle.promote import registrar
from assay.settle.registry import previous, registry_of
from assay.settle.shadow import deciding, follow, shadow, verdicts
from assay.settle.status import chains
from assay.task.task import Task

CONTRACTS = Path(__file__).parents[3] / "contracts" / "src"
NOBODY = "0x" + "00" * 20
ATTESTER = "0x" + "a7" * 20
CERTIFICATE = bytes.fromhex("c7" * 32)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("made")
    return [parts(place, seed, compiled=True) for seed in (7, 8, 9)]


@pytest.fixture(scope="module")
def compiled():
    paths = ["registry/ModelRegistry.sol", "registry/CertificateGate.sol"]
    return compile_solidity(read_sources(CONTRACTS, paths=paths))


@pytest.fixture
def held(database, made):
    return [keep(database, one) for one in made]


def task(url, registry=None, **chain):
    chain = {"rpc": [url], "confirmations": 1, "registry": registry} | chain
    return Task.model_validate(
        {
            "name": "credit",
            "existing": {"kind": "constant", "value": 0.0},
            "predict": {"target": "y", "type": "binary"},
            "data": {"sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}]},
            "protocol": {"chain": "local"},
            "chains": {"local": chain},
        }
    )


def deploy_registry(node, compiled, roles, delay=0, gate=NOBODY):
    """By the node's own second account, which is no part of this."""
    types = ["bytes32", "address", "address", "address", "uint48", "address"]
    arguments = encode(types, [bytes(32), *roles, delay, gate])
    return sent_by(node, node.ask("eth_accounts")[1], None, compiled["ModelRegistry"].bytecode + arguments).contract


def sent_by(node, sender, to, data):
    """Its receipt; any account that the node may play."""
    node.ask("anvil_impersonateAccount", sender)
    sent = node.ask("eth_sendTransaction", {"from": sender, "data": "0x" + data.hex()} | ({"to": to} if to else {}))
    while (found := node.receipt(sent)) is None:
        pass
    return found


class Place:
    """The project on a chain with a registry, and the accounts that hold its roles."""

    def __init__(self, folder, database, node, url, compiled, delay=0, gate=NOBODY):
        self.folder, self.database, self.node = folder, database, node
        self.proposer, self.guardian = Key(), Key()
        for key in (self.proposer, self.guardian):
            node.ask("anvil_setBalance", key.address, hex(10**19))
        roles = [node.ask("eth_accounts")[1], self.proposer.address, self.guardian.address]
        self.address = deploy_registry(node, compiled, roles, delay, gate)
        self.task = task(url, self.address)
        self.on = network(self.task)
        self.registry = registry_of(database, "credit", self.on)

    def deploy(self, *releases):
        for one in releases:
            deployment = prepare(self.database, self.folder, self.task, one, None, who="me")
            deployment.poll = 0.02
            deployment.run()

    def attest(self, gate, one, certificate):
        model = bytes.fromhex(one.public["model_id"].removeprefix("0x"))
        call = bytes.fromhex(selector("attest(bytes32,bytes32,bytes32)")[2:])
        call += model + bytes.fromhex(one.digest) + certificate
        assert sent_by(self.node, ATTESTER, gate, call).ok

    def later(self, seconds):
        self.node.ask("evm_increaseTime", seconds)
        mine(self.node)

    def calls(self, by=None, why="a reason", who="me", database=None):
        found = registrar(
            database or self.database, self.folder, self.task, "local", who=who, why=why, by=by or self.proposer
        )
        found.poll = 0.02
        return found


@pytest.fixture
def place(tmp_path, database, node, anvil, compiled):
    return Place(tmp_path, database, node, anvil.url, compiled)


@pytest.fixture
def slow(tmp_path, database, node, anvil, compiled):
    return Place(tmp_path, database, node, anvil.url, compiled, delay=3600)


@pytest.fixture
def gate(node, compiled):
    """A gate whose attester is ATTESTER."""
    node.ask("anvil_setBalance", ATTESTER, hex(10**19))
    arguments = encode(["address", "address", "uint48"], [ATTESTER, ATTESTER, 0])
    made = compiled["CertificateGate"].bytecode + arguments
    return sent_by(node, node.ask("eth_accounts")[1], None, made).contract


def sent(place):
    return [one.subject.split(":")[1] for one in transactions.find(place.database, "local", purpose="registry")]


def test_a_release_becomes_the_default_and_the_record_follows(place, held, database):
    first, second, _ = held
    place.deploy(first, second)
    done = place.calls().promote(first)
    assert (done.state, done.version) == ("default", 1)
    assert sent(place) == ["propose", "allow", "proposeDefault", "makeDefault"]
    done = place.calls(who="anna", why="better").promote(second)
    assert (place.registry.current(), done.version) == (2, 2)
    move = alias.moves(database, "credit")[-1]
    assert (move.after, move.event.who, move.event.why, move.back) == (second.digest, "anna", "better", False)
    assert (move.event.chain, move.event.block) == ("local", done.block)
    assert alias.champion(database, "credit", at=done.block - 1, chain="local") == first.digest
    assert alias.champion(database, "credit", at=done.block, chain="local") == second.digest
    known = shadow(database, "credit", place.registry)
    assert (known.default, known.since) == (2, done.block)
    blocks = known.versions[2].blocks
    assert blocks["proposed"] < blocks["allowed"] < blocks["next"] < blocks["default"] == done.block
    assert known.versions[2].release == second.digest
    journal.verify(database, "credit")


def test_a_registry_says_since_when_it_has_a_certificates_release_and_of_which_model(place, held, database):
    """Nothing on a chain binds a release's digest to the model that is proposed beside it."""
    first, second, absent = held
    later = another(database, first)
    place.deploy(first, second)
    done = place.calls().promote(first)

    def propose(verifier, release):
        version = place.registry.version(verifier)
        call = bytes.fromhex(selector("propose(address,bytes32,bytes32,bytes32)")[2:])
        call += encode(["address"], [version.verifier])
        call += bytes.fromhex(version.code_hash + version.model_id + release)
        return sent_by(place.node, place.proposer.address, place.address, call)

    found = on_chain(first.public, place.registry, "")
    assert (found.holds, f"the default first in block {done.block}" in found.said) == (True, True)
    assert "(chain 31337)" in found.said
    assert on_chain(absent.public, place.registry, "").holds is False
    # The model decided already when the release with these rows came: they may be chosen.
    assert propose(1, later.digest).ok
    found = on_chain(later.public, place.registry, "")
    assert (found.holds, "may have been chosen afterwards" in found.said) == (None, True)
    assert on_chain(first.public, place.registry, "").holds is True
    # What the certificate is of is not what the registry has under its release's digest.
    place.calls().promote(second)
    assert on_chain(second.public, place.registry, "").holds is True
    assert propose(1, second.digest).ok
    found = on_chain(second.public, place.registry, "")
    assert (found.holds, "another model" in found.said) == (False, True)
    place.calls(place.guardian).freeze(first)
    assert "frozen" in on_chain(first.public, place.registry, "").said


def test_what_makes_rows_too_is_proposed_in_the_verifiers_place(place, held, database):
    (place.folder / "own").mkdir()
    (place.folder / "own" / "Row.sol").write_text("pragma solidity ^0.8.24; contract Row {}")
    (place.folder / "contracts").symlink_to(CONTRACTS)
    pinned = ["$verifier", "$code_hash", "$model_id", "$row", "$row.code_hash"]
    model = {"name": "model", "source": "contracts/registry/ModelWithRow.sol:ModelWithRow", "arguments": pinned}
    contracts = [{"name": "row", "source": "own/Row.sol:Row"}, model]
    place.task = task(place.on.spec.rpc[0], place.address, contracts=contracts)
    with pytest.raises(NotUsable, match="the contract model of credit@1 is not on local"):
        place.calls().promote(held[0])
    place.deploy(held[0])
    assert place.calls().promote(held[0]).state == "default"
    version, there = place.registry.version(1), contract_of(database, "credit", place.on, "model")
    assert (version.verifier, "0x" + version.code_hash) == (there.address.lower(), there.code_hash)
    assert version.model_id == held[0].public["model_id"].removeprefix("0x")


def test_twice_sends_nothing_twice(place, held, database):
    place.deploy(held[0])
    place.calls().promote(held[0])
    before = place.node.count(place.proposer.address), len(journal.read(database, "credit"))
    again = place.calls().promote(held[0])
    assert (again.state, again.block) == ("default", None)
    assert (place.node.count(place.proposer.address), len(journal.read(database, "credit"))) == before


def test_back_goes_back_at_once_and_twice_goes_back_two(place, held, database):
    place.deploy(*held)
    for one in held:
        place.calls().promote(one)
    done = place.calls(place.guardian, why="worse").back()
    assert (done.version, place.registry.current()) == (2, 2)
    assert alias.moves(database, "credit")[-1].back
    assert place.calls(place.guardian).back().version == 1
    with pytest.raises(NoWayBack):
        place.calls(place.guardian).back()
    assert alias.champion(database, "credit") == held[0].digest
    # Forward again, by the same calls as before, which are sent anew: their effect was undone.
    assert place.calls().promote(held[2]).version == 3
    assert place.registry.current() == 3
    assert place.calls(place.guardian).back().version == 1


def test_what_is_frozen_is_passed_over_and_nobody_answers_in_its_place(place, held, database):
    place.deploy(*held)
    for one in held:
        place.calls().promote(one)
    with pytest.raises(NotPermitted, match="is not the guardian"):
        place.calls().freeze(held[1])
    place.calls(place.guardian, why="wrong data").freeze(held[1])
    done = place.calls(place.guardian, why="wrong data").freeze(held[2])
    assert (done.state, place.registry.current()) == ("frozen", 0)
    count = place.node.count(place.guardian.address)
    place.calls(place.guardian).freeze(held[2])
    assert place.node.count(place.guardian.address) == count
    with pytest.raises(NoDefault, match="no default that counts"):
        deciding(database, "credit", place.on)
    assert alias.champion(database, "credit") == held[2].digest  # the record does not invent another
    assert place.calls(place.guardian).back().version == 1
    assert deciding(database, "credit", place.on) == held[0].digest
    with pytest.raises(NotUsable, match="frozen on local, for ever"):
        place.calls().promote(held[2])
    frozen = journal.read(database, "credit", ["registry.frozen"])
    said = [f"frozen on local since block {one.block}, for ever" for one in frozen]
    assert verdicts(database, "credit") == {held[1].digest: said[:1], held[2].digest: said[1:]}
    assert [(one.who, one.why) for one in frozen] == [("me", "wrong data")] * 2


def test_the_delay_is_said_and_the_same_command_goes_on(slow, held, database):
    slow.deploy(held[0])
    found = slow.calls().promote(held[0])
    assert (found.state, found.version) == ("proposed", 1)
    assert 3500 < found.ready_at - slow.registry.time() <= 3600
    again = slow.calls().promote(held[0])
    assert (again, sent(slow)) == (found.__class__("proposed", 1, found.ready_at, None), ["propose"])
    assert alias.moves(database, "credit")[-1].event.chain is None  # the record has not moved
    slow.node.ask("evm_increaseTime", 3600)
    mine(slow.node)
    found = slow.calls().promote(held[0])
    assert found.state == "next"
    slow.node.ask("evm_increaseTime", 3600)
    mine(slow.node)
    stranger = Key()
    slow.node.ask("anvil_setBalance", stranger.address, hex(10**19))
    assert slow.calls(stranger).promote(held[0]).state == "default"  # anyone may: the delay was the chance to refuse


def test_a_version_that_was_refused_or_retired_is_not_brought_back(slow, held):
    slow.deploy(held[0])
    slow.calls().promote(held[0])
    with pytest.raises(NotPermitted, match="is not the guardian"):
        slow.calls().refuse(held[0])
    done = slow.calls(slow.guardian, why="no").refuse(held[0])
    assert (done.state, done.version, slow.registry.version(1).state) == ("refused", 1, "refused")
    assert slow.calls(slow.guardian).refuse(held[0]).block is None
    assert verdicts(slow.database, "credit") == {held[0].digest: ["refused on local"]}
    with pytest.raises(NotUsable, match="refused credit@1"):
        slow.calls().promote(held[0])


def test_a_version_is_retired_at_a_block_that_only_comes_nearer(place, held, database):
    place.deploy(*held[:2])
    for one in held[:2]:
        place.calls().promote(one)
    with pytest.raises(NotUsable, match="credit@2 is the default"):
        place.calls().retire(held[1], 10_000)
    with pytest.raises(NotUsable, match="no version of the registry"):
        place.calls().retire(held[2], 10_000)
    with pytest.raises(NotUsable, match="block 1 of local has passed"):
        place.calls().retire(held[0], 1)
    for until in (10_000, 9_000):
        assert place.calls(why="old").retire(held[0], until).state == "retired"
    assert place.calls().retire(held[0], 9_000).block is None
    with pytest.raises(NotUsable, match="until block 9000, which is not put off"):
        place.calls().retire(held[0], 9_500)
    assert place.registry.version(1).until == 9_000
    assert verdicts(database, "credit") == {held[0].digest: ["retired on local: its proofs count until block 9000"]}
    with pytest.raises(NoWayBack):
        place.calls(place.guardian).back()
    with pytest.raises(NotUsable, match="is allowed on local, and only what is proposed is refused"):
        place.calls(place.guardian).refuse(held[0])


def test_what_is_to_become_the_default_is_taken_back_by_either(slow, held, database):
    slow.deploy(held[0])
    with pytest.raises(NotUsable, match="nothing is to become the default"):
        slow.calls().withdraw()
    slow.calls().promote(held[0])
    slow.later(3600)
    for by in (slow.guardian, slow.proposer):
        assert slow.calls().promote(held[0]).state == "next"
        with pytest.raises(NotPermitted, match="proposer or guardian"):
            slow.calls(Key()).withdraw()
        assert (slow.calls(by, why="wait").withdraw().version, slow.registry.next()[0]) == (1, 0)
    assert [one.why for one in journal.read(database, "credit", ["registry.withdrawn"])] == ["wait", "wait"]
    assert slow.calls().promote(held[0]).state == "next"


def test_a_gate_is_given_evidence_which_is_kept(place, held, database, tmp_path, node, anvil, compiled, gate):
    place = Place(tmp_path, database, node, anvil.url, compiled, gate=gate)
    place.deploy(held[0])
    count = node.count(place.proposer.address)
    for given, said in ((None, r"NoCertificate\(length=0\)"), (CERTIFICATE, "NotAttested"), (b"word", "NoCertificate")):
        with pytest.raises(NotUsable, match=f"(?i)the gate {gate} of local refuses: {said}"):
            place.calls().promote(held[0], given)
    assert node.count(place.proposer.address) == count  # all of it was known before anything was sent
    place.attest(gate, held[0], CERTIFICATE)
    assert place.calls().promote(held[0], CERTIFICATE).state == "default"
    (asked,) = [one for one in journal.read(database, "credit", ["registry.asked"]) if one.what["do"] == "promote"]
    assert artefacts.get(database, asked.evidence["given"]) == CERTIFICATE
    (allowed,) = journal.read(database, "credit", ["registry.allowed"])
    assert bytes.fromhex(allowed.what["given"]) == CERTIFICATE
    found = on_chain(held[0].public, place.registry, CERTIFICATE.hex())
    assert f"which its gate {gate} let pass".lower() in found.said.lower()
    assert "evidence" not in on_chain(held[0].public, place.registry, CERTIFICATE.hex()[:-1]).said


def test_evidence_may_come_while_a_proposal_waits_and_is_given_again(
    place, held, database, tmp_path, node, anvil, compiled, gate
):
    slow = Place(tmp_path, database, node, anvil.url, compiled, delay=3600, gate=gate)
    slow.deploy(held[0])
    told = []

    def promote(evidence=None):
        calls = slow.calls()
        calls.told = told.append
        return calls.promote(held[0], evidence).state

    assert promote() == "proposed"
    assert any("give --evidence when the delay is over" in one for one in told)
    slow.attest(gate, held[0], CERTIFICATE)
    assert promote(CERTIFICATE) == "proposed"
    slow.later(3600)
    del told[:]
    assert promote() == "next"  # what was given before is given again
    assert any("given before is given again" in one for one in told)
    assert promote(b"another") == "next"
    assert "version 1 is allowed already: the evidence is not sent" in told


def test_what_was_asked_of_another_release_waits_on_with_its_evidence(slow, held, database):
    slow.deploy(*held[:2])
    assert slow.calls().promote(held[1], b"a certificate").state == "proposed"
    assert slow.calls().promote(held[0]).state == "proposed"
    calls = slow.calls(slow.guardian)
    begun = [calls._ask("freeze", "ab" * 32), calls._ask("back", "7"), calls._ask("promote", held[2].digest)]
    slow.later(3600)
    assert slow.calls().promote(held[0]).state == "next"
    slow.later(3600)
    assert slow.calls().promote(held[0]).state == "default"
    waits = [slow.calls()._begun(one.what["do"], one.what["of"]) for one in begun]
    assert waits == begun  # of none of these something came
    assert slow.calls()._begun("promote", held[0].digest) is None
    assert slow.calls().promote(held[1]).state == "next"
    (given,) = [one.what["given"] for one in journal.read(database, "credit", ["registry.allowed"])][1:]
    assert bytes.fromhex(given.removeprefix("0x")) == b"a certificate"
    slow.calls(slow.guardian).withdraw()
    assert slow.calls()._begun("promote", held[1].digest) is None


def test_a_way_back_that_happened_is_not_taken_for_the_next_one(place, held, database):
    place.deploy(*held)
    for one in held:
        place.calls().promote(one)
    calls = place.calls(place.guardian)
    calls._ended = lambda found, *_: found  # killed before it was written down that it is over
    assert calls.back().version == 2
    assert place.calls(place.guardian).back().version == 2  # the same command goes on
    calls.back()
    assert place.calls().promote(held[2]).version == 3
    assert place.calls(place.guardian).back().version == 1


def test_the_wrong_account_is_refused_before_anything_is_sent(place, held):
    place.deploy(held[0])
    stranger = Key()
    for action in (
        lambda calls: calls.promote(held[0]),
        lambda calls: calls.back(),
        lambda calls: calls.freeze(held[0]),
    ):
        with pytest.raises(NotPermitted, match=f"{stranger.address} is not the"):
            action(place.calls(stranger))
    assert sent(place) == []
    assert place.node.count(stranger.address) == 0


def test_what_is_not_there_is_named(place, held, database, tmp_path):
    with pytest.raises(NotUsable, match="verifier of credit@1 is not on local"):
        place.calls().promote(held[0])
    place.task = task(place.on.node.urls[0], "0x" + "12" * 20)
    with pytest.raises(NoRegistry, match="no contract at"):
        place.calls()
    place.task = task(place.on.node.urls[0])
    with pytest.raises(NoRegistry, match="no registry of local is known"):
        place.calls()
    assert contract_of(database, "credit", network(place.task), "registry") is None


def test_a_chain_that_counts_needs_a_rehearsal_first(place, held, database, monkeypatch):
    place.deploy(held[0])
    monkeypatch.setattr("assay.settle.network.LOCAL_CHAIN_IDS", frozenset())
    with pytest.raises(NotRehearsed, match="assay rehearse"):
        place.calls().promote(held[0])
    for passed in (True, False):
        what = {"digest": held[0].digest, "passed": passed}
        journal.append(database, "credit", Event(REHEARSED, held[0].name, "me", what))
    with pytest.raises(NotRehearsed):  # the last one counts
        place.calls().promote(held[0])
    journal.append(database, "credit", Event(REHEARSED, held[0].name, "me", {"digest": held[0].digest, "passed": True}))
    assert place.calls().promote(held[0]).state == "default"


def test_what_others_did_is_written_down_as_theirs(place, held, database, tmp_path, made):
    place.deploy(*held)
    other = Database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    for one in held[:2]:
        place.calls().promote(one)
    place.calls(place.guardian, database=other).back()  # from a machine that holds no release of it
    assert deciding(database, "credit", place.on) == held[0].digest
    assert alias.champion(database, "credit") == held[1].digest
    follow(database, "credit", place.registry, counts=True)
    move = alias.moves(database, "credit")[-1]
    assert (move.after, move.back, move.event.who) == (held[0].digest, True, "the chain")
    with pytest.raises(NoDefault, match="which is not here"):
        deciding(other, "credit", place.on)
    other.close()


def test_a_reorg_takes_the_default_away_and_the_same_command_brings_it_back(place, held, database):
    place.deploy(*held[:2])
    for one in held[:2]:
        place.calls().promote(one)
    place.node.ask("anvil_reorg", 1, [])
    assert place.registry.current() == 1
    assert place.calls().promote(held[1]).state == "default"
    assert place.registry.current() == 2
    assert len(place.registry.versions()) == 2
    assert place.node.count(place.proposer.address) == len(transactions.find(database, "local", place.proposer.address))
    assert alias.champion(database, "credit") == held[1].digest


@pytest.mark.slow
def test_killed_at_every_point_it_goes_on(place, held, database, tmp_path):
    """A process dies at each of the steps that leave a trace; the same command, run again, ends where it should."""
    place.deploy(*held[:2])
    place.calls().promote(held[0])
    database.engine.dispose()
    ready, file = place.node.ask("evm_snapshot"), tmp_path / "records.sqlite"
    shutil.copy(file, tmp_path / "before.sqlite")
    before = place.node.count(place.proposer.address)
    point, killed = 0, True
    while killed:
        for rest in tmp_path.glob("records.sqlite*"):
            rest.unlink()
        shutil.copy(tmp_path / "before.sqlite", file)
        database._file = database._on_disk()  # it is this test that replaces it
        killed = _forked(place, database, lambda calls: calls.promote(held[1]), point)
        assert not _forked(place, database, lambda calls: calls.promote(held[1]), None)
        assert (place.registry.current(), len(place.registry.versions())) == (2, 2)
        assert place.node.count(place.proposer.address) == before + 4
        back = _forked(place, database, lambda calls: calls.back(), point)
        if back:
            assert not _forked(place, database, lambda calls: calls.back(), None)
        assert place.registry.current() == 1
        assert place.node.count(place.proposer.address) == before + 5
        assert alias.champion(database, "credit") == held[0].digest
        journal.verify(database, "credit")
        database.engine.dispose()
        assert place.node.ask("evm_revert", ready)
        ready = place.node.ask("evm_snapshot")
        point += 1
    assert point > 20


def _forked(place, database, action, point):
    database.engine.dispose(close=False)
    calls = place.calls()
    database.engine.dispose(close=False)
    return forked(lambda: action(calls), point)


def test_the_way_back_is_a_stack():
    from assay.settle.registry import Change

    def changes(*moves):
        return [Change("registry.default", {"version": v, "back": b}, 0, "", "", 0) for v, b in moves]

    assert previous(changes((1, False), (2, False), (3, False))) == [2, 1]
    assert previous(changes((1, False), (2, False), (1, True))) == []
    assert previous(changes((1, False), (2, False), (3, False), (1, True), (2, False))) == [1]
    assert previous(changes((1, False), (2, False), (0, False))) == [2, 1]
    assert previous(changes((1, False), (2, False), (0, False), (1, True), (2, False), (1, False))) == [2, 1]
    assert previous([]) == []


def test_status_says_both_and_where_they_disagree(place, held, database, anvil):
    place.deploy(*held[:2])
    for one in held[:2]:
        place.calls().promote(one)

    def look():
        (found,) = chains(database, place.folder, place.task)
        return found

    found = look()
    assert (found.counts, found.problems, found.champion) == (True, [], "credit@2")
    assert (found.registry.default, found.registry.current, found.registry.recorded) == (2, 2, 2)
    assert [(one["release"], one["state"], one["frozen"]) for one in found.registry.versions] == [
        ("credit@1", "allowed", False),
        ("credit@2", "allowed", False),
    ]
    assert found.head - found.final == 1
    assert found.queue["signed"] == found.queue["broadcast"] == 0 < found.queue["mined"]
    assert {int(one["balance_wei"]) > 0 for one in found.accounts} == {True}
    alias.promote(database, held[0], who="me", why="by hand")
    (said,) = look().problems
    assert said == "the registry says that credit@2 decides, and the record says credit@1: the registry counts"
    follow(database, "credit", place.registry, counts=True)
    assert look().problems == []
    data = selector("back(uint32)") + encode(["uint32"], [1]).hex()
    place.node.ask("anvil_impersonateAccount", place.guardian.address)
    place.node.ask("eth_sendTransaction", {"from": place.guardian.address, "to": place.address, "data": data})
    said = look().problems
    assert [one.split(",")[0] for one in said] == [
        "the registry's default is version 1",
        "the registry says that credit@1 decides",
    ]
    verifier = deployed(database, "credit", "local")[0].address
    place.node.ask("anvil_setCode", verifier, "0x6001")
    assert any("consumers fall back" in one for one in look().problems)
    assert any("is not that of verifier" in one for one in look().problems)
    anvil.stop()
    assert any("settle/unreachable" in one for one in look().problems)
