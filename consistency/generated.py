"""Documents made from facts: prose by hand, and between markers on lines of their own what the presets' facts say.

    <!-- facts:presets -->
    written by `regenerate`
    <!-- /facts:presets -->

A template beside this module says what each block holds and how the document that it is named after begins. Once that
document is there, its prose is its own: only its blocks are written again. Any other document, such as the README,
may hold any of the blocks.
"""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from common import ROOT
from common.files import replacing
from consistency.presets import content_of, facts_of, preset_file
from consistency.prose.languages.persian import PERSIAN
from model.sizes import PARTS
from model.token_path import FEATURES, find_path

GENERATED = {
    "docs/architecture.md": "architecture.md.j2",
    "docs/model_components.html": "model_components.html.j2",
}
"""The documents that are made from a template where they are missing."""

PRESETS = ("smoke", "demo", "multilingual", "base", "full")
"""The presets that documents show, the smallest first. Presets that a user adds concern no document."""

SPOKEN = (("s", 6), ("æ", 4), ("l", 4), ("ɒ", 8), ("m", 5))
"""A word to draw the path with: phones and mel frames."""

_MARKER = re.compile(r"^[^\S\n]*<!--\s*(/?)facts:(.*?)\s*-->[^\S\n]*$\n?", re.MULTILINE)
_PERSIAN = str.maketrans("0123456789.%", f"{PERSIAN.digits[0]}{PERSIAN.decimal_points}{PERSIAN.percent_signs}")


@dataclass(frozen=True)
class Block:
    """What a document states between two markers: `text[start:end]`; `line` is that of the first marker, from 1."""

    name: str
    line: int
    start: int
    end: int
    stated: str


class Difference(NamedTuple):
    """A line that is not what the facts say; "" where a line is too many or missing."""

    line: int
    stated: str
    true: str


def read_blocks(text: str) -> list[Block]:
    """The blocks of a document. Raises `ValueError` with the line of a marker that has no counterpart."""
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    for marker in _MARKER.finditer(text):
        closes, name = marker.groups()
        if closes and (opened is None or opened[2] != name):
            raise ValueError(f"line {_line(text, marker)}: facts:{name} is closed but not open")
        if closes and opened is not None:
            start, end = opened.end(), marker.start()
            blocks.append(Block(name, _line(text, opened), start, end, text[start:end]))
            opened = None
        elif opened is not None:
            raise ValueError(f"line {_line(text, marker)}: facts:{name} is opened inside of facts:{opened[2]}")
        else:
            opened = marker
    if opened is not None:
        raise ValueError(f"line {_line(text, opened)}: facts:{opened[2]} is never closed")
    return blocks


def differences(path: Path, root: Path = ROOT) -> list[Difference]:
    """Every line in a document's blocks that is not what the facts of the presets in a checkout say.

    Raises `ValueError` for markers that do not match and for blocks that nothing generates.
    """
    held = _held_against_facts(path, _read(path), root)
    return [difference for block, true in held for difference in _compare(block, true)]


def regenerate(path: Path, root: Path = ROOT) -> bool:
    """Write the blocks of a document, or all of it if it is missing, whole or not at all; whether that changed it.

    Raises `ValueError` as `differences`, and `FileNotFoundError` for a missing document that has no template.
    """
    if path.exists():
        before = text = _read(path)
        for block, true in reversed(_held_against_facts(path, text, root)):
            text = text[: block.start] + true + text[block.end :]
    else:
        before, text = "", render_document(_name_of(path), root)
    if text == before:
        return False
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())
    return True


def render_block(name: str, root: Path = ROOT) -> str:
    """What a block is to hold."""
    return _true_blocks(root)[name]


