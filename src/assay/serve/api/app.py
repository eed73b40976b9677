"""The application: its routes, and what holds for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

import assay
from assay.project.project import Project
from assay.serve.api import answers, inference, public, stream
from assay.serve.api.guard import Guard
from assay.serve.api.problems import PROBLEM, register
from assay.serve.api.ready import ChainReady
from assay.serve.api.state import State
from assay.serve.keys import Keyring
from assay.serve.models import Models
from assay.serve.page.router import mount

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.serve.settings import Settings
    from assay.serve.watching import View


def make_app(settings: Settings, database: Database, watch: View | None = None) -> FastAPI:
    """Make the application of one service; `watch` shows whether the model still holds."""
    app = FastAPI(
        title="Assay",
        version=assay.__version__,
        description="Answers of models, and proofs of them.",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        responses={"4XX": PROBLEM, "5XX": PROBLEM},
    )
    chain = _chain(settings, database)
    app.state.assay = State(settings, database, Models(database), Keyring(database), chain=chain, watch=watch)
    register(app)
    for router in (inference.router, stream.router, answers.router, public.router):
        app.include_router(router)
    mount(app, settings.project / ".assay")
    app.add_middleware(Guard, hosts=settings.hosts, most_bytes=settings.most_bytes)
    return app


def _chain(settings: Settings, database: Database) -> ChainReady | None:
    if settings.chain is None:
        return None
    return ChainReady(database, settings.project, Project(settings.project).task, settings.chain)
