"""What lists say is read as it is meant, or named for what it is."""

from __future__ import annotations

import csv
import io
import json
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema import Table
from data.corpus import CorpusError
from data.problems import Finding
from data.sources.base import Offer
from data.sources.recordings.grids import read_grids
from data.sources.recordings.offers import readings
from data.sources.recordings.reading import Reading
from data.sources.recordings.tree import Tree
from tests.data.sources.conftest import Prompt, write_lines
from tests.data.sources.test_recordings_layouts import in_wavs, offered

Prompts = Sequence[Prompt]


@pytest.fixture
def voice(recorded: Prompts, tmp_path: Path) -> Path:
    """The prompts in `wavs/` of a folder that is called `voice`, without a list."""
    in_wavs(tmp_path / "voice", recorded)
    return tmp_path / "voice"


def rows_of(prompts: Prompts) -> list[str]:
    return [f"{prompt.id}|{prompt.text}" for prompt in prompts]


def errors(found: Offer | Reading) -> dict[str, list[Finding]]:
    by_kind: dict[str, list[Finding]] = {}
    for finding in found.findings:
        if finding.kind.severity != "note":
            by_kind.setdefault(finding.kind.name, []).append(finding)
    return by_kind


@pytest.mark.parametrize("ids", [["0001", "0002", "0003"], ["1.10", "1.1", "1.100"], ["1e5", "nan", "NULL"]])
def test_ids_speakers_and_texts_that_look_like_numbers_stay_text(
    recorded: Prompts, tmp_path: Path, ids: list[str]
) -> None:
    folder = tmp_path / "007"
    texts = ["123", "N/A", "2.50"]
    for id, prompt in zip(ids, recorded, strict=False):
        prompt.put(folder / "wavs" / f"{id}.wav")
    write_lines(folder / "metadata.csv", (f"{id}|{text}" for id, text in zip(ids, texts, strict=True)))
    found = offered(folder, tmp_path / "scratch")
    assert [(clip.id, clip.text, clip.speaker) for clip in found.clips] == [
        (id, text, "007") for id, text in zip(ids, texts, strict=True)
    ]


