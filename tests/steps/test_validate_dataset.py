"""A corpus that is not fit to train on stops a run before anything expensive starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import yaml

from common import ROOT
from data.corpus import read_corpus
from tests.pipelines.clone import Clone


@pytest.mark.pipeline
def test_a_faulty_corpus_stops_at_validation_with_every_fault_named(smoke_corpus: Path, tmp_path: Path) -> None:
    clone, wavs = Clone(tmp_path / "checkout"), tmp_path / "faulty" / "wavs"
    wavs.mkdir(parents=True)
    rows = []
    for clip in read_corpus(smoke_corpus)[:8]:
        samples, rate = sf.read(clip.path, dtype="int16")
        sf.write(wavs / f"{clip.id}.wav", samples, rate)
        rows.append([clip.id, clip.text])
    truncated, silent, empty, copied, original = (rows[k][0] for k in range(5))
    whole = (wavs / f"{truncated}.wav").read_bytes()
    (wavs / f"{truncated}.wav").write_bytes(whole[: len(whole) // 2])
    sf.write(wavs / f"{silent}.wav", np.zeros(32000), 16000)
    rows[2][1] = ""
    (wavs / f"{copied}.wav").write_bytes((wavs / f"{original}.wav").read_bytes())
    (wavs.parent / "metadata.csv").write_text("".join(f"{name}|{text}\n" for name, text in rows))
    content = yaml.safe_load((ROOT / "configs/smoke.yaml").read_text())
    content["data"] |= {"source": "recordings", "path": str(wavs.parent), "max_clips": None}
    (clone.folder / "configs/faulty.yaml").write_text(yaml.safe_dump(content))

    error = clone.myxtts("run", "faulty", code=1)
    for name in (truncated, silent, empty):
        assert name in error
    assert copied in error or original in error
    assert "in 4 of 8 clips (50%)" in error
    assert "Traceback" not in error
    assert (clone.folder / "reports/faulty/validation/data_docs/index.html").exists()
    assert not (clone.folder / "checkpoints/faulty").exists()
    assert not list((clone.folder / ".work").glob("train_model*"))
    assert clone.myxtts("models").startswith("No model is registered yet")
