"""Encoders and indicators before trees: the circuit takes categories by value, and says what the pipeline predicts."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.errors import MissingValue, ModelUnsupported, NotANumber

pd = pytest.importorskip("pandas")
pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.ensemble import (  # noqa: E402
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import MissingIndicator, SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

NUMBERS, CATEGORIES = ["amount", "age"], ["city", "grade"]
CITIES = ["Rome", "Zürich", "東京", "Lagos", "x y"]


def table(rows=400, missing=0.12, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": rng.normal(size=rows).round(3),
            "city": rng.choice(CITIES, rows).astype(object),
            "grade": rng.choice([1, 2, 3, 7], rows),
            "age": rng.normal(size=rows) * 1000,
        }
    )
    score = frame.amount + 1.5 * (frame.city == "Rome") - (frame.city == "Lagos") + 0.7 * (frame.grade > 2)
    y = (score + frame.age / 2000 > 0.5).astype(int)
    for name in ("amount", "city", "age"):
        frame.loc[rng.random(rows) < missing, name] = np.nan
    return frame, y


def asked(frame, *, unknown=True):
    """Rows of the same columns, with categories that training did not know."""
    found = frame.sample(300, replace=True, random_state=1).reset_index(drop=True)
    if unknown:
        found.loc[::9, "city"] = "Nowhere"
        found.loc[::11, "grade"] = 5
    return found


def models():
    lgb, xgb = pytest.importorskip("lightgbm"), pytest.importorskip("xgboost")
    return {
        "boosting": GradientBoostingClassifier(n_estimators=8),
        "forest": RandomForestClassifier(8, max_depth=6, random_state=0),
        "histogram": HistGradientBoostingClassifier(max_iter=8),
        "xgboost": xgb.XGBClassifier(n_estimators=8, max_depth=4),
        "lightgbm": lgb.LGBMClassifier(n_estimators=8, verbose=-1),
    }


def apart(numbers, categories, **options):
    return ColumnTransformer(
        [("numbers", numbers, NUMBERS), ("categories", categories, CATEGORIES)], **{"sparse_threshold": 0} | options
    )


BEFORE = {
    "the usual": apart(
        make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()),
        make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
    ),
    "a missing category, the first dropped": apart(
        SimpleImputer(), OneHotEncoder(handle_unknown="ignore", drop="first")
    ),
    "rare ones together": apart(
        SimpleImputer(strategy="median"), OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=90)
    ),
    "ordinal": apart(
        SimpleImputer(add_indicator=True),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    ),
    "ordinal, filled in, scaled": apart(
        SimpleImputer(strategy="constant", fill_value=-5, add_indicator=True),
        make_pipeline(
            SimpleImputer(strategy="most_frequent"),
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=99),
            StandardScaler(),
        ),
    ),
    "an indicator alone": apart(MissingIndicator(), OneHotEncoder(handle_unknown="ignore", sparse_output=False)),
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("name", ["boosting", "forest", "histogram", "xgboost", "lightgbm"])
def test_the_circuit_says_what_the_pipeline_predicts(name, before):
    X, y = table()
    whole = make_pipeline(clone(BEFORE[before]), models()[name]).fit(X, y)
    circuit = Circuit.from_json(assay.transpile(whole).to_json())
    report = assay.fidelity(circuit, whole, asked(X))
    assert report.ok, str(report)
    assert not report.leaf_disagreements
    assert [feature.name for feature in circuit.features] == ["amount", "city", "grade", "age"]


def test_rows_of_every_form_give_the_same_words(tmp_path):
    X, y = table()
    whole = make_pipeline(clone(BEFORE["the usual"]), models()["boosting"]).fit(X, y)
    circuit, rows = assay.transpile(whole), asked(X)
    expected = circuit.encode(rows)
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    (tmp_path / "rows.csv").write_text(rows.to_csv(index=False), encoding="utf-8")
    for given in (
        records,
        rows[rows.columns[::-1]],
        assay.read_rows(tmp_path / "rows.csv") if hasattr(assay, "read_rows") else rows,
    ):
        for found, wanted in zip(circuit.encode(given), expected, strict=True):
            assert (found == wanted).all()
    assert assay.fidelity(circuit, whole, records).ok


def test_arrays_hold_values_and_not_codes():
    X, y = table(missing=0)
    rows = X[["city", "grade"]].to_numpy(dtype=object)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    whole = make_pipeline(encoder, GradientBoostingClassifier(n_estimators=5)).fit(rows, y)
    assert assay.fidelity(assay.transpile(whole), whole, rows).ok
    numbers = X[["grade", "amount"]].to_numpy()
    before = ColumnTransformer([("one", OneHotEncoder(sparse_output=False), [0])], remainder="passthrough")
    whole = make_pipeline(before, GradientBoostingClassifier(n_estimators=5)).fit(numbers, y)
    circuit = assay.transpile(whole)
    assert assay.fidelity(circuit, whole, numbers).ok
    assert circuit.features[0].categories.known == (1.0, 2.0, 3.0, 7.0)


def test_what_the_encoder_refuses_is_refused():
    X, y = table(missing=0)
    before = apart("passthrough", OneHotEncoder())
    circuit = assay.transpile(make_pipeline(before, GradientBoostingClassifier(n_estimators=5)).fit(X, y))
    with pytest.raises(NotANumber, match="'Nowhere' is none of the model's 5 categories"):
        circuit.encode(asked(X))
    rows = asked(X, unknown=False)
    circuit.encode(rows)
    for name in ("city", "amount"):
        lacking = rows.copy()
        lacking.loc[3, name] = np.nan
        with pytest.raises(MissingValue, match=name):
            circuit.encode(lacking)


def test_the_whole_is_proven_and_verified():
    X, y = table()
    whole = make_pipeline(clone(BEFORE["the usual"]), GradientBoostingClassifier(n_estimators=8)).fit(X, y)
    keys = assay.setup(assay.transpile(whole), max_batch=8)
    rows = asked(X).head(8)
    proof = assay.prove(keys.proving_key, rows)
    assay.verify(keys.verifying_key, proof)
    assert proof.labels() == whole.predict(rows).tolist()


def test_sparse_rows_before_xgboost():
    """XGBoost takes a zero that is not written for a missing value."""
    xgb = pytest.importorskip("xgboost")
    X, y = table(missing=0)
    model = xgb.XGBClassifier(n_estimators=8, max_depth=4)
    whole = make_pipeline(OneHotEncoder(handle_unknown="ignore"), model).fit(X[CATEGORIES], y)
    assert assay.fidelity(assay.transpile(whole), whole, asked(X)[CATEGORIES]).ok
    mixed = make_pipeline(apart("passthrough", OneHotEncoder(), sparse_threshold=1), clone(model)).fit(X, y)
    with pytest.raises(ModelUnsupported, match="sparse_threshold=0"):
        assay.transpile(mixed)


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (make_pipeline(apart(SimpleImputer(), OneHotEncoder()), LogisticRegression()), r"pipeline\[:-1\].transform"),
        (
            make_pipeline(
                ColumnTransformer([("a", OneHotEncoder(), ["grade"]), ("b", "passthrough", ["grade"])]),
                GradientBoostingClassifier(n_estimators=2),
            ),
            "for numbers and for categories",
        ),
        (
            make_pipeline(OrdinalEncoder(), OneHotEncoder(), GradientBoostingClassifier(n_estimators=2)),
            "OneHotEncoder comes after another step",
        ),
    ],
)
def test_what_cannot_be_folded_is_refused_by_name(whole, words):
    X, y = table(missing=0)
    with pytest.raises(ModelUnsupported, match=words):
        assay.transpile(whole.fit(X, y))
