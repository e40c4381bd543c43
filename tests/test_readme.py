"""Every command of the README runs, word by word, in a fresh shell on a fresh clone."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common import ROOT
from data.corpus import read_corpus

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(<!-- not run: .+ -->\n)?```bash\n(.*?)```\n", re.DOTALL)
SERVERS = {"mlflow ui": "health", "mlflow models serve": "ping"}

# Each command is shown before it runs; the first that fails is the last. A server is started, asked once and stopped.
PRELUDE = """\
set -eo pipefail
shown() { printf '\n$ %s\n' "$1"; }
asked_once() {
    local address=http://127.0.0.1:5000/$1
    shift
    setsid "$@" & local server=$!
    for second in $(seq 120); do
        sleep 1
        if python3 -c "import urllib.request; urllib.request.urlopen('$address', timeout=9)" 2>/dev/null; then
            kill -- "-$server"
            while kill -0 -- "-$server" 2>/dev/null; do sleep 0.1; done
            echo "$address answered"
            return
        fi
    done
    kill -- "-$server"
    return 1
}
"""

# What `make setup` takes for Python: environments get the packages of the one that runs the tests, without a download.
LINKED_PYTHON = """\
#!/bin/sh
case "$*" in "-m venv "*) ;; *) exec {python} "$@" ;; esac
{python} "$@" --without-pip || exit
echo '{packages}' > .venv/lib/python{version}/site-packages/linked.pth
for script in $(grep -lIs '^#!{prefix}/' {prefix}/bin/*); do
    sed "1s|{prefix}|$PWD/.venv|" "$script" > ".venv/bin/${{script##*/}}"
    chmod +x ".venv/bin/${{script##*/}}"
done
"""


def blocks(run: bool) -> list[str]:
    return [script for skipped, script in BLOCK.findall(README) if bool(skipped) != run]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def shell_lines(line: str) -> str:
    asked = next((f"asked_once {path} " for server, path in SERVERS.items() if line.startswith(server)), "")
    return f"shown {shlex.quote(line)}\n{asked}{line}\n"


def environment(folder: Path, linked: bool) -> dict[str, str]:
    """A home with a name for git, and where commands lie; nothing else."""
    home, commands = folder / "home", folder / "bin"
    for made in (home, commands):
        made.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = test\nemail = test@localhost\n")
    if linked:
        python = LINKED_PYTHON.format(
            python=Path(sys.executable).resolve(),
            prefix=sys.prefix,
            packages=Path(pytest.__file__).parents[1],
            version=f"{sys.version_info.major}.{sys.version_info.minor}",
        )
        (commands / "python3").write_text(python)
        (commands / "python3").chmod(0o755)
    else:
        (commands / "python3").symlink_to(Path(sys.executable).resolve())
    return {"HOME": str(home), "PATH": f"{commands}:/usr/local/bin:/usr/bin:/bin"}


def clone(folder: Path) -> Path:
    """A clone of this repository as it lies here, from an origin that can be pushed to."""
    origin, checkout = folder / "origin.git", folder / "checkout"
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    git(origin, "config", "receive.shallowUpdate", "true")
    git(ROOT, "push", "--quiet", str(origin), "HEAD:refs/heads/main")
    git(folder, "clone", "--quiet", str(origin), str(checkout))
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)
        elif name:
            (checkout / name).unlink(missing_ok=True)
    return checkout


def make_small(checkout: Path) -> None:
    """Let `demo` be as small as `smoke`, in all that is said of it, and be judged as `smoke` is."""
    shutil.copy(checkout / "configs/smoke.yaml", checkout / "configs/demo.yaml")
    gates = checkout / "configs/gates.yaml"
    gates.write_text(gates.read_text().replace("myxtts-smoke:", "myxtts-demo:"))
    fix = [sys.executable, "-m", "commands.main", "verify", "--fix"]
    subprocess.run(fix, cwd=checkout, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(checkout)}, check=True)


def record(corpus: Path, folder: Path) -> None:
    """A user's recordings: those of a corpus, in LJSpeech format."""
    (folder / "wavs").mkdir(parents=True)
    clips = read_corpus(corpus)
    for clip in clips:
        shutil.copy(clip.path, folder / "wavs" / f"{clip.id}.flac")
    lines = [f"{clip.id}|{clip.text}\n" for clip in clips]
    (folder / "metadata.csv").write_text("".join(lines), encoding="utf-8")


@pytest.mark.pipeline
@pytest.mark.slow
@pytest.mark.parametrize("small", [True, False], ids=["small", "whole"])
def test_readme_commands_run_in_a_fresh_shell(tmp_path: Path, smoke_corpus: Path, small: bool) -> None:
    """`small`: with the packages that are installed here, and with `demo` as small as `smoke`; else all as it is."""
    checkout = clone(tmp_path)
    if small:
        make_small(checkout)
    git(checkout, "add", "--all")
    who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    git(checkout, *who, "commit", "--quiet", "--allow-empty", "--message", "as it lies here")
    record(smoke_corpus, checkout / "recordings")
    commands = "".join(blocks(run=True)).splitlines()
    script = tmp_path / "script"
    script.write_text(PRELUDE + "".join(map(shell_lines, commands)), encoding="utf-8")
    done = subprocess.run(
        ["bash", str(script)],
        cwd=checkout,
        env=environment(tmp_path, linked=small),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    shown = done.stdout
    assert done.returncode == 0, shown[-6000:]
    assert shown.count(" answered") >= len(SERVERS)
    assert not (tmp_path / "home/.cache/Microsoft").exists()  # where onnxruntime keeps what it would send
    untracked = {entry[3:] for entry in git(checkout, "status", "--porcelain").splitlines() if entry.startswith("??")}
    assert untracked == {"bridge.wav", "configs/mine.yaml", "recordings/", "reports/mine/"}


def test_readme_says_why_a_command_is_not_run() -> None:
    assert README.count("```bash") == len(blocks(run=True)) + len(blocks(run=False))
    assert len(blocks(run=False)) <= 1


def test_readme_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert len(targets) > 5
    assert [target for target in targets if not (ROOT / target).exists()] == []
