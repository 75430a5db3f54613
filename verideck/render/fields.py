"""ProvenCard -> Rendered. Turns Markdown into the HTML of a note's fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from verideck import markdown
from verideck.markdown import Token, cloze
from verideck.markdown.html_tags import BLOCKS
from verideck.markdown.languages import DATA, LexerError, Piece, plain
from verideck.model import (
    FORBIDDEN,
    Card,
    Kind,
    Media,
    Passage,
    Place,
    ProvenCard,
    Role,
    Snippet,
    content_of,
    one_line,
)
from verideck.problems import Code, Problem
from verideck.render import highlight
from verideck.render.anki_text import attribute, inert, literal, prose, without_deletions
from verideck.render.attached import Attached
from verideck.render.direction import direction, has_from_right, is_from_right, may_be_from_right
from verideck.render.highlight import Highlighter, Mark, Shape
from verideck.render.html import html
from verideck.render.look import Rendered, media_name, reverse
from verideck.render.wording import wording
from verideck.storage.named_files import NamedFiles

LARGEST = 1_000_000
"""Bytes of a note. Android reads a row of a database through a window of 2 MB, in which it may take
more room than here; Anki itself, and SQLite, would take a billion."""
_MOST_BYTES = 4
"""Of a character in UTF-8."""


def rendered(
    proven: ProvenCard, root: Path, highlighter: Highlighter, named: NamedFiles | None = None
) -> Rendered:
    """Return the HTML and the media of a proven card, with the problems that rendering found.

    `root` is the project's folder; images must be inside of it. `named` finds those that are
    embedded by their names.
    """
    return Writer(proven, root, highlighter, named or NamedFiles(root)).rendered()


def _shown_code(snippet: Snippet) -> str:
    """Return the code of a snippet as the card shows it."""
    return "\n".join(snippet.shown_lines().values()).rstrip("\n")


class Writer:
    """Renders one card. It is the `Parts` of the card for `render.html`."""

    def __init__(
        self, proven: ProvenCard, root: Path, highlighter: Highlighter, named: NamedFiles
    ) -> None:
        """Begin with nothing written; see `rendered`."""
        self.card: Card = proven.card
        self.audit = proven.audit
        self.root = root
        self._highlighter = highlighter
        self.problems: list[Problem] = []
        self._numbers = _numbers(proven.card)
        self._snippets = {snippet.place: snippet for snippet in proven.card.snippets}
        self._proofs = {proof.snippet.place: proof for proof in proven.proofs}
        self._figures: dict[str, Media] = {}
        self.attached = Attached(proven.card.place.path, root, named)
        self._front: list[str] = []
        self._asking = False
        """Whether what is rendered stands on the question's side of the card."""
        self._raised: list[str] = []
        """What code on the question's side raises: it belongs to the answer."""
        self._words = wording(proven.card.language)
        self._is_from_right = is_from_right(proven.card.language)
        self.is_directed = self._is_from_right or self._has_from_right()
        """Whether blocks are marked by the direction in which they run."""
        self._footnotes: dict[str, int] = {}
        """The numbers of the notes that were referred to, by their names, in order."""

    def rendered(self) -> Rendered:
        """Render the card."""
        card, fields = self.card, self.written()
        if card.kind is Kind.CLOZE:
            asked = fields["Question"]
            fields = {name: without_deletions(text) for name, text in fields.items()}
            fields["Question"] = asked
        fields = {name: self._in_language(name, text) for name, text in fields.items()}
        fields = {name: inert(text, self.attached.sounds) for name, text in fields.items()}
        self._check_size(fields)
        return Rendered(
            fields,
            content_of({**fields, "Reverse": reverse(card)}, card.tags),
            tuple(self._figures.values()),
            self.attached.files,
            self.told,
        )

    def written(self) -> dict[str, str]:
        """Return what stands in each field, before it is made a whole one of Anki's."""
        card = self.card
        question = markdown.parse(card.question).tokens
        below = markdown.parse(card.answer).tokens if card.answer else ()
        answer, extra = markdown.divided(below, is_needed=card.kind is not Kind.CLOZE)
        fields = self._faces(question, answer, extra)
        fields |= {
            "Hint": self._line(card.hint),
            "Proof": self._proof(),
            "Source": self._line(card.source),
        }
        fields["Extra"] = "\n".join(filter(None, [fields["Extra"], self._notes()]))
        return fields

    @property
    def told(self) -> tuple[Problem, ...]:
        """What is wrong with what was written so far."""
        return (*self.attached.problems, *self.problems)

    # The parts, in the place of tokens

    def fence(self, token: Token, inserted: Sequence[Mark]) -> str:
        """Return the code of a fence with its output and figures below; empty if it is not shown.

        A fence for the front is collected in `_front`, and empty here.
        """
        snippet = self._snippets.get(markdown.place(token))
        if snippet is None or snippet.options.role in {Role.CHECK, Role.SETUP}:
            return ""
        shown = self._shown(snippet, inserted)
        if snippet.options.front:
            self._front.append(shown)
            return ""
        return shown

    def value(self, token: Token) -> str:
        """Return the value of an expression; the expression itself if it was not executed."""
        proof = self._proofs.get(markdown.place(token))
        return self._clean(proof.value, proof.snippet.place) if proof else token.content

    def footnote(self, name: str) -> int:
        """Return the number of a note: notes are numbered as a reader meets them."""
        return self._footnotes.setdefault(name, len(self._footnotes) + 1)

    def callout(self, kind: str) -> str:
        """Return the title of a callout that has none, in the language of the card."""
        return self._words.callout(kind)

    def direction(self, tokens: Sequence[Token]) -> str:
        """Return which way a block runs, as an attribute; empty if its card has no such marks.

        A block without letters, and one that runs as the card's language does, needs none.
        """
        around = "rtl" if self._is_from_right else ""
        runs = direction(tokens) or around or "ltr" if self.is_directed else ""
        return f' dir="{runs}"' if runs != around else ""

    def _has_from_right(self) -> bool:
        card = self.card
        passages = [each for each in (card.question, card.answer, card.hint, card.source) if each]
        if not any(may_be_from_right(each.text) for each in passages):
            return False  # of most cards: their tokens need not be walked
        parsed = [markdown.parse(each) for each in passages]
        notes = [note for each in parsed for note in each.footnotes.values()]
        return has_from_right((*(each.tokens for each in parsed), *notes))

    # The fields

    def _faces(
        self, question: Sequence[Token], answer: Sequence[Token], extra: Sequence[Token]
    ) -> dict[str, str]:
        self._asking = True
        asked = self._of_line(question, _unwrapped(self.passage(question, self._numbers)))
        self._asking = False
        if self.card.kind is Kind.TYPED:
            typed, rest = self._typed(answer)
            more = [self.passage(rest), self._without_cloze(extra)]
            fields = {"Answer": typed, "Extra": "\n".join(filter(None, [*self._raised, *more]))}
        elif self._numbers is not None and cloze.deletions(markdown.walk(answer), in_code=True):
            self._asking = True
            asked = f"{_paragraph(asked)}\n{self.passage(answer, self._numbers)}"
            self._asking = False
            fields = {"Answer": "\n".join(self._raised), "Extra": self._without_cloze(extra)}
        else:
            below = _unwrapped(self.passage(answer, self._numbers))
            if self._raised:
                below = "\n".join(filter(None, [*self._raised, below and _paragraph(below)]))
            fields = {"Answer": below, "Extra": self._without_cloze(extra)}
        if self._front:
            asked = "\n".join([_paragraph(asked), *self._front]).rstrip()
        return {"Question": asked, **fields}

    def _typed(self, answer: Sequence[Token]) -> tuple[str, Sequence[Token]]:
        """Return the text to be typed, and the other blocks of the answer.

        Reports an answer that does not begin with a line of plain text.
        """
        first = next((n for n, each in enumerate(answer) if each.type != "fence"), 0)
        above, answer = answer[:first], _out_of_its_list(answer[first:])
        inline = answer[1] if len(answer) > 1 else None
        children = inline.children or [] if inline else []
        if answer[:1] and answer[0].type == "paragraph_open" and children:
            plain = {"text", "code_inline", "value", "text_special"}
            words = [each for each in children if each.nesting == 0]
            if all(each.type in plain for each in words):
                typed = "".join(
                    self.value(each) if each.type == "value" else each.content for each in words
                )
                return escape(typed, quote=False), [*above, *answer[3:]]
        self.problems.append(
            Problem(
                Code.TYPED_ANSWER_UNFIT,
                "this answer cannot be typed",
                self.card.answer.place if self.card.answer else self.card.place,
                "begin it with one line of plain text; what follows is shown with it",
            )
        )
        return "", ()

    def _line(self, passage: Passage | None) -> str:
        return self._without_cloze(markdown.parse(passage).tokens) if passage else ""

    def _without_cloze(self, tokens: Sequence[Token]) -> str:
        """Render text in a field without deletions, where `==text==` is a highlight."""
        return self._of_line(tokens, self.passage(tokens))

    def _of_line(self, tokens: Sequence[Token], text: str) -> str:
        """Mark the direction of a text that stands in no block."""
        runs = self.direction(tokens) if text and tokens[0].type == "inline" else ""
        return f"<div{runs}>{text}</div>" if runs else text

    def passage(self, tokens: Sequence[Token], numbers: cloze.Numbers | None = None) -> str:
        """Return the HTML of tokens, with what becomes of their links and media."""
        return html(self.attached.settled(tokens), self, numbers) if tokens else ""

    def _notes(self) -> str:
        """Return the notes that the other fields refer to, which stand beneath them all."""
        if not self._footnotes:
            return ""
        passages = filter(None, (self.card.question, self.card.answer, self.card.hint))
        known: dict[str, Sequence[Token]] = {}
        for passage in [*passages, *filter(None, [self.card.source])]:
            known |= markdown.parse(passage).footnotes
        shown: list[str] = []
        while len(shown) < len(self._footnotes):  # a note may refer to others
            name = [*self._footnotes][len(shown)]
            shown.append(f"<li>{_unwrapped(self.passage(known.get(name, ())))}</li>\n")
        runs = self.direction([token for note in known.values() for token in note])
        return f'<ol class="footnotes"{runs}>\n{"".join(shown)}</ol>' if shown else ""

    def _in_language(self, field: str, text: str) -> str:
        """Mark the language of a field: the shape of Han characters depends on it."""
        typed = field == "Answer" and self.card.kind is Kind.TYPED
        if not text or typed or not self.card.language:
            return text
        runs = ' dir="rtl"' if self._is_from_right else ""
        return f'<div lang="{escape(self.card.language)}"{runs}>{text}</div>'

    # Code and proofs

    def _shown(self, snippet: Snippet, inserted: Sequence[Mark]) -> str:
        # The positions of marks count every character of the code.
        code = snippet.code.rstrip("\n") if inserted else _shown_code(snippet)
        if snippet.options.role is Role.OUTPUT or not snippet.language:
            css = "output" if snippet.options.role is Role.OUTPUT else "text"
            text = self.code(code, plain(code), snippet, inserted)
            shown = f'<pre class="{css}{_numbered(snippet)}">{text}</pre>'
            return f"{self._folded(shown) if snippet.options.folded else shown}\n"
        proof = self._proofs.get(snippet.place)
        figures = [self._figure(each, snippet) for each in (proof.figures if proof else ())]
        shown = self._code(code, snippet, inserted)
        # On the front a figure is what is asked about: its code may call what a learner lacks.
        if snippet.options.folded or (figures and snippet.options.front):
            pieces = [*figures, f"{self._folded(shown)}\n"]
        else:
            pieces = [f"{shown}\n", *figures]
        if proof and proof.raised:
            raised = literal(escape(self._clean(proof.raised, snippet.place), quote=False))
            raised = f'<pre class="output">{raised}</pre>'
            if not (self._asking or snippet.options.front):
                pieces.append(f"{raised}\n")
            elif not self._answers(proof.raised):
                self._raised.append(raised)
        if snippet.options.reason:
            reason = self._words.not_run_because.format(reason=escape(snippet.options.reason))
            pieces.append(f'<p class="unverified">{reason}</p>\n')
        elif self.card.verified and proof is None and snippet.language not in DATA:
            pieces.append(f'<p class="unverified">{self._words.not_run}</p>\n')
        return "".join(pieces)

    def _folded(self, code: str) -> str:
        summary = f'<summary class="tappable">{self._words.code}</summary>'
        return f'<details class="drawn">{summary}{code}</details>'

    def _figure(self, figure: str, snippet: Snippet) -> str:
        content = figure.encode()
        name = media_name(content, ".svg")
        self._figures[name] = Media(name, content)
        words = prose(escape(snippet.options.caption, quote=False))
        caption = f"<figcaption>{words}</figcaption>" if words else ""
        alt = attribute(snippet.options.alt)
        return f'<figure><img src="{name}" alt="{alt}">{caption}</figure>\n'

    def _answers(self, raised: str) -> bool:
        """Whether the answer says itself what is raised."""
        answer = self.card.answer.text if self.card.answer else ""
        return one_line(raised) in one_line(answer)

    def _code(self, code: str, snippet: Snippet, inserted: Sequence[Mark] = ()) -> str:
        try:
            pieces = self._highlighter.pieces(code, _lexer(snippet))
        except LexerError as error:
            message = f"Pygments cannot highlight this {snippet.language} code: it {error}"
            hint = "show it as ```text, or write it in another way"
            self.problems.append(Problem(Code.HIGHLIGHT_FAILED, message, snippet.place, hint))
            return ""
        text = self.code(code, pieces, snippet, inserted)
        return f'<pre class="code{_numbered(snippet)}"><code>{text}</code></pre>'

    def code(
        self, code: str, pieces: Sequence[Piece], snippet: Snippet, inserted: Sequence[Mark]
    ) -> str:
        """Return the HTML of code that was divided into pieces, with the marks inserted."""
        return highlight.html(code, pieces, inserted, _shape(snippet))

    def _proof(self) -> str:
        """Return the line about the proof, with the checks folded below it; empty without code."""
        if not self.card.is_executable:
            return ""
        if not self.card.verified:
            return f'<p class="proof unverified">{self._words.not_verified}</p>'
        proofs = self._proofs.values()
        assertions = sum(proof.assertions for proof in proofs)
        if not assertions:
            return ""
        with_versions = sorted({each for proof in proofs for each in proof.environment})
        versions = "".join(f" · {name} {version}" for name, version in with_versions)
        held = f"✓ {self._words.held(assertions)}{self._share_run()}"
        line = f"{held}{self._scored()}{versions}"
        checks = [
            self._code(_shown_code(proof.snippet), proof.snippet)
            for proof in proofs
            if proof.snippet.options.role is Role.CHECK
        ]
        if not checks:
            return f'<p class="proof">{escape(line)}</p>'
        summary = f'<summary class="tappable">{escape(line)}</summary>'
        return f'<details class="proof">{summary}{"".join(checks)}</details>'

    def _share_run(self) -> str:
        """Return how many code blocks ran for the line about the proof; empty where all did."""
        blocks = [
            each.place in self._proofs
            for each in self.card.snippets
            if each.language not in DATA
            and (each.options.role is Role.SHOWN or each.options.reason)
        ]
        if all(blocks):
            return ""
        return f" · {self._words.ran.format(ran=sum(blocks), blocks=len(blocks))}"

    def _scored(self) -> str:
        """Return the score of the audit for the line about the proof; empty without a score."""
        audit = self.audit
        if audit is None or audit.score is None:
            return ""
        return f" · {self._words.noticed.format(killed=audit.killed, judged=audit.judged)}"

    # Media and problems

    def _check_size(self, fields: Mapping[str, str]) -> None:
        if _MOST_BYTES * sum(map(len, fields.values())) <= LARGEST:
            return  # of most notes, the characters need not be encoded
        size = sum(len(text.encode(errors="surrogatepass")) for text in fields.values())
        if size > LARGEST:
            message = f"this note is too large: {size:,} bytes of HTML, at most {LARGEST:,}"
            hint = (
                "AnkiDroid reads notes of up to 2 MB: show less code, or make several cards of it"
            )
            problem = Problem(Code.CARD_TOO_LARGE, message, self.card.place, hint)
            self.problems.append(problem)

    def _clean(self, text: str, place: Place) -> str:
        """Return a text of a run. Reports a character that no field may contain."""
        forbidden = FORBIDDEN.search(text)
        if forbidden:
            message = f"the run gave a control character, U+{ord(forbidden.group()):04X}"
            self.problems.append(Problem(Code.CHARACTER_FORBIDDEN, message, place))
        return text


