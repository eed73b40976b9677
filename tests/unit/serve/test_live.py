"""A chain followed to the end: swaps, bars, rows, proofs, and the real fee contract of a real registry."""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from eth_abi import encode
from sqlalchemy import text
from tests.unit.data.small import SWAP
from tests.unit.data.sources.test_cryo import send
from tests.unit.record.small import asked, release
from tests.unit.serve.chain import deploy, settled
from tests.unit.serve.followed import FEE, FORECAST, TASK, retrained, swapping
from tests.unit.serve.followed import project as project_of
from tests.unit.serve.small import keep, parts

from assay.core.keccak import keccak256
from assay.data.build import build
from assay.data.errors import Reorganised, RpcRefused
from assay.record import answers, journal, leases, transactions
from assay.record.database import Database
from assay.record.errors import RecordError
from assay.release import alias
from assay.release.parts import Parts
from assay.serve.errors import NothingSettles
from assay.serve.live import Live, followable
from assay.serve.models import Models
from assay.serve.parts import live as follow
from assay.serve.settings import Settings
from assay.serve.settle import open_settler
from assay.serve.work import Worker
from assay.settle.deploy import prepare
from assay.settle.network import context_of, selector
from assay.settle.promote import registrar
from assay.task.task import Task

CONTRACTS = Path(__file__).parents[3] / "contracts" / "src"


@pytest.fixture
def chain(request):
    with swapping(getattr(request, "param", 0)) as found:
        yield found


@pytest.fixture(scope="module")
def made_of_one(tmp_path_factory):
    return parts(tmp_path_factory.mktemp("parts"))


@pytest.fixture
def made(chain, tmp_path):
    chain.swap(150)
    return lambda more="": project_of(chain, tmp_path, more)


def loops(project):
    settler = open_settler(project.database, project.folder, project.task, None)
    live = Live(project.database, "fee", settler, Models(project.database), project.folder / ".assay" / "live")
    return live, Worker(project.database), settler


def answered(project, **named):
    found = answers.find(project.database, "fee", periods=True, **named)
    return sorted(found, key=lambda one: one.period)


def unexpected(text):
    assert "have no answer" in text, text  # periods that pass while the test mines are said to


def go(project, chain, until, most=5000):
    """Step all loops, with a block now and then, until what is waited for is so."""
    live, worker, settler = loops(project)
    live.told = settler.told = unexpected
    for turn in range(most):
        if not any([live.step(), worker.step(), settler.step()]):  # each of them, moved or not
            time.sleep(0.02)  # an answer that waits is looked at again a quarter of a second later
        if until():
            return
        if turn % 3 == 2:
            chain.rpc.ask("anvil_mine", "0x1")
    raise AssertionError([(one.period, one.state, one.error) for one in answered(project)])


def test_a_fee_follows_the_chain(chain, made):
    project = made(FEE.format(task=keccak256(b"fee").hex()))
    deployment = prepare(project.database, project.folder, project.task, project.release, None, who="me")
    deployment.poll = 0.02
    verifier, registry, _, consumer = deployment.run()

    def admin(function, types=(), values=()):
        data = selector(function) + encode(types, values).hex()
        send(chain.rpc, to=registry.address, data=data)

    model, release = (
        bytes.fromhex(project.release.public["model_id"].removeprefix("0x")),
        bytes.fromhex(project.release.digest),
    )
    four = ["address", "bytes32", "bytes32", "bytes32"]
    admin(
        "propose(address,bytes32,bytes32,bytes32)",
        four,
        [verifier.address, bytes.fromhex(verifier.code_hash[2:]), model, release],
    )
    admin("allow(uint32,bytes)", ["uint32", "bytes"], [1, b""])
    admin("proposeDefault(uint32)", ["uint32"], [1])
    admin("makeDefault()")

    def fee():
        return int(chain.rpc.ask("eth_call", {"to": consumer.address, "data": selector("fee()")}, "latest"), 16)

    assert fee() == 3000
    assert followable(project.database, "fee") == ""
    go(project, chain, lambda: any(one.state == "settled" for one in answered(project)))
    first = answered(project)[0]
    assert first.evidence["period"] == 1
    assert int(first.context) == context_of(31337, consumer.address, 1)
    assert fee() != 3000
    last = max(one.period for one in answered(project))
    chain.swap(6)
    go(project, chain, lambda: any(one.period > last and one.state == "settled" for one in answered(project)))
    purposes = [one.purpose for one in transactions.find(project.database, "local") if one.purpose != "deploy"]
    assert purposes.count("post") >= purposes.count("settle") >= 2
    project.database.close()


