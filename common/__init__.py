"""The ground floor: files, git, DVC, errors and progress, which know nothing of speech."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The checkout."""

LOCK_FILE = "requirements.lock"
"""The file that pins every package, relative to the root."""
