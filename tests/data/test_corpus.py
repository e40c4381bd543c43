from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from lhotse import RecordingSet, SupervisionSet

from data.audio import read_pcm
from data.corpus import RECORDINGS, SUPERVISIONS, CorpusError, read_corpus


@pytest.fixture
def corpus(prompts: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prompts, tmp_path / "corpus"))


def test_a_corpus_is_read_as_it_was_recorded(prompts: Path) -> None:
    clips = read_corpus(prompts)
    assert [clip.id for clip in clips] == sorted({clip.id for clip in clips})
    assert len(clips) == 6
    for clip in clips:
        samples, rate = read_pcm(clip.path)
        assert clip.path.is_absolute()
        assert (clip.sample_rate, clip.num_samples) == (rate, len(samples))
        assert clip.duration == pytest.approx(len(samples) / rate)


def test_a_corpus_is_read_as_lhotse_reads_it(prompts: Path) -> None:
    recordings = {recording.id: recording for recording in RecordingSet.from_jsonl(prompts / RECORDINGS)}
    supervisions = list(SupervisionSet.from_jsonl(prompts / SUPERVISIONS))
    for clip, said in zip(read_corpus(prompts), supervisions, strict=True):
        recording = recordings[said.recording_id]
        assert (clip.id, clip.text, clip.language, clip.speaker) == (said.id, said.text, said.language, said.speaker)
        assert clip.path == prompts.resolve() / recording.sources[0].source
        assert (clip.duration, clip.sample_rate) == (recording.duration, recording.sampling_rate)
        assert clip.num_samples == recording.num_samples


def test_a_folder_without_a_corpus_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as error:
        read_corpus(tmp_path)
    assert str(error.value).splitlines() == [
        f"{tmp_path / name}: not found; the folder holds no corpus" for name in (RECORDINGS, SUPERVISIONS)
    ]


def test_every_malformed_line_of_a_corpus_is_named(corpus: Path) -> None:
    lines = (corpus / SUPERVISIONS).read_text().splitlines()
    without_text = json.loads(lines[1])
    del without_text["text"]
    lines[1], lines[3], lines[4] = json.dumps(without_text), lines[3][:-5], "[]"
    (corpus / SUPERVISIONS).write_text("\n".join(lines))
    with pytest.raises(CorpusError) as error:
        read_corpus(corpus)
    problems = str(error.value).splitlines()
    manifest = corpus / SUPERVISIONS
    assert problems[0] == f"{manifest}, line 2: lacks text"
    assert problems[1].startswith(f"{manifest}, line 4: ")
    assert problems[2] == f"{manifest}, line 5: lacks id, language, recording_id, speaker, text"


def test_a_text_without_a_recording_in_the_corpus_is_named(corpus: Path) -> None:
    first, *others = (corpus / RECORDINGS).read_text().splitlines()
    (corpus / RECORDINGS).write_text("\n".join(others))
    with pytest.raises(CorpusError, match=f"supervisions.jsonl: .*recordings.jsonl has no '{json.loads(first)['id']}'"):
        read_corpus(corpus)
