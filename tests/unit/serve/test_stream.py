"""Server-sent events of answers, on a real socket: in order, one's own, and from where a listener broke off."""

import asyncio
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from tests.unit.serve.test_client import address

from assay.record import changes
from assay.serve import keys
from assay.serve.api import stream
from assay.serve.work import Worker

__all__ = ["address"]


class Listener:
    """One connection that hears events."""

    def __init__(self, url, text, last=None):
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
        headers = {"Authorization": f"Bearer {text}"} | ({} if last is None else {"Last-Event-ID": last})
        self.connection.request("GET", "/v1/answers/stream", headers=headers)
        self.response = self.connection.getresponse()
        if self.response.status == 200:
            assert self.read() == {"retry": "1000"}

    def read(self):
        found = {}
        while line := self.response.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            found[name] = value
        return found

    def close(self):
        self.response.close()
        self.connection.close()


@pytest.fixture
def listen(address, database):
    made = []
    texts = {
        name: keys.make(database, name, scopes, who="test")[1]
        for name, scopes in (("asker", ["read", "prove"]), ("other", ["read", "prove"]), ("boss", ["admin"]))
    }

    def one(name="asker", last=None, text=None):
        made.append(Listener(address, text or texts[name], last))
        return made[-1]

    one.texts = texts
    yield one
    for each in made:
        each.close()


@pytest.fixture
def asks(address, database, listen):
    import assay

    def one(name="asker"):
        return assay.Client(address, listen.texts[name]).prove("credit", [[1.0, 2.0, 3.0]], wait=0)["id"]

    return one


def test_what_happens_to_one_s_own_answers_is_heard_in_order(listen, asks, database):
    hears, boss = listen(), listen("boss")
    name = asks()
    Worker(database).step()
    found = [hears.read() for _ in range(3)]
    assert [one["event"] for one in found] == ["fixed", "proven", "answered"]
    data = json.loads(found[-1]["data"])
    assert (data["id"], data["state"]) == (name, "answered")
    assert data["outputs"]["values"]
    theirs = asks("other")
    assert json.loads([boss.read() for _ in range(4)][-1]["data"])["id"] == theirs
    mine = asks()
    assert json.loads(hears.read()["data"])["id"] == mine


def test_a_listener_goes_on_from_where_it_broke_off(listen, asks, database):
    hears = listen()
    asks()
    last = hears.read()["id"]
    hears.close()
    Worker(database).step()
    again = listen(last=last)
    assert [again.read()["event"] for _ in range(2)] == ["proven", "answered"]


def test_what_others_do_is_looked_through_once(listen, asks, database, monkeypatch):
    read, places = changes.read, []

    def looked(base, after, **which):
        places.append(after)
        return read(base, after, **which)

    monkeypatch.setattr(changes, "read", looked)
    hears = listen()
    for _ in range(3):
        asks("other")
    while changes.last(database) not in places:
        time.sleep(0.02)
    mine = asks()
    assert json.loads(hears.read()["data"])["id"] == mine


def test_what_cannot_be_gone_on_from_and_who_may_not_listen(listen, database):
    assert listen(last="x").response.status == 422
    assert listen(text="nobody").response.status == 401
    _, text = keys.make(database, "infer only", ["infer"], who="test")
    time.sleep(2.1)  # keys are read anew every two seconds
    assert listen(text=text).response.status == 403


def test_a_revoked_key_hears_no_more(listen, database):
    hears = listen()
    identity = listen.texts["asker"].split("_")[1]
    keys.revoke(database, identity, who="test", why="x")
    assert hears.read() == {}
    assert hears.response.read() == b""


def test_only_so_many_listen(listen, monkeypatch):
    monkeypatch.setattr(stream, "MOST", 1)
    first = listen()
    refused = listen()
    assert (refused.response.status, json.loads(refused.response.read())["code"]) == (429, "serve/queue-full")
    first.close()
    while listen().response.status != 200:  # it is noticed a little later
        time.sleep(0.05)


def test_an_api_key_cannot_take_every_place(listen, monkeypatch):
    monkeypatch.setattr(stream, "MOST_OF_KEY", 1)
    listen()
    refused = listen()
    assert (refused.response.status, json.loads(refused.response.read())["code"]) == (429, "serve/queue-full")
    assert listen("other").response.status == 200


def test_of_many_who_come_at_once_so_many_listen(listen, monkeypatch):
    monkeypatch.setattr(stream, "MOST_OF_KEY", 2)
    with ThreadPoolExecutor(8) as pool:
        found = [one.result().response.status for one in [pool.submit(listen) for _ in range(8)]]
    assert sorted(found) == [200] * 2 + [429] * 6


def test_a_listener_that_takes_nothing_is_let_go(monkeypatch):
    """Its connection was full, and its place was nobody else's for ever."""
    monkeypatch.setattr(stream, "_STALLED_SECONDS", 0.05)
    sent, ended = [], []

    async def events():
        try:
            while True:
                yield "data: x\n\n"
        finally:
            ended.append(True)

    async def send(message):
        sent.append(message)
        if len(sent) > 2:
            await asyncio.Event().wait()

    async def listens():
        made = events()
        await stream.Events(made).stream_response(send)
        await made.aclose()

    asyncio.run(listens())
    assert (len(sent), ended) == (3, [True])


def test_keys_are_never_read_where_all_requests_wait_for_each_other(listen, database, monkeypatch):
    """A database that is slow or away would have kept the whole endpoint, not the one that asks."""
    read, here = keys.current, []

    def current(base):
        try:
            here.append(asyncio.get_running_loop())
        except RuntimeError:  # a thread of its own
            here.append(None)
        return read(base)

    monkeypatch.setattr(keys, "_REFRESH_SECONDS", 0.0)  # what was read is always too old
    monkeypatch.setattr(keys, "current", current)
    hears = listen()
    keys.revoke(database, listen.texts["asker"].split("_")[1], who="test", why="x")
    assert hears.read() == {}
    assert len(here) >= 2  # for the request, and while it hears
    assert set(here) == {None}
