"""The one schema of a preset: every setting, its unit and its meaning.

A preset is a YAML file in this folder. Nothing else in the project decides a value, and no key that is not declared
here is accepted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from common.errors import Unanswerable
from configs.languages import known_language

FOLDER = Path(__file__).parent
GATES = FOLDER / "gates.yaml"

Language = Annotated[str, AfterValidator(known_language)]
"""What can be read and spoken: a code that espeak-ng knows."""

Source = Literal["debian_prompts", "debian_voices", "recordings", "espeak"]
"""Where speech can come from: the modules of `data.sources`."""

Layout = Literal[
    "table", "audiofolder", "common_voice", "text_files", "vctk", "libritts", "librispeech", "kaldi", "lhotse", "shar"
]
"""How people lay out recordings and their texts; see `data.sources.recordings`."""


Balance = Literal["clips", "speakers", "languages"]
"""What is seen equally often in training."""

WHISPER_BASE, POCKETSPHINX = "whisper-base", "pocketsphinx"
"""The recognisers that are installed."""


class ConfigError(Unanswerable, ValueError):
    """Every problem of a preset at once, one per line."""


class Section(BaseModel):
    """Settings that belong together: they cannot be changed, and no others are accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Bounds(Section):
    """A closed interval of accepted values and what happens outside it."""

    min: float | None = None
    max: float | None = None
    severity: Literal["error", "warning", "note"] = Field(
        "error", description="`error`: the clip is not to be learned from, see `data.on_error`; the others are reported"
    )


Column = str | int
"""Of a table: its name in the header, or its number from 1."""


class Table(Section):
    """How a list of recordings is to be read; what is null is seen from the list itself."""

    files: list[str] | None = Field(None, description="lists that are read, one after another, relative to data.path")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="between columns of text files")
    header: bool | None = Field(None, description="whether the first row names the columns")
    quoting: bool | None = Field(None, description='whether fields may stand in "quotes"')
    encoding: str | None = Field(None, description="of text files, as Python calls it")
    fix_encoding: bool = Field(False, description="repair texts that were read in a wrong encoding when they were made")
    audio: Column | None = Field(None, description="column with the name of the file")
    text: Column | None = Field(None, description="column with what is said; another text column fills its gaps")
    speaker: Column | None = Field(None, description="column with the speaker's name")
    language: Column | None = Field(None, description="column with the language")


class Data(Section):
    """Which recordings are learned from, and how they are divided."""

    source: Source = Field(
        description="where speech comes from: Debian's recorded telephone prompts, all people in Debian's packages, "
        "recordings of one's own, or espeak-ng reading a list of sentences (synthetic)"
    )
    path: str | None = Field(
        None,
        description="`recordings`: folder with audio and texts, or a list in it; `espeak`: text file, a sentence a "
        "line; relative to the checkout, `~` is the home folder",
    )
    layout: Layout | None = Field(None, description="`recordings`: how they are laid out; null: seen from the folder")
    table: Table = Table()
    languages: list[Language] = Field(min_length=1, description="codes that espeak-ng knows, such as en, pt-br, cmn")
    speakers: list[str] | None = Field(
        None, min_length=1, description="`debian_voices`: only these people, as `fr_FR_m_PaulK`; null: all"
    )
    max_clips: int | None = Field(None, ge=4, description="keep only this many clips of each language; null: all")
    validation_percent: int = Field(4, ge=0, le=40, description="clips held out to watch the training, %")
    test_percent: int = Field(14, ge=1, le=40, description="clips held out to listen to after training, %")
    cut_above_seconds: float = Field(
        60.0, ge=60, description="longer recordings become clips by voice activity and their text, s"
    )
    max_piece_seconds: float = Field(8.0, gt=1, description="longer clips are cut at pauses for training, s")
    on_error: Literal["stop", "drop"] = Field(
        "stop", description="clips that break a bound of severity error: `stop` the run, or `drop` them and go on"
    )
    balance: Balance = Field(
        "clips",
        description="what training sees equally often: each clip, each speaker, or each language",
    )
    max_dropped_percent: float = Field(
        20.0, ge=0, le=100, description="with `drop`: clips that may be left out before the run stops all the same, %"
    )
    batch_size: int | None = Field(None, ge=1, description="clips in a training batch; null: count frames instead")
    batch_frames: int | None = Field(None, ge=100, description="padded mel frames in a training batch")

    @field_validator("source", mode="before")
    @classmethod
    def _recordings_of_ones_own(cls, source: object) -> object:
        if source == "ljspeech":
            raise ValueError("write `source: recordings`, which reads the LJSpeech format among others")
        return source

    @model_validator(mode="after")
    def _one_measure_of_a_batch(self) -> Data:
        if (self.batch_size is None) == (self.batch_frames is None):
            raise ValueError("set exactly one of batch_size and batch_frames")
        if self.source.startswith("debian_") == (self.path is not None):
            raise ValueError(
                "path must be null for debian_prompts and debian_voices, and is needed for any other source"
            )
        if self.speakers is not None and self.source != "debian_voices":
            raise ValueError(f"speakers can be chosen for debian_voices only, and source is {self.source}")
        return self


