"""DVC's stage `corpus`: build the corpus of a preset. `python -m pipelines.corpus PRESET`"""

from __future__ import annotations

import sys

from configs import ROOT
from configs.schema import ConfigError, load_config
from data.corpus import build_corpus
from data.sources import CorpusError


def main(preset: str) -> int:
    """Build `data/corpus/<preset>`; returns the exit code."""
    try:
        build_corpus(load_config(preset).data, ROOT / "data/corpus" / preset)
    except (ConfigError, CorpusError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
