"""A certificate of how good a release is, checked by a stranger; whatever is changed in it shows."""

import base64
import json
import subprocess
import sys
from contextlib import closing

import numpy as np
import polars as pl
import pytest
from benchmarks.certify import NAMES, released
from tests.unit.serve.small import model

import assay
from assay.core.hashing import digest
from assay.data.dataset.canonical import Canonical
from assay.data.dataset.dataset import Dataset
from assay.keep.certify import check
from assay.keep.certify.certificate import Certificate, context_of
from assay.keep.certify.make import certify
from assay.keep.certify.shown import hidden_rows
from assay.keep.errors import NothingToCertify
from assay.prove.keys import Keys
from assay.prove.prove import prove
from assay.record import journal
from assay.record.database import Database
from assay.release.parts import TEST_ROWS
from assay.task.task import Task

LABEL = len(NAMES) + 1
"""Where a row has its label: behind the features and what is known today."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("certify")


@pytest.fixture(scope="module")
def release(place):
    with closing(Database.of_project(place / "project", f"sqlite:///{place / 'records.sqlite'}")) as database:
        yield released(database, place, tests=50, trees=6, depth=3, batch=20)


@pytest.fixture(scope="module")
def made(place, release):
    file = place / "cert.json"
    done = assay_command(
        "certify",
        1,
        "-C",
        place / "project",
        "--database",
        f"sqlite:///{place / 'records.sqlite'}",
        "--out",
        file,
        "--json",
    )
    assert done.returncode == 0, done.stderr
    return file, json.loads(done.stdout)


def assay_command(*arguments, **options):
    command = [sys.executable, "-m", "assay", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def findings(file, change, tmp_path):
    content = json.loads(file.read_text())
    change(content)
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(content))
    return {one.name: one.holds for one in check.verify(changed)}


def failing(found):
    return {name for name, holds in found.items() if holds is False}


def rooted(content):
    """The root of the rows as they are now, as a forger would write it."""
    content["root"] = Canonical(content["columns"], content["rows"]).root


def test_a_stranger_checks_it_and_its_figures_are_those_of_the_labels(place, release, made, tmp_path):
    file, said = made
    done = assay_command("verify", file, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {one["name"]: one["holds"] for one in json.loads(done.stdout)["findings"]}
    assert failing(found) == set()
    assert found["rows"] is True, "the release names the rows before anybody knows"
    assert {name for name, holds in found.items() if holds is None} == {"setup", "chain", "training"}
    assert "whose maker can prove anything" in done.stdout, "of keys that nobody should rely on"

    rows = pl.read_parquet(place / "project" / "data" / "rows.parquet").filter(pl.col("split") == "test")
    keys = Keys.load(place / "keys")
    proven = np.concatenate(
        [prove(keys.proving_key, rows.select(NAMES)[n : n + 20]).outputs[:, 0] for n in range(0, rows.height, 20)]
    )
    errors, today = proven - rows["y"].to_numpy(), rows["today"].to_numpy() - rows["y"].to_numpy()
    claim = said["claim"]
    assert claim["metric"] == "rmse"
    assert claim["rows"] == rows.height
    assert claim["value"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-12)
    assert claim["existing"] == pytest.approx(np.sqrt((today**2).mean()), rel=1e-12)
    assert claim["improvement"] == pytest.approx(1 - claim["value"] / claim["existing"], rel=1e-9)
    interval = claim["sure"]["interval"]
    assert interval["low"] < claim["value"] < interval["high"]
    assert claim["interval"]["low"] < claim["improvement"] < claim["interval"]["high"]


def test_it_is_kept_in_the_history(place, made):
    with closing(Database.of_project(place / "project", f"sqlite:///{place / 'records.sqlite'}")) as database:
        (event,) = journal.read(database, "project", ["release.certified"])
    assert event.what["certificate"] == made[1]["digest"] == digest(made[0].read_bytes())


def test_a_row_left_out_shows(made, tmp_path):
    def leave_out(content):
        content["rows"].pop()
        rooted(content)

    assert {"count", "proofs", "rows"} <= failing(findings(made[0], leave_out, tmp_path))


def test_a_label_flipped_shows(made, tmp_path):
    def flip(content):
        place = [name for name, _ in content["columns"]].index("y")
        content["rows"][0][place] = -content["rows"][0][place]

    assert failing(findings(made[0], flip, tmp_path)) >= {"root", "claim"}

    def flip_and_say_so(content):
        flip(content)
        rooted(content)

    assert failing(findings(made[0], flip_and_say_so, tmp_path)) >= {"proofs", "rows"}


def test_a_feature_changed_shows_in_the_words(made, tmp_path):
    def change(content):
        place = [name for name, _ in content["columns"]].index("x0")
        content["rows"][0][place] += 0.25
        rooted(content)

    assert "words" in failing(findings(made[0], change, tmp_path))


def test_rows_read_otherwise_than_the_release_says_show(made, tmp_path):
    """Whoever may choose how a row becomes words may choose what the model sees of it."""

    def read_otherwise(content):
        inputs = json.loads(content["inputs"])
        inputs["features"][0]["name"], inputs["features"][1]["name"] = NAMES[1], NAMES[0]
        content["inputs"] = json.dumps(inputs)

    assert failing(findings(made[0], read_otherwise, tmp_path)) == {"rows", "words"}


def test_proofs_of_another_model_or_place_show(place, made, tmp_path):
    file, _ = made
    given = Certificate.load(file)
    keys = Keys.load(place / "keys")
    frame = given.canonical.frame().select(NAMES)
    first = frame[: keys.proving_key.max_batch]
    other = assay.setup(assay.transpile(model()), max_batch=keys.proving_key.max_batch)
    forged = prove(other.proving_key, np.zeros((first.height, 3)), context=context_of(given.root, 0, frame.height))

    def swap(content):
        content["proofs"][0] = base64.b64encode(forged.to_bytes()).decode()

    assert "proofs" in failing(findings(file, swap, tmp_path))

    elsewhere = prove(keys.proving_key, first, context=context_of(given.root, 1, frame.height))

    def move(content):
        content["proofs"][0] = base64.b64encode(elsewhere.to_bytes()).decode()

    assert "proofs" in failing(findings(file, move, tmp_path))


def test_a_better_claim_and_another_task_show(made, tmp_path):
    def boast(content):
        content["claim"]["value"] *= 0.9

    assert failing(findings(made[0], boast, tmp_path)) == {"claim"}

    def narrow(content):
        content["claim"]["sure"]["interval"]["low"] = content["claim"]["value"] * 0.999

    assert failing(findings(made[0], narrow, tmp_path)) == {"claim"}

    def sort_out(content):
        about = json.loads(base64.b64decode(content["parts"]["manifest.json"]))
        about["rows"]["test"]["rows"] -= 1
        content["parts"]["manifest.json"] = base64.b64encode(json.dumps(about).encode()).decode()
        content["rows"].pop()
        rooted(content)

    assert failing(findings(made[0], sort_out, tmp_path)) >= {"release", "proofs", "rows"}

    def ask_otherwise(content):
        text = base64.b64decode(content["parts"]["task.toml"]).decode() + "\n# another\n"
        content["parts"]["task.toml"] = base64.b64encode(text.encode()).decode()

    assert failing(findings(made[0], ask_otherwise, tmp_path)) == {"release"}


def test_rows_of_a_release_that_names_none_may_be_chosen_afterwards(made, tmp_path):
    def forget(content):
        content["salt"] = None

    # The release names its rows: whoever keeps back the salt has something to hide.
    assert failing(findings(made[0], forget, tmp_path)) == {"rows"}

    def name_none(content):
        forget(content)
        del content["release"]["private"][TEST_ROWS]

    assert findings(made[0], name_none, tmp_path)["rows"] is None


@pytest.mark.parametrize("kept_back", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.reverse(),
        lambda rows: rows[0].__setitem__(LABEL, -rows[0][LABEL]),
        lambda rows: rows.__setitem__(1, rows[0]),
        lambda rows: rows.pop(),
        lambda rows: rows.append(rows[0]),
    ],
    ids=["reordered", "a label flipped", "a row twice", "a row left out", "a row more"],
)
def test_the_keys_owner_cannot_choose_rows_afterwards(change, kept_back, place, made, tmp_path):
    """Who has the proving key makes the proofs anew, for other rows, labels or another order: the release says no."""
    key = Keys.load(place / "keys").proving_key

    def forge(content):
        assert content["columns"][LABEL][0] == "y"
        change(content["rows"])
        rooted(content)
        frame = Canonical(content["columns"], content["rows"]).frame().select(NAMES)
        proofs = [
            prove(key, frame[at : at + key.max_batch], context=context_of(content["root"], at, frame.height))
            for at in range(0, frame.height, key.max_batch)
        ]
        content["proofs"] = [base64.b64encode(proof.to_bytes()).decode() for proof in proofs]
        if kept_back:
            content["salt"] = None

    assert "rows" in failing(findings(made[0], forge, tmp_path))


def test_a_tiny_figure_is_compared_in_its_own_size():
    """A variance of prices has eight zeros behind the point: what is near on the scale of 1 is another figure."""
    assert not check._close(1e-12, 5e-10, scale=5e-10)
    assert check._close(5e-10 * (1 + 1e-12), 5e-10, scale=5e-10)
    assert not check._close(float("nan"), 5e-10, scale=5e-10)


def test_a_name_twice_a_cut_and_a_huge_file_are_refused_in_a_sentence(made, tmp_path):
    text = made[0].read_text()
    better = text.replace('"claim":', '"claim": {"value": 0.001}, "claim":', 1)
    for content, said in ((better, "'claim' twice"), (text[:-500], "holds no certificate"), (text, "256 MiB")):
        with (tmp_path / "cert.json").open("w") as file:
            file.write(content)
            if content is text:
                file.truncate(257 << 20)  # takes no place on the disk
        done = assay_command("verify", tmp_path / "cert.json")
        assert done.returncode == 2
        assert done.stderr.startswith("error[keep/certificate-altered]")
        assert said in done.stderr


def test_what_a_file_says_cannot_write_over_what_is_said_of_it(made, tmp_path):
    content = json.loads(made[0].read_text())
    content["claim"]["metric"] = "rmse\x1b[2K\r\ud800\n  holds  claim: fine"
    (tmp_path / "cert.json").write_text(json.dumps(content))
    done = assay_command("verify", tmp_path / "cert.json")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert r"FAILS  claim: NOT: metric is rmse\x1b[2K" in done.stdout
    assert "\n  holds  claim" not in done.stdout


@pytest.mark.parametrize("label", ["nan", "inf", None])
def test_a_row_without_a_label_is_none(label, made, tmp_path):
    def unlabelled(content):
        content["rows"][0][[name for name, _ in content["columns"]].index("y")] = label

    assert {"root", "claim"} <= failing(findings(made[0], unlabelled, tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["columns"].pop(),
        lambda content: content["columns"][0].__setitem__(0, "another"),
        lambda content: content["columns"][LABEL].__setitem__(1, "String"),
        lambda content: content["columns"][0].__setitem__(1, "Datetime us Nowhere/None"),
        lambda content: content["rows"][0].__setitem__(0, 1e400),
        lambda content: content["rows"][0].__setitem__(0, [1]),
        lambda content: content["rows"].__setitem__(0, []),
        lambda content: content.update(rows=[], proofs=[]),
        lambda content: content.update(proofs=["AAAA"]),
        lambda content: content.update(salt="zz"),
        lambda content: content.update(inputs="{}"),
        lambda content: content["release"].update(private=7),
        lambda content: content["release"].update(parts={}),
        lambda content: content["claim"].update(value=float("nan")),
    ],
)
def test_whatever_is_broken_in_it_is_a_finding_or_a_sentence(change, made, tmp_path):
    content = json.loads(made[0].read_text())
    change(content)
    (tmp_path / "cert.json").write_text(json.dumps(content))
    done = assay_command("verify", tmp_path / "cert.json")
    assert done.returncode in {1, 2}, done.stdout
    assert "Traceback" not in done.stderr
    assert "mistake in Assay" not in done.stderr


@pytest.mark.parametrize(
    "text", ["{}", '{"schema": "assay-certificate/9"}', '{"schema": "assay-certificate/1"}', "[" * 2000]
)
def test_what_is_none_is_refused_in_a_sentence(text, tmp_path):
    (tmp_path / "cert.json").write_text(text)
    done = assay_command("verify", tmp_path / "cert.json")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_options_that_mean_nothing_here_are_refused(made):
    done = assay_command("verify", made[0], "--release", "1")
    assert done.returncode == 2
    assert "--release" in done.stderr


def test_hidden_rows_are_not_in_it_and_their_labels_are(tmp_path):
    with closing(Database(f"sqlite:///{tmp_path / 'records.sqlite'}")) as database:
        release = released(database, tmp_path, tests=12, trees=2, depth=2, batch=16, inputs="private")
        made = certify(database, release, progress=lambda _: None)
    made.save(tmp_path / "cert.json")
    text = (tmp_path / "cert.json").read_text()
    rows = pl.read_parquet(tmp_path / "project" / "data" / "rows.parquet").filter(pl.col("split") == "test")
    assert [name for name, _ in made.columns] == ["y"]
    assert [row[0] for row in made.rows] == rows["y"].to_list()
    assert not any(str(value) in text for value in rows["x0"].to_list())
    found = {one.name: one.holds for one in check.verify(tmp_path / "cert.json")}
    assert failing(found) == set()
    assert found["words"] is None
    assert found["rows"] is None
    assert "today" in made.claim.without

    def deny(content):
        content["hidden"] = False

    assert "words" in failing(findings(tmp_path / "cert.json", deny, tmp_path))

    def show_more(content):
        """Nothing ties it to the rows: today's process would be as bad as the maker likes."""
        content["columns"].append(["today", "Float64"])
        content["rows"] = [[*row, 1e6] for row in content["rows"]]
        rooted(content)

    assert failing(findings(tmp_path / "cert.json", show_more, tmp_path)) >= {"words", "proofs"}

    def flip(content):
        content["rows"][0][0] = -content["rows"][0][0]
        rooted(content)

    def leave_out(content):
        content["rows"].pop()
        rooted(content)

    def swap(content):
        content["proofs"] = [of_another]

    key = assay.setup(assay.transpile(model(), inputs="private"), max_batch=16).proving_key
    bound = context_of(made.root, 0, len(made.rows))
    of_another = base64.b64encode(prove(key, np.zeros((len(made.rows), 3)), context=bound).to_bytes()).decode()
    for change in (flip, leave_out, swap):
        assert "proofs" in failing(findings(tmp_path / "cert.json", change, tmp_path)), change


def test_a_loss_of_hidden_features_is_refused(tmp_path):
    with closing(Database(f"sqlite:///{tmp_path / 'records.sqlite'}")) as database:
        release = released(database, tmp_path, tests=12, trees=2, depth=2, batch=16, inputs="private")
        task = Task.load(tmp_path / "project")
    value = task.value.model_copy(update={"loss": "abs(y - prediction) * x0"})
    asked = task.model_copy(update={"value": value, "limits": task.limits.model_copy(update={"metric": "value"})})
    data = Dataset.load(tmp_path / "project" / "data")
    with pytest.raises(NothingToCertify, match="x0"):
        hidden_rows(data.windows("test"), asked, data.manifest)
    assert release.private