def test_a_newer_row_waits_until_the_one_before_is_settled(chain, made):
    """The consumer has one row at a time: a newer one would take its place, and its proof would come to nothing."""
    project = made(FEE.format(task=keccak256(b"fee").hex()))
    deployment = prepare(project.database, project.folder, project.task, project.release, None, who="me")
    deployment.poll = 0.02
    deployment.run()
    calls = registrar(project.database, project.folder, project.task, "local", who="me", why="first")
    calls.poll = 0.02
    calls.promote(project.release)
    live, _, settler = loops(project)
    live.told = settler.told = unexpected
    for _ in range(4):  # two periods, and nothing is proven meanwhile
        live.step()
        chain.swap(2)
    # Whoever posts keeps no lease on the account: the settlement loop is another process, and would wait for its end.
    account = settler.outbox.account.lower()
    assert leases.take(project.database, f"outbox:local:{account}", "another process", 0.0) is not None
    first, second = answered(project)[:2]
    # The swaps are of the same account, and take the nonce: the row is sent again, by whoever goes on.
    posted = {one.subject.split("/")[0] for one in transactions.find(project.database, "local", purpose="post")}
    assert posted == {first.id}
    assert first.state in {"received", "fixed"}
    assert second.state == "received"
    go(project, chain, lambda: all(one.state == "settled" for one in answered(project)[:2]))
    assert [one.evidence["period"] for one in answered(project)[:2]] == [1, 2]
    project.database.close()


def deployed(project, release):
    deployment = prepare(project.database, project.folder, project.task, release, None, who="me")
    deployment.poll = 0.02
    return deployment.run()[-1].address


def posted(project, release, parts, chain):
    """The first answer of a release whose row was posted and not looked at since, by these loops."""
    for _ in range(5000):
        sent = {one.subject.split("/")[0] for one in transactions.find(project.database, "local", purpose="post")}
        found = [one for one in answered(project) if one.release == release.digest and one.state == "received"]
        if found and found[0].id in sent:
            return found[0]
        moved = [part.step() for part in parts]
        if not found:
            chain.swap(1)
        elif not any(moved):
            time.sleep(0.1)
            chain.rpc.ask("anvil_mine", "0x1")
    raise AssertionError([(one.period, one.state, one.error) for one in answered(project)])


@pytest.mark.parametrize("chain", [1], indirect=True)  # swaps take no nonce of the account that posts
def test_each_release_is_posted_to_and_settled_by_its_own_contract(chain, made):
    """Without a registry each release has a contract that pins its model, and what is under way goes on there."""
    project = made(FORECAST)
    first, second = project.release, retrained(project)
    own = {one.digest: deployed(project, one) for one in (first, second)}
    assert len(set(own.values())) == 2
    live, _, _ = loops(project)
    one = posted(project, first, [live], chain)
    alias.promote(project.database, second, who="me", why="better")
    two = posted(project, second, [live], chain)  # by the process that opened the first one's contract

    def over(*those):
        return lambda: all(answers.get(project.database, one.id).state == "settled" for one in those)

    go(project, chain, over(one, two))
    three = posted(project, second, loops(project), chain)
    alias.back(project.database, "fee", who="me", why="worse")
    go(project, chain, over(three))
    for held in (answers.get(project.database, each.id) for each in (one, two, three)):
        assert int(held.context) == context_of(31337, own[held.release], held.evidence["period"])
        assert held.evidence["consumer"] == own[held.release]
        sent = transactions.get(project.database, held.transaction)
        assert (sent.to, sent.mined["ok"]) == (own[held.release], True)
    assert not answered(project, states=["refused"])
    a_row_that_a_contract_before_the_newest_has_ends(project, chain)
    project.database.close()


