"""A module for each language in which documents speak of the model. A new one is a module and a line here."""

from __future__ import annotations

from consistency.prose.languages.code import CODE
from consistency.prose.languages.english import ENGLISH
from consistency.prose.languages.persian import PERSIAN

LANGUAGES = (CODE, ENGLISH, PERSIAN)
