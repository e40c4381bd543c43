"""Real recordings for all tests, built once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.schema import Config, load_config


@pytest.fixture(scope="session")
def smoke() -> Config:
    return load_config("smoke")


@pytest.fixture(scope="session")
def smoke_corpus(tmp_path_factory: pytest.TempPathFactory, smoke: Config) -> Path:
    """The corpus of the `smoke` preset: forty recorded prompts."""
    from data.building import build_corpus

    folder = tmp_path_factory.mktemp("corpus") / "smoke"
    build_corpus(smoke.data, folder)
    return folder


@pytest.fixture(scope="session")
def smoke_features(tmp_path_factory: pytest.TempPathFactory, smoke: Config, smoke_corpus: Path) -> Path:
    """The features of those recordings."""
    from data.extraction import extract_features

    folder = tmp_path_factory.mktemp("features")
    extract_features(smoke.data, smoke.audio, smoke_corpus, folder, 2, lambda *_: None)
    return folder