def a_row_that_a_contract_before_the_newest_has_ends(project, chain):
    """Its release's contract is another one by now, in which the row has no period: it waits for nothing."""
    one = posted(project, project.release, loops(project), chain)
    file = project.folder / "task.toml"
    file.write_text(file.read_text().replace("3000, 864000", "2000, 864000"))
    project.task = Task.load(project.folder)
    newer = deployed(project, project.release)
    go(project, chain, lambda: answers.get(project.database, one.id).state == "expired")
    assert answers.get(project.database, one.id).error["code"] == "settle/other-contract"
    chain.swap(4)
    go(project, chain, lambda: any(each.period > one.period for each in answered(project, states=["settled"])))
    assert answered(project, states=["settled"])[-1].evidence["consumer"] == newer


def test_live_rows_are_the_datasets_rows(chain, made):
    """What was answered while the chain grew is what a dataset of the grown chain says of the same blocks."""
    consumer = deploy_plain(chain)
    project = made(f'consumer = "{consumer}"\n')
    for count in (3, 5, 4):
        before = len(answered(project))
        chain.swap(count)
        go(project, chain, lambda before=before: len(answered(project, states=["settled"])) > before)
    chain.swap(8)
    grown = project.task.data.sources[0].model_copy(update={"end_block": chain.rpc.head()})
    task = project.task.model_copy(update={"data": project.task.data.model_copy(update={"sources": (grown,)})})
    dataset = build(task, project.folder, project.folder / "grown")
    rows = {row["block_number"]: row for row in dataset.frame().iter_rows(named=True)}
    found = answered(project)
    assert len(found) >= 3
    for one in found:
        assert one.row == [[rows[one.period][name] for name in dataset.features]], one.period
        assert int(one.context) == context_of(31337, consumer, one.period)
    loops(project)[0].step()  # with the last blocks, what came of all but the newest is known
    for one in answered(project)[:-1]:
        assert one.outcome == rows[one.period]["next"], one.period
    events = [context for context, _ in settled_on(chain, consumer)]
    assert len(set(events)) == len(events)
    assert {int(one.context) for one in answered(project, states=["settled"])} <= set(events)
    project.database.close()


