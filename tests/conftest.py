"""Real recordings for all tests, a voice that has learned from them, and a browser.

What is made is made once a session, whichever worker asks first.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from configs.outs import VOCODER_FILE
from configs.schema import Config, Data, load_config
from data.building import build_corpus
from data.extraction import extract_features
from data.features import Features
from tests.pipelines.clone import Clone

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from model.synthesis import Voice

# As `common.environment.launch` does; read when the packages are imported.
os.environ |= {"GX_ANALYTICS_ENABLED": "false", "ORT_DISABLE_TELEMETRY": "1"}

MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """A folder of this session by name; the first worker that asks for it has it made."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder_of(name: str, make: Callable[[Path], object]) -> Path:
        folder = shared / name
        with FileLock(shared / f"{name}.lock"):
            if not folder.exists():
                make(folder)
        return folder

    return folder_of


@pytest.fixture(scope="session")
def prompts(made_once: MadeOnce) -> Path:
    """A corpus of six English prompts."""
    data = Data(source="debian_prompts", languages=["en"], max_clips=6, batch_size=4)
    return made_once("prompts", lambda folder: build_corpus(data, folder))


@pytest.fixture(scope="session")
def smoke() -> Config:
    return load_config("smoke")


@pytest.fixture(scope="session")
def smoke_corpus(made_once: MadeOnce, smoke: Config) -> Path:
    """The corpus of the `smoke` preset: forty recorded prompts."""
    return made_once("smoke-corpus", lambda folder: build_corpus(smoke.data, folder))


@pytest.fixture(scope="session")
def smoke_features(made_once: MadeOnce, smoke: Config, smoke_corpus: Path) -> Path:
    """The features of those recordings."""
    return made_once(
        "smoke-features", lambda folder: extract_features(smoke.data, smoke.audio, smoke_corpus, folder, 2)
    )


@pytest.fixture(scope="session")
def voice(made_once: MadeOnce, smoke: Config, smoke_features: Path) -> Voice:
    """A voice after a handful of steps: it cannot speak, but all of its parts work."""
    import torch

    from model.checkpoint import save_checkpoint
    from model.synthesis import load_voice
    from model.training import train
    from model.vocoder import SourceFilterVocoder

    def make(folder: Path) -> None:
        few = smoke.model_copy(update={"train": smoke.train.model_copy(update={"steps": 4, "validate_every": 4})})
        train(few, Features(smoke_features), {"id": "test"}, folder)
        torch.manual_seed(0)
        save_checkpoint(SourceFilterVocoder(smoke.audio), smoke.audio, {"id": "test"}, folder / VOCODER_FILE)

    return load_voice(made_once("voice", make))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, which shows pages as people see them. Not of the session: while it is there, an event loop runs."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("no browser to look at the page with: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A checkout after its first run, for all tests that need one; those that change it leave it whole."""
    clone = Clone(tmp_path_factory.mktemp("checkout"))
    clone.first = clone.run()
    clone.first_steps = clone.steps()
    return clone


@pytest.fixture(scope="session")
def first(trained: Clone) -> dict[str, Any]:
    """What the first run said that it made."""
    return trained.first


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share the trained checkout are run by one worker, and are no fast ones."""
    for item in items:
        if "trained" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.pipeline)
            item.add_marker(pytest.mark.xdist_group("trained"))
