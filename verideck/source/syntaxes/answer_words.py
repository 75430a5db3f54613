"""What headings and summaries say that ask nothing: that they are the answer, or open it."""

from __future__ import annotations

import re

_ANSWER = """
    answers? | solutions? | explanations?
    | antwort(?:en)? | lösung(?:en)? | antwoord(?:en)? | svar | répon(?:se|ses|dre) | solución
    | respuestas? | respostas? | risposte | risposta | soluzione | răspuns(?:uri)? | përgjigj[aeë]
    | odpowied[źz] | odpověď | odpoveď | odgovor | ответы? | відповід[ьі] | отговор | απάντηση
    | cevap | yanıt | jawaban | đáp[ ]?án | คำตอบ | उत्तर | תשובה | پاسخ
    | ال(?:ا|إ|أ)?جابة | الجواب
    | 参考答案 | 答案 | 解答 | 解析 | 回答 | 答え | 解説 | 答 | 정답 | 해답 | 풀이 | 답
"""
"""The words for an answer, as a pattern with blanks that mean nothing."""
_IS_ANSWER = re.compile(
    rf"[\W_]{{0,8}}(?:the\s)?(?:{_ANSWER})(?:[\W_]{{0,8}}|[ ]{{0,4}}[:：(（\#\d].*)$",
    re.IGNORECASE | re.VERBOSE,
)
_OPENS_ANSWER = re.compile(
    rf"""(?:(?:show|see|view|click|reveal|expand|open|my|the|a|here|for|to|full|model|sample
      |suggested|possible|correct|hints?|details?|more|spoilers?
      |anzeigen|zeigen|voir|afficher|la|ver|mostrar|mostra|vedi|показать|посмотреть|показати
      |查看|点击|展开|显示|参考|详情|提示|を見る|を表示|보기|{_ANSWER})+[\#\d]*)?""",
    re.IGNORECASE | re.VERBOSE,
)
"""Matches the words of a summary behind which an answer is, without what stands between them."""


def says_answer(text: str) -> bool:
    """Tell whether a heading says that it is the answer."""
    return _IS_ANSWER.match(text) is not None


def opens_answer(words: str) -> bool:
    """Tell whether words, with nothing between them, only open an answer."""
    return _OPENS_ANSWER.fullmatch(words) is not None