def test_an_outcome_that_changed_is_kept_with_its_event_or_not_at_all(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    release(database)
    one, _ = answers.receive(database, asked(chain="local", period=7, outcome=1.5))
    live = Live(database, one.project, None, None, tmp_path)
    refuses = (
        "CREATE TRIGGER no BEFORE INSERT ON event WHEN NEW.kind = 'outcome.changed' BEGIN SELECT RAISE(FAIL, 'no'); END"
    )
    with database.begin() as connection:
        connection.execute(text(refuses))
    with pytest.raises(RecordError):
        live._say_outcome(one, 2.5)
    assert answers.get(database, one.id).outcome == 1.5  # so that it is looked at again
    with database.begin() as connection:
        connection.execute(text("DROP TRIGGER no"))
    for _ in range(2):  # another loop that saw the same says nothing
        live._say_outcome(one, 2.5)
    assert answers.get(database, one.id).outcome == 2.5
    (event,) = journal.read(database, one.project, ["outcome.changed"])
    assert (event.subject, event.what, event.block) == (one.id, {"before": 1.5, "now": 2.5}, 7)
    database.close()


def test_periods_that_passed_unseen_have_no_answer_and_late_ones_are_not_sent(chain, made):
    consumer = deploy_plain(chain)
    project = made(f'consumer = "{consumer}"\nlate_after_blocks = 6\n')
    live, worker, settler = loops(project)
    said = []
    live.told = said.append
    assert live.step()
    chain.swap(20)
    assert live.step()  # the first period's answer is fixed or expired
    live.step()
    worker.step()
    skipped = journal.read(project.database, "fee", ["period.skipped"])
    assert [event.what["count"] for event in skipped] == [4]
    assert "have no answer" in said[0]
    for _ in range(6):
        live.step()
        worker.step()
        settler.step()
        chain.rpc.ask("anvil_mine", "0x1")
    states = [one.state for one in answered(project)]
    assert states[0] == "expired"
    contexts = [context for context, _ in settled_on(chain, consumer)]
    assert context_of(31337, consumer, answered(project)[0].period) not in contexts
    project.database.close()


def test_two_live_loops_answer_a_period_once(chain, made):
    consumer = deploy_plain(chain)
    project = made(f'consumer = "{consumer}"\n')
    one, _, _ = loops(project)
    other, _, _ = loops(project)
    other.name, other.place = "other", project.folder / ".assay" / "other"
    for _ in range(3):
        one.step()
        other.step()
    assert len(answered(project)) == 1
    project.database.close()


def test_several_series_are_refused_by_name(tmp_path, made_of_one):
    """One period of one chain has one answer: a task with several rows a period is not followed, and told so."""
    text = TASK.format(url="http://127.0.0.1:1", pool="0x" + "11" * 20, end=10, swap=SWAP, more="")
    text = text.replace("[data]\n", '[data]\nentity = "sender"\n', 1)
    (tmp_path / "task.toml").write_text(text)
    database = Database.of_project(tmp_path)
    public = made_of_one.public | {"task.toml": text.encode()}
    keep(database, Parts(made_of_one.model_id, public, made_of_one.private), "fee")
    assert followable(database, "fee").startswith("[data] entity = 'sender': several series are not followed")
    with pytest.raises(NothingSettles, match="several series are not followed"):
        follow(Settings(tmp_path, database.address, chain="local"), unexpected)
    database.close()


def deploy_plain(chain):
    return deploy(node_of(chain), chain.rpc.ask("eth_accounts")[0])


def node_of(chain):
    from assay.settle.node import Node

    return Node("local", 31337, (chain.node.url,))


def settled_on(chain, consumer):
    return settled(node_of(chain), consumer)


@pytest.fixture(autouse=True)
def contracts(tmp_path):
    shutil.copytree(CONTRACTS, tmp_path / "contracts")


def test_an_outcome_that_is_no_number_is_not_known_and_stops_nothing(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    release(database)
    one, _ = answers.receive(database, asked(chain="local", period=7))
    live = Live(database, one.project, SimpleNamespace(on=SimpleNamespace(name="local")), None, tmp_path)
    live._observe(None, {7: float("nan")})
    live._observe(None, {7: float("inf")})
    assert answers.get(database, one.id).outcome is None
    answers.observe(database, one.id, float("inf"))  # as an earlier version kept it
    live._say_outcome(answers.get(database, one.id), 2.5)
    assert answers.get(database, one.id).outcome == 2.5
    assert journal.read(database, one.project, ["outcome.changed"]) == []
    database.close()


def test_after_a_deep_reorganisation_blocks_are_collected_anew_and_words_of_state_stay(tmp_path):
    place = tmp_path / "chain" / "pool"
    place.mkdir(parents=True)
    for name in ("state.parquet", "net__blocks__00000001_to_00000009.parquet"):
        (place / name).write_bytes(b"x")
    Live._collect_anew(None, tmp_path, RpcRefused("the node is busy", "Wait."))
    assert len(list(place.iterdir())) == 2
    Live._collect_anew(None, tmp_path, Reorganised("block 7 does not follow the block before it", "Collect again."))
    assert [path.name for path in place.iterdir()] == ["state.parquet"]
