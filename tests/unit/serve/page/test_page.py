"""The page: who may look, what is shown, and that what is shown is what is recorded."""

import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient
from tests.unit.serve.small import keep

import assay
from assay.record import answers, journal, transactions
from assay.record.transactions import Transaction
from assay.release import alias
from assay.serve import keys
from assay.serve.api.app import make_app
from assay.serve.outputs.loop import Output
from assay.serve.page.session import COOKIE, SECRET_FILE
from assay.serve.work import Worker
from assay.task.outputs import OutputSpec

ROW = [0.5, -0.25, None]


@pytest.fixture
def page(settings, database, release):
    """A browser that keeps cookies and follows nobody."""
    with TestClient(make_app(settings, database), raise_server_exceptions=False, follow_redirects=False) as found:
        yield found


@pytest.fixture
def texts(database):
    return {
        name: keys.make(database, name, scopes, who="test")[1]
        for name, scopes in {
            "boss": ["admin"],
            "reader": ["read"],
            "asker": ["read", "prove"],
            "mute": ["prove"],
        }.items()
    }


def sign_in(page, text):
    return page.post("/page/sign-in", data={"key": text, "to": "/page"})


def token(page, path="/page"):
    return re.search(r'name="token" value="([0-9a-f]+)"', page.get(path).text)[1]


def ask(page, text, row=ROW):
    asked = page.post("/v2/models/credit/proofs", json={"inputs": [row]}, headers={"Authorization": f"Bearer {text}"})
    assert asked.status_code == 202
    return asked.json()["id"]


@pytest.mark.parametrize("word", [b"", b"short\n", b"\xff" * 3])
def test_a_cookie_is_never_signed_with_what_can_be_guessed(page, texts, settings, word):
    secret = settings.project / ".assay" / SECRET_FILE
    secret.parent.mkdir(exist_ok=True)
    secret.write_bytes(word)
    assert sign_in(page, texts["boss"]).status_code == 303
    assert page.get("/page").status_code == 200
    assert len(secret.read_text().strip()) == 64
    assert secret.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("path", ["/page", "/page/answers", "/page/releases", "/page/settings", "/page/events"])
def test_nobody_sees_anything_without_a_key(page, path):
    for cookie in (None, "forged", "eyJrZXkiOiAiMTIzIn0.aaaa.bbbb"):
        page.cookies.clear()
        if cookie:
            page.cookies.set(COOKIE, cookie)
        answer = page.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/page/sign-in?to={path}"


def test_an_api_key_signs_in_once_and_the_cookie_is_kept_from_scripts(page, texts):
    refused = sign_in(page, "assay_" + "0" * 12 + "_" + "0" * 64)
    assert refused.status_code == 401
    assert "unknown or revoked" in refused.text
    answer = sign_in(page, texts["reader"])
    assert answer.status_code == 303
    said = answer.headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=strict" in said
    assert texts["reader"].rpartition("_")[2] not in said
    assert page.get("/page").status_code == 200


def test_a_revoked_key_ends_its_session(page, texts, database, monkeypatch):
    sign_in(page, texts["reader"])
    assert page.get("/page").status_code == 200
    keys.revoke(database, texts["reader"].split("_")[1], who="test", why="lost")
    monkeypatch.setattr(keys, "_REFRESH_SECONDS", -1.0)
    assert page.get("/page").status_code == 303


def test_a_restart_signs_nobody_out(page, texts, settings, database):
    sign_in(page, texts["reader"])
    with TestClient(make_app(settings, database), follow_redirects=False) as again:
        again.cookies.set(COOKIE, page.cookies[COOKIE])
        assert again.get("/page").status_code == 200
    assert (settings.project / ".assay" / "page.secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/page\\evil", "/v1/answers", "/page:x"])
def test_signing_in_leads_nowhere_else(page, texts, to):
    answer = page.post("/page/sign-in", data={"key": texts["reader"], "to": to})
    assert answer.headers["location"] == "/page"


def test_every_page_forbids_what_is_not_from_here(page, texts):
    sign_in(page, texts["boss"])
    for path in ("/page", "/page/answers", "/page/releases", "/page/releases/credit/1", "/page/settings", "/page/none"):
        answer = page.get(path)
        if answer.status_code == 200:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "<script>" not in answer.text
            assert " style=" not in answer.text
    assert page.get("/page/none").status_code == 404


def test_now_says_whether_it_would_take_a_question_and_who_decides(page, texts, database, release):
    sign_in(page, texts["boss"])
    found = page.get("/page").text
    assert "It is ready" in found
    assert "credit@1" in found
    assert "the first release" in found
    for number in range(5):
        ask(page, texts["asker"], [float(number), 0, 0])
    assert "the queue is full" in page.get("/page").text


