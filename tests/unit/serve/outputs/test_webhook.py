"""Webhooks as Standard Webhooks says, checked by its own library; and never to an address that is not public."""

import json
import socket
import threading
from contextlib import suppress

import pytest
from sqlalchemy import update
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError
from tests.unit.serve.outputs.receiver import receiving, secret
from tests.unit.serve.outputs.test_outputs import ask, clock

from assay.record import changes, journal, schema
from assay.serve.outputs import address, deliver
from assay.serve.outputs.address import connect, is_public
from assay.serve.outputs.errors import OutputFails, OutputSettings, PrivateAddress
from assay.serve.outputs.loop import Output, health, standing
from assay.serve.outputs.webhook import Webhook, read_secrets
from assay.serve.work import Worker
from assay.task.outputs import OutputSpec

WAITS = (600.0, *deliver.WAITS[1:])


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """What waits is told again when a test says so, and not because this machine is slow."""
    monkeypatch.setattr(deliver, "WAITS", WAITS)


@pytest.fixture
def told():
    with receiving() as server:
        yield server


@pytest.fixture
def word(tmp_path):
    found = secret()
    place = tmp_path / "hook.secret"
    place.write_text(found + "\n")
    place.chmod(0o600)
    return found


@pytest.fixture
def hook(database, told, tmp_path, word):
    fields = {"name": "hook", "kind": "webhook", "url": told.url, "secret_file": "hook.secret", "local": True}
    said = []
    loop = Output(database, OutputSpec.model_validate(fields), tmp_path, said.append)
    loop.all_said = said
    return loop


def due_now(database):
    with database.begin() as connection:
        connection.execute(update(schema.outputs).values(due=0.0))
        connection.execute(update(schema.deliveries).values(due=0.0))


