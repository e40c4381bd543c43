"""Who states facts: a reader for each kind of surface, and what puts it right where one answer is right.

A surface that is not there states nothing.
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from common import edit
from configs.outs import MODEL_FILE, Outs
from configs.schema import Config, ConfigError, TrainingConfig, load_config, parse_config
from consistency.claims import Claim, agrees, restate
from consistency.documents import mend, read_document
from consistency.facts import facts, model_facts
from consistency.generated import GENERATED, differences, read_blocks, regenerate
from consistency.rules import Finding, check_config, check_model


@dataclass(frozen=True)
class Statement:
    """A fact as a surface states it, and as it is; what can be read in two ways carries a doubt and counts as true."""

    surface: str
    where: str
    fact: str
    stated: str
    true: str
    agrees: bool
    doubt: str = ""


@dataclass(frozen=True)
class Surface:
    """A kind of surface: what it states now, and how to mend it, if it can be."""

    kind: str
    read: Callable[[], Iterable[Statement]]
    mend: Callable[[], None] | None = None


def presets_surface(root: Path, presets: Sequence[str]) -> Surface:
    """Presets against the harmony rules."""
    paths = [root / "configs" / f"{preset}.yaml" for preset in presets]

    def read() -> Iterator[Statement]:
        for path in paths:
            where = path.relative_to(root).as_posix()
            config = _config(path)
            if isinstance(config, ConfigError):
                for problem in str(config).splitlines():
                    yield Statement(
                        "presets", where, "schema", problem.removeprefix(f"{path}: "), "a valid preset", False
                    )
                continue
            content = edit.read(path)
            for finding in check_config(config, path.stem):
                number = edit.line_of(content, finding.fact)
                yield _stated_by("presets", finding, f"{where}:{number}" if number else where)

    def mend_presets() -> None:
        for path in paths:
            while True:  # a width that is put right decides the heads
                config = _config(path)
                held = [] if isinstance(config, ConfigError) else check_config(config, path.stem)
                right = {f.fact: f.right for f in held if not f.agrees and f.right is not None}
                if not right:
                    break
                content = edit.read(path)
                edit.assign(content, right)
                edit.write(path, content)

    return Surface("presets", read, mend_presets)


def model_surface(root: Path, presets: Sequence[str]) -> Surface:
    """The networks that presets build against the presets."""

    def read() -> Iterator[Statement]:
        for preset, config in _valid(root, presets):
            for finding in check_model(config):
                yield _stated_by("model", finding, f"model of {preset}")

    return Surface("model", read)


def checkpoints_surface(root: Path, presets: Sequence[str], restore: Callable[[Path], None]) -> Surface:
    """Headers and tensors of the checkpoints against the presets; mended by `restore`, as `corpus_surface`."""

    def read(folder: Path, where: str, config: Config) -> Iterator[Statement]:
        yield from checkpoint_statements("checkpoint", folder / MODEL_FILE, f"{where}/{MODEL_FILE}", config)

    return _payloads("checkpoint", root, {p: Outs(p, root).checkpoints for p in presets}, read, restore)


def checkpoint_statements(surface: str, path: Path, where: str, config: TrainingConfig | None) -> Iterator[Statement]:
    """What a checkpoint's header and tensors say, beside what a preset says, or else its own header."""
    from model.checkpoint import CheckpointError, read_header, read_shapes
    from model.sizes import sizes

    try:
        header = parse_config(TrainingConfig, read_header(path)["settings"], where)
        shapes = read_shapes(path)
    except (CheckpointError, ConfigError) as error:
        yield Statement(surface, where, "file", str(error), "a checkpoint of this schema", False)
        return
    if config is not None:
        for section in ("audio", "model"):
            stated, true = getattr(header, section).model_dump(), getattr(config, section).model_dump()
            yield from _compared(surface, f"{where} (header)", stated, true)
    yield from _compared(surface, f"{where} (tensors)", sizes(shapes), model_facts((config or header).model))


def corpus_surface(root: Path, presets: Sequence[str], restore: Callable[[Path], None]) -> Surface:
    """Manifests of the corpora against their audio files and the presets.

    `restore` brings a preset's folder back as it was recorded.
    """
    return _payloads("corpus", root, {p: Outs(p, root).corpus for p in presets}, _corpus_statements, restore)