def test_an_answer_shows_row_words_proof_and_way(page, texts, database, tmp_path):
    name = ask(page, texts["asker"])
    sign_in(page, texts["asker"])
    waiting = page.get(f"/page/answers/{name}").text
    assert "it waits for a prover" in waiting
    assert Worker(database, "worker").step()
    found = page.get(f"/page/answers/{name}").text
    one = answers.get(database, name)
    assert one.outputs["integers"][0][0] in found
    for text in ("income", "savings", "missing", "assay verify", "Probabilities"):
        assert text in found
    proof = page.get(f"/page/answers/{name}/proof.json")
    assert proof.status_code == 200
    key = page.get("/page/releases/credit/1/verifying.key")
    (tmp_path / "verifying.key").write_bytes(key.content)
    read = assay.Proof.from_json(proof.content)
    assay.verify(assay.VerifyingKey.load(tmp_path / "verifying.key"), read)
    assert f'<b class="said">{read.labels()[0]}</b>' in found
    assert "What came of it" not in found
    for came, shown in (("repaid & closed", "repaid &amp; closed"), ([None, 0], "not known yet, 0")):
        answers.observe(database, name, came)
        assert f"<dt>What came of it</dt><dd>{shown}</dd>" in page.get(f"/page/answers/{name}").text


def test_a_key_sees_its_own_answers_only(page, texts):
    name = ask(page, texts["asker"])
    sign_in(page, texts["reader"])
    assert name not in page.get("/page/answers").text
    assert page.get(f"/page/answers/{name}").status_code == 403
    assert page.get("/page/settings").status_code == 403
    assert page.get("/page/transactions").status_code == 403
    sign_in(page, texts["boss"])
    assert name in page.get("/page/answers").text


def test_a_key_that_may_not_read_is_told_so(page, texts):
    sign_in(page, texts["mute"])
    answer = page.get("/page")
    assert answer.status_code == 403
    assert "does not have the scope" in answer.text


def test_answers_are_paged_and_filtered(page, texts, database, monkeypatch):
    from assay.serve.page import look

    monkeypatch.setattr(look, "PAGE", 2)
    names = [ask(page, texts["asker"], [float(number), 0, 0]) for number in range(5)]
    sign_in(page, texts["boss"])
    path, seen = "/page/answers?name=credit&state=fixed", []
    while path:
        found = page.get(path).text
        seen += re.findall(r'href="/page/answers/(ans_[0-9a-f]+)"', found)
        more = re.search(r'rel="next" href="([^"]+)"', found)
        path = more and more[1].replace("&amp;", "&")
    assert sorted(seen) == sorted(names)
    assert "There are none" in page.get("/page/answers?state=settled").text
    refused = page.get("/page/answers?state=lost")
    assert refused.status_code == 422
    assert "no answer is ever" in refused.text.lower()
    assert page.get("/page/answers?before=x~y").status_code == 422


def test_promoting_needs_the_form_the_key_again_and_a_reason(page, texts, database, made_again):
    second = keep(database, made_again)
    sign_in(page, texts["boss"])
    assert "What differs from credit@1" in page.get("/page/releases/credit/2").text
    good = {"token": token(page), "key": texts["boss"], "why": "better", "version": "2"}
    first = alias.champion(database, "credit")
    for change, status in (
        ({"token": "0" * 32}, 403),
        ({"token": "é"}, 403),
        ({"key": ""}, 303),
        ({"key": texts["reader"]}, 403),
        ({"why": "  "}, 422),
        ({"version": "9"}, 404),
        ({"version": "²"}, 404),
        ({"version": "9" * 30}, 404),
    ):
        assert page.post("/page/releases/credit/promote", data=good | change).status_code == status
        assert alias.champion(database, "credit") == first
    assert page.post("/page/releases/credit/promote", data=good).status_code == 303
    assert alias.champion(database, "credit") == second.digest
    assert "better" in page.get("/page/releases").text
    assert page.post("/page/releases/credit/back", data=good | {"why": "worse"}).status_code == 303
    assert alias.champion(database, "credit") == first
    assert journal.verify(database, "credit") == 3


TASK = """
name = "credit"
existing = {kind = "constant", value = 0.0}
predict = {target = "y", type = "binary"}
data = {sources = [{name = "rows", kind = "csv", path = "rows.csv"}]}
protocol = {chain = "base"}

[chains.base]
id = 8453
rpc = ["http://127.0.0.1:1"]
registry = "0x1111111111111111111111111111111111111111"
"""


