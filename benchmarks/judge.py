"""Whether a recogniser tells right from exchanged transcripts, in every language of Debian's prompts.

Of each language some recordings are heard. Their error rates against their own transcripts and against those of the
next recording are two samples; the AUC is how often one of the first is below one of the second, ties counting half.

    python -m benchmarks.judge --recogniser whisper-base
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from configs.schema import WHISPER_BASE, Data
from data.audio import read_audio
from data.building import build_corpus
from data.corpus import CorpusClip, read_corpus
from data.text import normalize
from evaluation.judges import error_rates, lengths
from evaluation.recognisers import Recogniser, recogniser, transcribe

RATE = 16000
LANGUAGES = ("en", "es", "fr", "it", "ru")
COLUMNS = ("language", "clips", "seconds", "cer", "cer_exchanged", "auc", "seconds_to_hear")


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recogniser", default=WHISPER_BASE)
    parser.add_argument("--clips", type=int, default=60, help="of each language")
    parsed = parser.parse_args()
    judge = recogniser(parsed.recogniser)
    print(judge.identity, file=sys.stderr)
    table = csv.DictWriter(sys.stdout, COLUMNS)
    table.writeheader()
    for row in rows(judge, parsed.clips):
        table.writerow(row)
        sys.stdout.flush()


def rows(judge: Recogniser, clips: int) -> Iterator[dict[str, object]]:
    """The table, a language at a time; those that the recogniser does not know are left out."""
    with tempfile.TemporaryDirectory() as folder:
        languages = [language for language in LANGUAGES if judge.hears(language)]
        build_corpus(
            Data.model_validate(
                {"source": "debian_prompts", "languages": languages, "max_clips": clips, "batch_size": 1}
            ),
            Path(folder, "corpus"),
        )
        corpus = read_corpus(Path(folder, "corpus"))
        for language in languages:
            yield row(judge, language, [clip for clip in corpus if clip.language == language])


def row(judge: Recogniser, language: str, clips: list[CorpusClip]) -> dict[str, object]:
    """How well the recogniser tells the transcripts of these clips from each other."""
    sounds = [read_audio(clip.path, RATE) for clip in clips]
    started = time.process_time()
    heard = [normalize(text, language) for text in transcribe(judge, sounds, [language] * len(clips), RATE)]
    seconds = time.process_time() - started
    texts = [normalize(clip.text, language) for clip in clips]
    exchanged = texts[1:] + texts[:1]
    right_n, wrong_n = (
        np.array([error_rates(text, words)[0] for text, words in zip(some, heard, strict=True)])
        for some in (texts, exchanged)
    )
    below_nn = right_n[:, None] - wrong_n
    return {
        "language": language,
        "clips": len(clips),
        "seconds": round(sum(map(len, sounds)) / RATE),
        "cer": f"{_mean(right_n, texts):.3f}",
        "cer_exchanged": f"{_mean(wrong_n, exchanged):.3f}",
        "auc": f"{((below_nn < 0) + 0.5 * (below_nn == 0)).mean():.4f}",
        "seconds_to_hear": f"{seconds / len(clips):.2f}",
    }


def _mean(rates_n: np.ndarray, texts: list[str]) -> float:
    return float(np.average(rates_n, weights=[lengths(text)[0] for text in texts]))


if __name__ == "__main__":
    main()
