"""Presets in YAML and the schema that every one of them is held to."""
