"""Presets in YAML and the schema that every one of them is held to."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The checkout."""
