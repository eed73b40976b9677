"""The page's paths. Whatever goes wrong is a page, too: one sentence, and what to do."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from assay.core.errors import AssayError
from assay.record import answers, artefacts, releases, transactions
from assay.release import alias
from assay.serve.api.answers import proof_of
from assay.serve.api.problems import status_of
from assay.serve.api.state import Parts, State
from assay.serve.api.stream import Events
from assay.serve.errors import DecidedOnChain, NoProof, NotAuthorised, NotPermitted, RequestMalformed
from assay.serve.page import live, look
from assay.serve.page.headers import HEADERS
from assay.serve.page.render import render
from assay.serve.page.session import COOKIE, SECONDS, Session, Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_SEE_OTHER = 303


class Page(APIRoute):
    """A path whose errors are shown to a person."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with our headers and our errors."""
        asked = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                found = await asked(request)
            except NotAuthorised:
                found = RedirectResponse(f"/page/sign-in?to={quote(request.url.path)}", _SEE_OTHER)
            except RequestValidationError as error:
                place = ".".join(str(part) for part in error.errors()[0].get("loc", ()))
                malformed = RequestMalformed(f"{place} cannot be read", "Go back, and try again.")
                found = HTMLResponse(render("error", error=malformed, session=None), status_of(malformed.code))
            except AssayError as error:
                found = HTMLResponse(render("error", error=error, session=None), status_of(error.code))
            found.headers.update(HEADERS)
            return found

        return answered


router = APIRouter(prefix="/page", route_class=Page, include_in_schema=False)


def mount(app: FastAPI, folder: Path) -> None:
    """Add the page to the service; `folder` keeps the secret that signs its cookies."""
    app.state.sessions = Sessions(folder, app.state.assay.keyring)
    for name, package, place in (
        ("look", "assay.serve.page", "static"),
        ("report", "assay.report", "templates"),
    ):
        files = StaticFiles(directory=Path(str(resources.files(package) / place)))
        app.mount(f"/page/{name}", files, name)
    app.include_router(router)
    app.add_api_route("/", lambda: RedirectResponse("/page"), include_in_schema=False)


def _session(request: Request) -> Session:
    found: Session = request.app.state.sessions.of(request.cookies.get(COOKIE))
    found.key.require("read")
    return found


Signed = Annotated[Session, Depends(_session)]


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, one value each."""
    try:
        text = (await request.body()).decode()
        found = parse_qs(text, keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except (ValueError, UnicodeDecodeError):
        raise RequestMalformed("the form cannot be read", "Load the page again.") from None
    return {name: values[-1] for name, values in found.items()}


Form = Annotated[dict[str, str], Depends(_form)]


@router.get("/sign-in")
def sign_in(to: str = "/page") -> Response:
    """Ask for an API key."""
    return HTMLResponse(render("sign-in", to=_own_path(to), session=None, wrong=None))


@router.post("/sign-in")
def signed_in(request: Request, form: Form) -> Response:
    """Take an API key for a cookie."""
    to = _own_path(form.get("to", "/page"))
    try:
        cookie = request.app.state.sessions.begin(form.get("key", ""))
    except NotAuthorised as error:
        return HTMLResponse(render("sign-in", to=to, session=None, wrong=error), 401)
    answer = RedirectResponse(to, _SEE_OTHER)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, cookie, SECONDS, path="/page", secure=secure, httponly=True, samesite="strict")
    return answer


@router.post("/sign-out")
def sign_out(session: Signed, form: Form) -> Response:
    """Forget the cookie."""
    session.require_token(form.get("token", ""))
    answer = RedirectResponse("/page/sign-in", _SEE_OTHER)
    answer.delete_cookie(COOKIE, path="/page")
    return answer


def _own_path(to: str) -> str:
    """Where to go after signing in: a path of this page, and no other site's."""
    return to if to.startswith("/page") and "\\" not in to and ":" not in to else "/page"


@router.get("")
def now(parts: Parts, session: Signed) -> Response:
    """Is it healthy, who decides, what was answered last."""
    return HTMLResponse(render("now", session=session, **look.now(parts, session.key)))


@router.get("/events")
def events(
    parts: Parts, _session: Signed, last_event_id: Annotated[str | None, Header(max_length=64)] = None
) -> Response:
    """Server-sent events: something changed."""
    return Events(live.changes(parts, last_event_id), media_type="text/event-stream")


@router.get("/answers")
def list_answers(
    parts: Parts,
    session: Signed,
    state: Annotated[str | None, Query(max_length=40)] = None,
    name: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[str | None, Query(max_length=80)] = None,
) -> Response:
    """Answers, newest first."""
    found = look.list_answers(parts, session.key, state or None, name or None, _place(before))
    return HTMLResponse(render("answers", session=session, **found))


