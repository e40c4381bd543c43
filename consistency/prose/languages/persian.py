"""How Persian speaks of the model."""

from __future__ import annotations

from consistency.prose.language import Language
from consistency.prose.vocabulary import COMPONENTS, ENCODERS, SOME_ENCODER, WHOLE_MODEL

_ENCODER = r"(?:رمزگذار|کدگذار|ان?کودر|اینکودر)"

PERSIAN = Language(
    components=(
        (ENCODERS, r"(?:هر دو )?(?:رمزگذار|انکودر) ?ها"),
        (COMPONENTS, r"(?:همه ی?|تمام) (?:اجزا|بخش ها)ی?"),
        (("text_encoder",), rf"{_ENCODER} ?(?:ی )?متنی?"),
        (("audio_encoder",), rf"{_ENCODER} (?:صدا|صوتی?|گفتار)"),
        (("decoder",), r"(?:رمزگشا|کدگشا|دی?کودر)(?:ی? مل)?(?:ی|ست)?"),
        (("speaker",), r"(?:بردار|تعبیه ی?|جاسازی|امبدینگ) ?گوینده"),
        (("prenet",), r"پیش ?شبکه"),
        (("postnet",), r"پس ?شبکه"),
        (("vocoder",), r"وکدر"),
        (WHOLE_MODEL, r"مدل"),
        (SOME_ENCODER, _ENCODER),
    ),
    labels={"متن": ("text_encoder",), "صدا": ("audio_encoder",)},
    attributes=(
        ("batch_size", r"(?:اندازه|سایز) ?ی? (?:دسته|بچ)"),
        ("sample_rate", r"نرخ نمونه ?برداری"),
        ("n_mels", r"(?:باند|کانال)(?: ?های?)? مل"),
        ("hop_length", r"طول گام"),
        ("text_vocab_size", r"واژگان|واژه ?نامه"),
        ("reduction_factor", r"ضریب کاهش"),
        ("voice_similarity_threshold", r"آستانه ی? شباهت(?: صدا)?"),
        ("reference_frames", r"(?:فریم|قاب)(?: ?های?)? (?:مرجع|نمونه)"),
        ("head_dim", r"(?:ابعاد|ب\u064f?عد|پهنای|اندازه ی?) هر (?:سر|هد)"),
        ("feed_forward", r"(?:(?:پهنای|نسبت) )*(?:لایه(?: ?های?)? ?ی? )?پیش ?خور"),
        ("capacity_percent", r"(?:سهم از )?ظرفیت"),
        ("layers", r"(?:لایه|بلوک)(?: ?ها)?ی?|ژرفا|عمق"),
        ("heads", r"(?:سر|هد)(?: ?های?)?(?: توجه)?"),
        ("dim", r"ب\u064f?عدی?(?! از)|ابعاد|پهنای?|عرض"),
        ("parameters", r"پارامتر(?: ?ها)?ی?"),
    ),
    preset=r"پیش ?تنظیم|پیکربندی",
    # as it is typed on several keyboards; joiners and the hamza of possession count as spaces
    letters={"ي": "ی", "ك": "ک", "\u200c": " ", "\u200f": " ", "\u200e": " ", "ٔ": " "},
    sentence_ends="؟",
    semicolons="؛",
    commas="،",
    digits=("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"),
    decimal_points="٫",
    separators="٬",
    percent_signs="٪",
    suffixes={"درصد": "%", "برابر": "x", "میلیون": "m"},
    units=r"هرتز",
    adjectives=r"عدد",
    of_shares=r"از",
    connectors=r"برابر|با|از|ی|هم",
    prepositions=r"در|برای|از|ی",
    conjunctions=r"و",
    clause_starts=r"و|اما|ولی",
    opening=r"دارای|با|تعداد|شمار|این|هر",
    counts=r"تعداد|شمار",
    all_sizes=r"ابعاد",
    others=r"\b(?:تاکوترون|برت|ویسپر)\d?\b",
    ours=r"\bمدل ما\b",
    past=r"\b(?:قبلا\w?|قبلی?|پیش ?تر|سابقا?|بود(?:ند)?|داشت(?:ند)?|تاریخچه|تغییرات)\b",
    supposed=r"\b(?:اگر|معمولا\w?|مثلا\w?|شاید|پیشنهاد\w*)\b",
    indexes=r"بیش از|بیشتر از|کمتر از|حداقل|حداکثر|شکل|بخش|جدول|گام|نسخه ی?",
    first=r"اولین?|نخستین?",
    ranges=r"تا|یا",
)
