"""What docs/guides/models.md shows runs."""

import re
from pathlib import Path

import numpy as np
import polars as pl
from xgboost import XGBClassifier

import assay

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "models.md").read_text(encoding="utf-8")


def test_the_guides_blocks_run(capsys):
    source = np.random.default_rng(3)
    X = pl.DataFrame({"amount": source.integers(0, 1 << 20, 300), "tick": source.integers(-5000, 5000, 300)})
    y = (X["amount"] > 400_000).cast(pl.Int8).to_numpy()
    model = XGBClassifier(n_estimators=5, max_depth=3, random_state=0).fit(X.to_pandas(), y)
    names = {"assay": assay, "model": model, "X_test": X.to_numpy().astype(np.float32), "y_test": y}
    first, second = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    exec(first, names)  # noqa: S102  (the guide's own lines)
    assert "beyond its own rounding" in capsys.readouterr().out
    assert names["circuit"].features[0].kind == "float32"
    exec(second, names)  # noqa: S102
    assert {one.name: one.kind for one in names["circuit"].features} == {"amount": "integer", "tick": "integer"}