def test_an_answer_that_ended_is_told_of_signed_and_without_its_row(hook, told, database, release, word):
    one = ask(database, release, "1")
    assert not hook.step()  # nothing has ended
    Worker(database).step()
    assert hook.step()
    assert not hook.step()
    (path, headers, body), *more = told.found
    assert (path, more, headers["webhook-id"]) == ("/hook?x=1", [], f"{one.id}.answered")
    content = Receiver(word).verify(body, headers)
    assert (content["type"], content["data"]["id"], content["data"]["state"]) == (
        "answer.answered",
        one.id,
        "answered",
    )
    assert content["data"]["outputs"]["values"]
    assert "0.25" not in body.decode()
    with pytest.raises(WebhookVerificationError):
        Receiver(secret()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Receiver(word).verify(body.replace(b"answered", b"refused"), headers)


def test_a_new_secret_signs_beside_the_old_one(hook, told, database, release, word, tmp_path):
    newer = secret()
    (tmp_path / "hook.secret").write_text(f"{word}\n{newer}\n")
    ask(database, release, "1")
    Worker(database).step()
    hook.step()
    _, headers, body = told.found[0]
    for one in (word, newer):
        assert Receiver(one).verify(body, headers)


def test_it_is_told_again_later_and_later_with_the_same_id(hook, told, database, release):
    told.answers += [500, 302, 400]
    ask(database, release, "1")
    Worker(database).step()
    for number in range(3):
        before = clock(database)
        assert hook.step()
        assert not hook.step()
        found = health(database, hook.spec)
        assert (found.attempts, found.waiting, found.behind) == (number + 1, 1, 1)
        assert before + WAITS[number] <= found.due <= clock(database) + WAITS[number]
        due_now(database)
    assert hook.step()
    assert len({headers["webhook-id"] for _, headers, _ in told.found}) == 1
    assert len(told.found) == 4
    assert [one.split("answers ")[1][:3] for one in hook.all_said] == ["500", "302", "400"]


def test_what_is_told_in_vain_is_given_up_and_the_history_says_so(hook, told, database, release):
    first, second = (ask(database, release, request) for request in "12")
    for _ in range(2):
        Worker(database).step()
    told.refused = f"{first.id}.answered"
    for _ in range(len(WAITS) + 1):
        hook.step()
        due_now(database)
    assert not hook.step()
    ids = [headers["webhook-id"] for _, headers, _ in told.found]
    assert ids.count(told.refused) == len(WAITS) + 1
    assert ids[1:3] == [f"{second.id}.answered", told.refused]  # the next one did not wait for it
    given_up = journal.read(database, "credit", ["output.given_up"])
    assert [f"{one.subject}.answered" for one in given_up] == [told.refused]
    found = health(database, hook.spec)
    assert (found.behind, found.waiting, found.attempts, found.error) == (0, 0, 0, None)


def test_what_is_refused_for_long_holds_up_only_its_own_answer(database, release, told, tmp_path, word):
    fields = {"name": "hook", "kind": "webhook", "url": told.url, "secret_file": "hook.secret", "local": True}
    every = OutputSpec.model_validate(fields | {"states": ["fixed", "answered"]})
    hook = Output(database, every, tmp_path)
    first = ask(database, release, "1")
    told.refused = f"{first.id}.fixed"
    assert hook.step()
    second = ask(database, release, "2")
    for _ in range(2):
        Worker(database).step()
    while hook.step():
        pass
    ids = [headers["webhook-id"] for _, headers, _ in told.found]
    assert ids == [told.refused, f"{second.id}.fixed", f"{second.id}.answered"]
    assert health(database, every).waiting == 2
    told.refused = None
    due_now(database)
    while hook.step():
        pass
    ids = [headers["webhook-id"] for _, headers, _ in told.found]
    assert ids[3:] == [f"{first.id}.fixed", f"{first.id}.answered"]
    assert health(database, every).behind == 0


def test_another_address_under_the_same_name_is_told_from_the_beginning(database, release, told, tmp_path, word):
    fields = {"name": "hook", "kind": "webhook", "secret_file": "hook.secret", "local": True}
    ask(database, release, "1")
    Worker(database).step()
    told.answers += [500]
    assert Output(database, OutputSpec.model_validate(fields | {"url": told.url}), tmp_path).step()
    other = Output(database, OutputSpec.model_validate(fields | {"url": f"{told.url}&y=2"}), tmp_path)
    due_now(database)
    assert health(database, other.spec).waiting == 0
    while other.step():
        pass
    assert [path for path, _, _ in told.found] == ["/hook?x=1", "/hook?x=1&y=2"]
    assert health(database, other.spec).behind == 0


def test_gone_is_never_told_again(hook, told, database, release):
    told.answers.append(410)
    ask(database, release, "1")
    Worker(database).step()
    assert not hook.step()
    due = changes.reached(database, "hook", hook.target).due
    assert due is None
    assert not hook.step()
    assert len(told.found) == 1
    assert standing(database, hook.spec)[1]["code"] == "output/gone"


def test_secrets_are_in_no_message_and_not_in_the_database(hook, told, database, release, word, tmp_path):
    told.answers += [500]
    ask(database, release, "1")
    Worker(database).step()
    hook.step()
    (tmp_path / "hook.secret").write_text(word[:-8] + "!")
    due_now(database)
    hook.step()
    assert "line 1 of" in hook.all_said[-1]
    said = " ".join(hook.all_said)
    held = b"".join(path.read_bytes() for path in tmp_path.glob("records.sqlite*"))
    for part in (word, word.removeprefix("whsec_"), word[10:30]):
        assert part not in said
        assert part.encode() not in held


@pytest.mark.parametrize(
    ("content", "mode", "what"),
    [
        ("", 0o600, "holds no secret"),
        ("whsec_", 0o600, "line 1"),
        ("whsec_c2hvcnQ=", 0o600, "line 1"),
        ("hunter2hunter2hunter2hunter2hunter2", 0o600, "line 1"),
        ("whsec_" + "A" * 44, 0o644, "others may read"),
    ],
)
def test_secrets_that_are_none(tmp_path, content, mode, what):
    place = tmp_path / "x"
    place.write_text(content)
    place.chmod(mode)
    with pytest.raises(OutputSettings, match=what):
        read_secrets(place)


PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",  # noqa: S104
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1",
    "2002:a9fe:a9fe::1",
]  # fmt: skip


