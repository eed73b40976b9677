"""The floors of `crates/`: a crate depends on lower ones only, and a relation is a folder that only registries name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# From the lowest; crates of one floor do not see each other.
FLOORS = (
    {"assay-algebra"},
    {"assay-msm", "assay-verifier"},
    {"assay-srs", "assay-circuit"},
    {"assay-prover"},
    {"assay-python"},
)
RELATIONS = {"trees", "linear", "networks"}
HOMES = {name: ROOT / "crates" / name / "src" for name in ("circuit", "prover", "verifier")}
MAY_NAME_RELATIONS = {"registry.rs", "lib.rs"}


@pytest.fixture(scope="module")
def dependencies() -> dict[str, set[str]]:
    """Our crates' dependencies on each other; the tests' own are not counted."""
    cargo = shutil.which("cargo")
    assert cargo, "the crates' floors are read with cargo"
    command = [cargo, "metadata", "--no-deps", "--format-version=1", "--offline"]
    packages = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)["packages"]
    ours = {package["name"] for package in packages}
    return {
        package["name"]: {d["name"] for d in package["dependencies"] if d["name"] in ours and d["kind"] != "dev"}
        for package in packages
    }


def test_crates_depend_on_lower_floors_only(dependencies: dict[str, set[str]]) -> None:
    assert set().union(*FLOORS) == set(dependencies), "a crate is on no floor"
    below: set[str] = set()
    for floor in FLOORS:
        for crate in floor:
            assert dependencies[crate] <= below, f"{crate} depends on {dependencies[crate] - below}"
        below |= floor


def test_a_relation_is_one_folder_of_its_name_in_each_place() -> None:
    places = [*HOMES.values(), ROOT / "src/assay/chain/templates", ROOT / "tests/agreement/reference"]
    for place in places:
        assert {path.name for path in place.iterdir() if path.is_dir()} & RELATIONS == RELATIONS, place
    registry = (HOMES["verifier"] / "registry.rs").read_text()
    assert set(re.findall(r"=> &(\w+)::", registry)) == RELATIONS


def test_nothing_but_a_registry_names_a_relation() -> None:
    named = re.compile(rf"\b(?:{'|'.join(RELATIONS)})::|Kind::(?!of_|ALL)")
    for home in HOMES.values():
        for path in home.rglob("*.rs"):
            place = path.relative_to(home)
            if place.parts[0] in RELATIONS:
                others = RELATIONS - {place.parts[0]}
                assert not re.search(rf"\b(?:{'|'.join(others)})::", path.read_text()), f"{path} names another relation"
            elif place.name not in MAY_NAME_RELATIONS:
                assert not named.search(path.read_text()), f"{path} names a relation"


def test_files_of_the_string_do_not_import_each_other() -> None:
    source = HOMES["prover"].parents[1] / "srs/src"
    uses = {
        path.stem: {stem for stem in re.findall(r"\b(\w+)::\w", path.read_text()) if (source / f"{stem}.rs").exists()}
        for path in source.glob("*.rs")
        if path.stem != "lib"
    }
    seen: set[str] = set()
    while uses.keys() - seen:
        free = {name for name in uses.keys() - seen if uses[name] - {name} <= seen}
        assert free, f"these import each other: {sorted(uses.keys() - seen)}"
        seen |= free
