"""One run of the pipeline on the `smoke` preset, for all tests that need a trained checkout."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipelines.clone import Clone


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A checkout after its first run; tests that change it leave it whole."""
    clone = Clone(tmp_path_factory.mktemp("checkout"))
    clone.first = clone.run()
    return clone


@pytest.fixture(scope="session")
def first(trained: Clone) -> dict[str, Any]:
    """What the first run said that it made."""
    return trained.first
