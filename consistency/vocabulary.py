"""The words in which documents speak of the model, in English and Persian, as tables of patterns.

Patterns ignore case. Persian joiners and the hamza of possession count as spaces.
"""

from __future__ import annotations

ENCODERS = ("text_encoder", "audio_encoder")
ALL = (*ENCODERS, "decoder")
_ENCODER = r"(?:رمزگذار|کدگذار|ان?کودر|اینکودر)"
COMPONENTS: list[tuple[tuple[str, ...], str]] = [
    (ENCODERS, r"text and audio encoders|(?:both )?encoders|(?:هر دو )?(?:رمزگذار|انکودر) ?ها"),
    (ALL, r"(?:all|every|each) (?:(?:three|of the) )?(?:components?|transformers?)|(?:همه ی?|تمام) (?:اجزا|بخش ها)ی?"),
    (("text_encoder",), rf"text[ _-]?encoder|{_ENCODER} ?(?:ی )?متنی?"),
    (("audio_encoder",), rf"audio[ _-]?encoder|{_ENCODER} (?:صدا|صوتی?|گفتار)"),
    (("decoder",), r"(?:mel[ _-]?)?decoder|(?:رمزگشا|کدگشا|دی?کودر)(?:ی? مل)?(?:ی|ست)?"),
    (("speaker",), r"speaker[ _-]?(?:embed(?:ding)?s?|vectors?)|(?:بردار|تعبیه ی?|جاسازی|امبدینگ) ?گوینده"),
    (("prenet",), r"prenet|پیش ?شبکه"),
    (("postnet",), r"postnet|پس ?شبکه"),
    (("vocoder",), r"vocoder|griffin-lim|وکدر"),  # not part of the model: keeps its figures from being taken for ours
    (("model",), r"(?:the|whole|entire|our) (?:model|network)|myxtts|in total|total(?= param)|مدل"),
    (("some encoder",), rf"encoder|{_ENCODER}"),
]
LABELS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("text", "متن"), ("text_encoder",)),
    **dict.fromkeys(("audio", "صدا"), ("audio_encoder",)),
    "speaker": ("speaker",),
}
"""Words that mean a component only where they stand alone: before a colon, in brackets, in a cell."""

SIZES = (
    *("dim", "layers", "heads", "head_dim"),
    *("feed_forward_dim", "feed_forward_ratio", "parameters", "capacity_percent"),
)
"""Attributes that each of `ALL` has: text_encoder_dim and so on are facts."""

