"""A mended copy of recordings with every fault that can be put right."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import soundfile as sf

from common.files import folder_digests
from configs.schema import Data
from data.audio import read_pcm
from data.building import build_corpus
from data.corpus import read_corpus
from data.fixing import CHANGES, LOUDNESS, SILENCE_KEPT, FixRefused, fix
from data.sources import SOURCES
from data.sources.base import Offer, OfferOf, SourceClip


def data_of(folder: Path) -> Data:
    return Data(source="recordings", path=str(folder), languages=["en"], batch_size=4)


@pytest.fixture
def faulty(ljspeech: Path) -> Path:
    """The six prompts, five of which have a fault, and three more clips that nothing can mend."""
    wavs = ljspeech / "wavs"
    rows = (ljspeech / "metadata.csv").read_text().splitlines()
    samples, rate = sf.read(wavs / "clip-1.wav")
    sf.write(wavs / "clip-1.wav", np.concatenate([np.zeros(4 * rate), samples, np.zeros(4 * rate)]), rate)
    samples, rate = sf.read(wavs / "clip-2.wav")
    sf.write(wavs / "clip-2.wav", samples / 50, rate)
    samples, rate = sf.read(wavs / "clip-3.wav")
    sf.write(wavs / "clip-3.wav", samples / 2 + 0.3, rate)
    samples, rate = sf.read(wavs / "clip-4.wav")
    sf.write(wavs / "clip-4.wav", np.stack([samples, -samples], axis=1)[::2], rate // 2)
    rows[4] = "clip-5|cafÃ© \u00a0 itâ€™s"
    (wavs / "again.wav").write_bytes((wavs / "clip-6.wav").read_bytes())
    (wavs / "torn.wav").write_bytes((wavs / "clip-6.wav").read_bytes()[:20000])
    sf.write(wavs / "quiet.wav", np.zeros(rate), rate)
    rows += ["again|Hello.", "torn|Hello.", "quiet|Hello.", "mute|", "absent|Hello."]
    (wavs / "mute.wav").write_bytes((wavs / "clip-6.wav").read_bytes()[:-2000] + bytes(2000))
    (ljspeech / "metadata.csv").write_text("\n".join(rows), encoding="utf-8")
    return ljspeech


def test_fixing_puts_right_what_can_be(faulty: Path, tmp_path: Path) -> None:
    before, copy = folder_digests(faulty), tmp_path / "copy"
    fixed = fix(data_of(faulty), copy)
    assert folder_digests(faulty) == before
    assert (fixed.offered, fixed.clips, fixed.sample_rate) == (10, 6, 16000)
    done = {(finding.id, finding.kind.name): finding for finding in fixed.findings}
    assert {id: kind for id, kind in done if not id.startswith("clip")} == {
        "again": "same_recording",
        "torn": "cut_off",
        "quiet": "nothing_to_hear",
        "mute": "no_text",
        "absent": "missing_audio",
    }
    assert done["again", "same_recording"].found == "the same as clip-6"
    for id, kind, found in (
        ("clip-1", "silence_trimmed", r"[89]\.\d\d s at the ends"),
        ("clip-2", "loudness_changed", r"-[45]\d\.\d dBFS"),
        ("clip-3", "offset_removed", r"0\.300 of full scale"),
        ("clip-4", "cancelling_channels", "the channels cancel"),
        ("clip-4", "resampled", "8000 Hz"),
        ("clip-5", "text_mended", "'cafÃ©"),
    ):
        assert re.match(found, done[id, kind].found), done[id, kind]
    rows = dict(row.split("|") for row in (copy / "metadata.csv").read_text("utf-8").splitlines())
    assert list(rows) == [f"clip-{number}" for number in range(1, 7)]
    assert rows["clip-5"] == "café it’s"
    with open(copy / CHANGES, encoding="utf-8", newline="") as file:
        assert [(row["id"], row["kind"]) for row in csv.DictReader(file)] == list(done)

    for path in (copy / "wavs").iterdir():
        pcm, rate = read_pcm(path)
        assert rate == 16000
        assert np.abs(pcm.astype(int)).max() < 32767
        power_t = np.square(pcm[: len(pcm) // 160 * 160].reshape(-1, 160) / 32768).mean(axis=1)
        heard_t = power_t > max(power_t.max() / 1e4, 1e-6)
        loudness = 10 * np.log10(power_t[heard_t].mean())
        assert loudness <= LOUDNESS + 1
        assert loudness == pytest.approx(LOUDNESS, abs=1) or np.abs(pcm / 32768).max() > 0.9
        assert np.argmax(heard_t) * 0.01 <= SILENCE_KEPT + 0.011
        assert abs(pcm.mean()) < 100


def test_fixed_recordings_have_nothing_left_to_fix(faulty: Path, tmp_path: Path) -> None:
    fix(data_of(faulty), tmp_path / "once")
    fixed = fix(data_of(tmp_path / "once"), tmp_path / "twice")
    assert not [finding for finding in fixed.findings if finding.kind.name != "loudness_changed"]
    digests = [folder_digests(tmp_path / name / "wavs") for name in ("once", "twice")]
    changed = {finding.id for finding in fixed.findings}
    assert all(digests[1][name] == digest for name, digest in digests[0].items() if Path(name).stem not in changed)
    build_corpus(data_of(tmp_path / "twice"), tmp_path / "corpus")
    assert all(clip.duration for clip in read_corpus(tmp_path / "corpus"))


def test_recordings_without_a_fault_stay_the_same_to_the_bit(ljspeech: Path, tmp_path: Path) -> None:
    fix(data_of(ljspeech), tmp_path / "once")
    fixed = fix(data_of(tmp_path / "once"), tmp_path / "twice")
    assert not fixed.findings
    once, twice = (folder_digests(tmp_path / name) for name in ("once", "twice"))
    assert {name for name in once if once[name] != twice[name]} == {CHANGES, "ATTRIBUTION.md"}


def test_speakers_and_languages_of_a_fixed_copy_are_columns(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [
        SourceClip(clip.id, clip.text, "en" if number % 2 else "fr", f"Ann|{number % 3}", clip.path)
        for number, clip in enumerate(read_corpus(prompts))
    ]
    monkeypatch.setitem(cast(dict[str, OfferOf], SOURCES), "recordings", lambda *_: Offer(clips, "By nobody."))
    copy = tmp_path / "copy"
    fix(data_of(prompts), copy)
    header, *rows = [row.split("|") for row in (copy / "metadata.csv").read_text().splitlines()]
    assert header == ["file_name", "text", "speaker_name", "language"]
    assert [row[2:] for row in rows[:3]] == [["Ann 0", "fr"], ["Ann 1", "en"], ["Ann 2", "fr"]]
    assert all((copy / row[0]).is_file() for row in rows)


def test_what_cannot_be_fixed_leaves_nothing(ljspeech: Path, tmp_path: Path) -> None:
    with pytest.raises(FixRefused, match="is there already"):
        fix(data_of(ljspeech), tmp_path)
    with pytest.raises(FixRefused, match="lies in"):
        fix(data_of(ljspeech), ljspeech / "copy")
    for path in (ljspeech / "wavs").iterdir():
        path.write_bytes(b"")
    before = list(tmp_path.iterdir())
    with pytest.raises(FixRefused, match="of 6 clips none can be mended: empty_audio 6"):
        fix(data_of(ljspeech), tmp_path / "copy")
    assert list(tmp_path.iterdir()) == before
