from __future__ import annotations

import sys

import pytest

from common import LOCK_FILE, ROOT
from common.packages import installed_packages, locked_packages

HASHED = """\
# a comment == 1
--index-url https://example.org/simple
numpy==2.4.6 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via librosa==1
Ruamel_YAML==0.18.1 --hash=sha256:cccc
torch==2.13.0+cpu ; sys_platform == "{platform}" \\
    --hash=sha256:dddd
torch==1.0 ; sys_platform == "elsewhere"
zenml[local]==0.98.0  # what runs the steps
ranged>=1.0
local @ file:///somewhere/local-1.0.whl
-e .
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_packages_are_read_from_a_lock_file_with_hashes_and_markers(ending: str) -> None:
    content = HASHED.format(platform=sys.platform).replace("\n", ending)
    expected = {"numpy": "2.4.6", "ruamel-yaml": "0.18.1", "torch": "2.13.0", "zenml": "0.98.0"}
    assert locked_packages(content) == expected


def test_packages_of_this_checkout_are_installed_as_they_are_locked() -> None:
    locked, installed = locked_packages((ROOT / LOCK_FILE).read_text()), installed_packages()
    assert len(locked) > 100
    assert {name: installed.get(name) for name in locked} == locked