OF_OTHERS = {
    **{(name, "dim"): f"{name}_dim" for name in ("prenet", "postnet")},
    **{("speaker", "dim"): "speaker_embedding_dim", ("model", "parameters"): "parameters"},
    ("model", "feed_forward_ratio"): "feed_forward_ratio",
}
SETTINGS = (
    *(f"{name}_{size}" for name in ALL for size in SIZES),
    *("batch_size", "batch_frames", "sample_rate", "n_fft", "hop_length", "n_mels", "fmin", "fmax", "trim_db"),
    *("text_vocab_size", "feed_forward_ratio", "speaker_embedding_dim", "prenet_dim", "postnet_dim", "path_width"),
    *("reduction_factor", "use_voice_conditioning", "voice_conditioning_layers", "voice_similarity_threshold"),
    *("reference_frames", "prenet_dropout", "warmup_steps"),
)
ATTRIBUTES: list[tuple[str, str]] = [
    *((name, name) for name in SETTINGS),
    # of the model as a whole, under their former names and in words
    ("speaker_embedding_dim", r"speaker_dim"),
    ("audio_encoder_dim", r"audio_features"),
    ("batch_size", r"batch[ -]size|batch(?:es)? of|(?:اندازه|سایز) ?ی? (?:دسته|بچ)"),
    ("sample_rate", r"sampl(?:e|ing)[ -](?:rate|frequency)|sampled at|نرخ نمونه ?برداری"),
    ("n_mels", r"(?:log-)?mel[ -](?:bands?|channels?|bins?|filters?)|band (?:log-)?mels?|num_mels"),
    ("n_mels", r"(?:باند|کانال)(?: ?های?)? مل"),
    ("hop_length", r"hop(?:[ -](?:length|size))?|hop_size|طول گام"),
    ("n_fft", r"fft(?:[ -](?:size|length|window))?|fft_size"),
    ("text_vocab_size", r"(?:text[ _-])?vocab(?:ulary)?(?:[ _-]size)?|symbols|واژگان|واژه ?نامه"),
    ("reduction_factor", r"reduction[ -]factor|frames (?:per|a|each|every) (?:decoder )?step|ضریب کاهش"),
    ("voice_similarity_threshold", r"(?:voice |speaker )?similarity[ -]threshold|آستانه ی? شباهت(?: صدا)?"),
    ("reference_frames", r"reference[ -]frames|frames of (?:the )?reference|(?:فریم|قاب)(?: ?های?)? (?:مرجع|نمونه)"),
    ("voice_conditioning_layers", r"voice[ -]conditioning[ -]layers"),
    # of a component
    ("head_dim", r"head[ _-]?(?:dim(?:ension)?s?|size|width)|hd|d_head|d_k|(?<=heads )of(?= \W*\d)"),
    ("head_dim", r"(?:dim(?:ension)?|width) of (?:a|each|every|one) head"),
    ("head_dim", r"(?:ابعاد|ب\u064f?عد|پهنای|اندازه ی?) هر (?:سر|هد)"),
    ("head_dim", r"(?:dim(?:ensional)?|wide) (?:(?:self-)?attention )?heads"),
    ("feed_forward", r"(?:feed[ -_]?forward|ffn)(?:[ _-](?:dim(?:ension)?s?|width|size|ratio|layers?|networks?))*"),
    ("feed_forward", r"d_ff"),
    ("feed_forward", r"(?:(?:پهنای|نسبت) )*(?:لایه(?: ?های?)? ?ی? )?پیش ?خور"),
    ("capacity_percent", r"(?:shares? of )?(?:total |model |measured )*capacity|share|(?:سهم از )?ظرفیت"),
    ("depth_ratio", r"as deep|deeper"),
    # width and depth as a keyword are those of a picture
    ("layers", r"(?:(?:num|n|encoder)_|transformer[ _])?(?:layers?|blocks?)|depth(?!\s*=|[\"']\s*:)"),
    ("layers", r"(?:لایه|بلوک)(?: ?ها)?ی?|ژرفا|عمق"),
    ("heads", r"(?:(?:self-)?attention )?heads?|(?:num|n)_(?:attention_)?heads|(?:سر|هد)(?: ?های?)?(?: توجه)?"),
    ("dim", r"dim(?:ension(?:s|al|ality)?|s)?|d_model|(?:model )?width(?!\s*=|[\"']\s*:)|wide|hidden[ _](?:size|dim)"),
    ("dim", r"ب\u064f?عدی?(?! از)|ابعاد|پهنای?|عرض"),
    ("parameters", r"param(?:eter)?s?|weights|پارامتر(?: ?ها)?ی?"),
]

FITTING = {  # what a number with this suffix can be about
    "%": ("capacity_percent", "parameters"),
    "x": ("feed_forward", "feed_forward_ratio", "depth_ratio"),
    "k": ("sample_rate", "batch_frames", "parameters"),
    **dict.fromkeys("mb", ("parameters",)),
}

