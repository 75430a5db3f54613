"""The words that verideck adds to a card, in the language of the card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """The words in one language."""

    one_held: str
    many_held: str
    noticed: str
    """The score of an audit: the changes of the code that its assertions notice."""
    not_run: str
    not_run_because: str
    ran: str
    """How many of a card's code blocks ran, where not all did."""
    not_verified: str
    code: str
    """Above code that is folded."""
    callouts: Mapping[str, str]
    """The titles of callouts that have none, by their words; others are titled by the word."""

    def callout(self, kind: str) -> str:
        """Return the title of a callout by its word, as `note`."""
        return self.callouts.get(kind, kind.replace("-", " ").replace("_", " ").capitalize())

    def held(self, assertions: int) -> str:
        """Return the text for a number of assertions that held."""
        return self.one_held if assertions == 1 else self.many_held.format(n=assertions)


_WORDINGS = {
    "en": Wording(
        one_held="1 assertion held",
        many_held="{n} assertions held",
        noticed="{killed} of {judged} changes noticed",
        not_run="Not run",
        not_run_because="Not run: {reason}",
        ran="{ran} of {blocks} code blocks ran",
        not_verified="Not verified",
        code="Code",
        callouts={"faq": "FAQ", "tldr": "TL;DR"},
    ),
    "zh": Wording(
        one_held="1 个断言成立",
        many_held="{n} 个断言成立",
        noticed="{judged} 处改动识破 {killed} 处",
        not_run="未运行",
        not_run_because="未运行：{reason}",
        ran="{blocks} 段代码运行了 {ran} 段",
        not_verified="代码未经验证",
        code="代码",
        callouts={
            "note": "备注",
            "info": "信息",
            "todo": "待办",
            "important": "重要",
            "tip": "提示",
            "hint": "提示",
            "success": "成功",
            "check": "通过",
            "done": "完成",
            "warning": "警告",
            "attention": "注意",
            "caution": "当心",
            "danger": "危险",
            "question": "问题",
            "help": "帮助",
            "faq": "常见问题",
            "missing": "缺失",
            "error": "错误",
            "bug": "缺陷",
            "failure": "失败",
            "fail": "失败",
            "example": "例子",
            "quote": "引用",
            "cite": "引用",
            "abstract": "摘要",
            "summary": "摘要",
            "tldr": "摘要",
        },
    ),
}


def wording(language: str) -> Wording:
    """Return the words for a language, named as in HTML's `lang`; English for unknown ones."""
    return _WORDINGS.get(language.lower().partition("-")[0], _WORDINGS["en"])
