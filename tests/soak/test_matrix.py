"""SIGKILL at every kind of boundary, on both databases: nothing lost, nothing twice; large counts are `make soak`."""

import psycopg
import pytest
from tests.postgres import running
from tests.soak.judge import verdict
from tests.soak.matrix import run
from tests.unit.serve.small import keep, parts

from assay.record import answers, claims
from assay.record.answers import Answer
from assay.record.database import Database

pytestmark = pytest.mark.slow
KILLS = 16  # four boundaries of each kind


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return parts(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    yield from running(tmp_path_factory)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.sqlite'}"
    server = request.getfixturevalue("postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS matrix WITH (FORCE)")
        connection.execute("CREATE DATABASE matrix")
    return server.replace("/postgres?", "/matrix?")


def test_whatever_is_killed_where_every_question_is_settled_once(url, made):
    found = run(url, KILLS, 3, made)
    assert found["faults"] == []
    assert all(count >= 4 for count in found["kills"].values())


class Silent:
    """A chain on which nothing happened."""

    chain = "local"

    def ask(self, *_):
        return []

    def count(self, *_):
        return 0


def test_the_judge_sees_what_is_lost(made, tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    release = keep(database, made)
    asked = Answer("credit", release.digest, chain="local", owner="me", request="1", state="fixed", settle=True)
    one, _ = answers.receive(database, asked)
    said = " ".join(verdict(database, Silent(), "0x" + "11" * 20, "0x" + "22" * 20, {one.id: 1, "ans_lost": 2}))
    assert "ans_lost was accepted and is not there" in said
    assert "is fixed, which is no end" in said
    held = claims.claim(database, ["fixed"], "me", 60)[0]
    held = answers.commit(database, held, "proven")
    held = answers.commit(database, held, "settling", transaction="tx_none")
    answers.commit(database, held, "settled")
    assert "the consumer's events are [], and settled are [1]" in " ".join(
        verdict(database, Silent(), "0x" + "11" * 20, "0x" + "22" * 20, {one.id: 1})
    )
    database.close()
