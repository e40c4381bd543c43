"""Packages: the versions that a lock file pins, and those that are installed."""

from __future__ import annotations

import importlib.metadata
import re

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

# PyTorch is pinned behind an extra of its own, since its build, and so its hash, is not the same everywhere.
_HERE = {"extra": "torch"}


def locked_packages(content: str) -> dict[str, str]:
    """The versions that a lock file pins for this platform, by canonical name; hashes and local labels are left out."""
    pins: dict[str, str] = {}
    for line in re.sub(r"\\\r?\n", " ", content).splitlines():
        pin = _pin(re.split(r"\s(?:--|#)", f" {line}", maxsplit=1)[0].strip())
        if pin and (pin.marker is None or pin.marker.evaluate(_HERE)):
            pins |= {canonicalize_name(pin.name): _public(exact.version) for exact in pin.specifier}
    return pins


def installed_packages() -> dict[str, str]:
    """The versions that are installed here, by canonical name; local labels such as `+cpu` are left out."""
    found = importlib.metadata.distributions()
    return {canonicalize_name(package.name): _public(package.version) for package in found}


def _pin(line: str) -> Requirement | None:
    """What a line of a lock file pins, if it pins a version."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return None
    return requirement if [exact.operator for exact in requirement.specifier] == ["=="] else None


def _public(version: str) -> str:
    return version.partition("+")[0]
