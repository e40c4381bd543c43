"""See what a folder of recordings is, and write a preset for it.

See how recordings and their texts are laid out in a folder (or in a list), how many there are, in which languages and
what is wrong with them, and write configs/NAME.yaml, so that `myxtts run NAME` learns from them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from commands.data_output import Recordings, show_recordings
from commands.output import add_json, progress
from common import ROOT, edit
from common.errors import Refused
from configs import schema
from configs.schema import Column, Config, Layout, Table, parse_config, preset_path
from data.problems import Finding, grouped

if TYPE_CHECKING:
    from data.sources.recordings.reading import Reading
    from data.sources.recordings.survey import Survey
    from data.validation import Inspection

EXAMPLES = """\
myxtts data import ~/voice
myxtts data import ~/voice --preset mine --text-column 3 --speaker-column 2
myxtts data import ~/voice/metadata.csv --language fr --fix-encoding --json"""

_SMALL_MINUTES = 120.0  # below, what `demo` has learns well; above, what `base` has
_RATES = (22050, 16000)


class ImportRefused(Refused):
    """A preset cannot be written; the message says why."""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    verb.add_argument("path", help="folder of recordings, or a list in it")
    verb.add_argument("--preset", metavar="NAME", help="what the preset is to be called (default: as the folder)")
    verb.add_argument("--force", action="store_true", help="change source and languages of a preset that is there")
    verb.add_argument("--language", action="append", default=[], metavar="CODE", help="of the recordings, such as fr")
    verb.add_argument("--layout", choices=get_args(Layout), help="how the recordings are laid out")
    verb.add_argument("--file", action="append", metavar="LIST", help="list to read, relative to the folder")
    verb.add_argument("--delimiter", metavar="CHARACTER", help="between the columns of a list")
    verb.add_argument("--encoding", help="of a list, such as utf-8 or cp1252")
    verb.add_argument("--fix-encoding", action="store_true", help="repair texts that were read in a wrong encoding")
    for role, extra in (("audio", ""), ("text", ""), ("speaker", ", `folder` or `none`"), ("language", " or `none`")):
        help = f"column with the {role}: its name, or number from 1{extra}"
        verb.add_argument(f"--{role}-column", metavar="COLUMN", type=_column, help=help)
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code: 0 if it can be trained on, 1 if not, 2 if there is nothing to read."""
    from data.sources.recordings.survey import SEVERAL_WAYS, UNSURE, survey, ways_to_read

    path = _absolute(parsed.path)
    preset = parsed.preset or _name_of(path)
    target = _target(preset, parsed.force)
    tree, ways = ways_to_read(path, parsed.layout, _table(parsed))
    reading = ways[0] if ways[0].sure else _ask(ways) if _is_asked(parsed) else None
    with progress(parsed) as report:
        found = survey(tree, reading or ways[0], parsed.language, report)
    if reading is None:
        read = " / ".join(way.said for way in ways)
        found.findings.append(Finding(SEVERAL_WAYS, read, ", ".join(ways[0].doubts)))
    known = reading is not None and all(found.languages)
    encoding_is_said = parsed.encoding is not None
    content, config = _preset(found, target, encoding_is_said) if known and found.entries else (None, None)
    findings = found.findings
    refusal: Sequence[str] = ["It cannot be trained on before it is known how it is to be read."]
    if config is not None:
        unsure = [finding for finding in found.findings if finding.kind in UNSURE]
        inspection = _inspect(parsed, config)
        inspected = [finding for problem in inspection.problems for finding in problem.findings]
        findings = [*unsure, *inspected]
        refusal = inspection.refusal.brief if inspection.refusal else []
        if unsure:
            refusal = [f"It cannot be trained on: {unsure[0].found}."]
    problems = grouped(findings)
    written = config is not None and not {problem.kind for problem in problems} & set(UNSURE)
    if written:
        edit.write(target, content)
    layout = f"{found.reading.layout}: {found.reading.said}"
    sure = 1 / len(ways) if reading is None else 1.0
    shown_as = Recordings(
        preset if written else "", layout, sure, found.speakers, found.languages, found.minutes, problems, refusal
    )
    code = show_recordings(parsed, shown_as)
    if not parsed.json:
        print(f"Written: {target}; next: myxtts run {preset}" if written else "No preset was written.")
    return code


