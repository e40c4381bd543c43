"""What is read as a claim, what is not, and what mending makes of it."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema import load_config, presets
from consistency.facts import facts
from consistency.prose.claims import agrees, restate
from consistency.prose.reading import read_claims
from consistency.prose.vocabulary import COMPONENTS

Kind = Literal["markdown", "html"]


@cache
def truth(preset: str) -> dict[str, Any]:
    return facts(load_config(preset))


def mended(text: str, kind: Kind) -> str:
    """The text with every claim that is wrong and not in doubt restated."""
    for claim in reversed(read_claims(text, kind, presets())):
        true = truth(claim.preset)[claim.fact]
        if (
            not claim.doubt
            and not agrees(claim, true)
            and (new := restate(claim, true))
            and text[claim.start : claim.end] == claim.stated
        ):
            text = text[: claim.start] + new + text[claim.end :]
    return text


def stated(text: str, kind: Kind) -> list[tuple[str, str, str]]:
    return [(claim.preset, claim.fact, claim.stated) for claim in read_claims(text, kind, presets())]


BOX = """```
┌──────────────┬────────┬────────┐
│      Component Dimensions      │
├──────────────┼────────┼────────┤
│ Component    │ Dim    │ Heads  │
├──────────────┼────────┼────────┤
│ TextEncoder  │  256   │   4    │
│ SpeakerEmbed │  512   │   -    │
└──────────────┴────────┴────────┘
```"""

# (kind, text, the one claim that is wrong: preset, fact, stated; what it becomes)
DRIFTS: list[tuple[Kind, str, tuple[str, str, str], str]] = [
    ("html", "<h3>TextEncoder</h3><pre><code>layers = 6</code></pre>", ("full", "text_encoder_layers", "6"), "8"),
    ("html", "<ul><li>TextEncoder: <code>layers = 6</code></li></ul>", ("full", "text_encoder_layers", "6"), "8"),
    (
        "html",
        "<h2>AudioEncoder</h2><p><code>speaker_dim = 256, audio_features = 768</code></p>",
        ("full", "speaker_embedding_dim", "256"),
        "512",
    ),
    (
        "html",
        "<p>AudioEncoder: <code>speaker_dim = 512, audio_features = 512</code></p>",
        ("full", "audio_encoder_dim", "512"),
        "768",
    ),
    ("html", "<h2>MelDecoder</h2><p>12 لایه decoder با 24 attention head</p>", ("full", "decoder_layers", "12"), "16"),
    ("html", "<h2>MelDecoder</h2><p>16 لایه decoder با 16 attention head</p>", ("full", "decoder_heads", "16"), "24"),
    ("markdown", "## AudioEncoder\n\n4 layers\n", ("full", "audio_encoder_layers", "4"), "8"),
    (
        "markdown",
        "```\nencoder = AudioEncoder(config)  # 4 layers\n```",
        ("full", "audio_encoder_layers", "4"),
        "8",
    ),
    ("markdown", "## AudioEncoder\n\nThe encoder has 4 layers.", ("full", "audio_encoder_layers", "4"), "8"),
    ("markdown", "## AudioEncoder\n\nIt uses **4 layers** here.", ("full", "audio_encoder_layers", "4"), "8"),
    ("markdown", "- **base**: a decoder of 12 layers\n- **demo**: small", ("base", "decoder_layers", "12"), "8"),
    ("markdown", "`batch_size: 32`", ("full", "batch_size", "32"), "56"),
    ("markdown", "A batch size of 32 fits one GPU.", ("full", "batch_size", "32"), "56"),
    ("markdown", '```json\n{"model": {"decoder_heads": 16}}\n```', ("full", "decoder_heads", "16"), "24"),
    ("markdown", "```yaml\ndecoder:\n  dim: 1536\n  layers: 12\n```", ("full", "decoder_layers", "12"), "16"),
    ("markdown", "```python\nconfig.model.decoder_dim == 1024\n```", ("full", "decoder_dim", "1024"), "1536"),
    (
        "markdown",
        "```python\nself.d_model = config.text_encoder_dim  # 256 ✓\n```",
        ("full", "text_encoder_dim", "256"),
        "512",
    ),
    (
        "markdown",
        "```python\nencoder = AudioEncoder(\n    layers=8,\n    speaker_dim=256,\n)\n```",
        ("full", "speaker_embedding_dim", "256"),
        "512",
    ),
    ("markdown", "```python\nclass MelDecoder:\n    num_heads = 16\n```", ("full", "decoder_heads", "16"), "24"),
    ("markdown", "The text encoder has 6 layers and 8 heads of 64.", ("full", "text_encoder_layers", "6"), "8"),
    ("markdown", "The text encoder has 8 layers and 8 heads of 32.", ("full", "text_encoder_head_dim", "32"), "64"),
    ("markdown", "Every head of the decoder is 128 wide.", ("full", "decoder_head_dim", "128"), "64"),
    ("markdown", "The decoder has 24 heads, each 32 wide.", ("full", "decoder_head_dim", "32"), "64"),
    ("markdown", "The decoder's heads are 32 wide.", ("full", "decoder_head_dim", "32"), "64"),
    ("markdown", "`audio_encoder_feed_forward_dim: 1024`", ("full", "audio_encoder_feed_forward_dim", "1024"), "3072"),
    ("markdown", "It ends in a 12-layer decoder.", ("full", "decoder_layers", "12"), "16"),
    ("markdown", "It ends in a twelve-layer decoder.", ("full", "decoder_layers", "twelve"), "sixteen"),
    ("markdown", "رمزگشا ۱۲ لایه و ۲۴ هد دارد.", ("full", "decoder_layers", "۱۲"), "۱۶"),
    ("markdown", "رمزگشا ۱۶ لایه و ١٦ سر توجه دارد.", ("full", "decoder_heads", "١٦"), "٢٤"),
    ("markdown", "تعداد لایه‌های رمزگذار متن ۶ است.", ("full", "text_encoder_layers", "۶"), "۸"),
    ("markdown", "نرخ نمونه‌برداری ۱۶٬۰۰۰ هرتز است.", ("full", "sample_rate", "۱۶٬۰۰۰"), "۲۲٬۰۵۰"),
    ("markdown", "در پیش‌تنظیم demo رمزگشا ۱۶ لایه دارد.", ("demo", "decoder_layers", "۱۶"), "۴"),
    ("markdown", "It makes 256-dimensional speaker embeddings.", ("full", "speaker_embedding_dim", "256"), "512"),
    ("markdown", "The decoder is 1,024 wide.", ("full", "decoder_dim", "1,024"), "1,536"),
    ("markdown", "Audio has a 24,000 Hz sample rate.", ("full", "sample_rate", "24,000"), "22,050"),
    ("markdown", "Its sample rate is 24 kHz.", ("full", "sample_rate", "24 kHz"), "22 kHz"),
    ("markdown", "Speech is drawn with 100 mel bands.", ("full", "n_mels", "100"), "80"),
    ("markdown", "A vocabulary of 120 symbols.", ("full", "text_vocab_size", "120"), "101"),
    ("markdown", "The hop length is 512 samples.", ("full", "hop_length", "512"), "256"),
    ("markdown", "The decoder makes 2 frames per step.", ("full", "reduction_factor", "2"), "3"),
    ("markdown", "A similarity threshold of 0.8 is used.", ("full", "voice_similarity_threshold", "0.8"), "0.75"),
    ("markdown", "The decoder holds 50% of the parameters.", ("full", "decoder_capacity_percent", "50%"), "88%"),
    ("markdown", "- Text: ~20% of total capacity", ("full", "text_encoder_capacity_percent", "20%"), "4%"),
    ("markdown", "The model has 650M parameters.", ("full", "parameters", "650M"), "697M"),
    ("markdown", "رمزگشا ۵۰۰ میلیون پارامتر دارد.", ("full", "decoder_parameters", "۵۰۰ میلیون"), "۶۱۳ میلیون"),
    ("markdown", "All use a 3x feed-forward ratio.", ("full", "feed_forward_ratio", "3x"), "4x"),
    ("markdown", "Feed-forward layers: 3× as wide.", ("full", "feed_forward_ratio", "3×"), "4×"),
    ("markdown", "### Feed-forward\n\n- Text: 512 → 1024", ("full", "text_encoder_feed_forward_dim", "1024"), "2048"),
    ("markdown", "Dimensions: 512 (Text) → 512 (Audio) → 1536 (Decoder)", ("full", "audio_encoder_dim", "512"), "768"),
    (
        "markdown",
        "```\nDimension Progression:\n 1x → 2x → 3x\n```",
        ("full", "dim_progression", "1x → 2x → 3x"),
        "1x → 1.5x → 3x",
    ),
    (
        "markdown",
        "The text encoder, the audio encoder and the decoder have 8, 8 and 12 layers.",
        ("full", "decoder_layers", "12"),
        "16",
    ),
    ("markdown", "The text encoder has 8 layers, the decoder 12 layers.", ("full", "decoder_layers", "12"), "16"),
    ("markdown", "The text encoder (8 layers) feeds the decoder (12 layers).", ("full", "decoder_layers", "12"), "16"),
    ("markdown", "Unlike the text encoder, the decoder has 12 layers.", ("full", "decoder_layers", "12"), "16"),
    ("markdown", "Total parameters: 650 M", ("full", "parameters", "650 M"), "697 M"),
    ("markdown", "Mel-spectrograms: 80 mel channels, hop 512", ("full", "hop_length", "512"), "256"),
    ("markdown", "The decoder is causal. It has **12** layers.", ("full", "decoder_layers", "12"), "16"),
    ("markdown", "- **TextEncoder**\n  - 6 layers\n  - 8 heads", ("full", "text_encoder_layers", "6"), "8"),
    ("markdown", "TextEncoder dimensions match (512, 6, 8)", ("full", "text_encoder_layers", "6"), "8"),
    ("markdown", "In the `demo` preset the decoder has 8 layers.", ("demo", "decoder_layers", "8"), "4"),
    ("markdown", "## smoke\n\nThe decoder has 4 layers.", ("smoke", "decoder_layers", "4"), "2"),
    (
        "markdown",
        '```python\nconfig = load_config("demo")\nconfig.model.decoder_layers  # 16\n```',
        ("demo", "decoder_layers", "16"),
        "4",
    ),
    (
        "markdown",
        "| Component | Dim | Layers |\n|---|---|---|\n| Text encoder | 512 | 6 |\n",
        ("full", "text_encoder_layers", "6"),
        "8",
    ),
    (
        "markdown",
        "| setting | demo | full |\n|---|---|---|\n| decoder_layers | 8 | 16 |\n",
        ("demo", "decoder_layers", "8"),
        "4",
    ),
    (
        "markdown",
        "| | text encoder | audio encoder |\n|---|---|---|\n| heads | 8 | 8 |\n",
        ("full", "audio_encoder_heads", "8"),
        "12",
    ),
    (
        "markdown",
        "| preset | text encoder |\n|---|---|\n| `base` | 256 · 4 · 8 |\n",
        ("base", "text_encoder_heads", "8"),
        "4",
    ),
    ("markdown", BOX.replace("256", "512"), ("full", "text_encoder_heads", "4"), "8"),
    ("markdown", BOX.replace(" 4 ", " 8 "), ("full", "text_encoder_dim", "256"), "512"),
    (
        "html",
        "<table>\n<tr><th>بخش</th><th>لایه‌ها</th></tr>\n<tr>\n<td>رمزگذار متن</td>\n<td>۶</td>\n</tr></table>",
        ("full", "text_encoder_layers", "۶"),
        "۸",
    ),
    ("html", "<p>The decoder&nbsp;has <b>12</b> layers &amp;\n24 heads.</p>", ("full", "decoder_layers", "12"), "16"),
    ("html", "<dl><dt>Batch size</dt><dd>32</dd></dl>", ("full", "batch_size", "32"), "56"),
    ("html", "<ul><li>TextEncoder<ul><li>6 layers</li></ul></li></ul>", ("full", "text_encoder_layers", "6"), "8"),
    ("markdown", "`use_voice_conditioning = false`", ("full", "use_voice_conditioning", "false"), "true"),
]

INNOCENT: list[tuple[Kind, str]] = [
    ("markdown", "**Date**: 2024, version 2.13.0 of the decoder"),
    ("markdown", "Training the decoder needs 8 GPUs of 24 GB and 16 cores."),
    ("markdown", "Tacotron's decoder has 2 layers."),
    ("markdown", "BERT uses 12 layers and 768 dimensions."),
    ("markdown", "SpeechT5 with 12 heads"),
    ("markdown", "## Whisper\n\nThe decoder has 32 layers."),
    ("markdown", "| | SpeechT5 |\n|---|---|\n| decoder layers | 6 |\n"),
    ("markdown", "Before, the decoder had 12 layers."),
    ("markdown", "The number of decoder layers was 12."),
    ("markdown", "## Changelog\n\n- decoder: 12 layers"),
    ("markdown", "**Before → After:**\n- TextEncoder: `layers = 6` → `layers = 8`"),
    ("markdown", "- AudioEncoder: `4 layers` → `8 layers`"),
    ("markdown", "- `batch_size`: `32` → `56`"),
    ("markdown", "The decoder has ~~12 layers~~."),
    ("markdown", "در نسخهٔ پیش رمزگشا ۱۲ لایه بود."),
    ("markdown", "قبلاً رمزگشا ۱۲ لایه داشت."),
    ("html", "<p>The decoder has <del>12 layers</del>.</p>"),
    ("html", "<!-- the decoder has 12 layers --><script>decoder_layers = 12</script>"),
    ("html", '<img alt="decoder" width="12" data-layers="decoder: 12 layers">'),
    ("markdown", "See step 12 of the decoder, figure 3 and section 4."),
    ("markdown", "1. The decoder\n2. The text encoder\n3. Layers"),
    ("markdown", "There are 12 tests of the decoder."),
    ("markdown", "# 11 tests passed, 23/23 for the decoder's layers"),
    ("markdown", "With 12 layers the decoder would be faster."),
    ("markdown", "If the decoder has 32 layers, training takes a week."),
    ("markdown", "Increase decoder_layers to 32 for more detail."),
    ("markdown", "Decoders of 6 to 12 layers are common."),
    ("markdown", "The decoder needs more than 2 layers."),
    ("markdown", "The first 4 layers of the decoder are frozen."),
    ("markdown", "Layer 3 of the decoder attends to the text."),
    ("markdown", "```python\nmodel.decoder.layers[3].attention\n```"),
    ("markdown", "```python\nx = decoder(torch.randn(1, 80, 512))\n```"),
    ("markdown", "```bash\nmyxtts run demo --set model.decoder_layers=2\n```"),
    ("markdown", "```python\nconfig.model_copy(update={'decoder_layers': 3})\n```"),
    ("markdown", "See [the decoder](https://example.org/12/layers) and `decoder/12.md`, commit 1a2b3c4."),
    ("markdown", "Issue #12 is about decoder layers."),
    ("markdown", "The decoder was trained for 12 hours on 80% of the recordings."),
    ("markdown", "Dropout is 10% in the decoder's layers."),
    ("markdown", "The vocoder has 4 layers."),
    ("markdown", "This is a simple demo with 4 layers of defence."),
    ("markdown", "## Decoder\n\n```python\nx.softmax(dim=1), frame.head(5), figure(width=600, height=80)\n```"),
    ("markdown", "## Decoder\n\n4 of the layers are shared. Loss weights: 2."),
    ("markdown", "## Decoder\n\nA capacity of 8 GB is enough. 12 epochs with 8 workers."),
    ("markdown", "```python\nDataLoader(clips, batch_size=4)\n```"),
    ("markdown", "The encoders and the decoder differ (8 vs 12 layers)."),
    ("html", "<dl><dt>text : audio : decoder, depth</dt><dd>1 : 1 : 2</dd></dl>"),
    ("markdown", "Small models have 2 decoder layers; the smallest decoder has 1 layer."),
    ("markdown", "| size | decoder layers |\n|---|---|\n| large (planned) | 32 |\n"),
    ("markdown", "| Component | Layers |\n|---|---|\n| SpeakerEmbed | - |\n"),
    ("markdown", "اگر رمزگشا ۳۲ لایه داشته باشد کند می‌شود."),
]

AMBIGUOUS: list[tuple[Kind, str, str]] = [
    ("markdown", "The decoder attends to the text encoder with 12 heads.", "several components"),
    ("markdown", "The encoder has 6 layers.", "two encoders"),
    ("markdown", "In `demo`, as in `smoke`, the decoder has 8 layers.", "several presets"),
    ("markdown", "The `demo` preset is small.\n\nIts decoder has 12 layers.", "spoken of above"),
    ("markdown", "## Decoder\n\nThe picture is 800 wide.", "only a heading"),
    ("markdown", "```python\nload('x.wav', sample_rate=16000)\n```", "argument of a function"),
    ("markdown", "## Decoder and text encoder\n\n12 layers each.", "several components"),
]


@pytest.mark.parametrize(("kind", "text", "claim", "new"), DRIFTS)
def test_a_drift_is_read_and_mended(kind: Kind, text: str, claim: tuple[str, str, str], new: str) -> None:
    wrong = [c for c in read_claims(text, kind, presets()) if not agrees(c, truth(c.preset)[c.fact])]
    assert {(c.preset, c.fact, c.stated, c.doubt) for c in wrong if c.fact == claim[1]} == {(*claim, "")}
    assert len({(c.start, c.end) for c in wrong}) == 1
    assert mended(text, kind) == text[: wrong[0].start] + new + text[wrong[0].end :]
    assert mended(mended(text, kind), kind) == mended(text, kind)


@pytest.mark.parametrize(("kind", "text"), INNOCENT)
def test_what_is_no_claim_is_not_read(kind: Kind, text: str) -> None:
    assert stated(text, kind) == []


@pytest.mark.parametrize(("kind", "text", "why"), AMBIGUOUS)
def test_a_claim_that_can_be_read_in_two_ways_is_doubted_and_left(kind: Kind, text: str, why: str) -> None:
    claims = read_claims(text, kind, presets())
    assert claims
    assert all(why in claim.doubt for claim in claims)
    assert mended(text, kind) == text


def test_a_claim_takes_no_preset_from_what_precedes_or_follows() -> None:
    text = "## Demo\n\nThe decoder has 4 layers.\n\n## Sizes\n\nThe decoder has 16 layers."
    assert [claim.preset for claim in read_claims(text, "markdown", presets())] == ["demo", "full"]


SENTENCES = [
    ("The {component} has {value} layers.", "{name}_layers"),
    ("The {component}: {value} attention heads", "{name}_heads"),
    ("A {value}-wide {component} is used here", "{name}_dim"),
    ("`{name}_layers = {value}`", "{name}_layers"),
    ("| part | dim |\n|---|---|\n| {component} | {value} |", "{name}_dim"),
    ("{persian} {value} لایه دارد", "{name}_layers"),
]
PERSIAN = {"text_encoder": "رمزگذار متن", "audio_encoder": "رمزگذار صدا", "decoder": "رمزگشا"}


@settings(deadline=None)
@given(
    template=st.sampled_from(SENTENCES),
    name=st.sampled_from(COMPONENTS),
    preset=st.sampled_from(presets()),
    number=st.integers(16, 99_999),
    before=st.text(alphabet="ab .\n<>|۱é", max_size=20),
    persian=st.booleans(),
)
def test_offsets_of_claims_are_those_of_the_text_and_mending_makes_all_of_them_true(
    template: tuple[str, str], name: str, preset: str, number: int, before: str, persian: bool
) -> None:
    value = str(number).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")) if persian else str(number)
    body = template[0].format(component=name.replace("_", " "), name=name, value=value, persian=PERSIAN[name])
    text = f"{before}\n\n## Preset `{preset}`\n\n{body}"
    claims = read_claims(text, "markdown", presets())
    assert all(text[c.start : c.end] == c.stated and c.line == text[: c.start].count("\n") + 1 for c in claims)
    fact = template[1].format(name=name)
    assert (preset, fact, value, number) in [(c.preset, c.fact, c.stated, c.value) for c in claims]
    after = mended(text, "markdown")
    again = read_claims(after, "markdown", presets())
    assert [(c.preset, c.fact) for c in again] == [(c.preset, c.fact) for c in claims]
    assert all(agrees(c, truth(c.preset)[c.fact]) for c in again if c.preset == preset)
