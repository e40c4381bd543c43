"""Markdown and HTML cut into passages: what is read in one go, and what introduces it.

An HTML page first becomes Markdown of the same length, so that one reader serves both and an offset in a passage is an
offset in the file.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from consistency.prose.languages import LANGUAGES

Kind = Literal["prose", "code", "cell"]
Role = Literal["said", "column", "row", "lead", "parent", "paragraph", "heading"]


@dataclass(frozen=True)
class Intro:
    """Something that introduces a passage: a `lead` ends with a colon, `said` is an earlier sentence of it."""

    role: Role
    text: str


@dataclass(frozen=True)
class Passage:
    """A paragraph, list item, heading, table cell or statement; `text` has the length of what it stands for."""

    kind: Kind
    start: int
    text: str
    intros: tuple[Intro, ...]  # nearest first
    section: int  # how many headings came before


@dataclass(frozen=True)
class _Block:
    kind: Literal["heading", "paragraph", "item", "code", "row", "border", "blank"]
    start: int
    text: str
    depth: int = 0  # of a heading: its level; else: columns of indentation


HEADING, ITEM = 0xE000, 0xE010  # private characters that stand for an HTML heading or list item of some depth
TAGS = {
    **dict.fromkeys(("p", "div", "section", "article", "main", "header", "footer", "figure", "figcaption"), "\n\n"),
    **dict.fromkeys(("table", "ul", "ol", "dl", "blockquote", "hr", "details", "summary", "text", "caption"), "\n\n"),
    **dict.fromkeys(("/p", "/div", "/h1", "/h2", "/h3", "/h4", "/h5", "/h6", "/section", "/summary"), "\n\n"),
    **dict.fromkeys(("/table", "/ul", "/ol", "/dl", "/text"), "\n\n"),
    **dict.fromkeys(("td", "th", "/tr"), "|"),
    **dict.fromkeys(("code", "/code"), "`"),
    **dict.fromkeys(("pre", "/pre"), "\n```\n"),
    **{"tr": "\n", "br": ";", "dd": ":", "/caption": ":\n\n"},
}
INVISIBLE = re.compile(
    r"<!--.*?-->|<(script|style|template|del|s|strike)\b.*?</\1\s*>|~~(?=\S).+?~~"
    r"|(?<=\])\([^()\s]*\)|\bhttps?://[^\s)>\"]+"  # targets of links
    r"|(?<![\w/])(?!configs/)[\w./-]+\.(?:py|md|html?|ipynb|ya?ml|json|csv|wav|txt|png|svg)\b(?::\d+(?:-\d+)?)?",
    re.S | re.I,
)
TAG = re.compile(r"<(/?[a-z][a-z0-9]*)\b(?:\"[^\"]*\"|'[^']*'|[^'\"<>])*>|&(?:#\w+|\w+);", re.I)
LETTERS = str.maketrans(
    {"\u00a0": " "} | {typed: read for language in LANGUAGES for typed, read in language.letters.items()}
)
FENCE = re.compile(r"\s*(?:```|~~~)")
HEADS = re.compile(rf"\s*(?:(#{{1,6}})\s|([{chr(HEADING)}-{chr(HEADING + 6)}]))")
ITEMS = re.compile(rf"(\s*)(?:(?:[-*+•]|\d+[.)])\s+|([{chr(ITEM)}-{chr(ITEM + 15)}]))")
UNDERLINE = re.compile(r"\s*(?:={3,}|-{3,})\s*")
BAR = re.compile(r"[|│┃║]")
BORDER = re.compile(r"(?=.*[-=─═━])[-=+:|\s\u2500-\u257f]+")


def passages(text: str, is_html: bool) -> Iterator[Passage]:
    """The passages of a Markdown or HTML text, in order."""
    headings: list[tuple[int, Intro]] = []
    parents: list[tuple[int, Intro]] = []  # blocks that the next may belong to, by indentation
    section, fresh = 0, True  # fresh: no blank line since the last lead in code
    for is_table, group in groupby(_blocks(_visible(text, is_html)), lambda block: block.kind in ("row", "border")):
        blocks = list(group)
        above = _nearest([*headings, *parents])
        if is_table and sum(block.kind == "row" for block in blocks) > 1:
            yield from _cells([block for block in blocks if block.kind == "row"], above, section)
            continue
        for block in blocks:
            if block.kind == "blank":
                fresh = False
            elif block.kind == "heading":
                headings = [(level, intro) for level, intro in headings if level < block.depth]
                parents, section = [], section + 1
                yield Passage("prose", block.start, block.text, _nearest(headings), section)
                headings.append((block.depth, Intro("heading", block.text)))
            elif block.kind != "border":
                depth = block.depth + (block.kind != "paragraph")
                role = _role(block)
                while parents and parents[-1][0] >= depth:
                    keeps = block.kind == "code" and fresh and role != "lead" and parents[-1][1].role == "lead"
                    if keeps and parents[-1][0] == depth:
                        break
                    parents.pop()
                kind: Kind = "code" if block.kind == "code" else "prose"
                yield Passage(kind, block.start, block.text, _nearest([*headings, *parents]), section)
                parents.append((depth, Intro(role, block.text)))
                fresh = fresh or role == "lead"


def _nearest(intros: list[tuple[int, Intro]]) -> tuple[Intro, ...]:
    return tuple(intro for _, intro in reversed(intros))


def _role(block: _Block) -> Role:
    if block.text.rstrip(" \n*_`").endswith((":", "：")):
        return "lead"
    return "paragraph" if block.kind == "paragraph" else "parent"


def _visible(text: str, is_html: bool) -> str:
    """The text as a reader sees it, in Markdown and of the same length: a tag becomes its mark, the unseen blanks."""
    text = INVISIBLE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text).translate(LETTERS)
    pieces, at, lists, tables, pre = [], 0, 0, 0, False
    for match in TAG.finditer(text):
        piece = text[at : match.start()]
        pieces.append(piece.replace("\n", " ") if (is_html and not pre) or tables else piece)
        pieces.append(_mark(match, lists).rjust(len(match[0])))
        tag, at = (match[1] or "").lower(), match.end()
        lists += (tag in ("ul", "ol", "dl")) - (tag in ("/ul", "/ol", "/dl"))
        tables += (tag == "table") - (tag == "/table")
        pre = tag == "pre" or (pre and tag != "/pre")
    rest = text[at:]
    return "".join(pieces) + (rest.replace("\n", " ") if is_html else rest)


def _mark(match: re.Match[str], lists: int) -> str:
    tag = (match[1] or "").lower()
    if not tag:  # an entity; one that is a digit is not read, lest half a number be
        char = html.unescape(match[0])
        return (char if len(char) == 1 and not char.isdigit() else "\ufffd").ljust(len(match[0]))
    if tag in ("li", "dt"):
        return "\n" + chr(ITEM + min(lists, 15))
    if re.fullmatch("h[1-6]", tag):
        return "\n" + chr(HEADING + int(tag[1]))
    if lists and tag in ("p", "/p", "div", "/div"):
        return ";"
    return TAGS.get(tag, "")


def _blocks(text: str) -> Iterator[_Block]:
    """Headings, paragraphs, list items, statements and rows; lines of one paragraph or statement are joined."""
    fenced = False
    pending: _Block | None = None
    for match in re.finditer(r"[^\n]*\n|[^\n]+", text):
        start, line = match.start(), match[0]
        indent = len(line) - len(line.lstrip())
        if FENCE.match(line) or not line.strip() or _is_row(line):
            if pending:
                yield pending
            pending = None
            if FENCE.match(line):
                fenced = not fenced
            is_row = _is_row(line)
            yield _Block(
                "border" if is_row and BORDER.fullmatch(line) else "row" if is_row else "blank", start, line, indent
            )
        elif fenced:
            if pending and _is_open(pending.text):
                pending = _joined(pending, line)
                continue
            if pending:
                yield pending
            pending = _Block("code", start, line, indent)
        elif pending and UNDERLINE.fullmatch(line):
            yield _Block("heading", pending.start, pending.text, 1 if "=" in line else 2)
            pending = None
        elif (head := HEADS.match(line)) or (item := ITEMS.match(line)):
            if pending:
                yield pending
            pending = None
            if head:
                depth = len(head[1]) if head[1] else ord(head[2]) - HEADING
                yield _Block("heading", start, _unmarked(line, head), depth)
            elif item:
                depth = 2 * (ord(item[2]) - ITEM) if item[2] else len(item[1])
                pending = _Block("item", start, _unmarked(line, item), depth)
        else:
            pending = _joined(pending, line) if pending else _Block("paragraph", start, line, indent)
    if pending:
        yield pending


def _unmarked(line: str, mark: re.Match[str]) -> str:
    return " " * mark.end() + line[mark.end() :]


def _joined(block: _Block, line: str) -> _Block:
    return _Block(block.kind, block.start, block.text + line, block.depth)


def _is_open(statement: str) -> bool:
    return sum(statement.count(bracket) for bracket in "([{") > sum(statement.count(bracket) for bracket in ")]}")


def _is_row(line: str) -> bool:
    return bool(BORDER.fullmatch(line) and len(line.strip()) > 3 and BAR.search(line)) or (
        bool(re.fullmatch(r"\s*[┌├└╔╠╚+][-=─═┬┼┴╦╬╩+┐┤┘]+\s*", line)) or len(_split(line)) > 1
    )


def _split(row: str) -> list[tuple[int, str]]:
    """The cells of a row with their offsets; the edges of the table are not cells."""
    bars = [match.start() for match in BAR.finditer(row)]
    edges = [-1, *bars, len(row)]
    cells = [(left + 1, row[left + 1 : right]) for left, right in pairwise(edges)]
    if bars and not cells[0][1].strip():
        cells = cells[1:]
    if bars and not cells[-1][1].strip():
        cells = cells[:-1]
    return cells


def _cells(rows: list[_Block], above: tuple[Intro, ...], section: int) -> Iterator[Passage]:
    """The cells of a table: each is introduced by its column's head and by what stands left of it in its row."""
    columns: list[str] = []
    for row in rows:
        cells = _split(row.text)
        is_head = not columns and len(cells) > 1
        for index, (offset, text) in enumerate(cells):
            left = [cell for _, cell in cells[:index] if re.search(r"[^\W\d]", cell)]
            column = [Intro("column", columns[index])] if index < len(columns) else []
            intros = (*column, *(Intro("row", cell) for cell in reversed(left)), *above)
            yield Passage("cell", row.start + offset, text, intros if index else above, section)
        if is_head:
            columns = [cell for _, cell in cells]
