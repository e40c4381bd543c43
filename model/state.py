"""States of a training: what it takes to go on, after whatever ended it, to the same bytes as without the end.

A state is one safetensors file, `state-<step>.safetensors`. Its header holds the recipe, the step and notes of the
training's own, and a SHA-256 over these and the tensors, so that a torn, altered or foreign file is found out.
"""

from __future__ import annotations

import hashlib
import json
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from common.errors import Refused
from common.files import replacing
from configs.schema import differences, flat

_HEADER, _DIGEST = "myxtts_state", "sha256"


class StateError(ValueError):
    """A file that this training cannot go on from; the message says which and why."""


class Stopped(Refused):
    """SIGTERM asked the training to stop, and it did, between two steps."""


@dataclass(frozen=True)
class State:
    """A training after so many steps: its tensors, and notes that are JSON."""

    step: int
    notes: dict[str, Any]
    tensors: dict[str, Tensor]

    @classmethod
    def of(cls, step: int, notes: dict[str, Any], module: nn.Module, optimizer: Optimizer) -> State:
        """The state of this moment; it shares memory with the module and the optimizer where these are on the CPU."""
        tensors = {f"module.{name}": tensor for name, tensor in module.state_dict().items()}
        for number, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in moments.items()}
        return cls(step, notes, {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})

    def restore_module(self, module: nn.Module) -> None:
        """Copy the weights into the module."""
        module.load_state_dict(self._part("module"))

    def restore_optimizer(self, optimizer: Optimizer) -> None:
        """Give the optimizer its moments back; its groups' settings stay as they are."""
        moments: dict[int, dict[str, Tensor]] = {}
        for path, tensor in self._part("optimizer").items():
            number, _, name = path.partition(".")
            moments.setdefault(int(number), {})[name] = tensor
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})

    def _part(self, name: str) -> dict[str, Tensor]:
        return {path.removeprefix(f"{name}."): x for path, x in self.tensors.items() if path.startswith(f"{name}.")}


def write_state(state: State, recipe: str, settings: Mapping[str, Any], path: Path) -> None:
    """Write a state, all of it or nothing. Raises `OSError` that names the file."""
    header = json.dumps({"recipe": recipe, "settings": settings, "step": state.step, "notes": state.notes})
    metadata = {_HEADER: header, _DIGEST: _digest(header, state.tensors)}
    with replacing(path) as temporary:
        save_file(state.tensors, temporary, metadata=metadata)


def read_state(path: Path, recipe: str, settings: Mapping[str, Any]) -> State:
    """Read a state and check it. Raises `StateError` if it is not whole or not of this recipe.

    A line for each setting says what is different about a foreign one.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header, digest = (file.metadata()[key] for key in (_HEADER, _DIGEST))
            # Cloned, for training is going to write into them and must not write into the file.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  (it is no mapping)
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise StateError(f"{path}: torn, or not a state ({error})") from None
    if digest != _digest(header, tensors):
        raise StateError(f"{path}: its content is not what was saved (the SHA-256 differs)")
    content = json.loads(header)
    if content["recipe"] != recipe:
        foreign = f"{path}: of another recipe ({content['recipe'][:16]}, expected {recipe[:16]})"
        raise StateError("\n".join([foreign, *differences(flat(content["settings"]), flat(settings))]))
    return State(content["step"], content["notes"], tensors)


def _print(message: str) -> None:
    print(message, flush=True)


class States:
    """The states of one training, in a folder of their own, where the last two are kept.

    Within its `with` block, SIGTERM stops the training at the end of a step, after saving; and whatever else stops it,
    `say` is told where it will go on. At most the share `share` of the time goes into saving.
    """

    def __init__(
        self,
        folder: Path,
        recipe: str,
        settings: Mapping[str, Any],
        say: Callable[[str], None] = _print,
        share: float = 0.01,
    ):
        self._folder, self._recipe, self._settings, self._say, self._share = folder, recipe, settings, say, share
        self._good: list[Path] = []
        self._failing = False
        self._due = 0.0  # the first state is due at once: a disk without room is better known early
        self._stopping = False
        self._handler: Any = None

    def latest(self, steps: int) -> State | None:
        """The state to go on from in a training of `steps` steps, if there is one; says so, and what is refused."""
        for path in sorted(self._folder.glob("state-*.safetensors"), reverse=True):
            try:
                state = read_state(path, self._recipe, self._settings)
            except StateError as error:
                self._say(f"refused: {error}")
                continue
            self._good = [path]
            self._say(f"resumed at step {state.step} of {steps} from {path}")
            return state
        return None

    def keep(self, step: int, notes: dict[str, Any], module: nn.Module, optimizer: Optimizer) -> None:
        """Save the state after `step` if it is time to; a full disk is told of and does not stop the training.

        Raises `Stopped` if SIGTERM has come.
        """
        started = time.perf_counter()
        if started < self._due and not self._stopping:
            return
        self._save(State.of(step, notes, module, optimizer))
        ended = time.perf_counter()
        self._due = ended + (ended - started) * (1 / self._share - 1)
        if self._stopping:
            raise Stopped(f"stopped by SIGTERM after step {step}")

    def _save(self, state: State) -> None:
        path = self._folder / f"state-{state.step:08}.safetensors"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_state(state, self._recipe, self._settings, path)
        except OSError as error:
            if not self._failing:
                self._say(f"warning: {error}; training goes on; if interrupted, it will resume from {self._last()}")
            self._failing = True
            return
        self._failing = False
        self._good = [*self._good, path][-2:]
        for other in self._folder.iterdir():
            if other not in self._good:
                other.unlink()

    def _last(self) -> str:
        return str(self._good[-1]) if self._good else "its start"

    def __enter__(self) -> States:
        # Python lets only the main thread hear signals.
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGTERM, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGTERM, self._handler)
        if error is not None:
            self._say(f"training ended before its goal ({error or kind}); it will resume from {self._last()}")
        elif self._stopping:
            signal.raise_signal(signal.SIGTERM)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


def _digest(header: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(header.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
