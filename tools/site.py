"""What the site is made of: the pages of docs and whatever they link to, where they lie in the repository.

`python tools/site.py .site` copies them; `make site` builds the site from there. A link to what is not there is
refused with its page and line.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START = ROOT / "docs" / "index.md"
_LINK = re.compile(r"(?<!`)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")


class BrokenLink(Exception):
    """A page links to what is not there."""


def pages() -> list[Path]:
    """Every Markdown page of the site: those of docs, and those that they lead to."""
    found = dict.fromkeys(sorted((ROOT / "docs").rglob("*.md")))
    for page in (waiting := list(found)):
        for _, target in links(page):
            if target.suffix == ".md" and target not in found:
                found[target] = None
                waiting.append(target)
    return list(found)


def links(page: Path) -> Iterator[tuple[int, Path]]:
    """The line and the file of each link that stays in the repository.

    Raises
    ------
    BrokenLink
        The file, or the heading in it, is not there.
    """
    text = page.read_text(encoding="utf-8")
    shown = _FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
    for found in _LINK.finditer(shown):
        address, _, heading = found[1].partition("#")
        if "://" in address or address.startswith("mailto:"):
            continue
        line = shown.count("\n", 0, found.start()) + 1
        target = (page.parent / address).resolve() if address else page
        where = f"{page.relative_to(ROOT)}:{line}"
        if not target.exists() or not target.is_relative_to(ROOT):
            raise BrokenLink(f"{where} links to {found[1]}, which is not there")
        if heading and target.suffix == ".md" and heading not in headings(target):
            raise BrokenLink(f"{where} links to {found[1]}, and there is no such heading")
        yield line, target


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges and the site make them."""
    found = set()
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for title in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-"))
    return found


def gather(place: Path) -> int:
    """Copy everything to `place`; how many pages there are."""
    shutil.rmtree(place, ignore_errors=True)
    found = pages()
    for page in found:
        for one in [page, *(target for _, target in links(page))]:
            files = [one] if one.is_file() else list(one.rglob("*.md"))
            for file in files:
                to = place / file.relative_to(ROOT)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, to)
    (place / "index.md").write_text(
        re.sub(r"\]\((?!\.\./|\w+://)", "](docs/", START.read_text(encoding="utf-8")).replace("](../", "]("),
        encoding="utf-8",
    )
    return len(found)


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{gather(Path(sys.argv[1]).resolve())} pages\n")
    except BrokenLink as error:
        sys.exit(str(error))
