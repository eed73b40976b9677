"""Which features a contract can compute, and how a task that asks for more is told."""

import re
from pathlib import Path

import pytest
from tests.unit.data.small import make_task

from assay.task.onchain import Apply, Past, Stored, Whole, check_onchain, declared

PRICE = {"name": "price", "op": "last", "of": "p", "onchain": "price"}
VOLUME = {"name": "traded", "op": "sum", "of": "v", "onchain": "volume"}
HIGH = {"name": "high", "op": "max", "of": "p"}
ON = {"onchain": "observations"}


def task(*features, columns=(PRICE, VOLUME, HIGH), every="1h", **data):
    source = {"name": "t", "kind": "csv", "path": "t.csv"}
    bars = {"every": every, "columns": list(columns)}
    return make_task({"time": "at", "sources": [source], "bars": bars, "features": list(features)} | data)


def column(of, **more):
    return {"name": "f", "op": "column", "of": of} | ON | more


def test_a_feature_is_read_through_the_steps_before_it():
    before = {"name": "before", "op": "lag", "of": "price", "periods": 2}
    found = declared(task(before, column("price - before")).data)
    assert found == {"f": Apply("-", (Past("price"), Past("price", 2)))}
    again = {"name": "f", "op": "lag", "of": "before", "periods": 3} | ON
    assert declared(task(before, again).data) == {"f": Past("price", 5)}


def test_sums_are_differences_of_what_the_history_sums_up():
    sums = {"name": "f", "op": "rolling_sum", "of": "price", "window": 20} | ON
    assert declared(task(sums).data)["f"] == Apply("-", (Past("prices"), Past("prices", 20)))
    assert declared(task(sums | {"of": "traded"}).data)["f"] == Apply("-", (Past("volume"), Past("volume", 20)))
    scaled = declared(task(sums | {"scale": 3}).data)["f"]
    assert scaled == Apply("//", (Apply("-", (Past("prices"), Past("prices", 20))), Whole(1000)))


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        (column("high - price"), "high is a column of the bars that the history does not have"),
        (column("price / 2"), "price / 2 is not computed on the chain"),
        (column("SQRT(price)"), r"SQRT\(price\) is not computed"),
        (column("price * 0.5"), "0.5 is not computed"),
        (column("price +"), "it is no SQL expression"),
        (column("nowhere"), "it is made of nowhere, which the history does not have"),
        (column("POW(price, 2)"), "powers are of constants"),
        ({"name": "f", "op": "rolling_sum", "of": "price * price", "window": 3} | ON, "not of price"),
        ({"name": "f", "op": "rolling_mean", "of": "price", "window": 3} | ON, "rolling_mean is not computed"),
        ({"name": "f", "op": "log_return", "of": "price"} | ON, "log_return is not computed"),
        ({"name": "f", "op": "calendar", "part": "month"} | ON, "not its month"),
        ({"name": "f", "op": "lag", "of": "price", "periods": 70_000} | ON, "further than 65534 bars"),
    ],
)
def test_what_the_history_cannot_serve_is_refused_by_name(feature, said):
    (finding,) = check_onchain(task(feature))
    assert finding.path == ("data", "features", 0, "onchain")
    assert finding.severity == "contradiction"
    assert re.search(said, finding.what), finding.what


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"every": "5 blocks"}, "bars of time"),
        ({"every": "10s"}, "bars of time"),
        ({"columns": (VOLUME,)}, "no column of .* is the history's price"),
        ({"columns": (PRICE, PRICE | {"name": "other"})}, "two columns"),
        ({"window": 4}, "without entity, window or joins"),
    ],
)
def test_a_task_that_no_history_fits_is_told_once(changes, said):
    feature = {"name": "f", "op": "calendar", "part": "hour"} | ON
    findings = list(check_onchain(task(feature, feature | {"name": "g"}, **changes)))
    assert len(findings) == 1
    assert re.search(said, findings[0].what)


def test_the_historys_price_is_the_last_of_a_bar_and_its_volume_the_sum():
    (finding,) = check_onchain(task(columns=(PRICE | {"op": "mean"},)))
    assert finding.path == ("data", "bars", "columns", 0, "onchain")
    (finding,) = check_onchain(task(columns=(PRICE, VOLUME | {"op": "max"})))
    assert "volume is the sum" in finding.what


