"""Say how much speech a preset's corpus holds, of whom and of which sounds.

Say how much speech a preset's corpus holds, of whom, in which languages, and which phones are rare in it. The page of
it: reports/PRESET/data.html
"""

from __future__ import annotations

import argparse
import os

from commands.output import add_json, progress, show
from common import ROOT
from configs.outs import Outs
from configs.schema import preset_path

EXAMPLES = """\
myxtts data report demo
myxtts data report demo --json"""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("preset", metavar="PRESET")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    from data.clip_measures import corpus_table, measure  # pandas and librosa take a second to import
    from data.corpus import read_corpus
    from data.corpus_report import report_corpus, write_page

    preset_path(parsed.preset)
    outs = Outs(parsed.preset, ROOT)
    corpus = read_corpus(outs.corpus)
    with progress(parsed) as say:
        report = report_corpus(corpus, measure(corpus_table(corpus), os.cpu_count() or 1, say))
    page = outs.reports / "data.html"
    write_page(report, parsed.preset, page)
    show(parsed, report.as_json(), [*report.lines(), f"Page: {page.relative_to(ROOT)}"])
    return 0
