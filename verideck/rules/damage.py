"""A rule for text that was damaged when it was copied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verideck.rules.reading import Reading
from verideck.rules.rule import Finding, Limit, of_each_card

_HAN = r"\u4e00-\u9fff"

_DAMAGE: dict[str, re.Pattern[str]] = {
    "a root without its fraction or index": re.compile(
        r"√(?=[0-9]*[A-Za-z])[A-Za-z0-9]{2,}+(?!\()"
    ),
    "the mark of a footnote": re.compile(r"(?<=[a-z]{3} )\d{1,2}\.(?= [A-Z])"),
    "a hyphen inside of a word": re.compile(rf"[{_HAN}]-[上下个些]"),
    "纬度 (latitude) for 维度 (dimension)": re.compile(
        r"(?:特征|向量|隐藏|通道|嵌入|输出|输入|模型|统计)的?纬度|纬度(?=\s*+(?:[（(]\s*+)?(?:dim|d_))|\bdim\s*纬度"
    ),
    "letters that were one in print": re.compile(r"[\ufb00-\ufb06]"),
    "a character that was lost": re.compile(r"\ufffd|[\ue000-\uf8ff]"),
    "UTF-8 that was read as Latin-1": re.compile(r"â€[™œ\x9d“”]|Ã[©¨¤¶¼ª]|ï¼|ã€"),
}
"""The damage that text extraction from a PDF or a page does, each kind by its description."""


@of_each_card
def damaged(card: Reading, _: Limit) -> Iterator[Finding]:
    """Repair what was lost when a text was copied (R12).

    Reports √ followed by letters without brackets (√dk for 1/√d_k), the number of a footnote, a
    hyphen inside of a word (讲-下), 纬度 for 维度, ligatures, lost characters, wrong encodings. An
    odd `$` is an error of every command. Inline code and formulas are skipped.
    """
    for prose in (card.question, card.answer, card.aside):
        for damage, pattern in _DAMAGE.items():
            for found in pattern.finditer(prose.spoken):
                yield Finding(
                    card.card,
                    prose.at(found.start()),
                    f"this text was damaged: {damage}: {found.group()}",
                    "look it up where it was copied from",
                )
