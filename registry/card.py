"""The model card of a version: made from facts alone, so that it says what is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data.corpus import ATTRIBUTION, read_corpus
from evaluation.measures import CEILINGS, MEASURES, MISSING, WITH_CEILINGS, in_a_language, languages_of, unheard
from registry.identity import Identity

TEMPLATE = "model_card.md.j2"

MOST_CHARACTERS = 5000
"""What MLflow's database keeps of a description."""


def render_card(
    name: str,
    settings: Mapping[str, Any],
    figures: Mapping[str, float],
    identity: Identity,
    parameters: int,
    corpus: Path,
) -> str:
    """The card in Markdown, of the settings in the checkpoint's header, the metrics, the identity and the corpus."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, keep_trailing_newline=True
    )
    clips = read_corpus(corpus)
    voices = len({clip.speaker for clip in clips})
    # The card has a heading of its own.
    attribution = (corpus / ATTRIBUTION).read_text(encoding="utf-8").partition("\n")[2].strip()
    return environment.get_template(TEMPLATE).render(
        name=name,
        settings=settings,
        figures=figures,
        identity=identity,
        parameters=round(parameters / 1e6, 1),
        measures={name: MEASURES[name].title for name in WITH_CEILINGS},
        figure=lambda key: f"{figures[key]:.3g}" if key in figures else MISSING,
        ceilings=CEILINGS,
        heard_languages=languages_of(figures),
        in_a_language=in_a_language,
        languages=sorted({clip.language for clip in clips}),
        clips=len(clips),
        minutes=round(sum(clip.duration for clip in clips) / 60, 1),
        voices=voices,
        attribution=attribution,
        limits=list(limits(figures, voices)),
    )


def shortened(card: str) -> str:
    """As much of a card as fits a description."""
    rest = "\n\n(The rest is in the artifact `model_card.md` of its run.)"
    return card if len(card) <= MOST_CHARACTERS else card[: MOST_CHARACTERS - len(rest)] + rest


def limits(figures: Mapping[str, float], voices: int) -> Iterator[str]:
    """What a user must know, as far as figures tell it."""
    if voices == 1:
        yield "It has heard one voice; how well it clones others was not measured."
    above = figures.get("cer", 0.0) - figures.get("cer_vocoded", 0.0)
    if above > 0.2:
        yield f"It can hardly be understood: {above:.0%} more characters are misheard than in vocoded recordings."
    if any(figures.get(share, 100.0) < 100 for share in ("ended_percent", "hard_ended_percent", "far_ended_percent")):
        yield "Some sentences do not end by themselves and are cut off."
    if "cer" in figures and figures.get("far_cer", 0.0) > figures["cer"]:
        yield "It is understood less well on texts that are unlike those of the corpus."
    if why := unheard(figures):
        yield f"How well it is understood was not measured in every language: {why}."
    yield "Error rates are a speech recogniser's, not people's; read them beside those of the recordings."
