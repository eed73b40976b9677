import threading

import pytest
from sqlalchemy import delete, update

from assay.record import journal
from assay.record.errors import DatabaseDamaged
from assay.record.journal import Event
from assay.record.schema import events


def happened(number, kind="alias.moved"):
    return Event(
        kind, f"fee@{number}", "somebody", {"number": number}, why="since", evidence={"digest": "d"}, block=number
    )


def test_events_come_back_as_they_were_appended_in_their_order(database):
    kept = [journal.append(database, "fee", happened(number)) for number in range(5)]
    assert journal.read(database, "fee") == kept
    assert journal.read(database, "fee", ["other"]) == []
    assert journal.read(database, "fee", after=kept[2].number) == kept[3:]
    assert journal.read(database, "fee", subject="fee@1") == [kept[1]]
    assert journal.read(database, "fee", until=kept[1].time) == [one for one in kept if one.time <= kept[1].time]
    assert journal.read(database, "other") == []
    assert journal.verify(database, "fee") == 5


def test_writers_at_once_make_one_chain(database):
    barrier = threading.Barrier(6)

    def write(worker):
        barrier.wait()
        for number in range(4):
            journal.append(database, "fee", happened(10 * worker + number))

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.verify(database, "fee") == 24


@pytest.mark.parametrize(
    "alter",
    [
        update(events).where(events.c.number == 2).values(why="another reason"),
        update(events).where(events.c.number == 2).values(block=99),
        update(events).where(events.c.number == 2).values(time=1.0),
        delete(events).where(events.c.number == 2),
    ],
)
def test_an_altered_history_is_noticed(database, alter):
    for number in range(3):
        journal.append(database, "fee", happened(number))
    with database.begin() as connection:
        connection.execute(alter)
    with pytest.raises(DatabaseDamaged, match="does not follow"):
        journal.verify(database, "fee")
