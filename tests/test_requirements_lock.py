"""requirements.lock: whether it has what pyproject.toml asks for, with hashes."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from common import LOCK_FILE, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ASKED_FOR = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
SUPPORTED = ("3.11", "3.12", "3.13")


def locked() -> dict[str, tuple[Requirement, int]]:
    """Each pinned package, and how many hashes its file may have."""
    logical = (ROOT / LOCK_FILE).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    pins: dict[str, tuple[Requirement, int]] = {}
    for line in logical:
        if not line.startswith("#"):
            requirement = Requirement(re.sub(r"\s--hash=\S+", "", line))
            hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}(?=\s|$)", line)
            assert canonicalize_name(requirement.name) not in pins, f"{requirement.name} is pinned twice"
            pins[canonicalize_name(requirement.name)] = (requirement, len(hashes))
    return pins


def test_the_lock_pins_one_version_of_each_package_by_hash() -> None:
    for name, (requirement, hashes) in locked().items():
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert (hashes > 0) == (name != "torch"), requirement


@pytest.mark.parametrize("asked_for", ASKED_FOR)
def test_the_lock_has_what_the_project_asks_for(asked_for: str) -> None:
    requirement = Requirement(asked_for)
    pin, _ = locked()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(str(pin.specifier).removeprefix("==")), pin


@pytest.mark.parametrize("python", SUPPORTED)
def test_the_lock_leaves_out_only_torch(python: str) -> None:
    """PyTorch's file differs between a CPU and a GPU, so that it is installed apart, at the version that is pinned."""
    there = {"python_version": python, "python_full_version": f"{python}.1", "extra": ""}
    taken = {name for name, (pin, _) in locked().items() if pin.marker is None or pin.marker.evaluate(there)}
    assert {canonicalize_name(Requirement(asked_for).name) for asked_for in ASKED_FOR} - taken == {"torch"}
    assert not {name for name in taken if name.startswith("nvidia")}  # which the build for a GPU brings along
    assert ("audioop-lts" in taken) == (python == "3.13")  # what left the standard library with Python 3.13
