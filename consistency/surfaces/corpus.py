"""Manifests of corpora against their audio files and the presets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import soundfile as sf

from configs.schema import Config
from consistency.surfaces.payloads import PayloadsSurface
from consistency.surfaces.surface import Statement
from data.corpus import RECORDINGS, SUPERVISIONS


class CorpusSurface(PayloadsSurface):
    """The corpora of presets."""

    kind = "corpus"

    def read_folder(self, folder: Path, where: str, config: Config) -> Iterator[Statement]:
        """Languages and sample rates, and every recording that is not what the manifest says."""

        def statement(file: str, fact: str, stated: object, true: object, agrees: bool) -> Statement:
            return Statement(self.kind, f"{where}/{file}", fact, str(stated), str(true), agrees)

        try:
            recordings, supervisions = _read_lines(folder / RECORDINGS), _read_lines(folder / SUPERVISIONS)
        except (OSError, ValueError) as error:
            yield statement(RECORDINGS, "manifest", error, "a manifest in JSON lines", False)
            return
        languages = sorted({supervision["language"] for supervision in supervisions})
        wanted = sorted(config.data.languages)
        yield statement(SUPERVISIONS, "languages", languages, wanted, set(languages) <= set(wanted))
        for recording in recordings:
            source = recording["sources"][0]["source"]
            try:
                info = sf.info(folder / source)
            except (OSError, sf.SoundFileError):
                yield statement(source, "file", "missing or unreadable", "an audio file", False)
                continue
            for fact, true in (("sampling_rate", info.samplerate), ("num_samples", info.frames)):
                if recording[fact] != true:
                    yield statement(f"{RECORDINGS} ({recording['id']})", fact, recording[fact], true, False)
        rates = sorted({recording["sampling_rate"] for recording in recordings})
        lowest = int(config.validation.sample_rate.min or 0)
        yield statement(RECORDINGS, "sample_rate", rates, f"at least {lowest}", min(rates, default=0) >= lowest)


def _read_lines(manifest: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
