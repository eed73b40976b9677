"""Errors as RFC 9457 says, with Assay's code, and `error` as the Open Inference Protocol wants it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from assay.core.errors import AssayError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

# By the beginning of the code; the longest that fits counts.
_STATUS = {
    "rows/": 422,
    "serve/not-authorised": 401,
    "serve/not-permitted": 403,
    "serve/queue-full": 429,
    "serve/budget-spent": 429,
    "serve/request-malformed": 422,
    "serve/request-too-large": 413,
    "serve/idempotency-key-needed": 400,
    "serve/nothing-settles": 409,
    "serve/cannot-join": 422,
    "serve/answer-ended": 409,
    "serve/no-such-model": 404,
    "serve/no-proof": 404,
    "serve/decided-on-chain": 409,
    "record/unknown": 404,
    "record/conflict": 422,
    "record/unfit": 422,
    "record/": 503,
    "release/no-way-back": 409,
    "release/no-champion": 409,
    "release": 409,
    "proof/": 422,
    "key/": 422,
    "artefact/": 422,
    "settle/": 503,
    "srs": 503,
    "io": 503,
}
_RETRY_SECONDS = "1"
_TEXTS = ("type", "title", "detail", "instance", "code", "todo", "error")
PROBLEM: dict[str, Any] = {
    "description": "Refused, as RFC 9457 says: `code` is for programs, `detail` and `todo` are for people.",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["status", *_TEXTS],
                "properties": {name: {"type": "string"} for name in _TEXTS} | {"status": {"type": "integer"}},
            }
        }
    },
}


def status_of(code: str) -> int:
    """The HTTP status of an error's code; what is no fault of the request is 503."""
    fitting = [beginning for beginning in _STATUS if code.startswith(beginning)]
    return _STATUS[max(fitting, key=len)] if fitting else 400


def problem(error: AssayError, instance: str) -> JSONResponse:
    """An error as an answer."""
    status = status_of(error.code)
    headers = {"Retry-After": _RETRY_SECONDS} if status in {429, 503} else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(status, error.code, error.what, error.todo, instance, headers)


def register(app: FastAPI) -> None:
    """Answer every error in this form."""

    @app.exception_handler(AssayError)
    async def _of_assay(request: Request, error: AssayError) -> JSONResponse:
        return problem(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def _of_the_body(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first.get("loc", ()))
        what = f"{place or 'the request'}: {str(first.get('msg', 'it is malformed')).lower()}"
        todo = "See /openapi.json for what is taken."
        return _answer(422, "serve/request-malformed", what, todo, request.url.path, {})

    @app.exception_handler(HTTPException)
    async def _of_http(request: Request, error: HTTPException) -> JSONResponse:
        what = str(error.detail).lower()
        code = {404: "serve/no-such-path", 405: "serve/method-not-allowed"}.get(error.status_code, "serve/refused")
        todo = "See /openapi.json for what there is."
        return _answer(error.status_code, code, what, todo, request.url.path, dict(error.headers or {}))


def _answer(status: int, code: str, what: str, todo: str, instance: str, headers: dict[str, str]) -> JSONResponse:
    what = what.encode(errors="replace").decode()  # a field's name may be half a character, which no text can have
    content: dict[str, Any] = {
        "type": f"urn:assay:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": what,
        "instance": instance,
        "code": code,
        "todo": todo,
        "error": f"{what}. {todo}".strip(),
    }
    return JSONResponse(content, status, headers, media_type="application/problem+json")