def _inspect(parsed: argparse.Namespace, config: Config) -> Inspection:
    """All that is wrong with the recordings and texts themselves."""
    from data.checking import check_offer  # Great Expectations takes seconds to import
    from data.sources import SOURCES

    with tempfile.TemporaryDirectory(prefix="myxtts-") as scratch, progress(parsed) as report:
        offer = SOURCES[config.data.source](config.data, Path(scratch), report)
        return check_offer(offer, config.data, config.validation, os.cpu_count() or 1, report)


def _absolute(written: str) -> Path:
    """A path as a shell means it; where that leads nowhere, as a preset means it."""
    try:
        path = Path(written).expanduser()
    except RuntimeError:  # ~ of nobody
        path = Path(written)
    return path.absolute() if path.exists() else ROOT / path


def _name_of(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    return re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "recordings"


def _target(preset: str, force: bool) -> Path:
    """The file that the preset is to be written to."""
    path = schema.FOLDER / f"{preset}.yaml"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", preset) or path.name == schema.GATES.name:
        raise ImportRefused(f"--preset {preset}: expected a name of small letters, digits, - and _, and not `gates`")
    if path.exists() and not force:
        raise ImportRefused(f"{path} is there: name another with --preset, or let --force change where it learns from")
    return path


def _table(parsed: argparse.Namespace) -> Table:
    """What the flags say of the list."""
    settings = {
        "files": parsed.file,
        "delimiter": {"\\t": "\t", "tab": "\t"}.get(parsed.delimiter, parsed.delimiter),
        "encoding": parsed.encoding,
        "fix_encoding": parsed.fix_encoding,
        **{role: getattr(parsed, f"{role}_column") for role in ("audio", "text", "speaker", "language")},
    }
    return parse_config(Table, settings, "flags")


def _column(written: str) -> Column:
    return int(written) if written.isdecimal() and int(written) else written


def _is_asked(parsed: argparse.Namespace) -> bool:
    return not parsed.json and sys.stdin.isatty()


def _ask(ways: Sequence[Reading]) -> Reading | None:
    """Which of the ways is meant, by its number; None for no answer."""
    print("It can be read in more than one way:")
    for number, way in enumerate(ways, start=1):
        print(f"{number}. {way.said}")
        for entry in way.entries[:2]:
            print(f"     {entry.file}: {entry.speaker or 'one speaker'}: {entry.text!r}")
    try:
        answer = input(f"Which is it, 1 to {len(ways)}? ").strip()
    except EOFError:
        return None
    return ways[int(answer) - 1] if answer.isdecimal() and 1 <= int(answer) <= len(ways) else None


def _preset(found: Survey, target: Path, encoding_is_said: bool) -> tuple[object, Config]:
    """The content of the preset's file: what was there, or sizes that fit, with these recordings to learn from."""
    there = target.exists()
    sizes = "demo" if found.minutes < _SMALL_MINUTES else "base"
    content = edit.read(target if there else preset_path(sizes))
    table = found.reading.table
    if found.tree.only_list and not table.files:
        table = table.model_copy(update={"files": [found.tree.only_list]})
    if not encoding_is_said:  # what its bytes show, they show every run
        table = table.model_copy(update={"encoding": None})
    values: dict[str, object] = {
        "data.source": "recordings",
        "data.path": _portable(found.tree.root),
        "data.layout": found.reading.layout,
        "data.table": table.model_dump(exclude_defaults=True),
        "data.languages": sorted(found.languages),
    }
    if not there:
        lowest = min(found.rates, default=_RATES[-1])
        values["audio.sample_rate"] = next((rate for rate in _RATES if rate <= lowest), _RATES[-1])
        content.yaml_set_start_comment(
            f"{found.minutes:,.1f} minutes of recordings, imported; sizes as in `{sizes}`.\n"
            "Every key is described in configs/schema.py."
        )
    edit.assign(content, values)
    return content, parse_config(Config, json.loads(json.dumps(content)), str(target))


def _portable(root: Path) -> str:
    """A path as a preset may have it: relative to the checkout or the home folder, if it lies there."""
    if root.is_relative_to(ROOT):
        return root.relative_to(ROOT).as_posix()
    return f"~/{root.relative_to(Path.home()).as_posix()}" if root.is_relative_to(Path.home()) else str(root)