@pytest.mark.parametrize("known", ["declared", "by its history"])
def test_where_a_registry_says_what_decides_the_page_names_the_command(
    page, texts, database, made_again, settings, known
):
    second = keep(database, made_again)
    if known == "declared":
        (settings.project / "task.toml").write_text(TASK)
    else:
        what = {"before": 0, "version": 1, "back": False}
        happened = journal.Event("registry.default", f"0x{'11' * 20}:1", "me", what, "first", {}, "base", 7)
        journal.append(database, "credit", happened)
    first = alias.champion(database, "credit")
    sign_in(page, texts["boss"])
    for path in ("/page/releases", "/page/releases/credit/2"):
        shown = page.get(path).text
        assert "--chain base" in shown
        assert "Your API key, once more" not in shown
    form = {"token": token(page), "key": texts["boss"], "why": "better", "version": "2"}
    for action, command in (("promote", "promote 2"), ("back", "back")):
        refused = page.post(f"/page/releases/credit/{action}", data=form)
        assert refused.status_code == 409
        assert f"assay release {command} --chain base" in refused.text
    assert alias.champion(database, "credit") == first != second.digest


def test_what_a_chain_froze_is_said_on_the_page_and_by_the_endpoint(page, texts, database, release):
    model = release.public["model_id"].removeprefix("0x")
    what = {"model_id": model, "reason": "wrong"}
    happened = journal.Event("registry.frozen", f"0x{'11' * 20}:0", "me", what, "wrong", {}, "base", 7)
    journal.append(database, "credit", happened)
    sign_in(page, texts["boss"])
    for path in ("/page/releases", "/page/releases/credit/1"):
        assert "frozen on base since block 7, for ever" in page.get(path).text
    found = page.get("/v1/releases", headers={"Authorization": f"Bearer {texts['boss']}"}).json()
    assert found["items"][0]["chains"] == ["frozen on base since block 7, for ever"]


def test_settings_show_how_outputs_stand(settings, database, release, texts, tmp_path):
    fields = {"name": "desk", "kind": "webhook", "url": "https://127.0.0.1:1/", "secret_file": "desk.secret"}
    spec = OutputSpec.model_validate(fields)
    (tmp_path / "desk.secret").write_text("whsec_" + "A" * 44)
    (tmp_path / "desk.secret").chmod(0o600)
    with TestClient(make_app(replace(settings, outputs=(spec,)), database), follow_redirects=False) as page:
        sign_in(page, texts["boss"])
        assert "nothing yet" in page.get("/page/settings").text
        ask(page, texts["boss"])
        Worker(database).step()
        assert not Output(database, spec, tmp_path).step()
        shown = page.get("/page/settings").text
        for said in ("desk", "output/private-address", "127.0.0.1"):
            assert said in shown
        assert "the output desk fails" in page.get("/page").text


def test_transactions_show_attempts_and_cost(page, texts, database):
    account, block = "0x" + "a" * 40, {"block": 7, "block_hash": "0x" + "b" * 64, "gas_used": 300_000, "price": 10**9}
    with database.begin() as connection:
        wanted = Transaction("local", account, 0, "settle", "ans_1", "0x" + "c" * 40, "0x", 400_000)
        signed = {"hash": "0x" + "d" * 64, "raw": "0x", "max_fee": 2, "priority_fee": 1, "cancels": False}
        kept, _ = transactions.keep_in(database, connection, wanted, 0, lambda _nonce: signed)
    transactions.move(database, transactions.move(database, kept, "broadcast"), "mined", mined=block | {"ok": True})
    sign_in(page, texts["boss"])
    assert "0.0003 ETH" in page.get("/page/transactions").text
    found = page.get(f"/page/transactions/{kept.id}").text
    for text in (signed["hash"], block["block_hash"], account, "300000 gas"):
        assert text in found
    assert "0.0003 ETH" in page.get("/page").text


def test_what_people_wrote_is_text(page, texts, database, made_again):
    second = keep(database, made_again)
    alias.promote(database, second, who="<b>me</b>", why="<script>alert(1)</script>")
    sign_in(page, texts["boss"])
    for path in ("/page", "/page/releases"):
        found = page.get(path).text
        assert "<script>alert" not in found
        assert "&lt;script&gt;" in found


def test_a_forgotten_row_is_said_to_be(page, texts, database):
    name = ask(page, texts["asker"])
    Worker(database, "worker").step()
    answers.forget(database, before=2e9)
    sign_in(page, texts["boss"])
    assert "The row was forgotten" in page.get(f"/page/answers/{name}").text
