from __future__ import annotations

from pathlib import Path

from reproduction.results import Results, known_of_both, read_utterances


def test_utterances_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "utterances.csv"
    assert read_utterances(path) == []
    path.write_text('id,text\none,"Well, well."\n', encoding="utf-8")
    assert read_utterances(path) == [{"id": "one", "text": "Well, well."}]


def test_results_are_compared_as_far_as_both_runs_know_them() -> None:
    one = Results({"checkpoints": "a", "training.csv": "b"}, {"cer": 0.5}, [{"id": "one"}])
    other = Results({"checkpoints": "a", "model.safetensors": "c"}, {"cer": 0.4})
    first, second = known_of_both(one, other)
    assert first == Results({"checkpoints": "a"}, {"cer": 0.5})
    assert second == Results({"checkpoints": "a"}, {"cer": 0.4})
    assert known_of_both(one, Results({"checkpoints": "a"}))[0].metrics == {}
