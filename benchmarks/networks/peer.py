"""EZKL on the same network, in the environment and by the stages of the other benchmarks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.transpile.networks.assemble import differing
from benchmarks.networks import models
from benchmarks.networks.models import Network
from benchmarks.peers.ezkl import side

MODE = "resources"


def run(network: Network, folder: Path, work: Path) -> dict[str, Any]:
    """Measure, without contracts where none can be made; a stage that fails is the result."""
    rows = models.rows(folder)
    variant = side.Variant("exported", MODE, proves=True)
    graph = work / variant.graph
    graph.mkdir(parents=True, exist_ok=True)
    (graph / "network.onnx").write_bytes((folder / "model.onnx").read_bytes())
    _write(work / "calibration.json", rows)
    _write(work / "input.json", rows[:1])
    (work / "rows").mkdir(exist_ok=True)
    for number, row in enumerate(rows):
        _write(work / "rows" / f"{number}.json", row[None])
    wanted = _outputs(folder / "model.onnx", rows, network.shape)

    def agreement(answers: dict[str, Any]) -> dict[str, Any]:
        outputs = answers["outputs"]
        there = [place for place, one in enumerate(outputs) if one is not None]
        got = np.array([outputs[place] for place in there], dtype=np.float64).reshape(len(there), -1)
        failed = len(outputs) - len(there)
        wrong = failed + differing(wanted[there], got)
        return {"rows_checked": len(outputs), "rows_differing": wrong, "rows_failed": failed}

    return side.measure(network, work, variant, {"calibration_rows": len(rows)}, agreement)


def _write(path: Path, rows: npt.NDArray[Any]) -> None:
    """EZKL's input file: one flat list."""
    path.write_text(json.dumps({"input_data": [rows.astype(float).reshape(-1).tolist()]}), encoding="utf-8")


def _outputs(model: Path, rows: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    answers = [session.run(None, {name: row.reshape(1, *shape)})[0].reshape(-1) for row in rows]
    return np.array(answers, dtype=np.float64)
