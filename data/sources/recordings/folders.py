"""Layouts with a structure of their own, in which no column has to be told from another."""

from __future__ import annotations

import gzip
import json
import math
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from configs.schema import Layout
from data.problems import Kind
from data.sources.recordings.encodings import decode
from data.sources.recordings.grids import BROKEN_ROW
from data.sources.recordings.reading import MISSING, Entry, Reading, id_of, speaker_folder
from data.sources.recordings.tree import Tree, without_suffix

PIPE = Kind("pipe", "error", "Commands of a list are never run: write their output to files, and name those.")
BROKEN_FILE = Kind("broken_file", "error", "Bring the whole file: what could be read of it is taken.")
WITHOUT_TEXT = Kind("without_text", "note", "If they belong to the corpus, add their texts.")
WITHOUT_AUDIO = Kind("without_audio", "warning", "Bring the recordings, or remove the texts.")

_MICROPHONE = re.compile(r"_mic\d+$")
_TEXT_SUFFIXES = (".txt", ".lab", ".normalized.txt")


def folder_readings(tree: Tree, fix: bool) -> Iterator[Reading]:
    """What a folder can be by the names of its files, at most once for each layout."""
    for recognise in (_shar, _lhotse, _kaldi, _libritts, _librispeech, _vctk, _text_files):
        if (reading := recognise(tree, fix)) is not None:
            yield reading


def _vctk(tree: Tree, fix: bool) -> Reading | None:
    texts = [file for file in tree.files if re.search(r"(^|/)txt/[^/]+/[^/]+\.txt$", file)]
    if not texts or not any(re.search(r"(^|/)wav48\w*/", file) for file in tree.audio):
        return None
    return _pairs(tree, fix, "vctk", "VCTK: txt/SPEAKER/ID.txt and wav48*/SPEAKER/ID*", texts)


def _libritts(tree: Tree, fix: bool) -> Reading | None:
    texts = [file for file in tree.files if file.endswith(".normalized.txt")]
    texts = texts or [file for file in tree.files if file.endswith(".original.txt")]
    return (
        _pairs(tree, fix, "libritts", "LibriTTS: SPEAKER/CHAPTER/ID.normalized.txt", texts, depth=2) if texts else None
    )


def _text_files(tree: Tree, fix: bool) -> Reading | None:
    stems = {without_suffix(PurePosixPath(file).name).casefold() for file in tree.audio}
    texts = [file for file in tree.files if file.endswith((".txt", ".lab")) and _stem(file).casefold() in stems]
    if not texts or 2 * len(texts) < len(tree.audio):
        return None
    reading = _pairs(tree, fix, "text_files", "a text file for each recording, of the same name", texts)
    folders = {entry.speaker for entry in reading.entries}
    if len(folders) == 1:
        reading.entries = [replace(entry, speaker="") for entry in reading.entries]
    return reading


def _pairs(tree: Tree, fix: bool, layout: Layout, said: str, texts: Iterable[str], depth: int = 1) -> Reading:
    """Recordings with a text file each; the speaker is the folder `depth` levels above the audio."""
    reading = Reading(layout, said)
    by_stem: dict[str, list[str]] = {}
    for file in tree.audio:
        by_stem.setdefault(_MICROPHONE.sub("", without_suffix(PurePosixPath(file).name)).casefold(), []).append(file)
    used: set[str] = set()
    for text_file in sorted(texts):
        stem = _stem(text_file)
        entry = Entry(stem, "", "", list=text_file, row=1)
        audio = _closest(by_stem.get(stem.casefold(), []), text_file)
        if audio is None:
            nearest = tree.nearest(stem)
            reading.find(
                WITHOUT_AUDIO, entry, f"no recording {stem}", f"a recording{nearest and f'; the nearest is {nearest}'}"
            )
            continue
        used.add(audio)
        decoded = decode(tree.path(text_file).read_bytes(), text_file, None, fix)
        reading.findings += decoded.findings
        parts = PurePosixPath(audio).parts
        speaker = speaker_folder(audio) if depth == 1 else (parts[-1 - depth] if len(parts) > depth else "")
        text = " ".join(line.strip() for line in decoded.text.splitlines() if line.strip())
        id = without_suffix(PurePosixPath(audio).name) if layout in ("vctk", "libritts") else id_of(audio)
        reading.entries.append(Entry(id, audio, text, speaker, "", text_file, 1))
    for file in sorted(set(tree.audio) - used):
        if not _MICROPHONE.search(without_suffix(file)):
            reading.find(WITHOUT_TEXT, Entry(file, file, "", list=file), "no text", f"{without_suffix(file)}.txt")
    return reading


