"""Where in a recording somebody speaks, as Silero's network hears it (Silero Team, silero-vad, MIT licence)."""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import distribution

import numpy as np
from onnxruntime import InferenceSession, SessionOptions

from data.audio import Waveform

RATE = 16000
"""What the network was trained on, Hz."""

_NETWORK = "silero_vad/data/silero_vad_16k_sequence.onnx"
_SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
_FRAME, _CONTEXT = 512, 64  # samples that it hears at once, and of those before
_BLOCK = 512  # frames in a call
_BEGINS, _ENDS = 0.5, 0.35  # probability of speech from which it begins, below which it ends
_SHORTEST_PAUSE, _SHORTEST_SPEECH = 3, 4  # frames


def speech_spans(samples: Waveform) -> list[tuple[float, float]]:
    """Where speech begins and ends, s, in order; `samples` are mono in [-1, 1] at `RATE`.

    Pauses under a tenth of a second and sounds about as short are passed over. Raises `RuntimeError` if the network
    that is installed is another one.
    """
    spans: list[list[int]] = []
    spoken = False
    for frame, probability in enumerate(_probabilities(samples)):
        if not spoken and probability >= _BEGINS:
            spoken = True
            if not spans or frame - spans[-1][1] >= _SHORTEST_PAUSE:
                spans.append([frame, frame])
        spoken = spoken and bool(probability >= _ENDS)
        if spoken:
            spans[-1][1] = frame + 1
    second = _FRAME / RATE
    end = len(samples) / RATE
    return [(a * second, min(b * second, end)) for a, b in spans if b - a >= _SHORTEST_SPEECH]


def _probabilities(samples: Waveform) -> np.ndarray:
    """Of speech in each frame; what the network remembers goes from block to block."""
    memory = [np.zeros((1, 1, 128), np.float32)] * 2
    found = [np.zeros(0, np.float32)]
    n_frames = -(-len(samples) // _FRAME)
    padded = np.zeros(_CONTEXT + max(1, n_frames) * _FRAME, np.float32)
    padded[_CONTEXT : _CONTEXT + len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, _CONTEXT + _FRAME)[::_FRAME]
    for k in range(0, n_frames, _BLOCK):
        block = np.ascontiguousarray(frames[k : min(k + _BLOCK, n_frames)])
        probabilities, *memory = _network().run(None, {"input": block, "h": memory[0], "c": memory[1]})
        found.append(np.ravel(probabilities))
    return np.concatenate(found)


@functools.cache
def _network() -> InferenceSession:
    content = distribution("silero-vad").locate_file(_NETWORK).read_bytes()  # type: ignore[attr-defined]
    found = hashlib.sha256(content).hexdigest()
    if found != _SHA256:
        raise RuntimeError(f"{_NETWORK}: SHA-256 is {found}, expected {_SHA256}; install what requirements.lock pins")
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return InferenceSession(content, options, providers=["CPUExecutionProvider"])
