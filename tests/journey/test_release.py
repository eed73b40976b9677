"""From a decision to releases, a service that proves, its death, and the way back: the real commands."""

import json
import random
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from assay.chain.node import LocalNode

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory, assay_command):
    """A decided project of 300 rows."""
    source = random.Random(11)
    lines = []
    for _ in range(300):
        income, debt = (source.gauss(0, 1) for _ in range(2))
        repaid = int(income - debt + source.gauss(0, 0.3) > 0)
        lines.append(f"{income:.4f},{debt:.4f},{min(max(0.5 + 0.05 * income, 0.05), 0.95):.3f},{repaid}")
    place = tmp_path_factory.mktemp("release")
    (place / "loans.csv").write_text("\n".join(["income,debt,rating,repaid", *lines]) + "\n")
    folder = place / "loans"
    answers = [f"file={place / 'loans.csv'}", "target=repaid", "type=binary", "existing=rating", "trials=2"]
    options = [option for answer in answers for option in ("--answer", answer)]
    assert assay_command("init", folder, *options, stdin=subprocess.DEVNULL).code == 0
    done = assay_command("run", folder, "--until", "report")
    assert done.code == 0, done.err + done.out
    return folder


@pytest.fixture(scope="module")
def released(project, assay_command):
    done = assay_command("release", "create", "-C", project, "--note", "the first", "--json")
    assert done.code == 0, done.err
    return done.json


class Service:
    """`assay up` on a free port."""

    def __init__(self, folder):
        command = [sys.executable, "-m", "assay", "up", "-C", str(folder), "--port", "0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.said = ""
        while not (found := re.search(r"listening on (http://\S+)", self.said)):
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line
        self.url = found[1]
        self.key = (folder / ".assay" / "admin.key").read_text().strip()

    def ask(self, path, body=None, **headers):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data)  # noqa: S310  on the loopback
        request.add_header("Authorization", f"Bearer {self.key}")
        request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait()
        self.process.stderr.close()
        return code


def test_a_release_is_made_once_and_can_be_seen(project, released, assay_command):
    assert (released["version"], released["champion"]) == (1, True)
    again = assay_command("release", "create", "-C", project)
    listed = assay_command("release", "list", "-C", project, "--json").json["items"]
    # The same decision again is another release only in its salts; nothing else of it differs.
    assert again.code == 0
    assert [one["version"] for one in listed] == [1, 2]
    assert "nothing differs" in assay_command("release", "diff", "1", "2", "-C", project).out
    shown = assay_command("release", "show", released["digest"][:8], "-C", project, "--json").json
    assert shown["public"]["parts"]["Verifier.sol"]["bytes"] > 1000
    assert "proving.key" in shown["private"]
    secret = json.loads((project / "decision" / "decision.json").read_text())
    assert secret["chosen"] is not None


