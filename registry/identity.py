"""The one identity of a run.

The *recipe* decides a result's bytes: code, settings, corpus, lock file. The *occurrence* says when and where it was
carried out: commit, hardware, versions. Equal recipes may have many occurrences.

An identity is kept as tags of the registered version. Their names are made here and nowhere else.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict

from common.git import COMMIT_VARIABLE, DIRTY_VARIABLE, checkout_state
from configs.outs import CHECKPOINT_FILES


def tag(name: str) -> str:
    """The tag of a version that holds a field of its identity, or a part of one, such as `recipe.id`."""
    return f"myxtts.{name}"


PROTECTED_TAG = tag("protected")
"""Tag of a version that is never pruned."""

VERDICT_TAG = tag("reproduced")
"""Tag of a version: the verdict of the last time that it was made again."""

Cause = Literal["hardware", "library"]


@dataclass(frozen=True)
class About:
    """What is known of a field of the identity, besides its value."""

    title: str
    """For people; empty: not shown to them."""
    needed: bool = True
    """Whether nobody can say what made a version that lacks it."""
    parts: tuple[str, ...] = ()
    """Of a field with a value for each of several parts: those that are needed."""
    cause: Cause | None = None
    """The cause that it stands for when two runs are compared; None where files of the checkout say more."""


def _flag(value: Any) -> Any:
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else value


class Identity(BaseModel):
    """All by which a run is known. What is not known is empty."""

    model_config = ConfigDict(frozen=True)

    run: Annotated[str, About("run")] = ""
    """Identity of all that decided the run, see `pipelines.plan.run_id`."""
    recipe: Annotated[Mapping[str, str], About("recipe", parts=("id", "code", "settings", "corpus", "lock_file"))] = {}
    sha256: Annotated[Mapping[str, str], About("SHA-256", parts=CHECKPOINT_FILES)] = {}
    """By name of the checkpoint."""
    source: Annotated[str, About("source", needed=False)] = ""
    """MD5 of the recordings and lists, as DVC found them where `data.path` leads; the recipe has that of the corpus."""
    files: Annotated[Mapping[str, str], About("")] = {}
    """SHA-256 of every file of `registry.evidence.Evidence`, by path."""
    commit: Annotated[str, About("commit")] = ""
    clean: Annotated[bool | None, BeforeValidator(_flag), About("clean")] = None
    """Whether the commit has all that decided the run."""
    uncommitted: Annotated[str, About("uncommitted", needed=False)] = ""
    zenml_run: Annotated[str, About("ZenML run")] = ""
    dropped: Annotated[str, About("left out", needed=False)] = ""
    """Clips of the corpus that were not learned from, and why."""
    asr: Annotated[str, About("heard by")] = ""
    """The speech recogniser that error rates are of."""
    cpu: Annotated[str, About("processor", cause="hardware")] = ""
    gpu: Annotated[str, About("GPU", cause="hardware")] = ""
    python: Annotated[str, About("Python", cause="library")] = ""
    torch: Annotated[str, About("torch")] = ""
    numpy: Annotated[str, About("numpy")] = ""
    zenml: Annotated[str, About("ZenML")] = ""
    mlflow: Annotated[str, About("MLflow")] = ""
    dvc: Annotated[str, About("DVC")] = ""

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> Identity:
        """The identity that a version's tags state; tags that are missing or unreadable leave fields empty."""
        return cls.from_json(own_tags(tags))

    def as_tags(self) -> dict[str, str]:
        """The tags that state this identity."""
        return {tag(name): value for name, value in self.as_json().items()}

    @classmethod
    def from_json(cls, content: Mapping[str, str]) -> Identity:
        """The identity that `as_json` wrote."""
        values: dict[str, Any] = {name: content[name] for name in _ABOUT if content.get(name)}
        for name in (name for name, about in _ABOUT.items() if about.parts):
            values[name] = {key.partition(".")[2]: text for key, text in content.items() if key.startswith(f"{name}.")}
        values["files"] = _listing(content.get("files", ""))
        return cls.model_validate(values)

    def as_json(self) -> dict[str, str]:
        """The identity as plain text by name, `<field>` or `<field>.<part>`, as `myxtts models --json` prints it."""
        stated = self.model_dump(exclude={"files"})
        content = {name: text for field, value in stated.items() for name, text in _texts(field, value)}
        return content | ({"files": json.dumps(self.files)} if self.files else {})

    def missing(self) -> list[str]:
        """The tags without which nobody can say what made a version, as far as they are missing."""
        stated = self.as_json()
        return [tag(name) for name in NEEDED if not stated.get(name)]

    def rows(self) -> Iterator[tuple[str, str]]:
        """Title and value of all that people may want to know."""
        for field, value in self.model_dump(exclude={"files"}).items():
            for name, text in _texts(field, value):
                if text:
                    yield " ".join([_ABOUT[field].title, *name.split(".", 1)[1:]]), text

    def environment(self) -> dict[Cause, dict[str, str]]:
        """What is known of where the run was made, by the cause that it stands for in comparisons."""
        found: dict[Cause, dict[str, str]] = {}
        for field, about in _ABOUT.items():
            if about.cause and getattr(self, field):
                found.setdefault(about.cause, {})[field] = getattr(self, field)
        return found


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """What this project has tagged a version with, by the name that follows its prefix."""
    return {name.removeprefix(tag("")): text for name, text in sorted(tags.items()) if name.startswith(tag(""))}


def occurrence() -> Identity:
    """Where and from what checkout this process runs; not part of any recipe. What git cannot say is not clean."""
    commit, dirty = os.environ.get(COMMIT_VARIABLE), os.environ.get(DIRTY_VARIABLE)
    if commit is None or dirty is None:
        state = checkout_state()
        commit, dirty = state.commit, state.uncommitted
    return Identity(
        commit=commit or "none",
        clean=bool(commit) and not dirty,
        uncommitted=dirty,
        cpu=_cpu_name(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        python=platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("torch", "numpy", "zenml", "mlflow", "dvc")},
    )


_ABOUT: dict[str, About] = {name: field.metadata[-1] for name, field in Identity.model_fields.items()}

NEEDED = tuple(
    f"{field}.{part}" if part else field
    for field, about in _ABOUT.items()
    if about.needed
    for part in about.parts or ("",)
)
"""Names of what an identity must have to be whole."""


def _texts(field: str, value: Any) -> Iterator[tuple[str, str]]:
    """A field as text by name: one for each part."""
    if isinstance(value, Mapping):
        yield from ((f"{field}.{part}", text) for part, text in value.items())
    elif isinstance(value, bool):
        yield field, str(value).lower()
    else:
        yield field, value or ""


def _listing(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {str(path): str(sha256) for path, sha256 in found.items()} if isinstance(found, dict) else {}


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