@pytest.mark.parametrize("number", PRIVATE)
def test_addresses_that_are_not_public(number):
    assert not is_public(number)


@pytest.mark.parametrize("number", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_addresses_that_are(number):
    assert is_public(number)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1]".strip("[]")]
)
def test_names_and_spellings_of_this_machine_are_refused(host, told):
    with pytest.raises(PrivateAddress):
        connect(host, told.server_port, tls=False, local=False)


def test_a_name_that_leads_elsewhere_the_second_time_changes_nothing(told, monkeypatch):
    """DNS rebinding: what was looked at is what is connected to."""
    given = [["93.184.215.14"], ["127.0.0.1"]]
    tried = []

    def resolve(host, port, **_):
        assert given, "the name was resolved again"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in given.pop(0)]

    def reach(to, *_):
        tried.append(to)
        raise OSError("not from here")

    monkeypatch.setattr(address.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(address.socket, "create_connection", reach)
    with pytest.raises(Exception, match="does not answer"):
        connect("rebind.example", told.server_port, tls=False, local=False)
    assert tried == [("93.184.215.14", told.server_port)]


def test_a_name_with_one_address_that_is_not_public_is_refused(monkeypatch):
    both = [(socket.AF_INET, 1, 6, "", (number, 443)) for number in ("93.184.215.14", "10.0.0.8")]
    monkeypatch.setattr(address.socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(PrivateAddress, match=r"10\.0\.0\.8"):
        connect("half.example", 443, tls=True, local=False)


def test_private_addresses_are_refused_where_nothing_says_otherwise(database, release, told, tmp_path, word):
    url = told.url.replace("http://", "https://")
    fields = {"name": "hook", "kind": "webhook", "url": url, "secret_file": "hook.secret"}
    loop = Output(database, OutputSpec.model_validate(fields), tmp_path)
    ask(database, release, "1")
    Worker(database).step()
    loop.step()
    assert standing(database, loop.spec)[1]["code"] == "output/private-address"
    assert told.found == []


@pytest.mark.parametrize(
    "url", ["http://example.org/", "ftp://example.org/", "https:///x", "file:///etc/passwd", "https://x:y/"]
)
def test_only_https_is_told(database, release, tmp_path, word, url):
    loop = Output(
        database,
        OutputSpec.model_validate({"name": "h", "kind": "webhook", "url": url, "secret_file": "hook.secret"}),
        tmp_path,
    )
    ask(database, release, "1")
    Worker(database).step()
    loop.step()
    assert standing(database, loop.spec)[1]["code"] == "output/settings"
    assert json.dumps(standing(database, loop.spec)[1])


def test_a_receiver_that_never_ends_its_answer_is_left(word, tmp_path, monkeypatch):
    """It sends a byte now and then, so that no single wait is long."""
    monkeypatch.setattr(address, "LONGEST", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            with server.accept()[0] as client, suppress(OSError):
                while client.recv(1):
                    client.sendall(b"H")

        thread = threading.Thread(target=drip)
        thread.start()
        hook = Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/", tmp_path / "hook.secret", local=True)
        with pytest.raises(OutputFails, match="breaks off"):
            hook.tell("x", {"filler": "x" * 100_000})
        thread.join()


def test_every_address_of_a_name_is_tried(told, monkeypatch):
    """A machine without IPv6 still gets names that have both."""
    both = [(socket.AF_INET, 1, 6, "", (number, told.server_port)) for number in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(address.socket, "getaddrinfo", lambda *_, **__: both)
    with connect("both.example", told.server_port, tls=False, local=True) as made:
        assert made.getpeername()[0] == "127.0.0.1"
