"""Where the generated contract keeps its values: every name a constant address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.chain.key import Key

_WORD = 32


class Layout:
    """Memory of one verifier, in order: scratch for hashing, slots, denominators, cells, the pairing's input, tables.

    Parameters
    ----------
    key
        The verifying key.
    values
        The other template values (`assay.chain.context`).
    """

    def __init__(self, key: Key, values: dict[str, Any]) -> None:
        self._key = key
        self._context = values
        self._sections: list[tuple[str, list[tuple[str, int]]]] = []
        self._at = self._scratch()
        # Those of one block as the proof has them, then those that only several have.
        self._evaluations = list(dict.fromkeys(name for part in values["evaluated"] for name in part))
        self._denominators = self._list_denominators()
        self._allocate()

    def values(self) -> dict[str, Any]:
        """Template values: the Solidity constants, and what the templates ask of the layout."""
        return {
            "layout": self._text(),
            "slots": {name for _, entries in self._sections for name, _ in entries},
            "copies": [self._copies(part) for part in self._context["evaluated"]],
            "denominators": self._denominators,
            "prefix_offset": hex(_WORD * len(self._denominators)),
        }

    def _scratch(self) -> int:
        """Bytes that hashing and the exponentiation need from address 0."""
        v = self._context
        evaluations = max(map(len, v["evaluated"]))
        hashed = max(64 * v["most_points"], 64 * v["most_chunks"], _WORD * evaluations, 64)
        return max(_WORD + int(hashed), 6 * _WORD)

    def _copies(self, names: list[str]) -> list[tuple[str, int, int]]:
        """How the proof's evaluations get to their places: first place, offset in the proof, and bytes of each run."""
        runs: list[tuple[str, int, int]] = []
        places = [self._evaluations.index(name) for name in names]
        for i, (name, place) in enumerate(zip(names, places, strict=True)):
            if i and place == places[i - 1] + 1:
                start, offset, size = runs[-1]
                runs[-1] = start, offset, size + _WORD
            else:
                runs.append((name, _WORD * i, _WORD))
        return runs

    def _add(self, title: str, names: Iterable[str], words: int = 1, *, offset: int = 0) -> None:
        entries = []
        for name in names:
            entries.append((name, self._at + offset))
            self._at += _WORD * words
        if entries:
            self._sections.append((title, entries))

    def _allocate(self) -> None:
        key, v = self._key, self._context
        self._add("Evaluations, in the proof's order.", self._evaluations)
        beta = ["BETA"] if not key.linear or key.groups > 1 else []
        self._add("Challenges.", ["ALPHA", *beta, "Y", "ZETA", "GAMMA", "Z"])
        self._add("What follows from the challenges.", self._derived())
        if v["powers"]:
            self._add("zeta^(2^i).", ["POWERS"], v["powers"])
        self._add("Denominators, later their inverses; behind them the products that lead there.", self._denominators)
        self._at += _WORD * len(self._denominators)
        cells = [f"{name}_SCALAR" for name in self._cells()]
        self._add("Scalars; the two words before each hold its point.", cells, 3, offset=2 * _WORD)
        self._add("The sum of all terms, then the rest of the pairing's input.", ["SUM"], 2)
        self._add("The term that is added to it.", ["TERM"], 10)
        if v["tables"] and not key.private:
            self._add("Minus the roots of the input entries' rows.", ["ROOTS"], v["entry_count"])
        if v["views"]:
            self._add("Views, four bytes each.", ["VIEWS"], len(v["view_table"]))
        if key.linear:
            self._add("The combined input words, and the combined 1.", ["COMBINED"], key.features + 1)
        if key.max_log:
            self._add("The first row's packed outputs.", ["GROUPS"], key.output_groups)

    def _derived(self) -> list[str]:
        key, v = self._key, self._context
        if key.linear:
            return ["OUTPUTS_SUM"]
        names = ["ROWS_POWER", "OUTPUTS_NUM", "BLOCK_POINT"]
        names += ["BLOCK_ROOT"] if key.max_log else []
        names += [f"{entry['name']}_NUM" for entry in v["ranges"]]
        if not key.private:
            names += ["INPUTS_NUM", "INPUTS_SUM"]
        cells = self._cells()
        names += [f"{name}_SCALAR" for name in v["evaluated_sums"] if name not in cells]
        names += ["NEXT_POINT", *(f"{name}_POWER" for name, _ in v["packs"])] if v["packs"] else []
        names += ["ACCUMULATED"] if key.accumulates else []
        names += ["ALPHA2", "ALPHA3", "ALPHA4", "FIRST", "LAST", "DIFFERENCE", "NODE", "ENTRY", "LIMB_KEY"]
        ranges = [entry["name"] for entry in v["ranges"]]
        return names + ranges + ([] if "INSLOTS" in ranges else ["INSLOTS"])

    def _list_denominators(self) -> list[str]:
        key = self._key
        if key.linear:
            return ["D_HERE", "D_NEXT"]
        names = ["D_HERE", "D_ROWS", "D_FIRST", "D_LAST", "D_OUTPUTS"]
        names += ["D_NEXT"] if self._context["apart"] else []
        names += [f"D_{entry['name']}" for entry in self._context["ranges"]]
        if not key.private:
            names += ["D_INPUTS"]
        names += [f"D_{name}" for name, _ in self._context["packs"]]
        return [*names, "D_TABLE", "D_GAP_NEXT", "D_GAP_TABLE", "D_ONE", "D_TABLE_ROWS"]

    def _cells(self) -> list[str]:
        v = self._context
        names = list(dict.fromkeys(name for part in [*v["first"], *v["second"]] for name in part))
        if self._key.linear:
            names += ["WEIGHTS"]
        else:
            names += ["PUB", "G", "A", "CC"]
            names += [name for name, _, _ in v["fixed"]]
        names += ["INPUT"] if self._key.private else []
        return names + [f"Q{i}" for i in range(v["most_chunks"])] + ["ONE", "WP"]

    def _text(self) -> str:
        lines = []
        for title, entries in self._sections:
            lines.append(f"    // {title}")
            lines += [f"    uint256 private constant {name} = {address:#x};" for name, address in entries]
            lines.append("")
        return "\n".join(lines)
