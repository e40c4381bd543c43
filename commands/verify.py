"""Every surface of this checkout held to the facts: `myxtts verify`."""

from __future__ import annotations

from pathlib import Path

from common import ROOT
from common.environment import isolate
from configs.schema import ConfigError, load_config, presets
from consistency.surfaces import Surface, checkpoints_surface, features_surface
from consistency.verify import Verdict, verify, write_page
from pipelines.plan import plan
from registry.stored_surfaces import restore, sources, versions_surface
from steps.work import work_folder

PAGE = ROOT / "reports" / "consistency.html"


def verify_checkout(fix: bool) -> Verdict:
    """Hold everything to everything, mend it if `fix`, and write the page."""
    isolate()
    verdict = verify(surfaces(), fix)
    write_page(verdict, PAGE)
    return verdict


def surfaces() -> list[Surface]:
    """All kinds of surface."""
    names = presets()
    return [
        *sources(names),
        features_surface(ROOT, _features(names)),
        checkpoints_surface(ROOT, names, restore),
        versions_surface(),
    ]


def _features(names: list[str]) -> dict[str, Path]:
    """Where the features of the presets lie, as far as their corpora are known."""
    folders = {}
    for name in names:
        try:
            folders[name] = work_folder("extract_features", plan(name, load_config(name))["extract_features"].recipe)
        except (ConfigError, LookupError):
            continue
    return folders
