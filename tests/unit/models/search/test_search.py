"""The search's memory: proposals that follow from seed and results alone, whatever was interrupted."""

import stat

import pytest
from tests.unit.models.small import problem

from assay.core.errors import StorageError
from assay.models.families.registry import family
from assay.models.search.search import ROUND, Search, _schedule

FAMILIES = ["linear", "tree", "xgboost"]


def search(folder, seed=1):
    return Search(folder, "one", [family(name) for name in FAMILIES], problem(), seed)


def result(proposal):
    """Any law of the parameters: what counts is that it is the same for the same ones."""
    size = sum(value for value in proposal.params.values() if isinstance(value, int | float))
    return (1.0 / (1.0 + size), 0.01 * size, 200_000.0 + proposal.index % 3)


def follow(own, trials, stop=None):
    """Run up to `trials`, or until `stop` results are told."""
    done = 0
    while proposals := own.round(trials):
        for proposal in proposals:
            if done == stop:
                return own
            own.tell(proposal, None if proposal.index == 4 else result(proposal), pruned=proposal.index == 4)
            done += 1
    return own


def chosen(own, trials):
    return [(one.proposal.index, one.proposal.family, one.proposal.params) for one in own.told(trials)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an uninterrupted search proposes."""
    return chosen(follow(search(tmp_path_factory.mktemp("whole")), 18), 18)


def test_families_take_turns_by_their_parameters():
    order = _schedule({"linear": 1, "tree": 2, "xgboost": 7}, 40)
    assert order[:3] == ["linear", "tree", "xgboost"]
    assert {name: order.count(name) for name in FAMILIES} == {"linear": 4, "tree": 8, "xgboost": 28}
    assert _schedule({"linear": 1, "tree": 2}, 1) == ["linear"]


def test_first_come_the_defaults(tmp_path):
    own = follow(search(tmp_path), 6)
    for index, name, params in chosen(own, 3):
        assert (name, params) == (FAMILIES[index], family(name).defaults(problem()))


def test_the_seed_decides(whole, tmp_path):
    again, other = (chosen(follow(search(tmp_path / name, seed), 18), 18) for name, seed in (("b", 1), ("c", 2)))
    assert len(whole) == 18
    assert whole == again
    assert whole != other


@pytest.mark.parametrize("stop", [0, 1, ROUND - 1, ROUND, ROUND + 2])
def test_an_interrupted_search_goes_on_as_it_would_have(whole, tmp_path, stop):
    follow(search(tmp_path / "cut"), 18, stop=stop).close()
    assert chosen(follow(search(tmp_path / "cut"), 18), 18) == whole


def test_interrupted_while_it_proposes(whole, tmp_path, monkeypatch):
    own = follow(search(tmp_path / "cut"), 6)
    kind, calls = type(family("xgboost")), []
    space = kind.space

    def dies(self, suggest, question):
        calls.append(suggest.integer("rounds", 4, 300, log=True))
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, "space", dies)
    with pytest.raises(KeyboardInterrupt):
        own.round(18)
    own.close()
    assert calls
    monkeypatch.setattr(kind, "space", space)
    assert chosen(follow(search(tmp_path / "cut"), 18), 18) == whole


def test_a_longer_search_finds_what_it_would_have_found_at_once(whole, tmp_path):
    follow(search(tmp_path / "longer"), 8).close()
    assert chosen(follow(search(tmp_path / "longer"), 18), 18) == whole


def test_notes_stay_beside_a_proposal(tmp_path):
    own = search(tmp_path)
    (first, *_) = own.round(3)
    own.note(first, limits=["gas"])
    own.tell(first, None, pruned=True)
    own.close()
    (told,) = search(tmp_path).told(3)
    assert (told.proposal, told.notes["limits"]) == (first, ["gas"])


def test_any_name_will_do_for_the_folder(tmp_path):
    place = tmp_path / "50 % of what? ü #1"
    assert len(chosen(follow(search(place), 3), 3)) == 3
    assert (place / "study.sqlite").is_file()


def test_what_is_no_database_is_named(tmp_path):
    (tmp_path / "study.sqlite").write_text("not a database at all, but long enough to be read as one" * 20)
    with pytest.raises(StorageError, match=r"study\.sqlite"):
        search(tmp_path)


def test_a_folder_that_may_not_be_written(tmp_path):
    import os

    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StorageError, match=r"study\.sqlite"):
        search(tmp_path)
