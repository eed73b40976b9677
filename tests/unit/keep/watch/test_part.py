"""The part, its lease, its webhooks, its page, its figures and the command."""

import json
import re
import shlex
import threading
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from standardwebhooks.webhooks import Webhook
from starlette.testclient import TestClient
from tests.browser import WIDTHS, chromium, launched
from tests.unit.keep.watch import replay
from tests.unit.serve.page.test_browser import AXE, served, signed_in
from tests.unit.serve.small import keep

from assay.cli.main import run
from assay.keep.watch import alarms, tell
from assay.keep.watch.look import Watcher
from assay.keep.watch.part import Turns, view
from assay.keep.watch.signal import TITLES
from assay.keep.watch.tell import Teller
from assay.record import answers, journal
from assay.record.database import Database
from assay.release import alias
from assay.serve import keys
from assay.serve.api.app import make_app
from assay.serve.settings import Settings
from assay.task.outputs import OutputSpec
from assay.task.watch import Watch

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="


@pytest.fixture
def project(tmp_path, found, later):
    """A project's folder whose records have a release and 2008, as answers of no chain."""
    folder = tmp_path / "project"
    replay.task_of(folder, replay.market().head(50))
    base = Database.of_project(folder)
    release = keep(base, found.parts, "fee")
    X = later.select([one.name for one in found.circuit.features]).to_numpy().astype(np.float32)
    times = [moment.isoformat() for moment in later["day"].to_list()]
    replay.answer(base, release, found.circuit, X, times=times, outcomes=later["next"].to_list(), chain=None)
    with base.begin() as connection:
        connection.execute(answers.answers.update().values(settle=False, period=None, state="answered"))
    yield folder, base, Settings(folder, base.address, hosts=("testserver",))
    base.close()


@pytest.fixture
def hook(tmp_path):
    """Somebody's server; what it was told, and the status it answers."""
    told, status = [], [204]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append((dict(self.headers), body))
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "secret").chmod(0o600)
    spec = OutputSpec.model_validate(
        {
            "name": "ops",
            "kind": "webhook",
            "url": f"http://127.0.0.1:{server.server_port}/hook",
            "secret_file": str(tmp_path / "secret"),
            "local": True,
        }
    )
    yield spec, told, status
    server.shutdown()
    thread.join()
    server.server_close()


def turns(base, project, told, tellers=()):
    _folder, _, settings = project
    return Turns(base, view(settings, base).watcher, list(tellers), told.append)


def test_of_two_services_one_looks_and_the_other_takes_over(project):
    _folder, base, settings = project
    said = []
    first = turns(base, project, said)
    second = Database(settings.database)
    other = turns(second, project, said)
    other._holder = "elsewhere:1"  # of this process two would be one
    assert first.turn()
    assert not other.turn()
    raised = journal.read(base, "fee", [alarms.RAISED])
    assert {one.subject for one in raised} >= {"loss-promised"}
    assert not first.turn()  # nothing new
    first.end()
    assert other.turn()
    assert journal.read(base, "fee", [alarms.RAISED]) == raised
    second.close()


def test_webhooks_are_told_of_alarms_and_of_their_end_in_order(project, hook, monkeypatch):
    monkeypatch.setattr(tell, "WAITS", (600.0, *tell.WAITS[1:]))
    folder, base, _ = project
    spec, told, status = hook
    said = []
    teller = Teller(base, "fee", spec, folder, said.append)
    status[0] = 500
    assert turns(base, project, said, [teller]).turn()
    assert (len(told), teller.step()) == (1, 0)  # it waits before it tells again
    assert "answers 500" in said[-1]
    status[0] = 204
    waiting = alarms.open_alarms(base, "fee")
    with base.begin() as connection:
        connection.exec_driver_sql("UPDATE output SET due = 0")
    assert teller.step() == len(waiting)
    assert teller.step() == 0
    headers, body = told[1]
    content = Webhook(SECRET).verify(body, {name.lower(): value for name, value in headers.items()})
    assert content["type"] == "watch.alarm"
    first = waiting[0]
    assert content["data"]["signal"] == first.signal
    assert content["data"]["why"] == first.why
    assert content["data"]["rows"]["count"] == first.rows.count
    assert content["data"]["runbook"] == first.code
    assert told[0][0]["webhook-id"] == told[1][0]["webhook-id"]
    alarms.clear(base, "fee", first, "enough")
    assert teller.step() == 1
    assert json.loads(told[-1][1])["type"] == "watch.cleared"


