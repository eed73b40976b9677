import pytest
from tests.unit.serve.small import keep, parts

from assay.record import journal, releases
from assay.record.database import Database
from assay.release import alias
from assay.release.compare import compare
from assay.release.errors import NoChampion, NoWayBack, ReleaseError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("made")
    return [parts(place, seed) for seed in (7, 8, 9)]


@pytest.fixture
def database(tmp_path):
    found = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    yield found
    found.close()


def test_the_first_decides_and_going_back_is_not_going_forth(database, made):
    one, two, three = (keep(database, each) for each in made)
    assert alias.champion(database, "credit") == one.digest
    for release in (two, three):
        alias.promote(database, release, who="me", why="better")
    assert alias.back(database, "credit", who="me", why="worse") == two
    assert alias.back(database, "credit", who="me", why="worse still") == one
    with pytest.raises(NoWayBack):
        alias.back(database, "credit", who="me", why="no further")
    alias.promote(database, three, who="me", why="again")
    assert alias.back(database, "credit", who="me", why="no") == one
    assert [move.back for move in alias.moves(database, "credit")] == [False, False, False, True, True, False, True]
    assert journal.verify(database, "credit") == 7


def test_two_that_go_back_at_once_go_back_one_release(database, made):
    one, two, three = (keep(database, each) for each in made)
    for release in (two, three):
        alias.promote(database, release, who="me", why="better")
    seen = alias.moves(database, "credit")
    assert alias.back(database, "credit", who="me", why="worse", seen=seen) == two
    with pytest.raises(ReleaseError, match="another process changed which release decides"):
        alias.back(database, "credit", who="another", why="worse", seen=seen)
    assert alias.champion(database, "credit") == two.digest
    assert one.digest != two.digest


def test_what_decided_at_any_block(database, made):
    one, two = keep(database, made[0]), keep(database, made[1])
    alias.promote(database, two, who="me", why="better", chain="main", block=100)
    alias.back(database, "credit", who="me", why="worse", chain="main", block=200)
    first = alias.moves(database, "credit")[0].event
    assert alias.champion(database, "credit", at=first.time - 1) is None
    assert alias.champion(database, "credit", at=first.time) == one.digest
    at = {block: alias.champion(database, "credit", at=block, chain="main") for block in (99, 100, 199, 200)}
    assert at == {99: one.digest, 100: two.digest, 199: two.digest, 200: one.digest}


def test_what_is_said_wrongly(database, made):
    with pytest.raises(NoChampion):
        alias.back(database, "credit", who="me", why="nothing")
    one = keep(database, made[0])
    with pytest.raises(ReleaseError, match="decides already"):
        alias.promote(database, one, who="me", why="again")


def test_differences_are_named(database, made):
    one, two = keep(database, made[0]), keep(database, made[1])
    found = {each.name: each for each in compare(database, one, two)}
    assert {"model_id", "measured.gas", "task.toml", "verifying.key", "private circuit.json"} <= set(found)
    assert "-seed = 7" in found["task.toml"].lines
    assert "+seed = 8" in found["task.toml"].lines
    assert compare(database, one, one) == []
    assert len(releases.find(database)) == 2
