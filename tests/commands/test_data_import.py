"""`myxtts data import`: what it says of a folder, what it writes, and when it asks."""

from __future__ import annotations

import builtins
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import soundfile as sf
import yaml

from configs.schema import load_config
from data.audio import read_pcm
from data.corpus import read_corpus
from tests.commands.conftest import Call


@pytest.fixture(scope="module")
def recordings(smoke_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty prompts as a folder in LJSpeech format."""
    folder = tmp_path_factory.mktemp("recordings") / "Allison's voice"
    (folder / "wavs").mkdir(parents=True)
    clips = read_corpus(smoke_corpus)
    for clip in clips:
        sf.write(folder / "wavs" / f"{clip.id}.wav", *read_pcm(clip.path))
    (folder / "metadata.csv").write_text("".join(f"{clip.id}|{clip.text}\n" for clip in clips))
    return folder


@pytest.fixture
def voice(recordings: Path, tmp_path: Path) -> Path:
    """A copy of them to spoil."""
    return Path(shutil.copytree(recordings, tmp_path / "voice"))


def found(said: str) -> dict[str, object]:
    return dict(json.loads(said))


def kinds(said: str) -> dict[str, int]:
    return {problem["kind"]: problem["count"] for problem in json.loads(said)["problems"]}


def test_an_import_writes_a_preset_that_can_be_run(
    myxtts: Call, presets: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recordings.parent)  # a relative path is what a shell means by it
    said = found(myxtts("data", "import", recordings.name, "--json"))
    assert said.pop("layout").startswith("table: a list, as LJSpeech has: metadata.csv")  # type: ignore[attr-defined]
    assert 2 < float(said.pop("minutes")) < 3  # type: ignore[arg-type]
    assert said == {
        "preset": "allison-s-voice",
        "sure": 1.0,
        "clips": 40,
        "speakers": {"Allison's voice": 40},
        "languages": {"en": 40},
        "problems": [],
    }
    path = presets / "allison-s-voice.yaml"
    assert path.read_text().splitlines()[1] == "# Every key is described in configs/schema.py."
    config, demo = load_config(path), load_config("demo")
    assert (config.data.source, config.data.path, config.data.languages) == ("recordings", str(recordings), ["en"])
    assert (config.data.layout, config.data.table.audio, config.data.table.text) == ("table", 1, 2)
    assert config.data.table.speaker == "none"
    assert (config.model, config.train, config.audio) == (demo.model, demo.train, demo.audio)


def test_people_are_told_the_same_in_lines(myxtts: Call, presets: Path, voice: Path) -> None:
    with (voice / "metadata.csv").open("a") as metadata:
        metadata.writelines(f"missing-{k}|Nobody said this.\n" for k in range(200))
    said = myxtts("data", "import", str(voice), "--preset", "mine", code=1).splitlines()
    (head,) = [line for line in said if line.startswith("error: missing audio")]
    assert head == "error: missing audio: 200"
    assert said[said.index(head) + 1].startswith("  metadata.csv, row 41: no file 'missing-0', expected a recording in")
    assert said[said.index(head) + 4] == "  and 197 more"
    assert any(f"Written: {presets / 'mine.yaml'}" in line for line in said)


def test_a_preset_that_is_there_is_changed_only_by_force_and_only_where_it_learns_from(
    myxtts: Call, presets: Path, recordings: Path
) -> None:
    before = (presets / "smoke.yaml").read_text()
    said = myxtts("data", "import", str(recordings), "--preset", "smoke", code=1)
    assert f"{presets / 'smoke.yaml'} is there" in said
    assert (presets / "smoke.yaml").read_text() == before
    myxtts("data", "import", str(recordings), "--preset", "smoke", "--force", "--json")
    after = yaml.safe_load((presets / "smoke.yaml").read_text())
    assert after.pop("data")["max_clips"] == 40
    assert after == {key: value for key, value in yaml.safe_load(before).items() if key != "data"}
    assert (presets / "smoke.yaml").read_text().startswith(before.splitlines()[0])


@pytest.mark.parametrize("name", ["gates", "../demo", "", "Ä"])
@pytest.mark.usefixtures("presets")
def test_a_preset_has_a_plain_name(myxtts: Call, recordings: Path, name: str) -> None:
    if name:
        assert "expected a name" in myxtts("data", "import", str(recordings), "--preset", name, "--force", code=1)
    else:
        assert (
            found(myxtts("data", "import", str(recordings), "--preset", name, "--json"))["preset"] == "allison-s-voice"
        )


def ambiguous(voice: Path) -> None:
    rows = [row.split("|") for row in (voice / "metadata.csv").read_text().splitlines()]
    lines = (f"{id}|{'ab'[k % 2]}|{'yn'[k % 3 == 0]}\n" for k, (id, _) in enumerate(rows))
    (voice / "metadata.csv").write_text("".join(lines))


def test_a_script_is_told_the_flags_that_decide(myxtts: Call, presets: Path, voice: Path) -> None:
    ambiguous(voice)
    said = myxtts("data", "import", str(voice), "--language", "en", "--json", code=1)
    assert (found(said)["preset"], found(said)["sure"]) == ("", 0.5)
    (problem,) = [problem for problem in json.loads(said)["problems"] if problem["kind"] == "several_ways"]
    assert problem["examples"][0]["expected"] == "--text-column 2|3, --speaker-column 2|3"
    assert not (presets / "voice.yaml").exists()
    flags = ("--text-column", "3", "--speaker-column", "2", "--language", "en")
    said = myxtts("data", "import", str(voice), *flags, "--json", code=1)  # letters are no sentences
    assert found(said)["speakers"] == {"a": 20, "b": 20}


def test_a_person_is_asked(myxtts: Call, presets: Path, voice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ambiguous(voice)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(builtins, "input", lambda _: "2")
    said = myxtts("data", "import", str(voice), "--language", "en", code=1)
    assert "1. a list" in said
    second = next(line for line in said.splitlines() if line.startswith("2. "))
    chosen = load_config(presets / "voice.yaml").data.table
    assert f"text: column {chosen.text}, speaker: column {chosen.speaker}" in second
    monkeypatch.setattr(builtins, "input", lambda _: "neither")
    assert "No preset was written." in myxtts("data", "import", str(voice), "--preset", "other", code=1)


def test_a_language_that_nobody_can_tell_is_asked(myxtts: Call, presets: Path, voice: Path) -> None:
    rows = (row.split("|")[0] for row in (voice / "metadata.csv").read_text().splitlines())
    (voice / "metadata.csv").write_text("".join(f"{id}|{k} {k + 7}\n" for k, id in enumerate(rows)))
    said = myxtts("data", "import", str(voice), "--json", code=1)
    assert kinds(said) == {"unsure_language": 1}
    assert not (presets / "voice.yaml").exists()
    assert found(myxtts("data", "import", str(voice), "--language", "es", "--json"))["languages"] == {"es": 40}
    assert load_config(presets / "voice.yaml").data.languages == ["es"]


@pytest.mark.usefixtures("presets")
def test_encodings_are_repaired_on_demand(myxtts: Call, presets: Path, voice: Path) -> None:
    text = (voice / "metadata.csv").read_text().replace("|", "|Né à Orléans: ")
    (voice / "metadata.csv").write_bytes(text.encode("latin-1"))
    flags = ("data", "import", str(voice), "--language", "en", "--json")
    assert kinds(myxtts(*flags, code=1)) == {"encoding": 1, "tempo": 1}
    assert kinds(myxtts(*flags, "--force", "--fix-encoding")) == {"repaired_encoding": 1, "tempo": 1}
    assert load_config(presets / "voice.yaml").data.table.fix_encoding


@pytest.mark.usefixtures("presets")
def test_a_list_is_imported_with_the_folder_that_it_lies_in(myxtts: Call, presets: Path, recordings: Path) -> None:
    myxtts("data", "import", str(recordings / "metadata.csv"), "--preset", "mine", "--json")
    data = load_config(presets / "mine.yaml").data
    assert (data.path, data.table.files) == (str(recordings), ["metadata.csv"])


@pytest.mark.usefixtures("presets")
@pytest.mark.parametrize("clips", [1, 3, 4])
def test_too_few_clips_are_said_with_what_would_do(myxtts: Call, voice: Path, clips: int) -> None:
    rows = (voice / "metadata.csv").read_text().splitlines()[:clips]
    (voice / "metadata.csv").write_text("\n".join(rows))
    said = myxtts("data", "import", str(voice), "--language", "en", "--json", code=1)
    (problem,) = [problem for problem in json.loads(said)["problems"] if problem["kind"] == "too_few_clips"]
    assert problem["examples"][0]["found"].startswith(f"of {clips} clips ")
    assert re.search(r"; record \d+ more such sentences", problem["examples"][0]["found"])


@pytest.mark.usefixtures("presets")
def test_recordings_that_cannot_be_read_and_those_without_a_row_are_named(myxtts: Call, voice: Path) -> None:
    first, second, *_ = sorted((voice / "wavs").iterdir())
    first.write_bytes(b"no audio")
    shutil.copy(second, voice / "wavs" / "extra.wav")
    said = myxtts("data", "import", str(voice), "--json", code=1)
    assert kinds(said) == {"no_audio": 1, "unnamed_recording": 1}


@pytest.mark.usefixtures("presets")
def test_nothing_to_read_is_exit_code_2(myxtts: Call, voice: Path) -> None:
    (voice / "metadata.csv").unlink()
    assert f"{voice}: no list of recordings" in myxtts("data", "import", str(voice), "--json", code=2)
    assert f"{voice / 'nowhere'}: not found" in myxtts("data", "import", str(voice / "nowhere"), code=2)


@pytest.mark.usefixtures("presets")
def test_a_home_folder_and_a_checkout_are_named_as_such(
    myxtts: Call, presets: Path, voice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(voice.parent))
    myxtts("data", "import", "~/voice", "--json")
    assert load_config(presets / "voice.yaml").data.path == "~/voice"
    for module in ("commands.data_import", "configs.outs"):
        monkeypatch.setattr(f"{module}.ROOT", voice.parent)
    monkeypatch.chdir("/")
    myxtts("data", "import", "voice", "--force", "--json")
    assert load_config(presets / "voice.yaml").data.path == "voice"


def test_sizes_and_rate_fit_the_recordings(myxtts: Call, presets: Path, voice: Path) -> None:
    for path in (voice / "wavs").iterdir():
        samples, _ = sf.read(path)
        sf.write(path, samples, 44100)
    myxtts("data", "import", str(voice), "--json")
    assert load_config(presets / "voice.yaml").audio.sample_rate == 22050
