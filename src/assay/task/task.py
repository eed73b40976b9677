"""`Task`: the whole of `task.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from assay.task.chains import KNOWN_IDS, ChainName, ChainSpec
from assay.task.data import DataSpec
from assay.task.outputs import OutputSpec, Serve
from assay.task.research import People, Research
from assay.task.retrain import Retrain
from assay.task.sections import Existing, Explore, Limits, Metric, Predict, Protocol, Section, Value
from assay.task.watch import Watch

if TYPE_CHECKING:
    import os

TASK_FILE = "task.toml"

_DEFAULT_METRIC: dict[str, Metric] = {"regression": "rmse", "binary": "log_loss", "multiclass": "log_loss"}


class Task(Section):
    """The question: what exists, what is predicted, from what, for whom, at what worth, how good is enough."""

    # `schema` is a method of pydantic's base class, hence the other name here.
    schema_: Literal["assay-task/1"] = Field("assay-task/1", alias="schema", description="The version of this format.")
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] = Field(
        description="Short name: lowercase letters, digits and hyphens."
    )
    title: str = Field("", description="The question in one sentence of plain words.")
    existing: Existing
    predict: Predict
    data: DataSpec
    protocol: Protocol = Field(default_factory=lambda: Protocol.model_validate({}))
    chains: dict[ChainName, ChainSpec] = Field({}, description="Ethereum networks by name.")
    serve: Serve = Field(default_factory=lambda: Serve.model_validate({}))
    outputs: tuple[OutputSpec, ...] = Field((), description="Where each answer also goes.")
    watch: Watch = Field(default_factory=lambda: Watch.model_validate({}))
    value: Value = Field(default_factory=lambda: Value.model_validate({}))
    limits: Limits = Field(default_factory=lambda: Limits.model_validate({}))
    explore: Explore = Field(default_factory=lambda: Explore.model_validate({}))
    research: Research = Field(default_factory=lambda: Research.model_validate({}))
    people: People = Field(default_factory=lambda: People.model_validate({}))
    retrain: Retrain = Field(default_factory=lambda: Retrain.model_validate({}))

    @model_validator(mode="after")
    def _one_chain_id(self) -> Task:
        there = self.chains.get(self.protocol.chain)
        old, new = self.protocol.chain_id, there.id if there is not None else None
        if old is not None and new is not None and old != new:
            raise ValueError(
                f"[protocol] chain_id is {old}, and [chains.{self.protocol.chain}] id is {new}; the first is the old "
                "place of the second: take it out"
            )
        return self

    @model_validator(mode="after")
    def _outputs_told_apart(self) -> Task:
        names = [one.name for one in self.outputs]
        if len(set(names)) < len(names):
            raise ValueError("two [[outputs]] have the same name")
        return self

    def chain(self, name: str | None = None) -> ChainSpec:
        """The chain of a name, by default the one that counts, with all that is known of it.

        `id` is that of [chains.NAME], else that of the old place, else that of a known name, else None.
        """
        wanted = self.protocol.chain if name is None else name
        found = self.chains.get(wanted, ChainSpec.model_validate({}))
        old = self.protocol.chain_id if wanted == self.protocol.chain else None
        id_ = found.id or old or KNOWN_IDS.get(wanted)
        seconds = found.block_seconds or self.protocol.block_seconds
        return found.model_copy(update={"id": id_, "block_seconds": seconds})

    @property
    def block_seconds(self) -> float:
        """Seconds from one block to the next, of the chain that counts."""
        return self.chain().block_seconds or self.protocol.block_seconds

    @property
    def metric(self) -> Metric:
        """The metric that candidates are compared by; "value" is the mean of [value] loss."""
        if self.limits.metric is not None:
            return self.limits.metric
        return "value" if self.value.loss is not None else _DEFAULT_METRIC[self.predict.type]

    @property
    def choice(self) -> Literal["cheapest", "net_value"]:
        """Which of the candidates that are good enough is chosen."""
        return self.limits.choose or ("cheapest" if self.value.usd is None else "net_value")

    @property
    def latency_blocks(self) -> int | None:
        """The limit on the blocks from the end of the data to the acting transaction; None if there is none."""
        limits = [self.limits.latency_blocks, self.protocol.latency_blocks]
        return min((limit for limit in limits if limit is not None), default=None)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Task:
        """Read `task.toml`, or the one in the folder `path`.

        Raises
        ------
        TaskError
            If the file is no task; the message names the field, its line, what is allowed and the nearest name.
        StorageError
            If there is no such file or it may not be read.
        """
        from assay.task.read import read

        return read(place_of(Path(path)))


def place_of(path: Path) -> Path:
    """The task's file: `path` itself, or the one in the folder `path`."""
    inside = path / TASK_FILE
    return inside if path.is_dir() and (inside.exists() or path.name != TASK_FILE) else path
