from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from common.files import replacing
from model.state import State, StateError, States, Stopped, read_state, write_state
from tests.model.conftest import Disk

RECIPE, OTHER = "a" * 64, "b" * 64
SETTINGS = {"model": {"decoder_dim": 384}, "seed": 1}


class Training:
    """A very small one: what it draws depends on the step alone."""

    def __init__(self, fused: bool = True) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.Linear(8, 8))
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.01, fused=fused)

    def steps(self, first: int, last: int, states: States | None = None) -> Training:
        for step in range(first, last + 1):
            x = torch.randn(4, 8, generator=torch.Generator().manual_seed(step))
            self.optimizer.zero_grad()
            (self.network(x) - x).square().sum().backward()
            self.optimizer.step()
            if states:
                states.keep(step, {"seen": step}, self.network, self.optimizer)
        return self

    def weights(self) -> list[bytes]:
        return [parameter.detach().numpy().tobytes() for parameter in self.network.parameters()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def kept(folder: Path, steps: int = 5) -> list[str]:
    """Train, saving after each step; returns what was said."""
    said: list[str] = []
    with States(folder, RECIPE, SETTINGS, said.append, share=1) as states:
        Training().steps(1, steps, states)
    return said


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("step", [1, 7])
def test_a_restored_training_goes_on_as_if_nothing_had_been(tmp_path: Path, fused: bool, step: int) -> None:
    begun = Training(fused).steps(1, step)
    state = State.of(step, {"curve": [1e-30, float("inf")]}, begun.network, begun.optimizer)
    write_state(state, RECIPE, SETTINGS, tmp_path / "x")
    state, resumed = read_state(tmp_path / "x", RECIPE, SETTINGS), Training(fused)
    assert (state.step, state.notes) == (step, {"curve": [1e-30, float("inf")]})
    state.restore_module(resumed.network)
    state.restore_optimizer(resumed.optimizer)
    content = (tmp_path / "x").read_bytes()
    assert resumed.steps(step + 1, 20).weights() == Training(fused).steps(1, 20).weights()
    assert (tmp_path / "x").read_bytes() == content


def test_the_last_two_states_are_kept(tmp_path: Path) -> None:
    leftover = tmp_path / "state-00000003.safetensors.tmp"
    leftover.write_text("of a killed training")
    assert kept(tmp_path) == []
    assert names(tmp_path) == ["state-00000004.safetensors", "state-00000005.safetensors"]


def test_saving_states_takes_no_more_than_its_share_of_the_time(tmp_path: Path) -> None:
    Training().steps(1, 20, States(tmp_path, RECIPE, SETTINGS))
    assert names(tmp_path) == ["state-00000001.safetensors"]


def torn(content: bytes, share: float) -> bytes:
    return content[: int(share * len(content))]


def flipped(content: bytes, share: float) -> bytes:
    at = int(share * len(content))
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.3, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize("damage", [torn, flipped])
def test_of_a_damaged_state_the_one_before_is_used(
    tmp_path: Path, damage: Callable[[bytes, float], bytes], share: float
) -> None:
    kept(tmp_path)
    newest = tmp_path / "state-00000005.safetensors"
    newest.write_bytes(damage(newest.read_bytes(), share))
    said: list[str] = []
    state = States(tmp_path, RECIPE, SETTINGS, said.append).latest(9)
    assert state is not None
    assert state.step == state.notes["seen"] == 4
    assert said[0].startswith(f"refused: {newest}: ")
    assert said[1:] == [f"resumed at step 4 of 9 from {tmp_path / 'state-00000004.safetensors'}"]


def test_a_foreign_state_is_refused_and_goes_with_the_next(tmp_path: Path) -> None:
    kept(tmp_path)
    foreign = tmp_path / "state-00000008.safetensors"
    training = Training().steps(1, 8)
    write_state(
        State.of(8, {}, training.network, training.optimizer),
        OTHER,
        {"model": {"decoder_dim": 768}, "seed": 1},
        foreign,
    )
    said: list[str] = []
    with States(tmp_path, RECIPE, SETTINGS, said.append, share=1) as states:
        state = states.latest(9)
        assert state is not None
        assert state.step == 5
        assert said[0].splitlines() == [
            f"refused: {foreign}: of another recipe (bbbbbbbbbbbbbbbb, expected aaaaaaaaaaaaaaaa)",
            "model.decoder_dim is 768, expected 384",
        ]
        training.steps(6, 6, states)
    assert names(tmp_path) == ["state-00000005.safetensors", "state-00000006.safetensors"]


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "state-00000001.safetensors")
    with pytest.raises(StateError, match=r"state-00000001\.safetensors: torn, or not a state"):
        read_state(tmp_path / "state-00000001.safetensors", RECIPE, SETTINGS)
    said: list[str] = []
    assert States(tmp_path, RECIPE, SETTINGS, said.append).latest(9) is None
    assert len(said) == 1


def test_a_full_disk_costs_only_the_states_not_saved_yet(disk: Disk) -> None:
    said: list[str] = []
    folder = disk.folder / "states"
    with States(folder, RECIPE, SETTINGS, said.append, share=1) as states:
        large = nn.Embedding(10, 1 << 17)
        optimizer = torch.optim.AdamW(large.parameters())
        for step in range(1, 7):
            {3: disk.fill, 5: disk.free}.get(step, lambda: None)()
            states.keep(step, {}, large, optimizer)
            if step == 4:
                assert names(folder) == ["state-00000001.safetensors", "state-00000002.safetensors"]
                read_state(folder / "state-00000002.safetensors", RECIPE, SETTINGS)
    assert names(folder) == ["state-00000005.safetensors", "state-00000006.safetensors"]
    (warning,) = said
    assert str(folder / "state-00000003.safetensors") in warning
    assert "No space left on device" in warning or "File too large" in warning
    assert warning.endswith(f"resume from {folder / 'state-00000002.safetensors'}")


def test_a_file_that_does_not_fit_leaves_what_was_there(disk: Disk) -> None:
    path = disk.folder / "model.safetensors"
    path.write_text("before")
    disk.fill()
    with pytest.raises(OSError, match=r"model\.safetensors could not be written: "), replacing(path) as temporary:
        temporary.write_bytes(bytes(1 << 22))
    assert path.read_text() == "before"
    assert not temporary.exists()


def test_sigterm_stops_after_a_step_whose_state_is_saved(tmp_path: Path) -> None:
    said: list[str] = []

    def stopped() -> None:
        with States(tmp_path, RECIPE, SETTINGS, said.append) as states:
            training = Training().steps(1, 3, states)
            os.kill(os.getpid(), signal.SIGTERM)
            training.steps(4, 9, states)

    with pytest.raises(Stopped, match="stopped by SIGTERM after step 4"):
        stopped()
    assert said[-1].endswith(f"it will resume from {tmp_path / 'state-00000004.safetensors'}")


def test_a_sigterm_after_the_last_step_is_passed_on(tmp_path: Path) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with States(tmp_path, RECIPE, SETTINGS):
            os.kill(os.getpid(), signal.SIGTERM)
            assert not heard
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
