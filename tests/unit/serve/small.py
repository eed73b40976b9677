"""A release of a small model, kept as `assay release create` keeps it, without the walk before it."""

import json

import numpy as np
from xgboost import XGBClassifier

import assay
from assay.record import artefacts, releases
from assay.record.releases import Release
from assay.release import alias
from assay.release.make import describe, digest_of, private_digests
from assay.release.parts import Parts, contract

FEATURES = ["income", "savings", "age"]


def model(seed=7):
    source = np.random.default_rng(seed)
    rows = source.normal(size=(200, 3)).astype(np.float32)
    fitted = XGBClassifier(n_estimators=4, max_depth=3, random_state=seed)
    return fitted.fit(rows, (rows[:, 0] + rows[:, 1] > 0).astype(int))


def parts(tmp_path, seed=7, max_batch=4, project="credit", *, compiled=False, hidden=False, circuit=None):
    """`compiled`: with the verifier's source and bytecode, as every real release has them; `circuit`: another's."""
    if circuit is None:
        circuit = assay.transpile(model(seed), inputs="private" if hidden else "public")
        for feature, name in zip(list(circuit.features), FEATURES, strict=True):
            index = circuit.features.index(feature)
            circuit.features[index] = type(feature)(name, feature.kind, feature.low, feature.high, feature.bits)
    keys = assay.setup(circuit, max_batch=max_batch)
    place = tmp_path / f"keys-{seed}"
    keys.save(place)
    decision = {
        "dataset": "d" * 64,
        "chosen": "one",
        "rows": [{"id": "one", "fidelity": {"ok": True}, "measured": {"gas": seed}}],
    }
    public = {
        "task.toml": f'name = "{project}"\nseed = {seed}\n'.encode(),
        "decision.json": json.dumps(decision).encode(),
        "model-card.md": f"# Card {seed}\n".encode(),
        "verifying.key": (place / "verifying.key").read_bytes(),
    }
    if compiled:
        public |= contract(keys.verifying_key)
    private = {
        "circuit.json": circuit.to_json().encode(),
        "proving.key": (place / "proving.key").read_bytes(),
        "code/features.py": f"# {seed}\n".encode(),
    }
    return Parts(keys.model_id, public, private)


def another(database, release):
    """A second release: the same circuit and keys, another decision."""
    kept = {name: part["digest"] for name, part in release.public["parts"].items()}
    public, private = (
        {name: artefacts.get(database, digest) for name, digest in some.items()}
        for some in (kept, private_digests(release))
    )
    changed = json.loads(public["decision.json"]) | {"note": "another"}
    made = Parts(release.public["model_id"], public | {"decision.json": json.dumps(changed).encode()}, private)
    return keep(database, made, release.project)


def keep(database, made, project="credit", *, private=True):
    public, kept = describe(project, made, despite=None)
    with database.begin() as connection:
        for content in (*made.public.values(), *made.private.values()):
            artefacts.put_in(connection, content)
        version = releases.next_version(connection, project)
        one = Release(digest_of(public), project, version, public, kept if private else {}, "a note")
        found = releases.keep_in(database, connection, one)
    if alias.champion(database, project) is None:
        alias.promote(database, found, who="test", why="the first release")
    return found