def test_the_command_says_what_stands_and_ends_with_one(project, capsys):
    folder, _base, _ = project
    assert run(["monitor", "-C", str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    loss = next(one for one in found["alarms"] if one["signal"] == "loss-promised")
    assert loss["rows"]["count"] >= 50
    assert loss["figures"]["loss lately"] > loss["figures"]["promised"]
    assert {one["signal"]: one["state"] for one in found["signals"]}["fidelity"] == "well"
    assert run(["monitor", "-C", str(folder)]) == 1
    text = capsys.readouterr().out
    assert f"ALARM loss-promised: {loss['why']}" in text
    assert "assay explain watch/loss-promised" in text
    for signal in [one["signal"] for one in found["alarms"] if one["signal"].startswith("inputs")]:
        assert f"ALARM {signal}" in text
    assert run(["explain", "watch/loss-promised"]) == 0
    assert "promised" in capsys.readouterr().out


def test_the_guide_s_commands_run(project, capsys):
    """docs/guides/monitoring.md, command by command."""
    folder, base, _ = project
    page = (Path(__file__).parents[4] / "docs" / "guides" / "monitoring.md").read_text()
    commands = re.findall(r"^assay (.+)$", page, flags=re.MULTILINE)
    codes = [run([str(folder) if word == "project" else word for word in shlex.split(one)]) for one in commands]
    assert [one.split()[0] for one in commands] == ["monitor", "explain", "monitor"]
    assert codes[:2] == [1, 0]
    assert capsys.readouterr().err.count("error") == 0
    assert journal.read(base, "fee", [alarms.CLEARED])[0].why == "known; retrained on Monday"
    settings = tomllib.loads(re.search(r"```toml\n(.+?)```", page, flags=re.DOTALL)[1])["watch"]
    assert Watch.model_validate(settings) == Watch.model_validate({})
    assert set(settings) == set(Watch.model_fields)
    assert all(f"`{name}`" in page for name in TITLES)


@pytest.mark.parametrize(
    ("more", "says"),
    [(["--clear", "nothing", "--reason", "x"], "no alarm of"), (["--clear", "loss-promised"], "no reason is given")],
)
def test_taking_back_needs_an_alarm_and_a_reason(project, capsys, more, says):
    folder, base, _ = project
    Watcher(base, view(project[2], base).watcher.task, None).step()
    assert run(["monitor", "-C", str(folder), *more]) == 2
    assert says in capsys.readouterr().err
    assert journal.read(base, "fee", [alarms.CLEARED]) == []


def test_taken_back_it_stands_no_more(project, capsys):
    folder, base, _ = project
    run(["monitor", "-C", str(folder)])
    run(["monitor", "-C", str(folder), "--clear", "loss-promised", "--reason", "we retrain on Monday"])
    assert "ALARM loss-promised" not in capsys.readouterr().out.split("fee@1 on")[-1]
    assert journal.read(base, "fee", [alarms.CLEARED])[0].why == "we retrain on Monday"


def client_of(project):
    _, base, settings = project
    app = make_app(settings, base, view(settings, base))
    text = keys.make(base, "boss", ["admin"], who="test")[1]
    found = TestClient(app, follow_redirects=False)
    found.post("/page/sign-in", data={"key": text, "to": "/page"})
    return app, text, found


def test_the_page_shows_alarms_signals_and_the_loss(project):
    _folder, base, _settings = project
    turns(base, project, []).turn()
    _, _, client = client_of(project)
    found = client.get("/page/watch").text
    standing = alarms.open_alarms(base, "fee")
    assert f"{len(standing)} alarm" in found
    for text in ("Loss against what was promised", "To do: train again", "2008-", "assay explain watch/loss-promised"):
        assert text in found
    path = re.search(r'class="curve" d="M([^"]+)"', found)[1]
    points = [tuple(map(float, one.split())) for one in path.split("L")]
    assert len(points) > 50
    assert all(50 <= x <= 475 and 0 <= y <= 210 for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_prometheus_has_the_alarms_and_what_was_found(project):
    _, base, _ = project
    turns(base, project, []).turn()
    _, _, client = client_of(project)
    text = client.get("/metrics").text
    assert 'assay_watch_alarm{signal="loss-promised"} 1.0' in text
    assert 'assay_watch_alarm{signal="fidelity"} 0.0' in text
    lately = re.search(r'assay_watch_figure\{figure="loss_lately",signal="loss-promised"\} (\S+)', text)[1]
    standing = {one.signal: one for one in alarms.open_alarms(base, "fee")}
    assert float(lately) == pytest.approx(standing["loss-promised"].figures["loss lately"])


def test_a_release_that_cannot_be_read_hurts_nothing_else(project, found):
    _, base, settings = project
    public = {name: part for name, part in found.parts.public.items() if name != "manifest.json"}
    odd = keep(base, replace(found.parts, public=public | {"task.toml": b'name = "fee"'}), "fee")
    alias.promote(base, odd, who="test", why="odd")
    said = []
    both = turns(base, project, said)
    assert not both.turn()
    assert not both.turn()
    assert len(said) == 1  # once
    assert "the watch sees nothing" in said[0]
    _, _, client = client_of(project)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "assay_answers" in answer.text
    assert "assay_watch_alarm{" not in answer.text
    assert client.get("/page/watch").status_code >= 400
    other = keep(base, replace(found.parts, public=public), "fee")
    alias.promote(base, other, who="test", why="without a manifest")
    seen = view(settings, base).look()
    assert any("manifest.json" in note for note in seen.notes)


def test_a_service_without_the_part_says_so(project):
    _, base, settings = project
    text = keys.make(base, "boss", ["admin"], who="test")[1]
    client = TestClient(make_app(settings, base))
    client.post("/page/sign-in", data={"key": text, "to": "/page"})
    assert "Nothing is watched here" in client.get("/page/watch").text
    assert "assay_watch" not in client.get("/metrics").text


@pytest.mark.slow
def test_the_page_fits_and_can_be_read_by_everyone(project):
    path = chromium()
    if path is None:
        pytest.skip("no Chromium is installed, so the page was NOT looked at")
    turns(project[1], project, []).turn()
    app, text, _ = client_of(project)
    with launched(path) as browser, served(app) as address:
        page, faults = signed_in(browser, address, text, bypass_csp=True)
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme)
                page.goto(f"{address}/page/watch")
                assert page.locator("figure.loss svg").is_visible()
                wide, room = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
                assert wide <= room
                page.add_script_tag(path=AXE)
                found = page.evaluate(
                    "async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html)])"
                )
                assert found == []
        page.close()
        assert faults == []


def test_a_moment_without_a_zone_is_utc(project):
    from assay.keep.watch.material import _time

    one = answers.find(project[1], "fee", limit=1)[0]
    wanted = datetime(2008, 9, 15, tzinfo=UTC).timestamp()
    for text in ("2008-09-15T00:00:00", "2008-09-15T02:00:00+02:00"):
        assert _time(replace(one, evidence={"time": text})) == wanted
    assert _time(replace(one, evidence={})) == one.created