class Audio(Section):
    """How sound becomes log-mels."""

    sample_rate: int = Field(gt=0, description="Hz")
    n_fft: int = Field(gt=0, description="samples in a Fourier window")
    hop_length: int = Field(gt=0, description="samples between frames")
    n_mels: int = Field(gt=0, description="mel bands")
    fmin: float = Field(40.0, ge=0, description="lowest band edge, Hz")
    fmax: float = Field(8000.0, gt=0, description="highest band edge, Hz")
    trim_db: float = Field(38.0, gt=0, description="silence at the ends is what lies this far below the peak, dB")


class Validation(Section):
    """What a clip must be to be trained on; see `data.clip_measures` for how each column is measured."""

    duration: Bounds = Bounds(min=0.2, max=90.0)
    sample_rate: Bounds = Bounds(min=16000)
    rate_ratio: Bounds = Bounds(min=1.0, max=1.0, severity="warning")
    peak: Bounds = Bounds(min=0.02)
    dc_offset: Bounds = Bounds(max=0.02, severity="warning")
    clipping: Bounds = Bounds(max=0.01)
    silence: Bounds = Bounds(max=0.9)
    leading_silence: Bounds = Bounds(max=1.5, severity="warning")
    trailing_silence: Bounds = Bounds(max=1.5, severity="warning")
    loudness: Bounds = Bounds(min=-45.0, max=-6.0, severity="warning")
    snr: Bounds = Bounds(min=15.0, severity="warning")
    bandwidth: Bounds = Bounds(min=4500.0, severity="warning")
    hum: Bounds = Bounds(max=-25.0, severity="warning")
    text_length: Bounds = Bounds(min=1, max=1500)
    unknown_characters: Bounds = Bounds(max=0)
    speech_rate: Bounds = Bounds(min=1.5, max=30.0, severity="warning")
    phone_length: Bounds = Bounds(min=25.0)
    tempo: Bounds = Bounds(min=-5.0, max=5.0, severity="warning")
    row_shift: Bounds = Bounds(min=0, max=0)
    duplicate_audio: Bounds = Bounds(max=0)
    duplicate_text: Bounds = Bounds(max=0, severity="note")


class Model(Section):
    """The network of the voice cloner."""

    text_vocab_size: int = Field(gt=0, description="symbols of the tokenizer")
    text_encoder_dim: int = Field(gt=0)
    text_encoder_layers: int = Field(gt=0)
    text_encoder_heads: int = Field(gt=0)
    audio_encoder_dim: int = Field(gt=0)
    audio_encoder_layers: int = Field(gt=0)
    audio_encoder_heads: int = Field(gt=0)
    decoder_dim: int = Field(gt=0)
    decoder_layers: int = Field(gt=0)
    decoder_heads: int = Field(gt=0)
    feed_forward_ratio: int = Field(4, gt=0, description="width of the feed-forward layers over the model width")
    speaker_embedding_dim: int = Field(gt=0)
    n_mels: int = Field(gt=0, description="mel bands in and out")
    prenet_dim: int = Field(256, gt=0)
    postnet_dim: int = Field(256, gt=0)
    reduction_factor: int = Field(3, ge=1, description="mel frames made in a decoder step")
    path_width: float = Field(0.7, gt=0, description="deviation of the attention bias around the path, tokens")
    dropout: float = Field(0.1, ge=0, lt=1, description="after every feed-forward layer, while training")
    prenet_dropout: float = Field(0.5, ge=0, lt=1, description="in the prenet, while training")
    use_voice_conditioning: bool = Field(True, description="decoder layers attend to the reference recording")
    voice_conditioning_layers: int = Field(ge=0, description="how many decoder layers, from the first, attend to it")
    reference_frames: int = Field(96, ge=4, multiple_of=4, description="mel frames of the reference that are heard")


class Train(Section):
    """How the voice cloner learns."""

    steps: int = Field(gt=0, description="optimizer steps")
    learning_rate: float = Field(1e-3, gt=0)
    warmup_steps: int = Field(100, ge=0)
    weight_decay: float = Field(0.05, ge=0, description="on matrices")
    clip_norm: float = Field(1.0, gt=0, description="largest gradient norm")
    gradient_checkpointing: bool = Field(False, description="recompute activations to save memory")
    log_every: int = Field(10, ge=1, description="steps between rows of the training curve")
    validate_every: int = Field(100, ge=1, description="steps between losses on the validation clips")


