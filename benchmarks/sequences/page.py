"""The section of docs/benchmarks.md, and the figures of docs/guides/trees-or-networks.md, from one result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import machine, results, shown

NAME = "sequences"
TITLE = "Trees or recurrent networks"
GUIDE = machine.ROOT / "docs" / "guides" / "trees-or-networks.md"
BEGIN, END = f"<!-- benchmarks/results/{NAME}.json -->", "<!-- end -->"
ALONE = "alone"
NAMES = {"xgboost": "XGBoost", "lstm": "LSTM", "bilstm": "BiLSTM", ALONE: "XGBoost on the newest row alone"}
MOST_WORSE = 0.02
"""A network is as good as its framework's usual training if its loss is not larger by more."""
Result = dict[str, Any]


def fill() -> Path:
    """Write the figures into the guide."""
    GUIDE.write_text(filled(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
    return GUIDE


def filled(text: str) -> str:
    """The guide's text with the figures of the last result."""
    result = results.read(NAME)
    if result is None:
        return text
    start, rest = text.split(BEGIN, 1)
    return f"{start}{BEGIN}\n{figures(result)}\n{END}{rest.split(END, 1)[1]}"


def section() -> str:
    """The page's section, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    lines = [f"## {TITLE}", "", *_asked(result), "", "*numbers*: that a model sees of a row, or of its window."]
    lines += ["What they mean is in [the guide](guides/trees-or-networks.md).", ""]
    for task in result["tasks"].values():
        lines += [*_table(task), "", f"`assay decide`: {task['decision']['headline']}", ""]
    return "\n".join([*lines, *_recipes(result), ""])


def figures(result: Result) -> str:
    """The guide's part that is made of figures."""
    lines = _asked(result)
    for task in result["tasks"].values():
        title = task["title"][:1].upper() + task["title"][1:]
        lines += ["", f"### {title}", "", _setting(task), "", *_table(task), ""]
        lines += [*_verdicts(task), "", *_decided(task)]
    return "\n".join([*lines, "", "### As good as a plain training?", "", *_recipes(result)])


def _asked(result: Result) -> list[str]:
    asked, about = result["configuration"], result["machine"]
    return [
        f"`python -m benchmarks.sequences --seconds {asked['seconds']:.0f}`, {result['started'][:10]}, commit",
        f"{(about['commit'] or 'none')[:12]}, {about['cpu']}, {about['cores']} cores:",
        f"windows of {asked['window']} rows,",
        f"{asked['seconds']:.0f} s of search for each family in one process (a trial that has begun is ended),",
        f"which had {_had(result)} of a processor: the machine's load was {_loads(result)}. Proofs were slowed",
        "as much, not all alike: their times are upper bounds. In brackets: 90 % confidence.",
    ]


def _had(result: Result) -> str:
    """The share of a processor that the searches had, from least to most; compilers' threads may make it above 1."""
    every = [one for task in result["tasks"].values() for one in task["families"].values()]
    shares = [one["search_processor_seconds"] / one["search_seconds"] for one in every]
    return f"{min(shares):.0%} to {max(shares):.0%}"


def _loads(result: Result) -> str:
    found = [load for task in result["tasks"].values() for load in task["load_average_after"].values()]
    return f"{min(found)} to {max(found)}"


def _setting(task: Result) -> str:
    rows, unit = task["rows"], f", {task['unit']}" if task["unit"] else ""
    return (
        f"{task['features']} features a row; {rows['train']:,} rows train, {rows['test']:,} test. Loss: "
        f"`{task['metric']}`{unit}. Gas at {task['gas_price_gwei']:g} gwei, {task['native_usd']:,.0f} USD a token, "
        f"blocks of {task['block_seconds']:,.0f} s."
    )


def _table(task: Result) -> list[str]:
    costs = "prove | memory | gas | blocks | USD"
    lines = [
        f"| {task['title']} | numbers | search | trials | loss | better than today | than XGBoost | {costs} |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in task["families"].items():
        first = one["against"].get("first")
        loss = shown.three(one["test"][task["metric"]])
        cells = [str(one["features"]), f"{one['search_seconds']:.0f} s", str(one["trials"]), loss]
        cells.append(_gain(one["against"]["today"]))
        cells += ["" if first is None else _gain(first), *_costs(one)]
        lines.append(f"| {NAMES[name]} | {' | '.join(cells)} |")
    return lines


def _gain(found: Result) -> str:
    span = "" if found["low"] is None else f" ({found['low']:+.1%} to {found['high']:+.1%})"
    return f"{found['improvement']:+.1%}{span}"


def _costs(one: Result) -> list[str]:
    found = one["measured"]
    if found is None:
        return ["not proven", "", "", "", ""]
    memory = "" if found["memory_mb"] is None else f"{found['memory_mb']:.0f} MB"
    cells = [shown.seconds(found["prove_seconds"]), memory, shown.count(found["gas"])]
    return [*cells, str(one["latency_blocks"]), f"{one['usd_per_inference']:.4f}"]


def _verdicts(task: Result) -> list[str]:
    """In words, of each network: whether it wins, loses or nothing is shown; and what it costs beside trees."""
    trees, lines = task["families"]["xgboost"], []
    for name, one in task["families"].items():
        found = one["against"].get("first")
        if found is None:
            continue
        less, span = found["improvement"], (found["low"], found["high"])
        said = f"{abs(less):.1%} {'less' if less >= 0 else 'more'} loss than XGBoost"
        if None in span:
            said += ", without an interval"
        elif span[0] > 0:
            said += f", surely less: {span[0]:.1%} at least"
        elif span[1] < 0:
            said += f": it loses, by {-span[1]:.1%} at least and {-span[0]:.1%} at most"
        else:
            said += f": nothing is shown, from {-span[0]:.1%} more to {span[1]:.1%} less"
        lines.append(f"- {NAMES[name]}: {said}. {_dearer(one, trees)}")
    return lines


def _dearer(one: Result, trees: Result) -> str:
    if one["measured"] is None:
        return f"It is not proven: {one['fidelity']['problem']}"
    if trees["measured"] is None:
        return ""
    ratio = one["measured"]["gas"] / trees["measured"]["gas"]
    return f"Its proof takes {ratio:.2f} times the gas."


def _decided(task: Result) -> list[str]:
    decision = task["decision"]
    counts = {name: sum(row["family"] == name for row in decision["rows"]) for name in NAMES if name != ALONE}
    front = ", ".join(f"{count} of {NAMES[name]}" for name, count in counts.items())
    lines = [f"`assay decide`, about the front of all three ({front}): **{decision['headline']}**", ""]
    row = next((row for row in decision["rows"] if row["id"] == decision["chosen"]), None)
    if row is not None:
        cost = f"{shown.seconds(row['prove_seconds'])} to prove, {row['gas']:,} gas, {row['usd_per_inference']:.4f} USD"
        lines.append(f"What it chose is {NAMES[row['family']]}: {cost} an answer.")
    return lines


def _recipes(result: Result) -> list[str]:
    asked = result["configuration"]["recipe"]
    lines = [
        "The networks above, trained once more as `assay explore` trains them and by the usual recipe of JAX and optax",
        f"(Adam at {asked['rate']:g}, batches of {asked['batch']}, stopped after {asked['patience']} epochs",
        f"without gain), from {asked['seeds']} seeds each; root mean squared error on the test rows:",
        "",
        "| | Assay | its seconds | usual recipe | its seconds | larger by | at most 2 % |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for task in result["tasks"].values():
        for name, one in task["recipe"].items():
            means = [shown.three(sum(one[which]) / len(one[which])) for which in ("own", "usual")]
            times = [f"{one['seconds'][which]:.1f}" for which in ("own", "usual")]
            gain = f"{one['worse']:+.1%} ({one['low']:+.1%} to {one['high']:+.1%})"
            cells = [means[0], times[0], means[1], times[1], gain, "yes" if one["within"] else "**no**"]
            lines.append(f"| {NAMES[name]}, {task['title']} | {' | '.join(cells)} |")
    every = [one for task in result["tasks"].values() for one in task["recipe"].values()]
    kept, unsure = sum(one["within"] for one in every), sum(one["low"] <= MOST_WORSE < one["high"] for one in every)
    said = (
        f"{kept} of {len(every)} are within 2 % of the usual recipe; of {unsure} the interval holds both more and less."
    )
    return [*lines, "", said]