def _closest(audio: list[str], text_file: str) -> str | None:
    """Of recordings of one name, the one beside a text, or whose folder is called like the text's."""
    folder = PurePosixPath(text_file).parent
    for fits in (lambda p: p.parent == folder, lambda p: p.parent.name == folder.name, lambda _: len(audio) == 1):
        if fitting := sorted(file for file in audio if fits(PurePosixPath(file))):
            return fitting[0]
    return None


def _stem(text_file: str) -> str:
    name = PurePosixPath(text_file).name
    for suffix in (".normalized.txt", ".original.txt", ".txt", ".lab"):
        name = name.removesuffix(suffix)
    return name


def _librispeech(tree: Tree, fix: bool) -> Reading | None:
    lists = [file for file in tree.files if file.endswith(".trans.txt")]
    if not lists:
        return None
    reading = Reading("librispeech", "LibriSpeech: SPEAKER/CHAPTER/*.trans.txt")
    for file in lists:
        parts = PurePosixPath(file).parts
        for row, (id, text) in _rows(tree, fix, file, reading):
            reading.add(tree, Entry(id, id, text, parts[-3] if len(parts) > 2 else id.partition("-")[0], "", file, row))
    return reading


def _rows(tree: Tree, fix: bool, file: str, reading: Reading) -> Iterator[tuple[int, tuple[str, str]]]:
    """Lines of a name and what belongs to it."""
    decoded = decode(tree.path(file).read_bytes(), file, None, fix)
    reading.findings += decoded.findings
    for row, line in enumerate(re.split(r"\r\n|\r|\n", decoded.text), start=1):
        if line.strip():
            name, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
            yield row, (name, rest.strip())


def _kaldi(tree: Tree, fix: bool) -> Reading | None:
    """A data folder of Kaldi: wav.scp, text, and what else there is of utt2spk, utt2lang and segments."""
    scripts = [file for file in tree.files if PurePosixPath(file).name == "wav.scp"]
    folders = [file.removesuffix("wav.scp") for file in scripts if f"{file.removesuffix('wav.scp')}text" in tree]
    if not folders:
        return None
    reading = Reading("kaldi", "Kaldi: wav.scp, text, utt2spk")
    for folder in folders:
        _take_kaldi(tree, fix, folder, reading)
    return reading


def _take_kaldi(tree: Tree, fix: bool, folder: str, reading: Reading) -> None:
    def table(name: str) -> dict[str, tuple[int, str]]:
        file = f"{folder}{name}"
        return {key: (row, value) for row, (key, value) in _rows(tree, fix, file, reading)} if file in tree else {}

    audio, speakers, languages, segments = (table(name) for name in ("wav.scp", "utt2spk", "utt2lang", "segments"))
    for row, (id, text) in _rows(tree, fix, f"{folder}text", reading):
        place = segments.get(id, (row, f"{id} 0 -1"))[1].split()
        entry = Entry(id, "", text, speakers.get(id, (0, ""))[1], languages.get(id, (0, ""))[1], f"{folder}text", row)
        try:
            recording, start, end = place[0], float(place[1]), float(place[2])
        except (ValueError, IndexError):
            reading.find(BROKEN_ROW, entry, f"segments: {' '.join(place)!r}", "UTTERANCE RECORDING START END")
            continue
        if recording not in audio:
            reading.find(MISSING, entry, f"no {recording!r} in wav.scp", "a line for each recording")
            continue
        script_row, file = audio[recording]
        if file.endswith("|"):
            piped = Entry(id, "", "", list=f"{folder}wav.scp", row=script_row)
            reading.find(PIPE, piped, f"the command {file!r}", "the name of a file")
            continue
        seconds = end - start if end >= 0 else None
        if seconds is not None and (seconds <= 0 or start < 0):
            reading.find(BROKEN_ROW, entry, f"segments: from {start:g} to {end:g} s", "a start before the end")
            continue
        reading.add(tree, replace(entry, file=file, start=start, seconds=seconds))


def _lhotse(tree: Tree, _fix: bool) -> Reading | None:
    """Manifests of lhotse: recordings and supervisions, or cuts with their recordings."""
    manifests = [file for file in tree.files if re.search(r"\.jsonl(\.gz)?$", file)]
    recordings = [file for file in manifests if "recordings" in PurePosixPath(file).name]
    supervisions = [file for file in manifests if "supervisions" in PurePosixPath(file).name]
    cuts = [file for file in manifests if "cuts" in PurePosixPath(file).name]
    if not (recordings and supervisions) and not cuts:
        return None
    reading = Reading("lhotse", "lhotse's manifests")
    known: dict[str, Mapping[str, Any]] = {}
    for file in recordings if supervisions else []:
        known |= {str(line.get("id")): line for _, line in _json_lines(tree, file, reading)}
    for file in supervisions if recordings else cuts:
        for row, line in _json_lines(tree, file, reading):
            _take_supervisions(tree, reading, file, row, line, known)
    return reading


