"""Workers of a Dask scheduler measure to the same bytes, whatever becomes of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from distributed import LocalCluster

from common.files import folder_digests
from common.progress import Report, silent
from configs.schema import Config
from data import measurements
from data.cluster import ClusterError, spread_over
from data.corpus import read_corpus
from data.extraction import extract_features

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    """Two processes."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)
    ) as cluster:
        yield cluster


def test_a_cluster_gives_the_bytes_of_one_machine_even_if_a_worker_is_killed(
    cluster: LocalCluster, smoke: Config, smoke_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extract(out: Path, scheduler: str | None, report: Report = silent) -> dict[str, str]:
        extract_features(smoke.data, smoke.audio, smoke_corpus, out, 1, report, scheduler=scheduler)
        return folder_digests(out)

    def kill(what: str, done: int, total: int, _figures: Mapping[str, float] = MappingProxyType({}), /) -> None:
        if what == "measuring clips" and not left:
            left.append(total - done)
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

    monkeypatch.setattr(measurements, "_LONGEST", 10.0)
    left: list[int] = []
    one_machine = extract(tmp_path / "here", None)
    assert len(one_machine) > 10
    assert extract(tmp_path / "whole", cluster.scheduler_address) == one_machine
    assert extract(tmp_path / "killed", cluster.scheduler_address, kill) == one_machine
    assert left[0] > 20


def test_a_scheduler_that_is_not_there_is_named(smoke: Config, smoke_corpus: Path) -> None:
    nobody = "tcp://127.0.0.1:9"
    with pytest.raises(ClusterError, match=f"{nobody}: "):
        next(spread_over(nobody, smoke.audio)(iter([read_corpus(smoke_corpus)[:1]])))