def test_the_guides_feature_of_a_feed_is_one():
    import tomllib

    guide = Path(__file__).parents[3] / "docs" / "guides" / "feeds.md"
    (text,) = re.findall(r"```toml\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    (feature,) = tomllib.loads(text)["data"]["features"]
    assert not list(check_onchain(task(feature)))
    assert task(feature).data.features[0].onchain == "feed"


def test_a_feeds_signers_sign_the_whole_row():
    signed = {"name": "income", "op": "column", "of": "p", "onchain": "feed"}
    other = {"name": "age", "op": "lag", "of": "price"}
    assert declared(task(signed).data) == {}
    assert not list(check_onchain(task(signed, other, drop=["age"])))
    (finding,) = check_onchain(task(signed, other))
    assert finding.severity == "warning"
    assert "sign the whole row, age too" in finding.what
    (finding,) = check_onchain(task(signed, column("price")))
    assert finding.severity == "contradiction"
    assert "income of feed and f of observations are two" in finding.what


PAIR = "0x" + "ab" * 20
RESERVE = {"name": "reserve", "account": PAIR, "slot": 8, "bits": 112}
INDEX = {"name": "index", "account": PAIR, "slot": 0, "bits": 16}
NOW = {"name": "now", "header": "timestamp"}
PROVEN = {"onchain": "state"}


@pytest.mark.parametrize("name", ["time", "block_number"])
def test_a_word_does_not_take_the_place_of_a_column_of_all_bars(name):
    with pytest.raises(ValueError, match=f"is called {name}, as a column that all bars have"):
        of_state(proven("reserve"), words=(RESERVE, {"name": name, "header": "timestamp"}))


def of_state(*features, words=(RESERVE, NOW), every="50 blocks", columns=(), **data):
    source = {"name": "chain", "kind": "rpc", "rpc": "http://127.0.0.1:1", "datasets": ["blocks"]}
    bars = {"every": every, "columns": list(columns), "state": list(words)}
    return make_task({"sources": [source], "bars": bars, "features": list(features)} | data)


def proven(of, **more):
    return {"name": "f", "op": "column", "of": of} | PROVEN | more


def test_a_feature_of_another_contracts_state():
    before = {"name": "before", "op": "lag", "of": "reserve", "periods": 3}
    found = declared(of_state(before, proven("(reserve - before) // now")).data)
    assert found == {"f": Apply("//", (Apply("-", (Stored("reserve"), Stored("reserve", 3))), Stored("now")))}
    assert not list(check_onchain(of_state(before, proven("(reserve - before) // now"))))


@pytest.mark.parametrize(
    ("task_", "said"),
    [
        (of_state(proven("nowhere")), r"nowhere, which \[\[data.bars.state\]\] does not have"),
        (of_state(proven("n"), columns=[{"name": "n", "op": "count"}]), "n is a column of the bars that"),
        (of_state(proven("reserve", op="rolling_sum", window=3)), "sums over bars are not proven"),
        (of_state(proven("reserve", op="lag", periods=163)), "further than 162 bars"),
        (of_state(proven("reserve"), words=(NOW,)), "no word of another contract's storage"),
        (of_state(proven("reserve"), window=2), "without entity, window or joins"),
        (of_state(proven("reserve"), every="1h"), "these are of time"),
        (
            of_state(proven("reserve") | ON | {"name": "g"}, proven("reserve")),
            "g of observations and f of state are two",
        ),
        (of_state(words=(RESERVE, INDEX | {"account": "0x" + "cd" * 20})), "are of one account, and 2 are named"),
        (of_state(words=(RESERVE | {"plus": "index"}, INDEX)), "index is no unsigned word before this one"),
        (of_state(words=(NOW, RESERVE | {"plus": "now"})), "now is no unsigned word before this one"),
        (
            of_state(*(proven("reserve", op="lag", periods=n, name=f"f{n}") for n in range(1, 17))),
            "needs the state of 17 blocks, and one may need 16",
        ),
    ],
)
def test_what_no_proof_can_serve_is_refused_by_name(task_, said):
    (finding,) = check_onchain(task_)
    assert finding.severity == "contradiction"
    assert re.search(said, finding.what), finding.what


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ({"name": "a", "account": PAIR}, "either slot or header"),
        ({"name": "a", "slot": 1}, "a slot is of an account"),
        (NOW | {"bits": 8}, "takes a name and nothing else"),
        (RESERVE | {"from_bit": 200}, "are 312 together"),
        (RESERVE | {"slot": "0x" + "1" * 65}, "slot"),
    ],
)
def test_a_word_that_is_nowhere_is_refused(word, said):
    with pytest.raises(ValueError, match=said):
        of_state(words=(word,))


def test_where_words_are_and_how_they_are_read():
    from eth_abi import encode
    from eth_utils import keccak

    from assay.task.state import Place, StateWord, places

    word = StateWord.model_validate(RESERVE | {"from_bit": 112, "signed": True})
    assert word.read((5 << 224) + (((1 << 112) - 3) << 112) + 7) == -3
    # As Solidity places the entry of a mapping of mappings.
    nested = StateWord.model_validate(RESERVE | {"slot": 3, "keys": [PAIR, 7]})
    outer = keccak(encode(["address", "uint256"], [PAIR, 3]))
    assert nested.place.slot == int.from_bytes(keccak(encode(["uint256", "bytes32"], [7, outer])), "big")
    element = StateWord.model_validate(RESERVE | {"slot": "0x0a", "plus": "index"})
    assert places([element, word, element]) == [Place(8), Place(10, "index")]
    assert element.place.at({"index": 4}) == 14