def render_document(name: str, root: Path = ROOT) -> str:
    """One of `GENERATED`, with the prose of its template."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html.j2"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"numeral": _numeral, "millions": _millions, "ratio": _ratio}
    presets = {preset: facts_of(preset_file(root, preset)) for preset in PRESETS}
    full = presets["full"]
    return environment.get_template(GENERATED[name]).render(
        components=tuple(PARTS),
        presets=presets,
        full=full,
        path_features=FEATURES,
        spoken=SPOKEN,
        attention=_attention_along_path(full),
        band_edges=band_edges(full),
    )


def _true_blocks(root: Path) -> dict[str, str]:
    return _blocks_of(root, tuple(content_of(preset_file(root, preset)) for preset in PRESETS))


@functools.cache
def _blocks_of(root: Path, presets: tuple[bytes, ...]) -> dict[str, str]:  # noqa: ARG001  (what they are remembered by)
    """The blocks of all documents for these contents of the presets."""
    return {block.name: block.stated for name in GENERATED for block in read_blocks(render_document(name, root))}


def _held_against_facts(path: Path, text: str, root: Path) -> list[tuple[Block, str]]:
    """The blocks of a document, each with what it is to hold."""
    try:
        blocks = read_blocks(text)
        true = _true_blocks(root) if blocks else {}
        for block in blocks:
            if block.name not in true:
                raise ValueError(f"line {block.line}: no block is called {block.name!r}; there are {', '.join(true)}")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return [(block, true[block.name]) for block in blocks]


def _compare(block: Block, true: str) -> list[Difference]:
    stated_lines, true_lines = block.stated.splitlines(), true.splitlines()
    matcher = difflib.SequenceMatcher(None, stated_lines, true_lines, autojunk=False)
    first = block.line + 1
    return [
        Difference(first + min(start + k, stop), stated, wanted)
        for kind, start, stop, true_start, true_stop in matcher.get_opcodes()
        if kind != "equal"
        for k, (stated, wanted) in enumerate(
            zip_longest(stated_lines[start:stop], true_lines[true_start:true_stop], fillvalue="")
        )
    ]


def _name_of(path: Path) -> str:
    for name in GENERATED:
        if path.resolve().as_posix().endswith(f"/{name}"):
            return name
    raise FileNotFoundError(f"{path} is missing and has no template; those that have one: {', '.join(GENERATED)}")


def _read(path: Path) -> str:
    return path.read_bytes().decode()  # line ends as they are


def _line(text: str, marker: re.Match[str]) -> int:
    return text.count("\n", 0, marker.start()) + 1


def _numeral(value: int | float | str, language: str = "en") -> str:
    """A number as the language writes it, without needless decimals unless it is text already."""
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text.translate(_PERSIAN) if language == "fa" else text


def _millions(count: int) -> str:
    return f"{count / 1e6:.1f}"


def _ratio(parts: list[float], language: str = "en") -> str:
    return " : ".join(_numeral(float(part), language) for part in parts)


def _attention_along_path(known: Mapping[str, Any]) -> list[list[float]]:
    """Shares of attention that the path alone gives each phone of `SPOKEN` (n) at each decoder step (s), (s, n)."""
    frames_bn = torch.tensor([[float(frames) for _, frames in SPOKEN]])
    mask_bn = torch.ones_like(frames_bn, dtype=torch.bool)
    reduction = known["reduction_factor"]
    path = find_path(frames_bn, mask_bn, reduction, int(frames_bn.sum()) // reduction)
    shares_sn = path.attention_bias(mask_bn, known["path_width"])[0, 0].softmax(-1)
    shares: list[list[float]] = shares_sn.tolist()
    return shares


def band_edges(known: Mapping[str, Any]) -> list[float]:
    """Frequencies, Hz, between which the triangular mel filters of `data.mel` rise and fall: n_mels + 2 of them.

    They are evenly spaced on the Slaney mel scale: 200 / 3 Hz a mel up to 1000 Hz, and from there 27 mels for each
    factor of 6.4.
    """
    lowest, highest = _mels(known["fmin"]), _mels(known["fmax"])
    step = (highest - lowest) / (known["n_mels"] + 1)
    return [round(_hertz(lowest + k * step), 1) for k in range(known["n_mels"] + 2)]


def _mels(hertz: float) -> float:
    return 3 * hertz / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000) / math.log(6.4)


def _hertz(mels: float) -> float:
    return 200 * mels / 3 if mels < 15 else 1000 * float(6.4 ** ((mels - 15) / 27))
