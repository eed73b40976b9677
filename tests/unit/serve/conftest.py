"""A service with one release and one prover, on its own database."""

import threading

import pytest
from starlette.testclient import TestClient
from tests.unit.serve.small import keep, parts

from assay.record.database import Database
from assay.serve import keys
from assay.serve.api.app import make_app
from assay.serve.settings import Settings
from assay.serve.work import Worker


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    return parts(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def made_again(tmp_path_factory):
    return parts(tmp_path_factory.mktemp("again"), seed=8)


@pytest.fixture
def database(tmp_path):
    found = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    yield found
    found.close()


@pytest.fixture
def release(database, made):
    return keep(database, made)


@pytest.fixture
def settings(tmp_path, database):
    return Settings(tmp_path, str(database.url), hosts=("testserver",), most_waiting=5)


@pytest.fixture
def client(settings, database, release):
    _, text = keys.make(database, "test", ["read", "infer", "prove", "settle"], who="test")
    with TestClient(make_app(settings, database), raise_server_exceptions=False) as found:
        found.headers["Authorization"] = f"Bearer {text}"
        yield found


@pytest.fixture
def worker(database):
    """A prover that works in the background."""
    stop = threading.Event()
    thread = threading.Thread(target=Worker(database, "worker").run, args=(stop.is_set,))
    thread.start()
    yield
    stop.set()
    thread.join()