def _take_supervisions(
    tree: Tree, reading: Reading, file: str, row: int, line: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]
) -> None:
    said = line.get("supervisions", [line])
    for one in said if isinstance(said, list) and all(isinstance(one, dict) for one in said) else []:
        entry = _supervised(one, line, file, row)
        recording = line.get("recording") or known.get(str(line.get("recording_id")))
        if not isinstance(recording, dict):
            reading.find(MISSING, entry, f"no recording {line.get('recording_id')!r}", "a recording in the manifests")
            continue
        sources = recording.get("sources") or [{}]
        source = sources[0] if isinstance(sources[0], dict) else {}
        if source.get("type") != "file":
            found = f"{source.get('type')} {str(source.get('source'))!r}"
            reading.find(PIPE, entry, found, "a source of type file")
            continue
        offset = _seconds(line, "start") if one is not line else 0.0
        start, seconds = offset + _seconds(one, "start"), _seconds(one, "duration")
        whole = start <= 0 and abs(seconds - _seconds(recording, "duration")) < 0.01
        reading.add(
            tree, replace(entry, file=str(source.get("source")), start=start, seconds=None if whole else seconds)
        )


def _supervised(one: Mapping[str, Any], line: Mapping[str, Any], file: str, row: int) -> Entry:
    id = str(one.get("id") or line.get("id"))
    return Entry(
        id,
        "",
        str(one.get("text") or "").strip(),
        str(one.get("speaker") or ""),
        str(one.get("language") or ""),
        file,
        row,
    )


def _shar(tree: Tree, _fix: bool) -> Reading | None:
    """Lhotse's Shar: cuts.*.jsonl.gz, and recording.*.tar with their audio."""
    shards = [file for file in tree.files if re.search(r"(^|/)cuts\.\d+\.jsonl(\.gz)?$", file)]
    pairs = [(file, re.sub(r"cuts\.(\d+)\.jsonl(\.gz)?$", r"recording.\1.tar", file)) for file in shards]
    if not any(archive in tree for _, archive in pairs):
        return None
    reading = Reading("shar", "lhotse's Shar: cuts.*.jsonl.gz and recording.*.tar")
    for file, archive in pairs:
        members = _members(tree, archive, reading)
        for row, line in _json_lines(tree, file, reading):
            said = line.get("supervisions")
            for one in said if isinstance(said, list) and all(isinstance(one, dict) for one in said) else []:
                entry = _supervised(one, line, file, row)
                member = members.get(str(line.get("id")))
                if member is None:
                    reading.find(MISSING, entry, f"no {line.get('id')!r} in {archive}", "the audio of each cut")
                    continue
                start, seconds = _seconds(one, "start"), _seconds(one, "duration")
                whole = start <= 0 and abs(seconds - _seconds(line, "duration")) < 0.01
                part = None if whole else seconds
                reading.entries.append(replace(entry, file=member, start=start, seconds=part, archive=archive))
    return reading


def _seconds(manifest: Mapping[str, Any], key: str) -> float:
    """A time in a manifest; 0 if it is none."""
    value = manifest.get(key)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _members(tree: Tree, archive: str, reading: Reading) -> dict[str, str]:
    """The audio files of a tar file by their names without suffix."""
    names = []
    if archive in tree:
        try:
            with tarfile.open(tree.path(archive)) as tar:
                for member in tar:
                    if member.isfile() and not member.name.endswith((".json", ".nodata")):
                        names.append(member.name)
        except (OSError, EOFError, tarfile.TarError) as error:
            reading.find(BROKEN_FILE, Entry("", "", "", list=archive), str(error), "a whole tar file")
    return {name.rpartition(".")[0] or name: name for name in names}


def _json_lines(tree: Tree, file: str, reading: Reading) -> Iterator[tuple[int, Mapping[str, Any]]]:
    opener: Callable[..., Any] = gzip.open if file.endswith(".gz") else open
    lines: list[str] = []
    try:
        with opener(tree.path(file), "rt", encoding="utf-8", errors="replace") as manifest:
            lines.extend(manifest)
    except (OSError, EOFError, zlib.error) as error:
        reading.find(BROKEN_FILE, Entry("", "", "", list=file), str(error), "a whole file")
    for row, line in enumerate(lines, start=1):
        try:
            content = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            content = line
        if isinstance(content, dict):
            yield row, content
        elif content is not None:
            reading.find(BROKEN_ROW, Entry("", "", "", list=file, row=row), repr(line.strip()), "an object in JSON")
