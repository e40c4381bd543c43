"""Manifests of corpora against their audio files and the presets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import soundfile as sf

from configs.schema import Config
from consistency.surfaces.payloads import PayloadsSurface
from consistency.surfaces.surface import Statement
from data.corpus import RECORDINGS, SUPERVISIONS, CorpusError, read_corpus


class CorpusSurface(PayloadsSurface):
    """The corpora of presets."""

    kind = "corpus"

    def read_folder(self, folder: Path, where: str, config: Config) -> Iterator[Statement]:
        """Languages and sample rates, and every recording that is not what the manifest says."""

        def statement(file: str, fact: str, stated: object, true: object, agrees: bool) -> Statement:
            return Statement(self.kind, f"{where}/{file}", fact, str(stated), str(true), agrees)

        try:
            clips = read_corpus(folder)
        except CorpusError as error:
            yield statement(RECORDINGS, "manifest", error, "manifests in JSON lines", False)
            return
        languages = sorted({clip.language for clip in clips})
        wanted = sorted(config.data.languages)
        yield statement(SUPERVISIONS, "languages", languages, wanted, set(languages) <= set(wanted))
        # What could not be decoded has no samples in the manifest: that is for the validation to name.
        for clip in (clip for clip in clips if clip.num_samples):
            try:
                info = sf.info(clip.path)
            except (OSError, sf.SoundFileError):
                source = clip.path.relative_to(folder.resolve()).as_posix()
                yield statement(source, "file", "missing or unreadable", "an audio file", False)
                continue
            for fact, stated, true in (
                ("sampling_rate", clip.sample_rate, info.samplerate),
                ("num_samples", clip.num_samples, info.frames),
            ):
                if stated != true:
                    yield statement(f"{RECORDINGS} ({clip.id})", fact, stated, true, False)
        if config.data.on_error == "drop":  # a clip may be of any rate, and is left out then
            return
        rates = sorted({clip.sample_rate for clip in clips if clip.num_samples})
        lowest = int(config.validation.sample_rate.min or 0)
        yield statement(RECORDINGS, "sample_rate", rates, f"at least {lowest}", min(rates, default=0) >= lowest)
