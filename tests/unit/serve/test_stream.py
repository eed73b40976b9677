"""Server-sent events of answers, on a real socket: in order, one's own, and from where a listener broke off."""

import asyncio
import http.client
import json
import time
from urllib.parse import urlsplit

import pytest
from tests.unit.serve.test_client import address

from assay.serve import keys
from assay.serve.api import stream
from assay.serve.work import Worker

__all__ = ["address"]


class Listener:
    """One connection that hears events."""

    def __init__(self, url, text, last=None):
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
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
    until = time.monotonic() + 20
    while listen().response.status != 200:
        assert time.monotonic() < until


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