# What may stand between a number and the attribute after it (PARTS: if the number is a share), between an attribute
# and the number after it, and between these and the component after both.
ADJECTIVES = r"transformer|attention|self|stacked|causal|equal|total|hidden|هرتز|hz|عدد"
PARTS = rf"{ADJECTIVES}|in|of|the|all|its|our|model|از"
CONNECTORS = r"is|are|of|to|at|equals?|uses?|all|the|a|same|consistent|about|exactly|now|set|count|برابر|با|از|ی|هم"
PREPOSITIONS = r"in|of|for|the|deep|wide|each|در|برای|از|ی"
# Components or numbers that a sentence lists belong together.
COORDINATION = r"(?:,|،|&|/|\band\b|\bthe\b|\bو\b|\s)*"
LAST_COORDINATION = r"&|/|\band\b|\bو\b"

# Company in which a number is no claim about this model as it is.
OTHERS = (
    r"\b(?:tacotron|bert|roberta|gpt|speecht5|whisper|wav2vec|hubert|wavlm|vits|fastspeech|hifi-?gan|tortoise|xtts|"
    r"matcha|bark|vall-?e|f5|styletts|conformer|llama|t5|espnet|kokoro|baselines?|other models|most models|paper|"
    r"تاکوترون|برت|ویسپر)\d?\b"
)
OURS = r"\b(?:myxtts|ours?|مدل ما)\b"
PAST = (
    r"\b(?:was|were|had|previous(?:ly)?|former(?:ly)?|earlier|old(?:er)?|used to|no longer|originally|initially|"
    r"deprecated|changed|first version|gone|removed|changelog|changes|history|release notes|migrat\w+|"
    r"قبلا\w?|قبلی?|پیش ?تر|سابقا?|بود(?:ند)?|داشت(?:ند)?|تاریخچه|تغییرات)\b"
    r"|^\W*before\b|\bbefore\b(?=\W*(?:[,:→]|$))|\bfrom [^.;]*\d[^.;]* to [^.;]*\d"
)
SUPPOSED = (
    r"\b(?:if|would|could|might|suppose|imagine|assum(?:e|ing)|common(?:ly)?|typical(?:ly)?|usual(?:ly)?|recommend\w*|"
    r"instead|rather than|small(?:er|est)|tiny|(?:small|large|other|larger|bigger) (?:models?|presets?)|"
    r"shows?|shown|frozen|between|ablation|experiments?|planned|future|model_copy|_replace|dataloader|override\w*|"
    r"اگر|معمولا\w?|مثلا\w?|شاید|پیشنهاد\w*)\b|\b(?:update=|replace\()|(?:^|\s)(?:--set|-S)\s"
    r"|^\W*(?:set|try|increase|reduce|change|raise|lower|add|let|cut|halve|shrink)\b"
)
UNLIKE_A_CLAIM = (  # directly before a number
    r"than|at (?:least|most)|first|last|next|top|every|another|after|extra|additional|(?<!set )(?<!equal )to|until|"
    r"steps?|figure|fig\.?|section|table|chapter|layer|block|head|line|row|version|python|epoch|issue|page|part|phase|"
    r"بیش از|بیشتر از|کمتر از|حداقل|حداکثر|شکل|بخش|جدول|گام|نسخه ی?|اولین?|نخستین?"
)
RANGE = r"\s*(?:to|or|vs\.?|versus|تا|یا|\.\.|[-–—‑])\s*"
# What a sentence begins with, up to its first number, that speaks of what its heading names.
OPENING = (
    r"\W|\b(?:it|its|this|they|has|have|uses?|using|consists|stacks?|contains|is|are|made|built|of|in|with|the|a|an|all|"
    r"number|each|self|config|model|transformer|دارای|با|تعداد|شمار|این|هر)\b"
)
# What may stand before the width of a head: "each head of the decoder is 64", "24 heads, each 64", "heads are 64 wide".
ONE_HEAD = r"\b(?:each|every|per|one|a) (?:(?:self-)?attention )?head\b[^\d,;]*$|\bheads\b\W*each (?:is |of )?$"
HEADS_ARE = r"\bheads\b(?:(?! and )[^\d,;])*\bare (?:all )?$"
CONDITIONING = r"\bvoice[ -]conditioning\b|\b(?:attend|listen)\w* to the reference\b"
