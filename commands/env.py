"""Print the variables by which other tools find this checkout's stores.

Print lines for a shell that let the commands of ZenML, MLflow and DVC find this checkout's stores.
The environment of `make setup` does so by itself when it is activated. What you have set yourself stays.
"""

from __future__ import annotations

import argparse
import os
import shlex

from commands.output import add_json, show
from common.environment import variables

EXAMPLES = 'eval "$(myxtts env)"'


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    add_json(verb)


def main(parsed: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    content = variables(os.environ)
    show(parsed, content, [f"export {name}={shlex.quote(value)}" for name, value in content.items()])
    return 0
