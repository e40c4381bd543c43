"""What is listened to: sentences that training never read, and lines at which speech might not end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from configs.schema import Config
from data.features import Features
from data.recordings import recording_of
from evaluation.sentences import far_sentences, hard_sentences
from evaluation.utterances import choose_sentences, end_by_themselves, held_out, references_of, unrecorded
from model.synthesis import Voice

Reports = list[tuple[str, int, int]]


@pytest.fixture(scope="module")
def features(smoke_features: Path) -> Features:
    return Features(smoke_features)


def test_chosen_sentences_were_never_trained_on(smoke: Config, features: Features) -> None:
    pieces = features.pieces
    chosen = choose_sentences(pieces, smoke.audio, 100)
    assert len(chosen) >= 4
    assert set(chosen["split"]) == {"test"}
    texts = chosen["text"].str.lower()
    assert not set(pieces.loc[pieces["split"] != "test", "text"].str.lower()) & set(texts)
    assert texts.is_unique
    assert all(len(choose_sentences(pieces, smoke.audio, most)) == most for most in (1, 2, 3))


def test_held_out_utterances_stand_beside_their_recordings(
    smoke: Config, features: Features, smoke_corpus: Path, voice: Voice
) -> None:
    reports: Reports = []
    chosen = choose_sentences(features.pieces, smoke.audio, 2)
    utterances = held_out(voice, features, smoke_corpus, chosen, lambda *report: reports.append(report[:3]))
    assert [utterance.id for utterance in utterances] == list(chosen["id"])
    for utterance in utterances:
        assert utterance.recording is not None
        assert utterance.vocoded is not None
        recording = recording_of(features, utterance.id, smoke_corpus, smoke.audio)
        np.testing.assert_array_equal(utterance.recording, recording)
        assert len(utterance.vocoded) == len(recording)
        assert len(utterance.speech) == len(utterance.mel_tm) * smoke.audio.hop_length
    assert reports == [("speaking", 1, 2), ("speaking", 2, 2)]


def test_unrecorded_utterances_have_only_speech(voice: Voice) -> None:
    reports: Reports = []
    sentences = far_sentences({"en": [], "fr": []}, 2)
    utterances = unrecorded(voice, sentences, report=lambda *report: reports.append(report[:3]))
    assert [utterance.id for utterance in utterances] == ["far-001", "far-002"]
    assert [(utterance.language, utterance.text) for utterance in utterances] == sentences
    assert [utterance.language for utterance in utterances] == ["en", "fr"]
    assert all(utterance.recording is None and utterance.vocoded is None for utterance in utterances)
    assert reports == [("speaking afar", 1, 2), ("speaking afar", 2, 2)]


def test_hard_sentences_end(voice: Voice) -> None:
    reports: Reports = []
    hard = hard_sentences({"en": [], "ru": []}, 200)[::10]
    ended = end_by_themselves(voice, hard, report=lambda *report: reports.append(report[:3]))
    assert ended == [True] * 20
    assert reports == [("hard sentences", done, 20) for done in (8, 16, 20)]


def test_a_language_is_spoken_by_whom_most_is_known_of(voice: Voice, features: Features) -> None:
    pieces = features.pieces
    references = references_of(features, voice)
    assert set(references) == set(pieces["language"]) == {"en"}
    own = pieces[pieces["split"] == "train"]
    longest = features.mel(own["id"].iloc[int(own["frames"].to_numpy().argmax())])
    frames = min(len(longest), len(references["en"]))
    np.testing.assert_array_equal(references["en"][:frames], longest[:frames])
    sentences = far_sentences({"en": []}, 1)
    other = {"en": references["en"].flip(0)}
    one, another = (unrecorded(voice, sentences, heard)[0].mel_tm for heard in (references, other))
    assert not np.array_equal(one, another)


def test_every_language_has_its_share_of_held_out_sentences(smoke: Config, features: Features) -> None:
    pieces = features.pieces.copy()
    test = pieces.index[pieces["split"] == "test"]
    pieces.loc[test[0], "language"] = "fr"
    chosen = choose_sentences(pieces, smoke.audio, 2)
    assert set(chosen["language"]) == {"en", "fr"}
