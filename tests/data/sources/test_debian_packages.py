from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common import ROOT
from data.corpus import CorpusError
from data.sources import debian_packages
from data.sources.debian_packages import fetch_packages, unpack_package
from data.sources.debian_prompts import DEBIAN_VERSION, VOICES

NAME = "asterisk-core-sounds-en"
TRANSCRIPT = {NAME: VOICES["en"].transcript_sha256}
FILE = f"{NAME}_{DEBIAN_VERSION}_all.deb"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds the package."""
    (there,) = fetch_packages(TRANSCRIPT, DEBIAN_VERSION, tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "myxtts" / "packages"
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(there.read_bytes())
    return folder


@pytest.fixture
def without_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "no-tools"))


def refuse_to_download(packages: list[str], folder: Path) -> None:
    raise AssertionError(f"{packages} would be downloaded to {folder}")


def test_a_cached_package_is_not_downloaded(cache: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian_packages, "_download", refuse_to_download)
    assert fetch_packages(TRANSCRIPT, DEBIAN_VERSION, scratch) == [cache / FILE]
    unpack_package(cache / FILE, scratch / "root")
    assert (scratch / "root/usr/share/doc" / NAME / "core-sounds-en.txt.gz").is_file()


def test_a_damaged_package_is_downloaded_again(cache: Path, scratch: Path) -> None:
    whole = (cache / FILE).read_bytes()
    (cache / FILE).write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    assert fetch_packages(TRANSCRIPT, DEBIAN_VERSION, scratch) == [cache / FILE]
    assert (cache / FILE).read_bytes() == whole
    assert [path.name for path in cache.iterdir()] == [FILE]


def test_a_package_of_other_bytes_is_refused_and_not_kept(cache: Path, scratch: Path) -> None:
    (cache / FILE).unlink()
    with pytest.raises(CorpusError, match=rf"{FILE}: SHA-256 is 973e797d\w+, expected 0000"):
        fetch_packages({NAME: "0" * 64}, DEBIAN_VERSION, scratch)
    assert not list(cache.iterdir())


def test_without_a_writable_home_packages_go_to_the_scratch_folder(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "file"))  # nothing can be made in it, whoever tries
    assert fetch_packages(TRANSCRIPT, DEBIAN_VERSION, scratch) == [scratch / FILE]


def test_a_failing_download_names_the_package(scratch: Path) -> None:
    with pytest.raises(CorpusError, match=r"apt-get failed .*asterisk-core-sounds-xx"):
        fetch_packages({"asterisk-core-sounds-xx": "0" * 64}, DEBIAN_VERSION, scratch)


@pytest.mark.usefixtures("without_tools")
def test_a_missing_tool_for_packages_is_named(cache: Path, scratch: Path) -> None:
    with pytest.raises(CorpusError, match="dpkg-deb not found"):
        unpack_package(cache / FILE, scratch / "root")
    (cache / FILE).unlink()
    with pytest.raises(CorpusError, match="apt-get not found"):
        fetch_packages(TRANSCRIPT, DEBIAN_VERSION, scratch)


def test_processes_that_fetch_a_package_at_once_all_get_it(cache: Path, tmp_path: Path) -> None:
    (cache / FILE).unlink()
    script = (
        "import sys; from pathlib import Path; from data.sources.debian_packages import fetch_packages; "
        f"fetch_packages({TRANSCRIPT!r}, {DEBIAN_VERSION!r}, Path(sys.argv[1]))"
    )
    fetching = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT) for _ in range(3)]
    assert [process.wait() for process in fetching] == [0, 0, 0]
    assert [path.name for path in cache.iterdir()] == [FILE]
