"""Make a mended copy of recordings.

Copy the recordings of a folder, or of a preset, into a folder in LJSpeech format, and put right what can be: silence at
the ends, loudness, offset, channels, mixed rates, texts in a wrong encoding. Clips that cannot be read, have no text
or are there twice are left out. Nothing is changed in place; the copy's changelog.csv says what was done to each clip.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.output import add_json, progress, show
from common.errors import Unanswerable
from common.progress import silent
from configs.schema import Data, Table, load_config, presets
from data.problems import grouped

EXAMPLES = """\
myxtts data fix ~/voice --out ~/voice-mended
myxtts data fix mine --out mended/mine --json"""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("source", metavar="FOLDER|PRESET", help="recordings: a folder, or what a preset learns from")
    verb.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the copy; it must not be there yet")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    from data.fixing import CHANGES, fix

    data, folder = _data(parsed.source), parsed.out.expanduser().absolute()
    with progress(parsed) as report:
        fixed = fix(data, folder, report)
    problems = grouped(fixed.findings)
    content = {
        "folder": str(folder),
        "clips": fixed.clips,
        "left_out": fixed.offered - fixed.clips,
        "minutes": round(fixed.minutes, 2),
        "sample_rate": fixed.sample_rate,
        "changes": str(folder / CHANGES),
        "problems": [problem.as_json() for problem in problems],
    }
    lines = [line for problem in problems for line in problem.lines()]
    lines.append(
        f"{folder}: {fixed.clips} of {fixed.offered} clips, {fixed.minutes:.1f} minutes, {fixed.sample_rate} Hz"
    )
    lines.append(f"All that was done: {folder / CHANGES}")
    show(parsed, content, lines)
    return 0


def _data(source: str) -> Data:
    """What to copy: the recordings of a preset, or of a folder."""
    from data.sources.recordings.survey import survey, ways_to_read

    if source in presets():
        return load_config(source).data
    path = Path(source).expanduser().absolute()
    if not path.is_dir():
        raise Unanswerable(
            f"{path}: no such folder, and no preset is called {source!r}; there are {', '.join(presets())}"
        )
    table = Table(fix_encoding=True)
    tree, ways = ways_to_read(path, None, table)
    languages = sorted(filter(None, survey(tree, ways[0], [], silent).languages))
    return Data(source="recordings", path=str(path), table=table, languages=languages or ["en"], batch_size=1)
