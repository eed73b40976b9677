"""docs/benchmarks.md and its figure are what the JSON in benchmarks/results says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
RENDER = """
import sys
from pathlib import Path
from benchmarks import render
render.PAGE, render.FIGURE = (Path(sys.argv[1]) / name for name in ("benchmarks.md", "benchmarks.svg"))
render.write()
"""


def test_the_page_is_rendered_from_the_results(tmp_path):
    subprocess.run([sys.executable, "-c", RENDER, str(tmp_path)], cwd=ROOT, check=True)
    for name in ("benchmarks.md", "benchmarks.svg"):
        assert (tmp_path / name).read_text("utf-8") == (ROOT / "docs" / name).read_text("utf-8"), "run `make docs`"
