from pathlib import Path

import jiwer
import numpy as np
import pandas as pd
import pytest

from configs.schema import Audio
from data.text import normalize
from evaluation.listening import COLUMNS, Utterance, diagonality, listen, mel_distance, read_table, summarize
from evaluation.measures import unheard
from evaluation.recognisers import Recogniser


def test_a_row_for_each_utterance_in_order(table: pd.DataFrame, utterances: list[Utterance]) -> None:
    assert list(table.columns) == list(COLUMNS)
    assert list(table["id"]) == [utterance.id for utterance in utterances]
    assert list(table["ended"]) == [True] * 5 + [False]
    assert table["rtf"].tolist() == pytest.approx([0.5] * 6)


def test_a_recording_is_as_good_as_itself(table: pd.DataFrame) -> None:
    same = table.iloc[2:5]
    assert (same["mel_l1"] == 0).all()
    assert (same["duration_ratio"] == 1).all()
    for kind in ("vocoded", "recording"):
        assert (same["cer"] == same[f"cer_{kind}"]).all()
        assert (same["dnsmos"] == same[f"dnsmos_{kind}"]).all()


def test_half_a_recording_is_worse(table: pd.DataFrame) -> None:
    half = table.iloc[5]
    assert half["cer"] > half["cer_recording"] + 0.2
    assert half["mel_l1"] > 0
    assert half["duration_ratio"] == pytest.approx(0.5, abs=0.01)


def test_what_cannot_be_judged_is_missing(table: pd.DataFrame) -> None:
    persian, lonely = table.iloc[0], table.iloc[1]
    assert persian[["cer", "wer_recording", "heard"]].isna().all()
    assert persian["dnsmos"] > 2
    assert lonely[["mel_l1", "duration_ratio", "cer_recording", "dnsmos_vocoded"]].isna().all()
    assert lonely["cer"] < 1
    assert lonely["dnsmos"] > 2


def test_order_of_utterances_changes_no_measure(
    table: pd.DataFrame, utterances: list[Utterance], english_judge: Recogniser, audio: Audio
) -> None:
    reports: list[tuple[str, int, int]] = []
    chosen = [utterances[k] for k in (5, 2)]
    backwards = listen(
        chosen, english_judge, audio.sample_rate, 1, lambda *report: reports.append(report[:3]), "listening again"
    )
    expected = table.iloc[[5, 2]].reset_index(drop=True)
    pd.testing.assert_frame_equal(backwards, expected, check_dtype=False)
    assert reports == [("listening again", done, 12) for done in range(1, 13)], "three sounds of each, for two judges"


def test_figures_are_of_the_whole_corpus(table: pd.DataFrame) -> None:
    figures = summarize(table)
    counts = {"": 6, "_heard": 5, "_heard_recording": 4, "_compared": 5}
    assert {kind: figures[f"utterances{kind}"] for kind in counts} == counts
    assert figures["ended_percent"] == pytest.approx(500 / 6)
    heard = table[table["language"] == "en"]
    plain = jiwer.Compose([jiwer.RemovePunctuation(), jiwer.Strip()])  # type: ignore[no-untyped-call]
    texts, said = (plain([normalize(text, "en") for text in heard[column]]) for column in ("text", "heard"))
    assert figures["cer"] == pytest.approx(jiwer.cer(texts, said))
    assert figures["wer"] == pytest.approx(jiwer.wer(texts, said))
    assert figures["cer"] > figures["cer_recording"]
    assert figures["wer"] > figures["wer_recording"]
    assert all(isinstance(figure, float) and np.isfinite(figure) for figure in figures.values())


def test_figures_are_given_for_each_language(table: pd.DataFrame) -> None:
    figures = summarize(table)
    english = summarize(table[table["language"] == "en"])
    assert figures["cer_en"] == english["cer"]
    assert figures["cer_en_recording"] == english["cer_recording"]
    assert figures["mel_l1_en"] == english["mel_l1"]
    assert (figures["utterances_en"], figures["utterances_fa"]) == (5, 1)
    assert "cer_fa" not in figures
    assert unheard(figures) == "no recogniser for fa"
    assert unheard(english) == ""


@pytest.mark.parametrize("text", ["nan", "NULL", "007", "N/A", "1.10"])
def test_a_table_is_read_back_as_it_was_written(table: pd.DataFrame, tmp_path: Path, text: str) -> None:
    written = table.assign(text=text, heard=text, id=[f"00{k}" for k in range(len(table))])
    written.to_csv(tmp_path / "table.csv", index=False)
    back = read_table(tmp_path / "table.csv")
    assert list(back["id"]) == list(written["id"])
    assert set(back["text"]) == set(back["heard"]) == {text}
    assert summarize(back) == pytest.approx(summarize(written))


def test_figures_without_a_recogniser_leave_error_rates_out(table: pd.DataFrame) -> None:
    figures = summarize(table.iloc[:1])
    assert figures["utterances_heard"] == 0
    assert "cer" not in figures
    assert figures["dnsmos"] > 2


def test_distance_ignores_tempo_but_not_content(utterances: list[Utterance]) -> None:
    one_tm, other_tm = utterances[2].mel_tm, utterances[3].mel_tm
    slowed_tm = one_tm.repeat(2, axis=0)
    assert mel_distance(one_tm, slowed_tm) == 0
    assert mel_distance(one_tm, other_tm) > 0.3
    assert mel_distance(one_tm, one_tm + 0.25) == pytest.approx(0.25, abs=0.01)


def test_diagonality_is_the_share_near_the_path() -> None:
    path_s = np.array([0, 2, 4, 6], np.float32)
    on_path_sn = np.zeros((4, 7), np.float32)
    on_path_sn[np.arange(4), [0, 3, 4, 5]] = 1  # within one token
    assert diagonality(on_path_sn, path_s) == 1
    assert diagonality(on_path_sn[::-1], path_s) == pytest.approx(0.25)
    assert diagonality(np.full((4, 7), 1 / 7, np.float32), path_s) == pytest.approx((2 + 3 + 3 + 2) / 28)