def _corpus_statements(folder: Path, where: str, config: Config) -> Iterator[Statement]:
    import soundfile as sf

    def statement(file: str, fact: str, stated: object, true: object, agrees: bool) -> Statement:
        return Statement("corpus", f"{where}/{file}", fact, str(stated), str(true), agrees)

    try:
        recordings, supervisions = (
            [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
            for name in ("recordings", "supervisions")
        )
    except (OSError, ValueError) as error:
        yield statement("recordings.jsonl", "manifest", error, "a manifest in JSON lines", False)
        return
    languages = sorted({supervision["language"] for supervision in supervisions})
    wanted = sorted(config.data.languages)
    yield statement("supervisions.jsonl", "languages", languages, wanted, set(languages) <= set(wanted))
    lowest = int(config.validation.sample_rate.min or 0)
    for recording in recordings:
        source = recording["sources"][0]["source"]
        try:
            info = sf.info(folder / source)
        except (OSError, sf.SoundFileError):
            yield statement(source, "file", "missing or unreadable", "an audio file", False)
            continue
        for fact, true in (("sampling_rate", info.samplerate), ("num_samples", info.frames)):
            if recording[fact] != true:
                yield statement(f"recordings.jsonl ({recording['id']})", fact, recording[fact], true, False)
    rates = sorted({recording["sampling_rate"] for recording in recordings})
    yield statement("recordings.jsonl", "sample_rate", rates, f"at least {lowest}", min(rates, default=0) >= lowest)


def features_surface(root: Path, folders: Mapping[str, Path]) -> Surface:
    """Features, by preset, against the presets: mels, tokens, and frames that add up.

    They are only kept to save time: mending is to remove them, and the next run makes them again.
    """
    return _payloads("features", root, folders, _features_statements, shutil.rmtree)


def _features_statements(folder: Path, where: str, config: Config) -> Iterator[Statement]:
    from data.features import Features

    features = Features(folder)
    pieces = list(features.pieces["id"])
    widths = sorted({features.mel(piece).shape[1] for piece in pieces})
    largest = max(max(features.tokens(piece).symbols) for piece in pieces)
    uneven = [piece for piece in pieces if int(features.frames(piece).sum()) != len(features.mel(piece))]
    vocabulary, n_mels = config.model.text_vocab_size, config.model.n_mels
    for fact, stated, true, right in (
        ("n_mels", widths, [n_mels], widths == [n_mels]),
        ("text_vocab_size", f"symbol {largest}", f"less than {vocabulary}", largest < vocabulary),
        ("frames", uneven, "frames of tokens add up to those of the mel", not uneven),
    ):
        yield Statement("features", f"{where}/features.safetensors", fact, str(stated), str(true), right)


def _payloads(
    kind: str,
    root: Path,
    folders: Mapping[str, Path],
    read_one: Callable[[Path, str, Config], Iterator[Statement]],
    mend_one: Callable[[Path], None],
) -> Surface:
    """A surface of one folder for each preset, as far as there is one."""

    def by_folder() -> Iterator[tuple[Path, list[Statement]]]:
        for preset, config in _valid(root, list(folders)):
            folder = folders[preset]
            if folder.is_dir():
                yield folder, list(read_one(folder, folder.relative_to(root).as_posix(), config))

    def read() -> Iterator[Statement]:
        for _, statements in by_folder():
            yield from statements

    def mend_folders() -> None:
        for folder, statements in by_folder():
            if not all(statement.agrees for statement in statements):
                mend_one(folder)

    return Surface(kind, read, mend_folders)


def documents_surface(root: Path, kind: str, patterns: Sequence[str]) -> Surface:
    """Documents: their generated blocks against the facts line by line, and what their prose claims."""

    def paths() -> list[Path]:
        made = {root / name for name in GENERATED if any(PurePath(name).match(pattern) for pattern in patterns)}
        return sorted(made | {path for pattern in patterns for path in root.glob(pattern)})

    def read() -> Iterator[Statement]:
        for path in paths():
            where = path.relative_to(root).as_posix()
            try:
                if not path.is_file():
                    raise ValueError("it is missing")
                blocks, claims = differences(path), list(_claims(path))
            except ValueError as error:
                yield Statement(kind, where, "document", str(error).removeprefix(f"{path}: "), "readable", False)
                continue
            yield Statement(kind, where, "document", "readable", "readable", True)
            for line, stated, wanted in blocks:
                yield Statement(kind, f"{where}:{line}", "generated block", stated.strip(), wanted.strip(), False)
            for place, claim in claims:
                if not (known := truths(claim.preset)):
                    continue  # nothing can be said before that preset is mended
                true = known.get(claim.fact)
                right = bool(claim.doubt) or agrees(claim, true)
                written = claim.stated if right else restate(claim, true) or str(true)
                place = place.removeprefix(f"{root}/")
                yield Statement(kind, place, f"{claim.preset}: {claim.fact}", claim.stated, written, right, claim.doubt)

    def mend_documents() -> None:
        for path in paths():
            with contextlib.suppress(ValueError):  # what cannot be read stays as it is, and drift
                regenerate(path)
                mend(path, [(claim, truths(claim.preset).get(claim.fact)) for _, claim in _claims(path)])

    def truths(preset: str) -> dict[str, Any]:
        path = root / "configs" / f"{preset}.yaml"
        return _facts(path, path.stat().st_mtime_ns)

    return Surface(kind, read, mend_documents)


def _claims(path: Path) -> Iterator[tuple[str, Claim]]:
    """What the prose of a document claims; its generated blocks are held against the facts as a whole."""
    generated = [
        range(block.line, block.line + block.stated.count("\n") + 1)
        for block in (read_blocks(path.read_text(encoding="utf-8")) if path.suffix != ".ipynb" else ())
    ]
    for place, claim in read_document(path):
        if not any(claim.line in lines for lines in generated):
            yield place, claim


@functools.cache
def _facts(path: Path, changed: int) -> dict[str, Any]:
    """Facts of a preset's file as it was when it was last changed; none if it is no valid preset."""
    config = _config(path)
    return {} if isinstance(config, ConfigError) else facts(config)


def _config(path: Path) -> Config | ConfigError:
    try:
        return load_config(path)
    except ConfigError as error:
        return error


def _valid(root: Path, presets: Sequence[str]) -> Iterator[tuple[str, Config]]:
    for preset in presets:
        config = _config(root / "configs" / f"{preset}.yaml")
        if not isinstance(config, ConfigError):
            yield preset, config


def _stated_by(surface: str, finding: Finding, where: str) -> Statement:
    return Statement(surface, where, finding.fact, str(finding.value), finding.expected, finding.agrees)


def _compared(surface: str, where: str, stated: Mapping[str, Any], true: Mapping[str, Any]) -> Iterator[Statement]:
    for fact in sorted(stated.keys() & true.keys()):
        yield Statement(surface, where, fact, str(stated[fact]), str(true[fact]), stated[fact] == true[fact])