def test_every_faulty_row_is_named_and_the_others_are_read(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    prompt = recorded[0]
    prompt.put(tmp_path / "clip-9.wav")
    os.symlink(tmp_path / "clip-9.wav", voice / "wavs" / "link.wav")
    faults = {
        "no separator": ("broken_row", 7),
        "|without a recording": ("broken_row", 8),
        "clpi-3|a slip of the hand": ("missing_audio", 9),
        "../../clip-9|above": ("outside", 10),
        f"{tmp_path}/clip-9.wav|an absolute path": ("outside", 11),
        "link|a link that leaves the folder": ("missing_audio", 12),
        "clip-3|the same again": ("repeated_recording", 13),
    }
    write_lines(voice / "metadata.csv", [*rows_of(recorded), *faults])
    found = offered(voice, tmp_path / "scratch")
    named = {(kind, finding.row) for kind, some in errors(found).items() for finding in some if finding.row}
    assert named == set(faults.values())
    assert errors(found)["link_outside"][0].file == "wavs/link.wav"
    slip = next(finding for finding in errors(found)["missing_audio"] if finding.row == 9)
    assert slip.expected.endswith("the nearest is wavs/clip-3.wav")
    assert str(voice) in slip.expected
    assert [clip.id for clip in found.clips] == [*(prompt.id for prompt in recorded), "clip-3-2"]
    assert [clip.row for clip in found.clips] == [1, 2, 3, 4, 5, 6, 13]


def test_ids_that_collide_are_made_unique_and_keep_their_recordings(recorded: Prompts, tmp_path: Path) -> None:
    folder = tmp_path / "voice"
    recorded[0].put(folder / "wavs" / "a" / "b.wav")
    recorded[1].put(folder / "wavs" / "a-b.wav")
    write_lines(folder / "metadata.csv", ["a/b|one", "a-b|two"])
    found = offered(folder, tmp_path / "scratch")
    assert [(clip.id, clip.text, clip.audio.name) for clip in found.clips] == [
        ("a-b", "one", "b.wav"),
        ("a-b-2", "two", "a-b.wav"),
    ]
    assert [finding.id for finding in found.findings if finding.kind.name == "same_id"] == ["a-b-2"]


def test_a_name_of_one_unicode_form_finds_a_file_of_another(recorded: Prompts, tmp_path: Path) -> None:
    folder = tmp_path / "voice"
    recorded[0].put(folder / "wavs" / unicodedata.normalize("NFD", "été.wav"))
    recorded[1].put(folder / "wavs" / unicodedata.normalize("NFC", "où.wav"))
    names = [unicodedata.normalize("NFC", "été"), unicodedata.normalize("NFD", "où")]
    write_lines(folder / "metadata.csv", (f"{name}|Bonjour." for name in names))
    found = offered(folder, tmp_path / "scratch")
    assert not errors(found)
    assert [clip.id for clip in found.clips] == ["été", "où"]


@pytest.mark.parametrize("tail", ["ça va, café — l’été", "C'est déjà là, très bien"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_other_encodings_are_read_or_said_in_one_sentence(
    recorded: Prompts, voice: Path, tmp_path: Path, encoding: str, tail: str
) -> None:
    tail = tail.replace("—", "-").replace("’", "'") if encoding == "latin-1" else tail
    write_lines(voice / "metadata.csv", (f"{row} {tail}" for row in rows_of(recorded)), encoding)
    found = offered(voice, tmp_path / "scratch")
    assert all(clip.text.endswith(tail) for clip in found.clips)
    assert len(found.clips) == 6
    if encoding in ("utf-8-sig", "utf-16"):
        assert not errors(found)
        return
    (said,) = errors(found)["encoding"]
    assert "--fix-encoding" in said.kind.advice
    repaired = offered(voice, tmp_path / "scratch", table={"fix_encoding": True})
    assert not errors(repaired)
    assert repaired.clips == found.clips


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("cafÃ© itâ€™s", "café it’s"), ("РџСЂРёРІРµС‚", "Привет"), ("Ø³Ù„Ø§Ù… Ø¯Ù†ÛŒØ§", "سلام دنیا")],
)
def test_mojibake_is_named_and_repaired_on_demand(
    recorded: Prompts, voice: Path, tmp_path: Path, wrong: str, right: str
) -> None:
    write_lines(voice / "metadata.csv", [*rows_of(recorded[:4]), f"clip-5|{wrong}", f"clip-6|{right}"])
    found = offered(voice, tmp_path / "scratch")
    (said,) = errors(found)["mojibake"]
    assert (said.id, said.row, said.found, said.expected) == ("clip-5", 5, wrong, right)
    assert found.clips[4].text == wrong
    repaired = offered(voice, tmp_path / "scratch", table={"fix_encoding": True})
    assert not errors(repaired)
    assert [clip.text for clip in repaired.clips[4:]] == [right, right]


def test_single_rows_of_another_encoding_are_named(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    rows = [row.encode() for row in rows_of(recorded)]
    rows[0] += " été".encode()
    rows[1] += " là".encode()
    rows[2] += " où".encode("latin-1")
    (voice / "metadata.csv").write_bytes(b"\n".join(rows))
    found = offered(voice, tmp_path / "scratch")
    (said,) = errors(found)["broken_bytes"]
    assert said.row == 3
    repaired = offered(voice, tmp_path / "scratch", table={"fix_encoding": True})
    assert not errors(repaired)
    assert repaired.clips[2].text.endswith(" où")


@pytest.mark.parametrize(
    ("rows", "flags"),
    [
        (["w1|v1", "w2|v2", "w3|v3", "w4|v4", "w5|v5", "w6|v6"], "--text-column 2|3, --speaker-column 2|3|none"),
        (["a|yes", "b|yes", "a|no", "b|no", "a|yes", "b|no"], "--text-column 2|3, --speaker-column 2|3"),
        (
            ["a|sad|one two three", "b|glad|two three four", "a|glad|so it is", "b|sad|not for me"],
            "--speaker-column 2|3",
        ),
        (["das ist gut|that is fine", "wie geht es|how are you", "ich auch nicht|me neither, no"], "--text-column 2|3"),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked(voice: Path, tmp_path: Path, rows: list[str], flags: str) -> None:
    write_lines(voice / "metadata.csv", (f"clip-{k}|{row}" for k, row in enumerate(rows, start=1)))
    with pytest.raises(CorpusError, match="more than one way") as refusal:
        offered(voice, tmp_path / "scratch")
    assert str(refusal.value).endswith(f"with {flags}")
    chosen = {"text": 3, "speaker": 2}
    clips = offered(voice, tmp_path / "scratch", table=chosen).clips
    assert [(clip.speaker, clip.text) for clip in clips] == [
        tuple(row.split("|")) for row in rows if row.count("|") == 1
    ] or [(row.split("|")[0], row.split("|")[1]) for row in rows]


@pytest.mark.parametrize(
    ("role", "column"),
    [("text", 3), ("text", 0), ("text", "none"), ("audio", "folder"), ("speaker", "who"), ("audio", -1)],
)
def test_a_column_that_is_not_there_is_named(
    recorded: Prompts, voice: Path, tmp_path: Path, role: str, column: str | int
) -> None:
    write_lines(voice / "metadata.csv", rows_of(recorded))
    with pytest.raises(CorpusError, match=rf"data.table.{role} = '?{column}'?: .* there are 1 to 2"):
        offered(voice, tmp_path / "scratch", table={role: column})


def test_columns_that_are_not_used_are_said(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    rows = [f"{row}|{'ab'[k % 2]}|female" for k, row in enumerate(rows_of(recorded))]
    write_lines(voice / "metadata.csv", ["id|text|Sprecher|gender", *rows])
    found = offered(voice, tmp_path / "scratch")
    (unused,) = [finding.found for finding in found.findings if finding.kind.name == "unused_columns"]
    assert unused == "not used: Sprecher, gender"
    clips = offered(voice, tmp_path / "scratch", table={"speaker": "Sprecher"}).clips
    assert [clip.speaker for clip in clips] == ["a", "b"] * 3


def test_folders_that_may_be_speakers_are_asked(recorded: Prompts, tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    for name in ("anna", "ben"):
        in_wavs(folder / name, recorded)
        write_lines(folder / name / "metadata.csv", rows_of(recorded))
    with pytest.raises(CorpusError, match=r"--speaker-column folder\|none"):
        offered(folder, tmp_path / "scratch")
    clips = offered(folder, tmp_path / "scratch", table={"speaker": "folder"}).clips
    assert [(clip.id, clip.speaker) for clip in clips] == [
        (f"{name}-{prompt.id}", name) for name in ("anna", "ben") for prompt in recorded
    ]
    for part, name in (("train", "anna"), ("test", "ben")):
        (folder / name).rename(folder / part)
    assert {clip.speaker for clip in offered(folder, tmp_path / "scratch").clips} == {"voices"}


def test_lists_that_say_different_things_of_the_same_recordings_are_asked(
    recorded: Prompts, voice: Path, tmp_path: Path
) -> None:
    write_lines(voice / "metadata.csv", rows_of(recorded))
    write_lines(voice / "corrected.csv", (f"{row} Corrected." for row in rows_of(recorded)))
    with pytest.raises(CorpusError, match=r"--file metadata.csv\|corrected.csv"):
        offered(voice, tmp_path / "scratch")
    clips = offered(voice, tmp_path / "scratch", table={"files": ["corrected.csv"]}).clips
    assert all(clip.text.endswith("Corrected.") for clip in clips)
    assert offered(voice / "corrected.csv", tmp_path / "scratch").clips == clips


def test_a_row_without_normalised_text_has_its_other_text(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    rows = [f"{row}|{row.partition('|')[2]}" for row in rows_of(recorded)]
    rows[0], rows[1] = "clip-1|Dr. Who|Doctor Who", "clip-2|Only this.|"
    write_lines(voice / "metadata.csv", [*rows[:5], "clip-6|And this."])
    clips = offered(voice, tmp_path / "scratch").clips
    assert [clips[k].text for k in (0, 1, 5)] == ["Doctor Who", "Only this.", "And this."]


def test_separators_in_texts_are_part_of_them(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    rows = [f"{prompt.id}|{'ab'[k % 2]}|{prompt.text}" for k, prompt in enumerate(recorded)]
    rows[3] = "clip-4|b|either|or"
    write_lines(voice / "metadata.csv", rows)
    clips = offered(voice, tmp_path / "scratch").clips
    assert (clips[3].speaker, clips[3].text) == ("b", "either|or")


def test_languages_of_rows_are_codes_and_others_are_said(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    languages = ["en-US", "English", "eng", "fr_FR", "EN", "klingon"]
    rows = [f"{p.id}|{p.text}|{language}" for p, language in zip(recorded, languages, strict=True)]
    write_lines(voice / "metadata.csv", ["id|text|language", *rows])
    found = offered(voice, tmp_path / "scratch")
    assert [clip.id for clip in found.clips] == ["clip-1", "clip-2", "clip-3", "clip-5"]
    assert {clip.language for clip in found.clips} == {"en"}
    assert [finding.id for finding in found.findings if finding.kind.name == "other_language"] == ["clip-4"]
    assert [finding.id for finding in errors(found)["no_language"]] == ["clip-6"]
    write_lines(voice / "metadata.csv", rows_of(recorded))
    with pytest.raises(CorpusError, match="has one language"):
        offered(voice, tmp_path / "scratch", languages=["en", "fr"])


def test_a_folder_may_be_a_link_to_another_disk(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    write_lines(voice / "metadata.csv", [*rows_of(recorded[:5]), f"{voice}/wavs/clip-6.wav|{recorded[5].text}"])
    os.symlink(voice, tmp_path / "link")
    for path in (voice, tmp_path / "link"):
        found = offered(path, tmp_path / "scratch")
        assert not errors(found)
        assert [clip.id for clip in found.clips] == [prompt.id for prompt in recorded]


def test_a_folder_that_contains_itself_is_read_once(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    write_lines(voice / "metadata.csv", rows_of(recorded))
    os.symlink(voice, voice / "again")
    assert len(offered(voice, tmp_path / "scratch").clips) == 6


def test_what_is_no_corpus_says_what_was_expected(voice: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"voice: no list .* among 6 recordings and 0 other files; expected a list"):
        offered(voice, tmp_path / "scratch")
    with pytest.raises(CorpusError, match=rf"{tmp_path}/nowhere: not found"):
        offered(tmp_path / "nowhere", tmp_path / "scratch")


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 1',
        "[]",
        '"text"',
        "null",
        '{"file_name": null, "text": null}',
        '{"file_name": "\\ud800", "text": "\\ud800"}',
    ],
)
def test_broken_objects_are_named_with_their_row(recorded: Prompts, voice: Path, tmp_path: Path, line: str) -> None:
    rows = [json.dumps({"file_name": f"wavs/{prompt.id}.wav", "text": prompt.text}) for prompt in recorded]
    write_lines(voice / "metadata.jsonl", [*rows[:3], line, *rows[3:]])
    found = offered(voice, tmp_path / "scratch")
    assert len(found.clips) == 6
    assert [finding.row for some in errors(found).values() for finding in some] == [4]


def test_half_characters_are_named_and_can_be_written(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    rows = [json.dumps({"file_name": f"{prompt.id}.wav", "text": f"\ud83d {prompt.text}"}) for prompt in recorded]
    write_lines(voice / "metadata.jsonl", rows)
    found = offered(voice, tmp_path / "scratch")
    assert len(errors(found)["broken_characters"]) == 6
    assert json.dumps([clip.text for clip in found.clips], ensure_ascii=False).encode()


def test_names_that_are_no_text_are_told_as_text(recorded: Prompts, voice: Path, tmp_path: Path) -> None:
    recorded[0].put(Path(os.fsdecode(os.fsencode(voice / "wavs") + b"/\xff.wav")))
    rows = [json.dumps({"file_name": prompt.id, "text": prompt.text, "\ud800": "x"}) for prompt in recorded]
    write_lines(voice / "metadata.jsonl", rows)
    found = offered(voice, tmp_path / "scratch")
    assert {finding.kind.name for finding in found.findings} == {"unnamed_recording", "unused_columns"}
    for finding in found.findings:
        assert "\ufffd" in finding.found + finding.file


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30).map(str.strip)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(FIELD.filter(bool), FIELD, FIELD), min_size=1, max_size=8),
    delimiter=st.sampled_from("|,;\t"),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_quoted_tables_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], delimiter: str, ending: str
) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)
    path = tmp_path_factory.mktemp("table") / "metadata.csv"
    path.write_bytes(written.getvalue().encode())
    (grid,) = read_grids(path, path.name, Table(delimiter=delimiter, quoting=True, encoding="utf-8"))
    assert [tuple(row.fields) for row in grid.rows] == rows


TEXT = FIELD.filter(bool)


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(TEXT, min_size=2, max_size=6),
    delimiter=st.sampled_from("|,;\t"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    with_suffix=st.booleans(),
)
def test_tables_are_recognised_whatever_is_said_in_them(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    delimiter: str,
    quoting: Literal[0, 1],
    with_suffix: bool,
) -> None:
    folder = tmp_path_factory.mktemp("voice")
    written = io.StringIO()
    rows = [(f"clip-{k}{'.wav' if with_suffix else ''}", text) for k, text in enumerate(texts)]
    csv.writer(written, delimiter=delimiter, quoting=quoting).writerows(rows)
    for k in range(len(texts)):
        (folder / f"clip-{k}.wav").touch()
    (folder / "metadata.csv").write_bytes(written.getvalue().encode())
    found = readings(Tree(folder), None, Table())
    assert found
    said = {entry.id: entry.text for entry in found[0].entries}
    assert said == {f"clip-{k}": text for k, text in enumerate(texts)}
