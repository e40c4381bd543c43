from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common import ROOT
from data.corpus import CorpusError
from data.sources.debian import packages
from data.sources.debian.packages import unpack_packages

NAME = "asterisk-core-sounds-en"
TRANSCRIPT = f"usr/share/doc/{NAME}/core-sounds-en.txt.gz"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "myxtts" / "packages"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def kept(cache: Path, tmp_path: Path) -> Path:
    """A package in the cache, of a version that Debian never had."""
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {NAME}\nVersion: 9.9-9\nArchitecture: all\nMaintainer: Nobody <no@body>\nDescription: none\n"
    )
    (tree / TRANSCRIPT).parent.mkdir(parents=True)
    (tree / TRANSCRIPT).write_bytes(b"ours")
    archive = cache / f"{NAME}_9.9-9_all.deb"
    subprocess.run(["dpkg-deb", "--build", str(tree), str(archive)], check=True, capture_output=True)
    return archive


@pytest.fixture
def without_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "no-tools"))


def refuse_to_download(packages: list[str], folder: Path) -> None:
    raise AssertionError(f"{packages} would be downloaded to {folder}")


@pytest.mark.usefixtures("kept")
def test_a_cached_package_of_any_version_is_not_downloaded(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_download", refuse_to_download)
    unpack_packages([NAME], scratch / "root", scratch)
    assert (scratch / "root" / TRANSCRIPT).read_bytes() == b"ours"


def test_a_damaged_package_is_downloaded_again(kept: Path, cache: Path, scratch: Path) -> None:
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-100] + bytes(100))
    unpack_packages([NAME], scratch / "root", scratch)
    assert (scratch / "root" / TRANSCRIPT).stat().st_size > 1000
    (new,) = cache.iterdir()
    assert new.name.startswith(f"{NAME}_")
    assert new != kept


def test_without_a_writable_home_packages_go_to_the_scratch_folder(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "file"))  # nothing can be made in it, whoever tries
    unpack_packages([NAME], scratch / "root", scratch)
    assert (scratch / "root" / TRANSCRIPT).is_file()
    assert [path.name.partition("_")[0] for path in scratch.glob("*.deb")] == [NAME]


@pytest.mark.usefixtures("cache")
def test_a_failing_download_names_the_package(scratch: Path) -> None:
    with pytest.raises(CorpusError, match=r"apt-get failed .*asterisk-core-sounds-xx"):
        unpack_packages(["asterisk-core-sounds-xx"], scratch / "root", scratch)


@pytest.mark.usefixtures("cache", "without_tools")
def test_a_missing_tool_for_packages_is_named(scratch: Path) -> None:
    with pytest.raises(CorpusError, match="dpkg-deb not found"):
        unpack_packages([NAME], scratch / "root", scratch)


def test_processes_that_fetch_a_package_at_once_all_get_it(cache: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from data.sources.debian.packages import unpack_packages; "
        f"unpack_packages([{NAME!r}], Path(sys.argv[1], 'root'), Path(sys.argv[1]))"
    )
    fetching = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / str(n))], cwd=ROOT) for n in range(3)]
    assert [process.wait() for process in fetching] == [0, 0, 0]
    assert all((tmp_path / str(n) / "root" / TRANSCRIPT).is_file() for n in range(3))
    assert [path.name.partition("_")[0] for path in cache.iterdir()] == [NAME]
