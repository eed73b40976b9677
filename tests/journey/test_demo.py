"""`python -m demo` for real, and what its numbers rest on: no look into the future, an honest verdict."""

import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import assay

ROOT = Path(__file__).parents[2]
VOID = {"meta", "link", "br", "hr", "img", "input", "source", "col", "wbr", "base", "embed"}


def run_demo(*arguments, **environment):
    command = [sys.executable, "-m", "demo", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "100", **environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=500)


@pytest.mark.slow
def test_the_demo(tmp_path):
    done = run_demo("--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    model_is_what_was_measured(result, tmp_path / "out")
    proofs_say_what_the_model_says(result, tmp_path / "out")
    fee_changed_once(result)
    terminal_shows_the_findings(result, done.stdout)
    report_needs_nothing_else(result, (tmp_path / "report.html").read_text())


def model_is_what_was_measured(result, folder):
    model, days = saved_model(folder), sp500_days()
    test = days.dates >= np.datetime64("2015-01-01")
    right = (margins(model, days.X[test]) > 0) == days.y[test]
    shown = result["metrics"]
    assert result["days"]["test"] == test.sum() > 1000
    assert shown["XGBoost model"]["accuracy"] == pytest.approx(right.mean())
    assert shown["existing rule"]["accuracy"] == pytest.approx((days.today[test] == days.y[test]).mean())
    assert result["fidelity"]["ok"]
    assert (result["fidelity"]["rows"], result["fidelity"]["rows_differing"]) == (test.sum(), 0)


def proofs_say_what_the_model_says(result, folder):
    key = assay.VerifyingKey.load(folder / "verifying.key")
    proof, batch = (assay.Proof.from_json((folder / name).read_text()) for name in ("proof.json", "batch.json"))
    assert assay.verify(key, proof)
    assert assay.verify(key, batch)
    row = np.array([result["proven_row"]], dtype=np.float32)
    assert proof.outputs[0, 0] == result["margin"] == pytest.approx(margins(saved_model(folder), row)[0], abs=1e-5)
    words, _ = assay.Circuit.load(folder).encode(row)
    assert proof.public_inputs[:-1] == words[0].tolist()
    assert (proof.rows, batch.rows) == (1, result["batch"])
    assert key.srs_kind == proof.srs_kind == result["srs"] == "development"


def fee_changed_once(result):
    events = {event["what"]: event for event in result["events"]}
    posted, settled = events["the feed posts the day's row"]["state"], events["the valid proof"]["state"]
    assert [what for what, event in events.items() if event["changed"]] == [
        "the feed posts the day's row",
        "the valid proof",
    ]
    assert (posted["fee"], posted["regime"], settled["fee"], settled["regime"]) == (500, "unknown", 3000, "turbulent")
    refused = {what: event for what, event in events.items() if event["outcome"].startswith("refused")}
    assert {what: event["outcome"].split()[1] for what, event in refused.items()} == {
        "one bit of the proof flipped": "InvalidProof",
        "another margin claimed": "InvalidProof",
        "a valid proof of another day": "RowNotPending",
        "the same proof again": "AlreadyProven",
        "fresh proof, same statement": "AlreadyProven",
    }
    forgeries, replays = list(refused.values())[:3], list(refused.values())[3:]
    assert all(event["state"] == posted for event in forgeries)
    assert all(event["state"] == settled for event in replays)
    assert 21_000 < result["gas"]["one"] < result["gas"]["settle"] == events["the valid proof"]["gas"]
    assert result["gas"]["one"] < result["gas"]["batch"] < result["batch"] * result["gas"]["one"]


def terminal_shows_the_findings(result, text):
    assert result["verdict"] in text
    assert f"{result['gas']['settle']:,}" in text
    assert "5 of 5" in text
    assert "development" in text
    assert "Not audited" in text


def report_needs_nothing_else(result, text):
    page = Page()
    page.feed(text)
    assert page.open == []
    assert not page.tags & {"script", "link", "img", "image", "iframe", "object", "embed", "base", "video", "audio"}
    assert "://" not in text.replace("http://www.w3.org/", "")
    assert "@import" not in text
    assert text.count("url(") == text.count("url(#")
    assert all(target.startswith("#") for target in page.targets)
    assert len(page.ids) == len(set(page.ids))
    assert {target[1:] for target in page.targets} <= set(page.ids)
    assert text.count("<svg ") == 10
    assert "nan" not in page.words
    assert "prefers-color-scheme: dark" in text
    accuracy = result["metrics"]["XGBoost model"]["accuracy"]
    for shown in (f"{100 * accuracy:.1f} %", f"{result['gas']['one']:,}", result["verdict"], result["model_id"]):
        assert shown in text
    for said in ("Not audited.", "Development reference string.", "Inputs are public", "refused: InvalidProof"):
        assert said in text


class Page(HTMLParser):
    """Collects what a page refers to and whether its elements are closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.targets, self.ids, self.words = [], set(), [], [], set()

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name in {"src", "srcset", "href", "xlink:href", "data", "poster", "action"}:
                self.targets.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words |= set(data.split())


def test_it_says_at_once_where_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("")
    done = run_demo("--out", tmp_path / "file")
    assert done.returncode == 2
    assert done.stderr.startswith("error[io")
    assert "Traceback" not in done.stderr


def test_it_says_at_once_that_the_node_is_not_installed(tmp_path):
    done = run_demo("--out", tmp_path / "out", ASSAY_NODE_MODULES=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("error[chain/tool-missing]")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def part(monkeypatch):
    """Import a module of the demo, which is no installed package."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: import_module(f"demo.{name}")


def sp500_days():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        data = import_module("demo.data")
    return data.dataset(data.load())


def saved_model(folder):
    from xgboost import Booster

    return Booster(model_file=folder / "model.json")


def margins(model, X):
    from xgboost import DMatrix

    return model.predict(DMatrix(X), output_margin=True)


@pytest.mark.parametrize("today", [700, 2500, 5000])
def test_features_know_nothing_of_the_future(today, part):
    data = part("data")
    prices = data.load()
    full, then = data.features(prices), data.features(prices.until(today))
    assert len(full) == 25
    for name, values in full.items():
        assert np.array_equal(values[:today], then[name], equal_nan=True), name
        assert np.isfinite(values[today - 1]), name


def test_the_target_is_tomorrow_against_the_year_before():
    from arch.data import sp500

    frame = sp500.load()
    before = frame["Close"].shift(1)
    top, bottom = frame["High"].clip(lower=before), frame["Low"].clip(upper=before)
    size = np.log(top / bottom).iloc[1:]
    turbulent = size > size.rolling(252).median().shift(1)
    days = sp500_days()
    assert np.array_equal(turbulent.loc[days.tomorrow].to_numpy(), days.y)
    assert np.array_equal(turbulent.loc[days.dates].to_numpy(), days.today)
    assert np.array_equal(days.today[1:], days.y[:-1])
    assert (days.tomorrow > days.dates).all()
    assert days.X.dtype == np.float32
    assert np.isfinite(days.X).all()


def test_parts_follow_each_other_at_a_distance(part):
    data, days = part("data"), sp500_days()
    parts = data.split(days)
    for earlier, later in ((parts.train, parts.validation), (parts.validation, parts.test)):
        assert later[0] - earlier[-1] == data.EMBARGO + 1
        assert days.tomorrow[earlier].max() < days.dates[later].min()
    assert parts.test[-1] == len(days.y) - 1


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ((0.5, 0.5, 0.5, 0.9), "beats the existing rule on all four"),
        ((0.5, 0.5, 0.9, 0.9), "on accuracy, balanced accuracy and log loss, but not on AUC"),
        ((0.7, 0.7, 0.8, 0.5), "keep the rule"),
    ],
)
def test_the_verdict_is_honest(rule, words, part):
    model = part("model")
    measured = {"model": model.Metrics(0.7, 0.7, 0.8, 0.5), "rule": model.Metrics(*rule)}
    assert words in model.verdict(measured)
