"""How English speaks of the model."""

from __future__ import annotations

from consistency.prose.language import Language
from consistency.prose.vocabulary import COMPONENTS, ENCODERS, SOME_ENCODER, WHOLE_MODEL

ENGLISH = Language(
    components=(
        (ENCODERS, r"text and audio encoders|(?:both )?encoders"),
        (COMPONENTS, r"(?:all|every|each) (?:(?:three|of the) )?(?:components?|transformers?)"),
        (("text_encoder",), r"text[ _-]?encoder"),
        (("audio_encoder",), r"audio[ _-]?encoder"),
        (("decoder",), r"(?:mel[ _-]?)?decoder"),
        (("speaker",), r"speaker[ _-]?(?:embed(?:ding)?s?|vectors?)"),
        (("prenet",), r"prenet"),
        (("postnet",), r"postnet"),
        (("vocoder",), r"vocoder|griffin-lim"),
        (WHOLE_MODEL, r"(?:the|whole|entire|our) (?:model|network)|myxtts|in total|total(?= param)"),
        (SOME_ENCODER, r"encoder"),
    ),
    labels={"text": ("text_encoder",), "audio": ("audio_encoder",), "speaker": ("speaker",)},
    attributes=(
        # of the model as a whole
        ("batch_size", r"batch[ -]size|batch(?:es)? of"),
        ("sample_rate", r"sampl(?:e|ing)[ -](?:rate|frequency)|sampled at"),
        ("n_mels", r"(?:log-)?mel[ -](?:bands?|channels?|bins?|filters?)|band (?:log-)?mels?"),
        ("hop_length", r"hop(?:[ -](?:length|size))?"),
        ("n_fft", r"fft(?:[ -](?:size|length|window))?"),
        ("text_vocab_size", r"(?:text[ _-])?vocab(?:ulary)?(?:[ _-]size)?|symbols"),
        ("reduction_factor", r"reduction[ -]factor|frames (?:per|a|each|every) (?:decoder )?step"),
        ("voice_similarity_threshold", r"(?:voice |speaker )?similarity[ -]threshold"),
        ("reference_frames", r"reference[ -]frames|frames of (?:the )?reference"),
        ("voice_conditioning_layers", r"voice[ -]conditioning[ -]layers"),
        # of a component
        ("head_dim", r"head[ _-]?(?:dim(?:ension)?s?|size|width)|(?<=heads )of(?= \W*\d)"),
        ("head_dim", r"(?:dim(?:ension)?|width) of (?:a|each|every|one) head"),
        ("head_dim", r"(?:dim(?:ensional)?|wide) (?:(?:self-)?attention )?heads"),
        ("feed_forward", r"(?:feed[ -_]?forward|ffn)(?:[ _-](?:dim(?:ension)?s?|width|size|ratio|layers?|networks?))*"),
        ("capacity_percent", r"(?:shares? of )?(?:total |model |measured )*capacity|share"),
        ("depth_ratio", r"as deep|deeper"),
        # width and depth as a keyword are those of a picture
        ("layers", r"(?:transformer )?(?:layers?|blocks?)|depth(?!\s*=|[\"']\s*:)"),
        ("heads", r"(?:(?:self-)?attention )?heads?"),
        ("dim", r"dim(?:ension(?:s|al|ality)?|s)?|(?:model )?width(?!\s*=|[\"']\s*:)|wide|hidden[ _](?:size|dim)"),
        ("parameters", r"param(?:eter)?s?|weights"),
    ),
    endings=r"'s|’s",
    preset=r"presets?",
    preset_after=r"preset",
    numbers=(
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
        *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "twenty-one"),
        *("twenty-two", "twenty-three", "twenty-four"),
    ),
    suffixes={"percent": "%", "times": "x", "khz": "k", "million": "m", "billion": "b"},
    units=r"hz",
    adjectives=r"transformer|attention|self|stacked|causal|equal|total|hidden",
    of_shares=r"in|of|the|all|its|our|model",
    connectors=r"is|are|of|to|at|equals?|uses?|all|the|a|same|consistent|about|exactly|now|set|count",
    prepositions=r"in|of|for|the|deep|wide|each",
    conjunctions=r"and",
    articles=r"the",
    clause_starts=r"and|while|whereas|but",
    opening=r"it|its|this|they|has|have|uses?|using|consists|stacks?|contains|is|are|made|built|of|in|with|the|a|an|all|"
    r"number|each|self|config|model|transformer",
    counts=r"number of|count",
    all_sizes=r"dimensions|sizes",
    # "each head of the decoder is 64", "24 heads, each 64"; "heads are 64 wide"
    one_head=r"\b(?:each|every|per|one|a) (?:(?:self-)?attention )?head\b[^\d,;]*$|\bheads\b\W*each (?:is |of )?$",
    heads_are=r"\bheads\b(?:(?! and )[^\d,;])*\bare (?:all )?$",
    conditioning=r"\bvoice[ -]conditioning\b|\b(?:attend|listen)\w* to the reference\b",
    others=r"\b(?:tacotron|bert|roberta|gpt|speecht5|whisper|wav2vec|hubert|wavlm|vits|fastspeech|hifi-?gan|tortoise|"
    r"xtts|matcha|bark|vall-?e|f5|styletts|conformer|llama|t5|espnet|kokoro|baselines?|other models|most models|paper"
    r")\d?\b",
    ours=r"\b(?:myxtts|ours?)\b",
    past=r"\b(?:was|were|had|previous(?:ly)?|former(?:ly)?|earlier|old(?:er)?|used to|no longer|originally|initially|"
    r"deprecated|changed|first version|gone|removed|changelog|changes|history|release notes|migrat\w+)\b"
    r"|^\W*before\b|\bbefore\b(?=\W*(?:[,:→]|$))|\bfrom [^.;]*\d[^.;]* to [^.;]*\d",
    supposed=r"\b(?:if|would|could|might|suppose|imagine|assum(?:e|ing)|common(?:ly)?|typical(?:ly)?|usual(?:ly)?|"
    r"recommend\w*|instead|rather than|small(?:er|est)|tiny|(?:small|large|other|larger|bigger) (?:models?|presets?)|"
    r"shows?|shown|frozen|between|ablation|experiments?|planned|future|override\w*)\b"
    r"|^\W*(?:set|try|increase|reduce|change|raise|lower|add|let|cut|halve|shrink)\b",
    indexes=r"than|at (?:least|most)|last|next|top|every|another|after|extra|additional|(?<!set )(?<!equal )to|until|"
    r"steps?|figure|fig\.?|section|table|chapter|layer|block|head|line|row|version|python|epoch|issue|page|part|phase",
    first=r"first",
    ranges=r"to|or|vs\.?|versus",
)
