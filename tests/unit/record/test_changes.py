"""Changes come in an order in which none comes in between later, on both databases."""

import threading

import pytest
from sqlalchemy import event, text
from tests.unit.record.small import asked, release

from assay.record import answers, changes, claims
from assay.record.changes import START, Reached
from assay.record.copy import copy
from assay.record.database import Database


@pytest.fixture(autouse=True)
def _release(database):
    release(database)


def all_of(database, after=START, **of):
    return [(one.answer, one.state) for one in changes.read(database, after, **of)]


def test_each_new_state_is_a_change_and_nothing_else_is(database):
    kept, _ = answers.receive(database, asked(owner="k", request="1"))
    answers.receive(database, asked(owner="k", request="1"))
    held = claims.claim(database, ["received"], "a", 60)[0]
    held = answers.commit(database, held, "received", due=0.0)
    held = claims.claim(database, ["received"], "a", 60)[0]
    answers.commit(database, held, "cancelled")
    assert all_of(database) == [(kept.id, "received"), (kept.id, "cancelled")]
    assert all_of(database, owner="other") == []
    assert all_of(database, states=["cancelled"]) == [(kept.id, "cancelled")]
    assert changes.behind(database, START) == 2
    assert all_of(database, changes.last(database)) == []


def test_a_reader_that_goes_on_by_place_misses_nothing_of_writers_that_race(database):
    found, place, stop = [], START, threading.Event()

    def write(number):
        for _ in range(15):
            kept, _ = answers.receive(database, asked(owner=f"k{number}"))
            answers.commit(database, kept, "cancelled")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for one in writers:
        one.start()
    while not stop.is_set():
        if not any(one.is_alive() for one in writers):
            stop.set()
        for one in changes.read(database, place, limit=7):
            found.append((one.answer, one.state))
            place = one.place
    found += all_of(database, place)
    assert len(found) == len(set(found)) == 120


def test_what_commits_late_is_not_passed_over(database):
    if database.sqlite:
        pytest.skip("SQLite's writers exclude each other")
    first, _ = answers.receive(database, asked(owner="a"))
    second, _ = answers.receive(database, asked(owner="b"))
    before = changes.last(database)
    with database.begin() as slow:
        answers.commit_in(database, slow, first, "cancelled")
        answers.commit(database, second, "cancelled")
        assert all_of(database, before) == []
    assert all_of(database, before) == [(first.id, "cancelled"), (second.id, "cancelled")]


def test_how_far_an_output_is(database):
    assert changes.reached(database, "o", "t") == Reached()
    now = Reached((3, 7), 2, {"code": "x"}, 5.0)
    changes.reach(database, "o", "t", now)
    changes.reach(database, "o", "t", now)
    assert changes.reached(database, "o", "t") == now
    assert changes.reached(database, "o", "elsewhere") == Reached()


def test_a_copy_goes_on_where_the_original_was(database, tmp_path):
    names = [answers.receive(database, asked(owner=str(number)))[0].id for number in range(4)]
    seen = changes.read(database, START)[1]
    changes.reach(database, "o", "t", Reached(seen.place))
    target = Database(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    copy(database, target)
    there = changes.reached(target, "o", "t")
    assert [one.answer for one in changes.read(target, there.place)] == names[2:]
    more, _ = answers.receive(target, asked(owner="new"))
    assert [one.answer for one in changes.read(target, there.place)] == [*names[2:], more.id]
    target.close()


def test_answers_of_before_are_changes_of_an_upgraded_database(database, url):
    kept, _ = answers.receive(database, asked(owner="k"))
    with database.begin() as connection:
        for table in ("delivery", "change", "output"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    again = Database(url)
    assert all_of(again) == [(kept.id, "received")]
    again.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_was_read_is_not_looked_through_again(database):
    """Each look at what is new read all that there ever was."""
    looks = []
    event.listen(
        database.engine, "before_cursor_execute", lambda _c, _u, query, values, *_: looks.append((query, values))
    )
    changes.read(database, (0, 5), project="fee")
    changes.behind(database, (0, 5), project="fee")
    found = [one for one in looks if "FROM change" in one[0]]
    assert len(found) == 2
    with database.read() as connection:
        for query, values in found:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all()
            assert "SEARCH change USING INTEGER PRIMARY KEY (rowid>?)" in [row[3] for row in plan]
