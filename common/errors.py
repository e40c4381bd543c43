"""The two ways in which a command can end without its goal; everything else that is raised is a fault of ours."""

from __future__ import annotations


class Refused(Exception):
    """The answer is no: a check failed, a gate stayed shut, a run differs. Exit code 1."""


class Unanswerable(Exception):
    """The question could not be asked: a wrong name, a missing file, a store that cannot be reached. Exit code 2."""
