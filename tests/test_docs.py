"""docs/how-a-run-goes.md names all that it promises to name."""

from __future__ import annotations

import re

from common import ROOT
from common.environment import variables
from pipelines.plan import NEEDS
from registry.code import PACKAGES

PAGE = (ROOT / "docs/how-a-run-goes.md").read_text(encoding="utf-8")


def test_the_page_names_every_environment_variable() -> None:
    sources = [path.read_text(encoding="utf-8") for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    sources.append((ROOT / "notebooks/evaluation_and_optimization.ipynb").read_text(encoding="utf-8"))
    ours = {name for source in sources for name in re.findall(r"\bMYXTTS_[A-Z_]+\b", source)}
    assert len(ours) >= 4
    assert sorted(name for name in ours | variables({}).keys() if f"`{name}`" not in PAGE) == []


def test_the_page_draws_every_step() -> None:
    steps = {path.stem for path in (ROOT / "steps").glob("*.py")} - {"__init__", "work"}
    assert steps > NEEDS.keys()
    assert sorted(step for step in steps if f"[{step}]" not in PAGE) == []
