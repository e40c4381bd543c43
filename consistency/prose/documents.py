"""Documents on disk: what Markdown, HTML and notebooks claim about the model, where, and mending it in place."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common.files import replacing
from configs.schema import presets
from consistency.prose.claims import Claim, agrees, restate
from consistency.prose.reading import read_claims

KINDS = {".md": "markdown", ".html": "html", ".htm": "html", ".ipynb": "notebook"}
"""Suffixes of the files that are read."""

_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
_CHARACTER = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\u[0-9a-f]{4}|\\.|.", re.I)


def read_document(path: Path) -> list[tuple[str, Claim]]:
    """Every claim of a document and its place, such as `docs/x.md:12` or `x.ipynb: cell 3, line 2`.

    Offsets and lines of the claims are those of the file. Raises `ValueError` for files of other kinds and for
    notebooks that are not JSON.
    """
    text = _read(path)
    match KINDS.get(path.suffix.lower()):
        case "markdown":
            claims = read_claims(text, "markdown", presets())
        case "html":
            claims = read_claims(text, "html", presets())
        case "notebook":
            return _read_notebook(text, path)
        case _:
            raise ValueError(f"{path}: documents are {', '.join(KINDS)}")
    return [(f"{path}:{claim.line}", claim) for claim in claims]


def mend(path: Path, claims: Iterable[tuple[Claim, Any]]) -> list[Claim]:
    """Write the truth in place of each claim, just read from `path`, that it contradicts; every other byte stays.

    What is in doubt, cannot be said in the claim's form, or has two truths is left. Returns the claims that were
    rewritten. Raises `ValueError` if the file has changed since it was read.
    """
    text = _read(path)
    wrong: dict[tuple[int, int], list[tuple[Claim, str | None]]] = {}
    for claim, truth in claims:
        new = claim.stated if agrees(claim, truth) else None if claim.doubt else restate(claim, truth)
        wrong.setdefault((claim.start, claim.end), []).append((claim, new))
    mended: list[Claim] = []
    for (start, end), stated in sorted(wrong.items(), reverse=True):
        old, truths = stated[0][0].stated, {new for _, new in stated}
        new = truths.pop()
        if truths or new is None or new == old:
            continue
        if (_decoded(text[start:end]) if path.suffix == ".ipynb" else text[start:end]) != old:
            raise ValueError(f"{path} has changed since it was read")
        is_escaped = "\\" in text[start:end]
        text = text[:start] + (json.dumps(new)[1:-1] if is_escaped else new) + text[end:]
        mended += [claim for claim, _ in stated]
    if mended:
        with replacing(path) as temporary:
            temporary.write_bytes(text.encode())
            shutil.copymode(path, temporary)
    return mended


def _read(path: Path) -> str:
    return path.read_bytes().decode()  # line ends as they are


@dataclass(frozen=True)
class _Piece:
    """A cell's source, or an output, within the text that a notebook is read as."""

    place: str
    start: int
    text: str
    spans: list[tuple[int, int]]  # of each character, in the file


def _read_notebook(text: str, path: Path) -> list[tuple[str, Claim]]:
    """A notebook is read as one Markdown text, so that its headings introduce the code below them."""
    joined, pieces = "", []
    try:
        for place, is_code, literals in _sources(_located(text)):
            joined += "\n\n```\n" if is_code else "\n\n"
            piece = _Piece(place, len(joined), *_joined(literals))
            joined += piece.text + ("\n```\n" if is_code else "\n\n")
            pieces.append(piece)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a notebook: {error}") from None
    found = []
    for claim in read_claims(joined, "markdown", presets()):
        piece = next(piece for piece in pieces if piece.start <= claim.start < piece.start + len(piece.text))
        first, last = claim.start - piece.start, claim.end - piece.start - 1
        (start, _), (_, end) = piece.spans[first], piece.spans[last]
        doubt = claim.doubt or ("it is written across lines" if "\n" in claim.stated else "")
        claim = replace(claim, start=start, end=end, line=text.count("\n", 0, start) + 1, doubt=doubt)
        line = piece.text.count("\n", 0, first) + 1
        found.append((f"{path}: {piece.place}, line {line}", claim))
    return found


def _located(text: str) -> Any:
    """A JSON text as Python values in which every string is the match of its literal, and an object a dict of them."""
    literals = _LITERAL.finditer(text)

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return next(literals)
        if isinstance(value, tuple):  # an object; its keys are literals too
            return {key: (next(literals), walk(item))[1] for key, item in value}
        return [walk(item) for item in value] if isinstance(value, list) else value

    return walk(json.loads(text, object_pairs_hook=tuple))


def _sources(notebook: Any) -> Iterator[tuple[str, bool, list[re.Match[str]]]]:
    """Each place that holds text, whether that is code, and its literals."""
    for number, cell in enumerate(notebook["cells"], 1):
        kind = cell["cell_type"][1]
        if kind in ("markdown", "code"):
            yield f"cell {number}", kind == "code", _as_list(cell["source"])
        for index, output in enumerate(cell.get("outputs", ()), 1):
            data = {"text/plain": output.get("text", [])} | output.get("data", {})
            for mime in ("text/plain", "text/markdown", "text/html"):
                place = f"cell {number}, output {index}"
                yield place, mime == "text/plain", _as_list(data.get(mime, []))


def _as_list(source: Any) -> list[re.Match[str]]:
    return source if isinstance(source, list) else [source]


def _joined(literals: list[re.Match[str]]) -> tuple[str, list[tuple[int, int]]]:
    """The text of some literals, and the span of each of its characters in the file."""
    characters = [match for literal in literals for match in _CHARACTER.finditer(literal.string, *literal.span(1))]
    return "".join(_decoded(match[0]) for match in characters), [match.span() for match in characters]


def _decoded(escaped: str) -> str:
    return json.loads(f'"{escaped}"') if "\\" in escaped else escaped
