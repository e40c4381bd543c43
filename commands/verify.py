"""Hold everything that states a fact to the facts.

Hold presets, models, checkpoints, data, documents, notebooks, dvc.yaml and registered versions to the facts; exit code
1 if any disagrees. The page of it: reports/consistency.html
"""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.output import add_json, show
from common import ROOT
from configs.schema import ConfigError, load_config, presets
from consistency.verify import lines, verify, write_page
from pipelines.plan import plan
from steps.work import work_folder

EXAMPLES = """\
myxtts verify
myxtts verify --fix      # mend what has one right answer
myxtts verify --json"""

PAGE = ROOT / "reports" / "consistency.html"


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("--fix", action="store_true", help="mend what has one right answer")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    from registry.stored_surfaces import products, sources

    names = presets()
    held = verify([*sources(names), *products(names, _features(names))], parsed.fix)
    write_page(held, PAGE)
    show(parsed, held.as_json(), lines(held))
    return 1 if held.drifts else 0


def _features(names: list[str]) -> dict[str, Path]:
    """Where the features of the presets lie, as far as their corpora are known."""
    folders = {}
    for name in names:
        try:
            folders[name] = work_folder("extract_features", plan(name, load_config(name))["extract_features"].recipe)
        except (ConfigError, LookupError):
            continue
    return folders
