"""Print every dependency of pyproject.toml, extras included, one a line: what `make lock` resolves.

With --mark, copy pinned lines from standard input, and give each the marker that pyproject.toml has for it: a package
that is only there for some Pythons must not stop the others from installing.
"""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
lists = [project["dependencies"], *project["optional-dependencies"].values()]
entries = sorted({entry for entries in lists for entry in entries if not entry.startswith("assay[")})


def plain(name: str) -> str:
    """A package's name as all its spellings."""
    return re.sub(r"[-_.]+", "-", name).lower()


if "--mark" in sys.argv:
    split = [entry.partition(";") for entry in entries]
    markers = {plain(re.match(r"[\w.-]+", entry)[0]): marker.strip() for entry, _, marker in split if marker}
    for line in sys.stdin.read().splitlines():
        marker = markers.get(plain(line.partition("==")[0]))
        print(f"{line} ; {marker}" if marker else line)
else:
    print(*entries, sep="\n")
