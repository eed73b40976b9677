"""Releases, plans, leases and artefacts."""

import pytest
from sqlalchemy import delete, update
from tests.unit.record.small import RELEASE, release

from assay.record import artefacts, leases, plans, releases
from assay.record.errors import ArtefactAbsent, Conflict, LeaseLost, Unknown
from assay.record.schema import artefacts as table


def test_releases_by_version_and_by_the_beginning_of_their_digest(database):
    one, two = release(database), release(database, 2, "abcd" * 16)
    assert [releases.get(database, "fee", name) for name in (1, "1", "fee@1", RELEASE, RELEASE[:6])] == [one] * 5
    assert releases.get(database, "fee", "0xabcdab") == two
    assert releases.find(database, "fee") == [one, two]
    assert releases.by_digest(database, RELEASE) == one
    with database.begin() as connection:
        assert releases.next_version(connection, "fee") == 3
    for name in (3, "ab", "abab", "zzzzzz", "ffffff"):
        with pytest.raises(Unknown):
            releases.get(database, "fee", name)


def test_a_release_is_kept_once(database):
    release(database)
    for version, digest in ((2, RELEASE), (1, "cd" * 32)):
        with pytest.raises(Conflict):
            release(database, version, digest)


def test_plans_are_superseded_only_once(database):
    first = plans.agree(database, "fee", "experiment", "one")
    assert plans.agree(database, "fee", "experiment", "one") == first
    second = plans.agree(database, "fee", "experiment", "two", first.digest)
    assert plans.get(database, second.digest) == second
    with pytest.raises(Conflict):
        plans.agree(database, "fee", "experiment", "three", first.digest)
    with pytest.raises(Unknown):
        plans.get(database, "absent")


def test_one_holder_of_a_lease(database):
    mine = leases.take(database, "send", "a", 60)
    assert mine is not None
    assert leases.take(database, "send", "b", 60) is None
    assert leases.take(database, "send", "a", -1) == mine
    with database.begin() as connection, pytest.raises(LeaseLost):
        leases.require(database, connection, mine)
    theirs = leases.take(database, "send", "b", 60)
    assert theirs is not None
    assert theirs.fence > mine.fence
    with database.begin() as connection:
        leases.require(database, connection, theirs)
    leases.give_back(database, mine)
    assert leases.take(database, "send", "a", 60) is None
    leases.give_back(database, theirs)
    assert leases.take(database, "send", "a", 60) is not None


def test_a_lease_of_before_the_clock_was_set_back_is_over(database):
    late = leases.take(database, "send", "a", 86_400)
    assert leases.take(database, "send", "b", 86_400) is None  # who takes it for a day may hold it for a day
    assert leases.take(database, "send", "b", 60).fence == late.fence + 1


@pytest.mark.parametrize("size", [0, 1, artefacts.PART_BYTES, artefacts.PART_BYTES + 1])
def test_artefacts_of_every_size_come_back_whole(database, size):
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    name = artefacts.put(database, content)
    assert artefacts.put(database, content) == name
    assert artefacts.held(database, name)
    assert artefacts.get(database, name) == content


def test_artefacts_that_are_absent_cut_short_or_altered(database):
    name = artefacts.put(database, bytes(artefacts.PART_BYTES) + b"end")
    with pytest.raises(ArtefactAbsent):
        artefacts.get(database, "0" * 64)
    with database.begin() as connection:
        connection.execute(update(table).where(table.c.part == 1).values(content=b"End"))
    with pytest.raises(ArtefactAbsent):
        artefacts.get(database, name)
    with database.begin() as connection:
        connection.execute(delete(table).where(table.c.part == 1))
    with pytest.raises(ArtefactAbsent):
        artefacts.get(database, name)