def _shape(snippet: Snippet) -> Shape:
    return Shape(snippet.options.numbered, frozenset(snippet.options.highlighted))


def _numbered(snippet: Snippet) -> str:
    return " numbered" if snippet.options.numbered else ""


def _lexer(snippet: Snippet) -> str:
    """Return the language by which code is highlighted: a session has prompts and output."""
    return "pycon" if snippet.session else snippet.language


def _numbers(card: Card) -> cloze.Numbers | None:
    """Return Anki's numbers of a cloze card's deletions; None for other kinds of cards."""
    if card.kind is not Kind.CLOZE:
        return None
    pairs = zip(card.deletions, card.numbers, strict=True)
    return {each.place if each.number is None else each.number: number for each, number in pairs}


_ONE_ITEM = ["list_item", "paragraph", "inline", "paragraph_close", "list_item_close"]


def _out_of_its_list(answer: Sequence[Token]) -> Sequence[Token]:
    """Return the tokens without the list around their first paragraph, if it is the only item.

    In the list syntax an answer is a list itself.
    """
    types = [token.type.removesuffix("_open") for token in answer[:7]]
    is_only_item = types[1:6] == _ONE_ITEM and types[-1].endswith("_list_close")
    return [*answer[2:5], *answer[7:]] if is_only_item else answer


def _unwrapped(text: str) -> str:
    """Return HTML without the tag around it, if it is a single paragraph."""
    if text.startswith("<p>") and text.endswith("</p>") and text.count("<p") == 1:
        return text.removeprefix("<p>").removesuffix("</p>")
    return text


def _paragraph(text: str) -> str:
    found = re.match(r"<([a-z0-9]+)", text)
    return text if found and found[1] in BLOCKS else f"<p>{text}</p>"
