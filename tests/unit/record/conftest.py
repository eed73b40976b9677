"""Every test of the records runs on both databases."""

import pytest
from tests.postgres import running

from assay.record.database import Database


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    yield from running(tmp_path_factory)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.sqlite'}"
    import psycopg

    server = request.getfixturevalue("postgres")
    name = f"base{abs(hash(request.node.nodeid)) % 10**12}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def database(url):
    made = Database(url)
    yield made
    made.close()