def test_an_export_is_checked_and_brought_in_elsewhere(project, released, assay_command, tmp_path):
    word = tmp_path / "word"
    word.write_text("open sesame")
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    public, private = tmp_path / "public.release", tmp_path / "private.release"
    assert assay_command("release", "export", "1", "-C", project, "--out", public).code == 0
    options = ("--private", "--passphrase-file", word)
    assert assay_command("release", "export", "1", "-C", project, "--out", private, *options).code == 0
    assert private.stat().st_mode & 0o777 == 0o600
    brought = assay_command("release", "import", public, "-C", project, "--database", other, "--json")
    assert (brought.code, brought.json["digest"], brought.json["private"]) == (0, released["digest"], [])
    whole = assay_command("release", "import", private, "-C", project, "--database", other, *options, "--json")
    assert (whole.code, whole.json["version"]) == (0, 1)
    assert "proving.key" in whole.json["private"]
    altered = bytearray(public.read_bytes())
    altered[len(altered) // 2] ^= 1
    public.write_bytes(altered)
    refused = assay_command("release", "import", public, "-C", project, "--database", other)
    assert (refused.code, "release" in refused.err) == (2, True)
    word.write_text("close sesame")
    wrong = assay_command("release", "import", private, "-C", project, "--database", other, *options)
    assert (wrong.code, "passphrase" in wrong.err) == (2, True)


def test_promote_back_and_what_decided_when(project, released, assay_command):
    if len(assay_command("release", "list", "-C", project, "--json").json["items"]) < 2:
        assert assay_command("release", "create", "-C", project).code == 0
    time.sleep(1.1)
    between = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    time.sleep(1.1)
    assert assay_command("release", "promote", "2", "-C", project, "--reason", "trial").code == 0
    assert assay_command("release", "promote", "2", "-C", project, "--reason", "again").code == 2
    back = assay_command("release", "back", "-C", project, "--reason", "it was worse", "--json")
    assert (back.code, back.json["version"]) == (0, 1)
    assert assay_command("release", "back", "-C", project, "--reason", "once more").code == 2
    found = assay_command("release", "history", "-C", project, "--json").json
    assert [(one["version"], one["back"]) for one in found["items"]] == [(1, False), (2, False), (1, True)]
    decided = assay_command("release", "history", "-C", project, "--at", between, "--json").json
    assert decided["version"] == 1
    assert assay_command("release", "history", "-C", project, "--at", "2001-01-01", "--json").json["version"] is None
    assert assay_command("release", "history", "-C", project, "--at", "yesterday").code == 2


@pytest.mark.usefixtures("released")
def test_the_service_proves_is_killed_and_goes_on(project):
    body = {"inputs": [[0.5, -0.25]]}
    service = Service(project)
    status, answer = service.ask("/v2/models/loans/proofs", body, Prefer="wait=60", Idempotency_Key="one")
    assert (status, answer["state"]) == (200, "answered")
    assert service.ask("/v1/verify", {"proof": answer["proof"]})[1]["valid"] is True
    for number in range(6):
        assert service.ask("/v2/models/loans/proofs", body, Idempotency_Key=f"many{number}")[0] == 202
    service.end(signal.SIGKILL)
    service = Service(project)
    assert service.ask("/v2/models/loans/proofs", body, Idempotency_Key="one")[1]["id"] == answer["id"]
    while {one["state"] for one in service.ask("/v1/answers")[1]["items"]} != {"answered"}:
        time.sleep(0.5)
    assert len(service.ask("/v1/answers")[1]["items"]) == 7
    assert service.end() == 0


def test_keys_of_the_service(project, released, assay_command):
    assert released
    made = assay_command("key", "create", "a reader", "-C", project, "--scope", "read", "--json").json
    listed = assay_command("key", "list", "-C", project, "--json")
    assert made["id"] in [one["id"] for one in listed.json["items"]]
    assert made["key"] not in listed.out
    assert assay_command("key", "revoke", made["id"], "-C", project, "--reason", "done").code == 0
    assert assay_command("key", "revoke", made["id"], "-C", project, "--reason", "again").code == 2
    assert assay_command("key", "create", "x", "-C", project, "--scope", "everything").code == 2


def test_what_cannot_be_released(tmp_path, assay_command):
    assert assay_command("release", "create", "-C", tmp_path).code == 2
    assert "task.toml" in assay_command("release", "list", "-C", tmp_path).err
    assert [path.name for path in tmp_path.iterdir()] in ([], [".assay"])


def test_what_is_given_to_a_stranger_is_verified_alone(project, released, assay_command, tmp_path):
    assay_command("release", "export", 1, "-C", project, "--out", tmp_path / "one.release")
    found = assay_command("verify", tmp_path / "one.release", "--json")
    assert (found.code, found.json["release"]) == (0, released["digest"])
    service = Service(project)
    body = {"inputs": [[0.5, -0.25]]}
    _, answer = service.ask("/v2/models/loans/proofs", body, Prefer="wait=60", Idempotency_Key="doubted")
    service.end()
    done = assay_command("dispute", answer["id"], "-C", project, "--out", tmp_path / "one.dispute")
    assert done.code == 0, done.err
    found = assay_command("verify", tmp_path / "one.dispute")
    assert found.code == 0, found.err
    assert "everything that could be checked holds" in found.out
    (tmp_path / "proof.json").write_text(json.dumps(answer["proof"]))
    alone = assay_command("verify", tmp_path / "proof.json")
    assert (alone.code, alone.err.split(":")[0]) == (2, "error[cli/key-needed]")
    key = assay_command("verify", project / "decision" / "chosen", "--json")
    assert (key.code, key.json["model_id"]) == (0, answer["model_id"])


def test_a_backup_is_taken_back_on_an_empty_machine_and_serves(project, released, assay_command, tmp_path):
    made = assay_command("backup", "-C", project, "--out", tmp_path / "one.backup")
    assert made.code == 0, made.err
    assert "It holds proving keys" in made.out
    again = assay_command("backup", "-C", project, "--out", tmp_path / "one.backup")
    assert (again.code, again.err.split(":")[0]) == (2, "error[keep/not-empty]")
    new = tmp_path / "new"
    done = assay_command("restore", tmp_path / "one.backup", "-C", new, "--json")
    assert done.code == 0, done.err
    assert done.json["rows"]["release"] >= 1
    assert (new / "task.toml").read_text() == (project / "task.toml").read_text()
    service = Service(new)
    listed = service.ask("/v1/releases")
    assert listed[0] == 200
    service.end()


@pytest.fixture
def on_a_chain(project):
    """The project with a local node declared in its task."""
    with LocalNode() as node:
        file = project / "task.toml"
        text = file.read_text()
        file.write_text(f'{text}\n[chains.local]\nrpc = ["{node.url}"]\n')
        yield node
        file.write_text(text)


@pytest.mark.usefixtures("on_a_chain")
def test_the_verifier_is_deployed_once(project, released, assay_command):
    options = ("-C", project, "--chain", "local", "--json")
    plan = assay_command("deploy", "1", *options, "--plan").json
    assert [(one["name"], one["there"]) for one in plan["steps"]] == [("verifier", False)]
    done = assay_command("deploy", "1", *options)
    assert done.code == 0, done.err
    contract = done.json["contracts"][0]
    assert (contract["address"], contract["release"]) == (plan["steps"][0]["address"], released["digest"])
    assert assay_command("deploy", released["digest"][:12], *options).json["contracts"] == [contract]
    assert assay_command("deploy", "-C", project, "--json").json["error"]["code"] == "settle/no-chain"
    assert assay_command("deploy", "-C", project, "--chain", "nowhere").code == 2
