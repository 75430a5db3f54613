"""Guesses the language of prose from its letters, and Latin ones from its commonest words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_CODE = re.compile(r"`[^`\n]*`|\$[^$\n]*\$|<[^<>\n]*>|\b\w{1,10}://\S+")
"""What is no prose in a line."""
_LONGEST = 10_000
"""Characters of a line that is read at all: a guess needs none that is longer."""
_WORD = re.compile(r"[^\W\d_]+")

_SCRIPTS = {
    "kana": r"[\u3041-\u30fa]",
    "hangul": r"[\uac00-\ud7a3]",
    "han": r"[\u4e00-\u9fff]",
    "uk": r"[іїєґІЇЄҐ]",
    "cyrillic": r"[\u0400-\u04ff]",
    "el": r"[\u0370-\u03ff\u1f00-\u1fff]",
    "he": r"[\u0590-\u05ff]",
    "fa": r"[پچژگ]",
    "arabic": r"[\u0600-\u06ff]",
    "hi": r"[\u0900-\u097f]",
    "th": r"[\u0e00-\u0e7f]",
    "latin": r"[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]",
}
_PATTERNS = {name: re.compile(pattern) for name, pattern in _SCRIPTS.items()}
_LETTERS_OF_A_WORD = 5
"""A Latin word has about so many letters, a Chinese one two: terms in English do not make a note
in Chinese English."""
_TRADITIONAL = frozenset(
    "這個們來會時對說學為過國後還點機無關發樣現經開問實體動種從應當與觀變單邊於選擇線權讓"
)
_SIMPLIFIED = frozenset(
    "这个们来会时对说学为过国后还点机无关发样现经开问实体动种从应当与观变单边于选择线权让"
)

_COMMON = {
    "en": "the of and to is that it for with are this as by which what how from an be not",
    "de": "der die das und ist nicht ein eine zu den von mit auf für im dem wird sich wie auch",
    "fr": "le la les des est et une dans que pour qui pas sur par du au ce avec sont plus",
    "es": "el los las es una que del por con para se su como más lo al son está cuando pero",
    "it": "il che di è un una per non con sono del della gli le si come da nel alla anche",
    "pt": "o os uma que não é do da com para em um dos das por mais como ao são se",
    "nl": "het een van en is de dat niet op te voor met zijn aan ook als bij wordt er naar",
    "pl": "nie jest się na to że do co jak od przez dla są czy oraz które który może przy ale",
    "sv": "och att det som är en på av för med inte den till ett har vad hur kan om från",
    "cs": "je se že na to jako pro jsou které který nebo ale by při co může mezi také jak není",
    "tr": "bir ve bu için ile olarak da de olan ne daha gibi çok nasıl nedir olur kadar değil ise",
    "vi": "là và của có các cho không được một trong với để khi những này người từ đó như gì",
    "id": "yang dan di untuk dengan dari adalah ini pada tidak atau dalam itu sebagai apa oleh ke",
}
_WORDS = {name: frozenset(words.split()) for name, words in _COMMON.items()}
_FEWEST = 5
"""Common words without which nothing is guessed."""
_CLEARLY = 1.3
"""How many times as many of its common words the likeliest language must have as the next."""


def without_code(text: str) -> str:
    """Markdown without its code, maths, tags and addresses; roughly, for guesses."""
    lines: list[str] = []
    is_code = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            is_code = not is_code
        elif not is_code:
            lines.append(_CODE.sub(" ", line) if len(line) < _LONGEST else "")
    return "\n".join(lines)


def language_of(texts: Iterable[str]) -> str:
    """The language of some Markdown, as in HTML's `lang`; empty where it is not clear."""
    prose = without_code("\n".join(texts))
    counts = {name: len(pattern.findall(prose)) for name, pattern in _PATTERNS.items()}
    latin = counts.pop("latin") / _LETTERS_OF_A_WORD
    east = counts.pop("kana"), counts.pop("hangul"), counts.pop("han")
    script, most = max(counts.items(), key=lambda each: each[1])
    if sum(east) > max(latin, most) / 2:
        return _eastern(*east, prose)
    if most > latin:
        return _of_script(script, counts)
    return _of_words(Counter(word.lower() for word in _WORD.findall(prose)))


def _eastern(kana: int, hangul: int, han: int, prose: str) -> str:
    if hangul > kana + han:
        return "ko"
    if kana * 10 > han:
        return "ja"
    letters = Counter(prose)
    traditional, simplified = (
        sum(letters[each] for each in signs - others)
        for signs, others in ((_TRADITIONAL, _SIMPLIFIED), (_SIMPLIFIED, _TRADITIONAL))
    )
    return "zh-TW" if traditional > simplified else "zh-CN"


def _of_script(script: str, counts: dict[str, int]) -> str:
    match script:
        case "cyrillic" | "uk":
            return "uk" if counts["uk"] * 50 > counts["cyrillic"] else "ru"
        case "arabic" | "fa":
            return "fa" if counts["fa"] * 50 > counts["arabic"] else "ar"
    return script


def _of_words(words: Counter[str]) -> str:
    found = sorted(
        ((sum(words[each] for each in common), name) for name, common in _WORDS.items()),
        reverse=True,
    )
    (most, name), (next_most, _) = found[:2]
    return name if most >= max(_FEWEST, _CLEARLY * next_most) else ""
