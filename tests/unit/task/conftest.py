"""Small projects, each one edit away from a mistake."""

import pytest

from assay.task.init import init

POOL = "0x" + "ab" * 20


@pytest.fixture
def project(tmp_path):
    """A project of a template; `edit` replaces a part of its task.toml."""

    class Made:
        def __init__(self, template="dynamic-fee", **answers):
            self.folder = tmp_path / template
            given = {"pool": POOL} if template == "dynamic-fee" else {}
            init(self.folder, template, given | answers)
            self.file = self.folder / "task.toml"

        def edit(self, old, new):
            text = self.file.read_text()
            assert text.count(old) >= 1, old
            self.file.write_text(text.replace(old, new, 1))
            return self.line(new) if new else None

        def line(self, part):
            return self.file.read_text().partition(part)[0].count("\n") + 1

    return Made


@pytest.fixture
def rows(tmp_path):
    """A CSV of somebody's own, in a folder of an awkward name."""
    folder = tmp_path / "my räws & co"
    folder.mkdir()
    path = folder / "rows.csv"
    lines = [f"{i % 7},{i * 0.5},{'ab'[i % 2]},{i % 2},{100 + i}" for i in range(60)]
    path.write_text("\n".join(["size,weight,word,paid,score", *lines]) + "\n")
    return path
