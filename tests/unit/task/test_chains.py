"""`[chains.NAME]`: which one counts, where its id stood before, and what cannot be."""

import pytest

from assay.task.check import check
from assay.task.errors import TaskField
from assay.task.task import Task

FULL = """
[chains.rollup]
id = 4242
rpc = ["http://one.example", "$OTHER_NODE"]
block_seconds = 2.0
confirmations = 6
consumer = "0x1111111111111111111111111111111111111111"
signer = "settler.json"
spend_per_day = 0.25
allow = ["0x2222222222222222222222222222222222222222:post(uint256[],bytes)"]
"""


def written(project, text, old=""):
    made = project()
    if old:
        made.edit(old, text)
    else:
        made.file.write_text(made.file.read_text() + text)
    return made.folder


def test_every_field_is_read_and_the_chain_is_chosen_by_name(project):
    task = Task.load(written(project, FULL))
    rollup = task.chain("rollup")
    assert (rollup.id, rollup.confirmations, rollup.block_seconds) == (4242, 6, 2.0)
    assert rollup.rpc == ("http://one.example", "$OTHER_NODE")
    counts = task.chain()
    assert (task.protocol.chain, counts.id, counts.rpc, counts.block_seconds) == ("ethereum", 1, (), 12.0)


@pytest.mark.parametrize(("name", "id_"), [("base", 8453), ("local", 31337), ("nowhere", None)])
def test_a_chain_without_a_section_is_known_by_its_usual_name_or_not_at_all(project, name, id_):
    folder = written(project, f'chain = "{name}"', 'chain = "ethereum"')
    assert Task.load(folder).chain().id == id_


def test_the_old_place_of_the_id_is_read_and_said(project):
    made = project()
    made.edit("[chains.ethereum]\nid = 1\n", "")
    made.edit('chain = "ethereum"', 'chain = "somewhere"\nchain_id = 77')
    assert Task.load(made.folder).chain().id == 77
    found = [line for line in check(made.folder).lines() if line["field"] == "[protocol] chain_id"]
    assert [(line["severity"], line["line"]) for line in found] == [("warning", made.line("chain_id"))]
    assert 'id = 77 under [chains."somewhere"]' in found[0]["todo"]


def test_two_ids_that_differ_are_refused(project):
    folder = written(project, 'chain = "ethereum"\nchain_id = 5', 'chain = "ethereum"')
    with pytest.raises(TaskField, match=r"chain_id is 5, and \[chains.ethereum\] id is 1"):
        Task.load(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[chains.x]\nallow = ["everything"]', "0xADDRESS:function"),
        ('[chains.x]\nconsumer = "0x12"', r"\[chains.x\] consumer"),
        ("[chains.x]\nidd = 1", "Did you mean id?"),
        ("[chains.x]\nspend_per_day = 0.0", r"\[chains.x\] spend_per_day"),
        (f"[chains.{'x' * 65}]\nid = 1", "chains"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_chain(project, text, said):
    with pytest.raises(TaskField, match=said):
        Task.load(written(project, f"\n{text}\n"))


@pytest.mark.parametrize(
    ("text", "severity", "what"),
    [
        ("[chains.nowhere]", "contradiction", "its id is not known"),
        ("[chains.base]\nid = 1", "warning", "base has the id 8453"),
        (f'[chains.base]\nconsumer = "0x{"1" * 40}"', "contradiction", "no node is named"),
        (f'[chains.base]\nverifier = "0x{"a" * 40}"\nregistry = "0x{"A" * 40}"', "contradiction", "are one address"),
    ],
)
def test_what_cannot_be_is_found_before_any_work(project, text, severity, what):
    lines = check(written(project, f"\n{text}\n")).lines()
    assert [line["severity"] for line in lines if what in line["what"]] == [severity]


def test_data_of_a_chain_whose_id_nobody_knows_is_a_contradiction(project):
    made = project()
    made.edit("[chains.ethereum]\nid = 1\n", "")
    made.edit('chain = "ethereum"', 'chain = "nowhere"')
    assert any("the id of nowhere is not known" in line["what"] for line in check(made.folder).lines())
