"""Say what is wrong with the recordings of a preset; nothing is made.

Measure the recordings that a preset names where they lie, hold them to its bounds, and say of every kind of fault how
often it is there, what it is and what can be done. Exit code 0 if they can be trained on, 1 if not, 2 if there is
nothing to read.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from pathlib import Path

from commands.data_output import Recordings, show_recordings
from commands.output import add_json, progress
from common.errors import Unanswerable
from configs.schema import load_config
from data.corpus import CorpusError

EXAMPLES = """\
myxtts data check mine
myxtts data check mine --json"""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("preset", help="name of a preset in configs/")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    from data.checking import check_offer  # Great Expectations takes seconds to import
    from data.sources import SOURCES

    config = load_config(parsed.preset)
    with tempfile.TemporaryDirectory(prefix="myxtts-") as scratch, progress(parsed) as report:
        try:
            offer = SOURCES[config.data.source](config.data, Path(scratch), report)
        except CorpusError as error:
            raise Unanswerable(str(error)) from None
        if not offer.clips:
            raise Unanswerable(f"{config.data.path or config.data.source}: holds no clips")
        inspection = check_offer(offer, config.data, config.validation, os.cpu_count() or 1, report)
    clips = inspection.clips
    found = Recordings(
        preset=parsed.preset,
        layout=config.data.source,
        sure=1.0,
        speakers=dict(Counter(clips["speaker"]).most_common()),
        languages=dict(Counter(clips["language"]).most_common()),
        minutes=float(clips["duration"].sum()) / 60,
        problems=inspection.problems,
        refusal=inspection.refusal.brief if inspection.refusal else [],
    )
    return show_recordings(parsed, found)
