"""Every layout that people have gives the same clips."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from configs.schema import Data
from data.audio import read_pcm
from data.sources.base import Offer
from data.sources.recordings.offers import offer, readings
from data.sources.recordings.tree import Tree
from tests.data.sources.conftest import Prompt, write_lines

Prompts = Sequence[Prompt]
SPEAKERS = ["anna", "ben"] * 3


def offered(path: Path, scratch: Path, **settings: object) -> Offer:
    content = {"source": "recordings", "path": str(path), "languages": ["en"], "batch_size": 4} | settings
    scratch.mkdir(exist_ok=True)
    return offer(Data.model_validate(content), scratch, lambda *_: None)


def in_wavs(folder: Path, prompts: Prompts, suffix: str = ".wav", place: str = "wavs") -> None:
    for prompt in prompts:
        prompt.put(folder / place / f"{prompt.id}{suffix}")


def table(
    row: Callable[[Prompt, str], Sequence[str]],
    *,
    file: str = "metadata.csv",
    delimiter: str = "|",
    header: Sequence[str] = (),
    quoting: Literal[0, 1, 3] = csv.QUOTE_NONE,
    suffix: str = ".wav",
    place: str = "wavs",
) -> Callable[[Path, Prompts], None]:
    """A list with a row for each prompt, of its speaker too."""

    def make(folder: Path, prompts: Prompts) -> None:
        in_wavs(folder, prompts, suffix, place)
        rows = [row(prompt, speaker) for prompt, speaker in zip(prompts, SPEAKERS, strict=True)]
        text = io.StringIO()
        if quoting == csv.QUOTE_NONE:
            text.writelines(delimiter.join(fields) + "\n" for fields in [*([header] if header else []), *rows])
        else:
            csv.writer(text, delimiter=delimiter, quoting=quoting).writerows([*([header] if header else []), *rows])
        (folder / file).write_text(text.getvalue(), encoding="utf-8")

    return make


def objects(row: Callable[[Prompt, str], dict[str, object]], file: str) -> Callable[[Path, Prompts], None]:
    """A list of objects."""

    def make(folder: Path, prompts: Prompts) -> None:
        in_wavs(folder, prompts)
        rows = [row(prompt, speaker) for prompt, speaker in zip(prompts, SPEAKERS, strict=True)]
        if file.endswith(".parquet"):
            pd.DataFrame(rows).to_parquet(folder / file)
        elif file.endswith(".json"):
            (folder / file).write_text(json.dumps(rows))
        else:
            write_lines(folder / file, map(json.dumps, rows))

    return make


def text_files(folder: Path, prompts: Prompts) -> None:
    in_wavs(folder, prompts, place=".")
    for prompt in prompts:
        write_lines(folder / f"{prompt.id}.txt", [prompt.text])


def speakers_folders(folder: Path, prompts: Prompts) -> None:
    for prompt, speaker in zip(prompts, SPEAKERS, strict=True):
        prompt.put(folder / speaker / f"{prompt.id}.wav")
        write_lines(folder / speaker / f"{prompt.id}.lab", [prompt.text])


def vctk(folder: Path, prompts: Prompts) -> None:
    for prompt, speaker in zip(prompts, SPEAKERS, strict=True):
        for microphone in (1, 2):
            prompt.put(folder / "wav48_silence_trimmed" / speaker / f"{speaker}_{prompt.id}_mic{microphone}.flac")
        write_lines(folder / "txt" / speaker / f"{speaker}_{prompt.id}.txt", [prompt.text])


def libritts(folder: Path, prompts: Prompts) -> None:
    for prompt, speaker in zip(prompts, SPEAKERS, strict=True):
        prompt.put(folder / speaker / "77" / f"{speaker}_77_{prompt.id}.wav")
        for kind, text in (("original", prompt.text.upper()), ("normalized", prompt.text)):
            write_lines(folder / speaker / "77" / f"{speaker}_77_{prompt.id}.{kind}.txt", [text])


def librispeech(folder: Path, prompts: Prompts) -> None:
    for speaker in ("anna", "ben"):
        own = [prompt for prompt, other in zip(prompts, SPEAKERS, strict=True) if other == speaker]
        for prompt in own:
            prompt.put(folder / speaker / "77" / f"{speaker}-77-{prompt.id}.flac")
        lines = [f"{speaker}-77-{prompt.id} {prompt.text}" for prompt in own]
        write_lines(folder / speaker / "77" / f"{speaker}-77.trans.txt", lines)


def kaldi(folder: Path, prompts: Prompts) -> None:
    in_wavs(folder, prompts, place="audio")
    write_lines(folder / "data/wav.scp", (f"{prompt.id} audio/{prompt.id}.wav" for prompt in prompts))
    write_lines(folder / "data/text", (f"{prompt.id} {prompt.text}" for prompt in prompts))
    rows = zip(prompts, SPEAKERS, strict=True)
    write_lines(folder / "data/utt2spk", (f"{prompt.id} {speaker}" for prompt, speaker in rows))


def recording_of(prompt: Prompt, place: str = "wavs") -> dict[str, object]:
    samples, rate = read_pcm(prompt.audio)
    source = {"type": "file", "channels": [0], "source": f"{place}/{prompt.id}.wav"}
    length = {"sampling_rate": rate, "num_samples": len(samples), "duration": len(samples) / rate}
    return {"id": prompt.id, "sources": [source], **length}


def supervision_of(prompt: Prompt, speaker: str) -> dict[str, object]:
    length = {"start": 0, "duration": recording_of(prompt)["duration"]}
    return {"id": prompt.id, "recording_id": prompt.id, **length, "text": prompt.text, "speaker": speaker}


def lhotse(folder: Path, prompts: Prompts) -> None:
    in_wavs(folder, prompts)
    with gzip.open(folder / "voice_recordings.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(recording_of(prompt)) + "\n" for prompt in prompts)
    with gzip.open(folder / "voice_supervisions.jsonl.gz", "wt") as file:
        rows = zip(prompts, SPEAKERS, strict=True)
        file.writelines(json.dumps(supervision_of(prompt, speaker)) + "\n" for prompt, speaker in rows)


def shar(folder: Path, prompts: Prompts) -> None:
    folder.mkdir(parents=True)
    with (
        tarfile.open(folder / "recording.000000.tar", "w") as tar,
        gzip.open(folder / "cuts.000000.jsonl.gz", "wt") as cuts,
    ):
        for prompt, speaker in zip(prompts, SPEAKERS, strict=True):
            tar.add(prompt.audio, f"{prompt.id}.wav")
            duration = recording_of(prompt)["duration"]
            cut = {"id": prompt.id, "start": 0, "duration": duration, "supervisions": [supervision_of(prompt, speaker)]}
            cuts.write(json.dumps(cut) + "\n")


def parts(folder: Path, prompts: Prompts) -> None:
    in_wavs(folder, prompts)
    write_lines(folder / "train.txt", (f"wavs/{prompt.id}.wav|{prompt.text}" for prompt in prompts[:4]))
    write_lines(folder / "val.txt", (f"wavs/{prompt.id}.wav|{prompt.text}" for prompt in prompts[4:]))


def embedded(folder: Path, prompts: Prompts) -> None:
    folder.mkdir()
    audio = [{"bytes": prompt.audio.read_bytes(), "path": f"{prompt.id}.wav"} for prompt in prompts]
    rows = {"audio": audio, "text": [prompt.text for prompt in prompts], "speaker": SPEAKERS}
    pd.DataFrame(rows).to_parquet(folder / "train-00000-of-00001.parquet")


def common_voice(folder: Path, prompts: Prompts) -> None:
    in_wavs(folder, prompts, place="clips", suffix=".mp3")
    head = "client_id\tpath\tsentence\tup_votes\tgender\tlocale"
    rows = [f"{s}\t{p.id}.mp3\t{p.text}\t2\t\ten" for p, s in zip(prompts, SPEAKERS, strict=True)]
    write_lines(folder / "validated.tsv", [head, *rows])
    write_lines(folder / "train.tsv", [head, *rows[:3]])
    write_lines(folder / "invalidated.tsv", [head, rows[0].replace(prompts[0].text, "something else")])


def two_columns(p: Prompt, _speaker: str) -> list[str]:
    return [p.id, p.text]


LAYOUTS: dict[str, tuple[Callable[[Path, Prompts], None], str, bool]] = {
    "two columns": (table(two_columns), "table", False),
    "three columns": (table(lambda p, _: [p.id, f"Raw: {p.text}", p.text]), "table", False),
    "third column empty": (table(lambda p, _: [p.id, p.text, ""]), "table", False),
    "header file_name": (
        table(lambda p, _: [f"wavs/{p.id}.wav", p.text], header=["file_name", "text"]),
        "audiofolder",
        False,
    ),
    "header of LJSpeech": (
        table(lambda p, _: [p.id, p.text.upper(), p.text], header=["id", "text", "normalized_text"]),
        "table",
        False,
    ),
    "header of XTTS": (
        table(
            lambda p, s: [f"wavs/{p.id}.wav", p.text, s],
            header=["audio_file", "text", "speaker_name"],
            file="metadata_train.csv",
        ),
        "table",
        True,
    ),
    "header in a language of its own": (
        table(two_columns, delimiter=";", header=["Datei", "Satz"], place="."),
        "table",
        False,
    ),
    "quoted commas": (table(two_columns, delimiter=",", quoting=csv.QUOTE_MINIMAL), "table", False),
    "plain commas": (table(two_columns, delimiter=","), "table", False),
    "tabs": (table(two_columns, delimiter="\t", file="list.tsv"), "table", False),
    "quoted semicolons": (table(two_columns, delimiter=";", quoting=csv.QUOTE_ALL, file="list.txt"), "table", False),
    "spaces": (table(two_columns, delimiter=" ", file="transcript.txt"), "table", False),
    "colons": (table(lambda p, _: [p.id, f" {p.text}"], delimiter=":", file="transcript.txt"), "table", False),
    "upper-case suffix": (table(lambda p, _: [f"wavs/{p.id}.wav", p.text], suffix=".WAV"), "table", False),
    "upper-case suffix in the list": (table(lambda p, _: [f"{p.id}.WAV", p.text]), "table", False),
    "other case": (table(lambda p, _: [p.id.upper(), p.text]), "table", False),
    "Windows' separators": (table(lambda p, _: [f"wavs\\{p.id}.wav", p.text]), "table", False),
    "beside the list": (table(two_columns, place=".", file="list.txt"), "table", False),
    "folder of another machine": (table(lambda p, _: [f"DUMMY1/{p.id}.wav", p.text]), "table", False),
    "piper": (table(lambda p, s: [p.id, s, p.text]), "table", True),
    "XTTS": (table(lambda p, s: [f"wavs/{p.id}.wav", p.text, s]), "table", True),
    "XTTS with @": (table(lambda p, s: [f"wavs/{p.id}.wav", p.text, f"@{s}"]), "table", True),
    "piper with languages": (table(lambda p, s: [p.id, s, "en", p.text]), "table", True),
    "VITS with languages last": (table(lambda p, s: [f"{p.id}.wav", p.text, s, "en-us"]), "table", True),
    "text first": (table(lambda p, _: [p.text, p.id]), "table", False),
    "JSON lines": (
        objects(lambda p, s: {"audio_filepath": f"wavs/{p.id}.wav", "text": p.text, "speaker": s}, "train.jsonl"),
        "table",
        True,
    ),
    "JSON": (
        objects(lambda p, s: {"path": f"{p.id}.wav", "sentence": p.text, "speaker_id": s}, "a.json"),
        "table",
        True,
    ),
    "Parquet": (objects(lambda p, s: {"file": p.id, "transcript": p.text, "spk": s}, "a.parquet"), "table", True),
    "Parquet with recordings inside": (embedded, "table", True),
    "audiofolder": (
        objects(lambda p, _: {"file_name": f"wavs/{p.id}.wav", "transcription": p.text}, "metadata.jsonl"),
        "audiofolder",
        False,
    ),
    "columns of no use": (
        table(
            lambda p, s: [p.id, "2.5", p.text, s, "female"],
            header=["id", "duration", "transcript", "speaker", "gender"],
            delimiter=",",
            quoting=csv.QUOTE_ALL,
        ),
        "table",
        True,
    ),
    "Festival": (table(lambda p, _: [f'( {p.id} "{p.text}" )'], file="txt.done.data"), "table", False),
    "two lists": (parts, "table", False),
    "Common Voice": (common_voice, "common_voice", True),
    "text files": (text_files, "text_files", False),
    "folders of speakers": (speakers_folders, "text_files", True),
    "VCTK": (vctk, "vctk", True),
    "LibriTTS": (libritts, "libritts", True),
    "LibriSpeech": (librispeech, "librispeech", True),
    "Kaldi": (kaldi, "kaldi", True),
    "lhotse": (lhotse, "lhotse", True),
    "Shar": (shar, "shar", True),
}
"""How the folder is made, what it is then, and whether it says who speaks."""


@pytest.mark.parametrize("name", LAYOUTS)
def test_recordings_are_read_from_their_layout(name: str, recorded: Prompts, tmp_path: Path) -> None:
    make, layout, with_speakers = LAYOUTS[name]
    folder = tmp_path / "voice"
    make(folder, recorded)
    (reading,) = readings(Tree(folder), None, Data.model_fields["table"].default)
    assert (reading.layout, reading.sure) == (layout, True)

    found = offered(folder, tmp_path / "scratch")
    assert not [finding for finding in found.findings if finding.kind.severity != "note"]
    clips = sorted(found.clips, key=lambda clip: clip.id.partition("clip-")[2])
    assert [clip.text for clip in clips] == [prompt.text for prompt in recorded]
    assert [clip.speaker for clip in clips] == (SPEAKERS if with_speakers else ["voice"] * 6)
    assert {clip.language for clip in clips} == {"en"}
    for clip, prompt in zip(clips, recorded, strict=True):
        assert np.array_equal(read_pcm(clip.audio)[0], read_pcm(prompt.audio)[0])

    again = offered(folder, tmp_path / "scratch", layout=layout, table=reading.table.model_dump())
    assert again.clips == found.clips  # as the preset says it


def test_segments_of_long_recordings_are_cut_out(recorded: Prompts, tmp_path: Path) -> None:
    folder = tmp_path / "voice"
    kaldi(folder, recorded)
    samples, rate = read_pcm(recorded[0].audio)
    half = len(samples) / rate / 2
    texts = ["first One", "second Two", "third Three", "fourth Four", "fifth Five"]
    write_lines(folder / "data/text", texts)
    spans = [f"clip-1 0 {half}", f"clip-1 {half} -1", "clip-1 0 1000", "clip-1 2 1", "clip-9 0 1"]
    lines = [f"{text.split()[0]} {span}" for text, span in zip(texts, spans, strict=True)]
    write_lines(folder / "data/segments", lines)
    found = offered(folder, tmp_path / "scratch")
    cut = {clip.id: read_pcm(clip.audio)[0] for clip in found.clips}
    assert np.array_equal(np.concatenate([cut["first"], cut["second"]]), samples)
    errors = {(finding.kind.name, finding.id) for finding in found.findings if finding.kind.severity == "error"}
    assert errors == {("beyond_end", "third"), ("broken_row", "fourth"), ("missing_audio", "fifth")}


def test_commands_of_lists_are_named_and_never_run(recorded: Prompts, tmp_path: Path) -> None:
    folder, mark = tmp_path / "voice", tmp_path / "was-run"
    kaldi(folder, recorded)
    write_lines(folder / "data/wav.scp", [f"clip-1 touch {mark} |", "clip-2 audio/clip-2.wav"])
    found = offered(folder, tmp_path / "scratch")
    assert [clip.id for clip in found.clips] == ["clip-2"]
    assert [(finding.id, finding.row) for finding in found.findings if finding.kind.name == "pipe"] == [("clip-1", 1)]
    manifests = tmp_path / "manifests"
    lhotse(manifests, recorded)
    source = {"type": "command", "channels": [0], "source": f"touch {mark}"}
    with gzip.open(manifests / "voice_recordings.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({**recording_of(prompt), "sources": [source]}) + "\n" for prompt in recorded)
    found = offered(manifests, tmp_path / "scratch")
    assert not found.clips
    assert sum(finding.kind.name == "pipe" for finding in found.findings) == 6
    assert not mark.exists()
