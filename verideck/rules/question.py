"""Rules for a card's question."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verideck.markdown.prose import QUESTION_MARKS, Prose
from verideck.problems import Severity
from verideck.rules.length import MEANING, units
from verideck.rules.reading import Reading
from verideck.rules.rule import Finding, Limit, of_each_card

_QUOTED = re.compile(
    r"“[^”\n]{0,500}”|「[^」\n]{0,500}」|『[^』\n]{0,500}』|《[^》\n]{0,500}》"
    r'|"[^"\n]{0,500}"'
)
"""Every opening mark looks for its closing one, so how far it looks is bounded."""

_MARK = re.compile(rf"[{QUESTION_MARKS}]+")
_INTERROGATIVE = re.compile(
    r"为什么|为何|(?<!无论)(?<!不知)如何|怎么样?|怎样|多少|哪些|哪[个种]|何时|什么是"
)
_JOINED = re.compile(
    r"优缺点|优点[和与、及]缺点|利弊|各自|分别|以及|并(?=[^，。？?]{0,12}(?:推导|说明|解释|证明|给出|举例))"
    r"|\bpros and cons\b|\badvantages and (?:dis|its dis|their dis)advantages\b"
    r"|\bstrengths and weaknesses\b|\brespectively\b|\bas well as\b"
    r"|\b(?:and|or) (?:why|how|what|when|where|which|whom?|whose)\b"
    r"|\band (?:explain|derive|describe|give|list|prove|show)\b",
    re.IGNORECASE,
)


@of_each_card
def compound(card: Reading, _: Limit) -> Iterator[Finding]:
    """Ask for one thing (R1). SuperMemo's minimum information; Matuschak: focused.

    Reports two question marks; two interrogatives in Chinese, one behind `and` or `or` in English;
    words that join (优缺点, 分别, 以及, pros and cons, respectively). Quotations are skipped: a
    card may ask what is wrong with a sentence.
    """
    if not card.asks:
        return
    text = _unquoted(card.question)
    more = [
        *list(_MARK.finditer(text))[1:],
        *list(_INTERROGATIVE.finditer(text))[1:],
        *_JOINED.finditer(text),
    ]
    if more:
        first = min(more, key=re.Match.start)
        yield Finding(
            card.card,
            card.question.at(first.start()),
            f"this question asks for more than one thing: {first.group()}",
            "make a card of each thing that it asks for, or tag it overview",
        )


@of_each_card
def long(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Ask in few words (R2). SuperMemo's optimised wording.

    45 units are a warning, 70 an error: 45 or 70 汉字, 30 or 47 English words.
    """
    length = units(card.question.text)
    if severity := limit.weight(length):
        yield Finding(
            card.card,
            card.card.place,
            f"this question is {length:g} units long",
            f"say it in {limit.soft:g}: {MEANING}",
            severity,
        )


@of_each_card
def short(card: Reading, limit: Limit) -> Iterator[Finding]:
    """Say enough to have one answer (R5). Matuschak: precise, consistent.

    Under 8 units (8 汉字, 5 English words) is a warning, unless code is on the question's side.
    """
    length = units(card.question.text)
    severity = limit.weight(length)
    if severity and not any(each.options.front for each in card.card.snippets):
        yield Finding(
            card.card,
            card.card.place,
            f"this question is only {length:g} units long",
            f"say of what, where and for whom: in a review it stands alone ({MEANING})",
            severity,
        )


_EITHER = re.compile(
    r"吗(?=\s*[?？。，,]|\s*$)|是否|能否|可否|有没有|是不是|能不能|会不会|对不对|还是(?=[^。]{0,500}[?？])"
    r"|(?:^|[.!?:;]\s+)(?:Is|Are|Was|Were|Do|Does|Did|Can|Could|Will|Would|Should|Has|Have|Had)\b"
    r"|,\s*(?:does|do|did|can|will|would|should)\b(?=[^.]{0,500}\?)"
    r"|\btrue or false\b|\byes or no\b",
    re.IGNORECASE,
)
_YES = re.compile(
    r"\s*(?:是的?|否|对|不对|不是|不会|不能|不可以|可以|会|能|没有|有)(?=[，。,.；;：:！!]|\s*$)"
    r"|\s*(?:Yes|No|True|False)(?=[,.;:!—]|\s*$|\s+[—-])",
    re.IGNORECASE,
)
_WHY = re.compile(r"为什么|为何|\bwhy\b", re.IGNORECASE)


