"""Measuring clips on other machines: the workers of a Dask scheduler, who need no disk in common with this one."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from common.errors import Unanswerable
from configs.schema import Audio
from data.corpus import CorpusClip
from data.measuring import Measured, Spread, measure

if TYPE_CHECKING:
    from distributed import Client, Future

_BATCHES_A_THREAD = 2  # that are under way: one is measured, one waits


class ClusterError(Unanswerable):
    """The workers of a scheduler cannot do what they are asked; the message says why."""


def spread_over(scheduler: str, audio: Audio) -> Spread:
    """Have the workers of the scheduler at this address measure, with recordings sent to them.

    What a worker had in hand when it died, another measures.
    """

    def spread(batches: Iterable[Sequence[CorpusClip]]) -> Iterator[list[Measured]]:
        try:
            import dask
            from distributed import Client, KilledWorker
        except ImportError:
            raise ClusterError(f"{scheduler}: to use a Dask cluster, pip install 'myxtts[cluster]'") from None
        try:
            with (
                dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}),
                Client(scheduler, set_as_default=False) as client,
            ):
                yield from _results(client, batches, audio)
        except (OSError, KilledWorker) as error:
            raise ClusterError(f"{scheduler}: {error}; what was measured is kept, and the next run goes on") from error

    return spread


def _results(client: Client, batches: Iterable[Sequence[CorpusClip]], audio: Audio) -> Iterator[list[Measured]]:
    under_way: deque[Future[list[Measured]]] = deque()
    for batch in batches:
        contents = [clip.path.read_bytes() for clip in batch]
        under_way.append(client.submit(_measure_sent, list(batch), contents, audio, pure=False))
        while len(under_way) > _BATCHES_A_THREAD * max(1, sum(client.ncores().values())):
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _measure_sent(clips: Sequence[CorpusClip], contents: Sequence[bytes], audio: Audio) -> list[Measured]:
    """What a worker does: measure clips whose files come with them."""
    with tempfile.TemporaryDirectory(prefix="myxtts-") as folder:
        here = [replace(clip, path=Path(folder, f"{k}-{clip.path.name}")) for k, clip in enumerate(clips)]
        for clip, content in zip(here, contents, strict=True):
            clip.path.write_bytes(content)
        with threadpool_limits(1):
            return measure(here, audio)