def _place(text: str | None) -> tuple[float, str] | None:
    if not text:
        return None
    created, _, name = text.partition("~")
    try:
        return float(created), name
    except ValueError:
        raise RequestMalformed("the place in the list cannot be read", "Begin with the first page.") from None


def _answer(parts: State, session: Session, name: str) -> Any:
    found = answers.get(parts.database, name)
    if found.owner != session.key.id and "admin" not in session.key.scopes:
        raise NotPermitted(f"{name:.60} was asked for by another API key", "Sign in with that key, or an admin's.")
    return found


@router.get("/answers/{name}")
def one_answer(name: str, parts: Parts, session: Signed) -> Response:
    """One answer, whole."""
    found = look.one_answer(parts, _answer(parts, session, name))
    return HTMLResponse(render("answer", session=session, **found))


@router.get("/answers/{name}/proof.json")
def proof_file(name: str, parts: Parts, session: Signed) -> Response:
    """Its proof, as a file."""
    found = _answer(parts, session, name)
    if found.shows is None:
        raise NoProof(f"{name:.60} is {found.state} and has no proof", "Look again when it is proven.")
    return _file(json.dumps(proof_of(parts, found), indent=1).encode(), f"{name}.proof.json")


@router.get("/releases")
def list_releases(parts: Parts, session: Signed) -> Response:
    """Releases, and which decided when."""
    return HTMLResponse(render("releases", session=session, **look.list_releases(parts)))


@router.get("/releases/{name}/{version}")
def one_release(name: str, version: str, parts: Parts, session: Signed) -> Response:
    """One release, and how it differs from the one that decides."""
    return HTMLResponse(render("release", session=session, **look.one_release(parts, name, version)))


@router.get("/releases/{name}/{version}/verifying.key")
def key_file(name: str, version: str, parts: Parts, _session: Signed) -> Response:
    """Its verifying key, as a file."""
    release = releases.get(parts.database, name, version)
    part = release.public["parts"]["verifying.key"]["digest"]
    return _file(artefacts.get(parts.database, part), f"{name}-{release.version}.verifying.key")


def _file(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post("/releases/{name}/promote")
def promote(name: str, request: Request, parts: Parts, session: Signed, form: Form) -> Response:
    """Make a release the one that decides: with a reason, and with the API key once more."""
    who, why = _may_move(request, session, form)
    _require_record_decides(parts, name, f"promote {form.get('version', '')}")
    alias.promote(parts.database, releases.get(parts.database, name, form.get("version", "")), who=who, why=why)
    return RedirectResponse("/page/releases", _SEE_OTHER)


@router.post("/releases/{name}/back")
def back(name: str, request: Request, parts: Parts, session: Signed, form: Form) -> Response:
    """Go back to the release that decided before."""
    who, why = _may_move(request, session, form)
    _require_record_decides(parts, name, "back")
    alias.back(parts.database, name, who=who, why=why)
    return RedirectResponse("/page/releases", _SEE_OTHER)


def _require_record_decides(parts: State, name: str, command: str) -> None:
    """The account that may move a registry's default signs elsewhere: the endpoint holds no signing key."""
    found = look.said_on_chain(parts, name)
    if found is not None:
        chain, address = found
        raise DecidedOnChain(
            f"the registry {address} of {chain} says what decides of {name}",
            f'Run `assay release {command} --chain {chain} --reason ".."` where its account signs.',
        )


def _may_move(request: Request, session: Session, form: dict[str, str]) -> tuple[str, str]:
    session.require_token(form.get("token", ""))
    key = request.app.state.assay.keyring.of(f"Bearer {form.get('key', '').strip()}")
    key.require("promote")
    why = form.get("why", "").strip()
    if not why:
        raise RequestMalformed("there is no reason", "Say why, for the history.")
    return f"key {key.id}", why


@router.get("/watch")
def watch(parts: Parts, session: Signed) -> Response:
    """Is it still the model that was agreed to."""
    shown = None if parts.watch is None else parts.watch.page()
    return HTMLResponse(render("watch", session=session, shown=shown))


@router.get("/transactions")
def list_transactions(parts: Parts, session: Signed) -> Response:
    """What was sent to chains."""
    session.key.require("admin")
    return HTMLResponse(render("transactions", session=session, **look.list_transactions(parts)))


@router.get("/transactions/{name}")
def one_transaction(name: str, parts: Parts, session: Signed) -> Response:
    """One transaction: each attempt, and where it was mined."""
    session.key.require("admin")
    found = transactions.get(parts.database, name)
    return HTMLResponse(render("transaction", session=session, one=found, cost=look.cost(found)))


@router.get("/settings")
def settings(parts: Parts, session: Signed) -> Response:
    """What it was started with, and who may ask."""
    session.key.require("admin")
    return HTMLResponse(render("settings", session=session, **look.settings_of(parts)))