class Vocoder(Section):
    """How the vocoder learns."""

    pitch_steps: int = Field(800, ge=1, description="optimizer steps of the network that reads pitch from mels")
    filter_steps: int = Field(850, ge=1, description="optimizer steps of the network that shapes pulses and noise")
    learning_rate: float = Field(3e-3, gt=0, description="of both networks, at its highest")
    batch_size: int = Field(12, ge=1, description="segments in a batch")
    segment_frames: int = Field(48, ge=16, description="length of a segment, mel frames")


class Evaluation(Section):
    """What is spoken and listened to after training."""

    sentences: int = Field(ge=1, description="held-out sentences to listen to, at most")
    far_sentences: int = Field(ge=1, le=100, description="sentences far from the corpus' domain to listen to, at most")
    hard_sentences: int = Field(
        ge=1, le=200, description="at most; digits, names, letters, long lines: does speech always end?"
    )
    audio_examples: int = Field(6, ge=1, description="sentences whose audio and pictures are kept in the registry")
    recogniser: str = Field(
        WHISPER_BASE,
        min_length=1,
        description="who writes down what is heard: `whisper-base` (99 languages), `pocketsphinx` (English), or a "
        "folder of faster-whisper",
    )


class Goals(Section):
    """What a model is to reach; nothing that is made depends on it."""

    voice_similarity_threshold: float = Field(
        0.75, ge=0, le=1, description="speaker similarity (cosine) that a cloned voice is to reach"
    )


class TrainingConfig(Section):
    """The settings that decide a checkpoint; they travel in its header."""

    seed: int = Field(ge=0, description="of everything that is drawn")
    threads: int = Field(ge=1, description="CPU threads of the training; it decides the last bits of the result")
    data: Data
    audio: Audio
    model: Model
    train: Train


class Config(TrainingConfig):
    """A whole preset."""

    validation: Validation = Validation()
    vocoder: Vocoder = Vocoder()
    evaluation: Evaluation
    goals: Goals = Goals()


AnyConfig = TypeVar("AnyConfig", bound=BaseModel)


def presets() -> list[str]:
    """Names of the presets in this folder."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path != GATES)


def preset_path(name: str) -> Path:
    """The file of the preset called `name`; `ConfigError` names the nearest if there is none."""
    if name not in presets():
        raise ConfigError(f"{name!r} is not a preset{_nearest(name, presets())}; there are: {', '.join(presets())}")
    return FOLDER / f"{name}.yaml"


def load_config(preset: str | Path) -> Config:
    """Read a preset by name or file.

    Raises `ConfigError` with every problem: unknown keys with the nearest valid one, values of a wrong kind or out
    of range.
    """
    path = preset if isinstance(preset, Path) else preset_path(preset)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    return parse_config(Config, content, str(path))


def parse_config(kind: type[AnyConfig], content: Any, where: str) -> AnyConfig:
    """Check a mapping against the schema of `kind`; `where` is named in every problem."""
    if not isinstance(content, dict):
        raise ConfigError(f"{where}: expected a mapping of settings, found {type(content).__name__}")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        lines = [f"{where}: {_explain(kind, problem)}" for problem in error.errors()]
        raise ConfigError("\n".join(lines)) from None


def parse_setting(setting: str, preset: str) -> tuple[str, Any]:
    """Split `train.steps=200` into its key and its YAML value; the key must be one of the schema's."""
    key, separator, value = setting.partition("=")
    if not separator:
        raise ConfigError(f"--set {setting}: expected key=value, such as train.steps=200")
    known = list(_keys(Config))
    if key not in known:
        raise ConfigError(f"--set {setting}: {key!r} is not a setting of {preset}{_nearest(key, known)}")
    return key, yaml.safe_load(value)


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by dotted key."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """A line for each key by which two mappings differ."""
    return [
        f"{key} is {found.get(key, 'missing')}, expected {expected.get(key, 'none')}"
        for key in sorted(found.keys() | expected.keys())
        if found.get(key) != expected.get(key)
    ]


def _keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _explain(kind: type[BaseModel], problem: Any) -> str:
    *parents, last = [str(part) for part in problem["loc"]] or ["preset"]
    key = ".".join([*parents, last])
    if problem["type"] == "extra_forbidden":
        elsewhere = [known for known in _keys(kind) if known.endswith(f".{last}")]
        return f"{key} is not a setting{_nearest(key, elsewhere) or _nearest(last, _siblings(kind, parents))}"
    if problem["type"] == "missing":
        return f"{key} is missing"
    return f"{key} = {problem['input']!r}: {problem['msg'].removeprefix('Value error, ')}"


def _siblings(kind: type[BaseModel], parents: Sequence[str]) -> list[str]:
    section: Any = kind
    for name in parents:
        section = section.model_fields[name].annotation
    return list(section.model_fields)


def _nearest(name: str, valid: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, valid, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
