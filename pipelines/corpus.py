"""DVC's stage `corpus`: build the corpus of a preset. `python -m pipelines corpus PRESET`"""

from __future__ import annotations

import os

from common.progress import shown
from configs.outs import Outs
from configs.schema import load_config
from data.building import build_corpus


def main(preset: str) -> int:
    """Build `corpora/<preset>`; returns the exit code."""
    with shown() as report:
        build_corpus(load_config(preset).data, Outs(preset).corpus, report, os.cpu_count() or 1)
    return 0