@of_each_card
def yes_no(card: Reading, _: Limit) -> Iterator[Finding]:
    """Ask what cannot be guessed (R4). Matuschak: effortful; yes-or-no prompts stay shallow.

    Reports 吗, 是否, 还是, Is/Does/Can…, true or false in the question; an answer that begins with
    是, 不会, Yes, No. Where the question asks why as well, it is a warning.
    """
    if not card.asks:
        return
    text = _unquoted(card.question)
    asked, answered = _EITHER.search(text), _YES.match(card.answer.spoken)
    if asked or answered:
        place = card.question.at(_begins(asked)) if asked else card.answer.at(0)
        yield Finding(
            card.card,
            place,
            "this can be answered by yes or no" if asked else "the answer begins with yes or no",
            "ask why, how, or what: one of two is guessed half of the time",
            Severity.WARNING if _WHY.search(text) else None,
        )


_OPEN = re.compile(
    r"(?:介绍|讲|说|谈|聊)一下|(?:简单|大概|大致)(?:地)?(?:介绍|讲|说)|请介绍|谈一?谈|聊一?聊|说一?说|讲一?讲"
    r"|了解哪些|有哪些了解|简述"
    r"|\bdescribe\b|\bdiscuss\b|\belaborate\b|\btalk about\b|\btell (?:me|us) about\b"
    r"|\bwhat do you know\b",
    re.IGNORECASE,
)


@of_each_card
def vague(card: Reading, _: Limit) -> Iterator[Finding]:
    """Ask so that one can tell when an answer is complete (R5). Matuschak: precise.

    Reports 介绍一下, 谈谈, 了解哪些, describe, discuss, and their like.
    """
    if card.asks and (found := _OPEN.search(_unquoted(card.question))):
        yield Finding(
            card.card,
            card.question.at(found.start()),
            f"this question leaves open what it asks for: {found.group()}",
            "ask for one fact, or tag the card overview",
        )


_DANGLING = re.compile(
    r"^\s*(?:请问|那么)?(?:为什么|为何|如何|怎么)?(?:它们?|该(?!如何|怎)|这(?:个|种|些|样|一)?)"
    r"|上述|上面(?:提到|说)|前面(?:提到|说)|前文"
    r"|^\s*(?:why|how|what|when|where)\s+(?:does|do|did|has|would|can)\s+(?:it|they|this|that)\b"
    r"|^\s*(?:why|how|what|when|where)\s+(?:is|are|was|were)\s+(?:this|that|these|those|they)\b"
    r"|^\s*(?:it|this|that|these|those|they)\b"
    r"|\bthe above\b|\bthe aforementioned\b|\bmentioned (?:above|earlier)\b",
    re.IGNORECASE,
)


@of_each_card
def dangling(card: Reading, _: Limit) -> Iterator[Finding]:
    """Stand alone (R5). Matuschak: precise; in a review no other card is in sight.

    Reports a question that begins with 它, 该, 这, it, this, or mentions 上述, the above. It may
    refer to code on its side.
    """
    if not card.asks or any(each.options.front for each in card.card.snippets):
        return
    if found := _DANGLING.search(card.question.spoken):
        yield Finding(
            card.card,
            card.question.at(_begins(found)),
            f"this points at something that is not on the card: {found.group().strip()}",
            "name it",
        )


def _unquoted(question: Prose) -> str:
    """Return the question's text with blanks in place of quotations; positions do not change."""
    return _QUOTED.sub(lambda quoted: " " * len(quoted.group()), question.spoken)


def _begins(found: re.Match[str]) -> int:
    """Return the position of the first word of a match."""
    return found.end() - len(found.group().lstrip(" .!?:;,\n"))
