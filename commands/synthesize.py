"""Speak text with a registered model.

Speak text into WAV files, with the champion, else the challenger; long text is spoken sentence by sentence.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from commands.champion import add_preset
from commands.output import add_json
from common.errors import Unanswerable
from common.files import replacing

EXAMPLES = """\
myxtts synthesize --text "Good morning." --out morning.wav
myxtts synthesize --file lines.txt --out line.wav     # line-001.wav, line-002.wav, ...
echo Hello. | myxtts synthesize --model @challenger --reference me.wav --out hello.wav"""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    what = verb.add_mutually_exclusive_group()
    what.add_argument("--text", help="what to say (default: lines of standard input)")
    what.add_argument("--file", type=Path, help="file with a text to say on each line")
    verb.add_argument("--out", type=Path, required=True, help="WAV file; numbered if there are several texts")
    verb.add_argument("--reference", type=Path, help="recording of the voice to speak with (default: trained voice)")
    verb.add_argument("--language", default="en", help="a code that espeak-ng knows, such as pt-br (default: en)")
    verb.add_argument("--rate", type=float, default=1.0, help="speaking rate, 0.5 to 2 (default: 1)")
    verb.add_argument("--seed", type=int, default=0, help="of the noise in the sound (default: 0)")
    add_preset(verb)
    verb.add_argument("--model", help="version, @alias, or folder with checkpoints such as checkpoints/demo")
    verb.add_argument("--int8", action="store_true", help="decode with 8-bit weights: faster on a CPU")
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    texts = _texts(parsed)
    row: dict[str, Any] = {"language": parsed.language, "speaking_rate": parsed.rate, "seed": parsed.seed}
    if parsed.reference is not None:
        row["reference"] = base64.b64encode(_content(parsed.reference)).decode()
    answers = _speak(parsed, [row | {"text": text} for text in texts])
    spoken = [
        _write(text, answer, path)
        for text, answer, path in zip(texts, answers, _paths(parsed.out, len(texts)), strict=True)
    ]
    if parsed.json:
        print(json.dumps(spoken, indent=2, ensure_ascii=False))
    for made in spoken:
        if made["error"]:
            print(f"myxtts: {made['error']}", file=sys.stderr)
        elif not parsed.json:
            print(made["file"])
        if made["file"] and not made["ended"]:
            print(f"myxtts: {made['file']}: the speech did not end by itself and was cut off", file=sys.stderr)
    return 0 if all(made["ended"] for made in spoken) else 1


def _texts(parsed: argparse.Namespace) -> list[str]:
    """What to say, a text for each line that has one."""
    if parsed.text is not None:
        lines = [parsed.text]
    else:
        name = parsed.file or "standard input"
        content = _content(parsed.file) if parsed.file else sys.stdin.buffer.read()
        try:
            lines = content.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            number = content[: error.start].count(b"\n") + 1
            raise Unanswerable(
                f"{name}, line {number}: not UTF-8: {content[error.start : error.start + 8]!r}; expected UTF-8 text"
            ) from None
    texts = [line for line in lines if line.strip()]
    if not texts:
        raise Unanswerable("there is no text; give --text, --file or standard input")
    return texts


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Unanswerable(f"{path}: no such file") from None
    except OSError as error:
        raise Unanswerable(f"{path}: {error.strerror}") from None


def _speak(parsed: argparse.Namespace, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers of a registered version, or of a folder of checkpoints, to rows of `registry.served_model.INPUTS`."""
    if parsed.model is not None and os.sep in parsed.model:
        import pandas as pd

        from registry.served_model import ServedVoice

        answers = ServedVoice.of(Path(parsed.model), parsed.int8).predict(None, pd.DataFrame(rows))
        return [{str(key): value for key, value in answer.items()} for answer in answers.to_dict("records")]
    from registry.isolated import speak_with

    return speak_with(parsed.preset, parsed.model, rows, parsed.int8)


def _write(text: str, answer: dict[str, Any], path: Path) -> dict[str, Any]:
    """Write what was said into a file; what `--json` prints of it."""
    if not answer["error"]:
        with replacing(path) as temporary:
            temporary.write_bytes(base64.b64decode(answer["audio"]))
    made = None if answer["error"] else str(path)
    return {"text": text, "file": made, **{key: answer[key] for key in ("sample_rate", "ended", "error")}}


def _paths(out: Path, count: int) -> Iterator[Path]:
    if count == 1:
        yield out
        return
    for k in range(count):
        yield out.with_name(f"{out.stem}-{k + 1:03}{out.suffix}")
