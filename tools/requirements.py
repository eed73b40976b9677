"""Print every dependency of pyproject.toml, extras included, one a line: what `make lock` resolves."""

import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
lists = [project["dependencies"], *project["optional-dependencies"].values()]
print(*sorted({entry for entries in lists for entry in entries if not entry.startswith("assay[")}), sep="\n")
