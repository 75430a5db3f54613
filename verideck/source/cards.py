"""Source -> Card. Drives `syntaxes/`; what a card holds is the same for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from verideck import markdown
from verideck.markdown import Parsed, Token, cloze
from verideck.model import (
    HIGHEST_DELETION,
    Card,
    ClozeDeletion,
    IdSlot,
    Kind,
    Passage,
    Place,
    Role,
    Snippet,
    Source,
    Suppression,
    UnreadCard,
    one_line,
    short,
)
from verideck.problems import (
    Code,
    Problem,
    Problems,
    Severity,
    has_errors,
    suggestion,
    told_in_file,
)
from verideck.settings import PYPROJECT
from verideck.source import (
    accounting,
    attributes,
    contents,
    front_matter,
    hashtags,
    height,
    question_like,
    size,
)
from verideck.source.attributes import Attribute
from verideck.source.config import DOCUMENT, SourceConfig
from verideck.source.curly import uncurled
from verideck.source.defaults import Defaults, defaults_of
from verideck.source.documents import document_of
from verideck.source.fences import FenceReader
from verideck.source.found import CardsOfFile
from verideck.source.includes import IncludedFiles
from verideck.source.info_string import OUTPUT, word_of
from verideck.source.note_ids import identified
from verideck.source.snippets import snippets_of
from verideck.source.syntaxes import (
    SYNTAXES,
    Page,
    RawCard,
    Reading,
    commented,
    fitting,
    left_out,
    why,
)
from verideck.source.syntaxes.headings import LISTS, is_question, may_ask

_TAG = re.compile(r"[^\s:,，]+(?:::?[^\s:,，]+)*")
_LITERAL = frozenset({"", "text", "markdown", "md", OUTPUT})
"""What a fence is called that shows marks as they are written."""
WORDS = frozenset({"#", ".reversed", ".type", ".cloze", "tags", "source", "hint", "lint"})


def cards_of(source: Source, config: SourceConfig) -> CardsOfFile:
    """Find the cards of a file.

    The same text, settings and included files give the same cards. A card in which something is
    wrong is left out, and so are all cards of a file whose set-up cannot be read.
    """
    of_page, of_setup, of_cards = Problems(), Problems(), Problems()
    included = IncludedFiles(config.root)
    split = front_matter.split(source, of_page)
    if split is None:
        return CardsOfFile(problems=tuple(of_page))
    meta, body = split
    defaults = defaults_of(source, config)
    page = Page(source, defaults.under(meta), body)
    if large := [*page.entangled, *size.too_long_blocks(page)]:
        return CardsOfFile(problems=(*of_page, *large))
    chosen = page.meta.syntax or fitting(page)
    if chosen == DOCUMENT:
        return document_of(page, config, of_page)
    reading, told = _reading(page, chosen, of_page)
    raw = uncurled(identified(page, reading.cards))
    known = [*(each.lines for each in raw), *reading.about, *told]
    if page.meta.hashtags:
        above = hashtags.of_file(page, known)
        raw = tuple(hashtags.tagged(each, above.tags) for each in raw)
        known += above.lines
    elif not _says_of_hashtags(page, defaults) and (stays := hashtags.unread(raw)):
        of_page.report(stays)
    reader_of = partial(FenceReader, config, included)
    setup = _outside(page, reading, reader_of, of_setup, of_cards, is_verified=config.verify)
    readers = [_CardReader(page, defaults.deck, each, config, included) for each in raw]
    found = [reader.card() for reader in readers]
    of_cards.extend(_unused_notes(page, readers))
    for reader in readers:
        of_cards.extend(reader.problems)
        setup += reader.setup
    in_order = tuple(sorted(setup, key=lambda snippet: snippet.place))
    if left := accounting.left_over(page, known, setup, [*of_page, *of_cards, *of_setup]):
        of_page.report(accounting.problem(page, left))
    if tall := height.too_tall([each for each in found if isinstance(each, Card)]):
        of_page.report(tall)
    usable = [] if of_setup.has_errors else found
    return CardsOfFile(
        tuple(_with_setup(each, in_order) for each in usable if isinstance(each, Card)),
        tuple(each for each in usable if isinstance(each, UnreadCard)),
        tuple(_refused(raw, found, is_whole=of_setup.has_errors)),
        tuple(told_in_file(Problems([*of_cards, *of_page, *of_setup]))),
        tuple(included.hashes.items()),
        chosen,
        why(page, chosen),
        doubtful=tuple(_doubtful(of_page, raw, found)),
    )


def _refused(
    raw: Iterable[RawCard], found: Iterable[Card | UnreadCard | None], *, is_whole: bool
) -> Iterator[UnreadCard]:
    """Yield the cards in which something is wrong: all, if it is in the set-up of a whole file."""
    for written, card in zip(raw, found, strict=True):
        if card is None or is_whole:
            asked = written.question
            yield UnreadCard(asked.place, "", one_line(attributes.TRAILING.sub("", asked.text)))


_PARTIAL = {Code.FENCE_UNCLOSED, Code.COMMENT_UNCLOSED}
"""What is wrong with a file, and not with what stands above it. Code in a fence that is not closed
is its card's, which is left out for it; a comment may be meant to go on over the cards below."""


def _doubtful(
    of_page: Problems, raw: Iterable[RawCard], found: Iterable[Card | UnreadCard | None]
) -> Iterator[Place]:
    """Yield the places of cards that may not be what their author means."""
    is_whole = has_errors(each for each in of_page if each.code not in _PARTIAL)
    unclosed = [each.place.line for each in of_page if each.code is Code.COMMENT_UNCLOSED]
    for written, card in zip(raw, found, strict=True):
        is_unsure = unclosed and written.lines.stop >= min(unclosed)
        if isinstance(card, Card) and (is_whole or is_unsure):
            yield card.place


def _says_of_hashtags(page: Page, defaults: Defaults) -> bool:
    """Tell whether anybody has decided what `#tag` is in this file."""
    return "hashtags" in page.meta.places or defaults.settings.hashtags is not None


def _with_setup(card: Card, setup: tuple[Snippet, ...]) -> Card:
    """The card with the set-up of its file, if it executes anything."""
    if not setup or not card.is_executable:
        return card
    return replace(card, snippets=(*setup, *card.snippets))


def _reading(page: Page, chosen: str, problems: Problems) -> tuple[Reading, Sequence[range]]:
    """What the page's syntax finds in it; and the lines of what it does not, which is told."""
    name = page.meta.syntax
    if name and name not in SYNTAXES:
        place = page.meta.places.get("syntax", Place(PYPROJECT))
        hint = suggestion(name, frozenset(SYNTAXES))
        problems.report(Problem(Code.SYNTAX_UNKNOWN, f"there is no syntax {name}", place, hint))
        return Reading(()), ()
    reading = SYNTAXES[chosen].read(page, problems) if chosen else Reading((), is_empty=True)
    told: list[range] = []
    problems.extend(page.problems)
    if entries := contents.entries(page, reading.cards):
        problems.report(contents.problem(entries))
        told += [each.lines for each in entries]
        lines = set(told)
        kept = tuple(each for each in reading.cards if each.lines not in lines)
        reading = replace(reading, cards=kept)
    # An author who names the syntax has decided; and while it is in doubt what is a heading, it is
    # in doubt what another syntax would find.
    if chosen and reading.is_certain and not name:
        told += [each.lines for each in left_out(page, chosen, reading.cards, problems)]
    if unread := commented.unread(page.comments):
        problems.report(unread)
    for each in question_like.alike(page, reading.cards, chosen):
        problems.report(each.problem)
        told += [range(line, line + 1) for line in each.lines]
    inside = {line for each in reading.cards for line in each.lines}
    outside = [token for token in page.tokens if token.map and token.map[0] not in inside]
    problems.extend(_stray(outside, page.whole))
    if reading.is_empty and not reading.cards:
        problems.report(_no_card(page))
    return reading, told


def _no_card(page: Page) -> Problem:
    return Problem(
        Code.NO_CARD,
        "this file is empty" if page.is_empty else "there is no card in this file",
        page.meta.place,
        _what_asks(page),
        Severity.WARNING,
    )


def _what_asks(page: Page) -> str:
    """What would be a question; where the page has headings of another level, how to say that."""
    has_list = any(block.type in LISTS for block in page.blocks)
    items = " (say `syntax: list`, if those here ask)" if has_list else ""
    divided = any(block.type == "hr" for block in page.blocks[1:-1])
    sides = "if a `---` stands between its question and its answer, say `syntax: sides`; "
    asks = sides if divided else ""
    asks += f"questions are `{'#' * page.level} headings`, list items{items}, or paragraphs with Q:"
    found = may_ask(page.blocks)
    if not found or found == page.level:
        return asks
    return f"if its `{'#' * found} headings` ask, say `level: {found}` in the front matter; {asks}"


def _outside(
    page: Page,
    reading: Reading,
    reader: Callable[[Problems], FenceReader],
    of_setup: Problems,
    of_cards: Problems,
    *,
    is_verified: bool,
) -> list[Snippet]:
    """The set-up that stands outside of the cards. Code there that is no set-up is reported.

    No card lacks that code: what is told of it is of none, nor of the file. How it would be shown
    is not told.
    """
    executes = page.meta.verify and is_verified
    inside = {line for each in reading.cards for line in each.lines}
    severity = Severity.WARNING if reading.among_notes else Severity.ERROR
    setup: list[Snippet] = []
    for token in page.tokens:
        if token.type != "fence" or (token.map and token.map[0] in inside):
            continue
        of_fence = Problems()
        snippet = reader(of_fence).snippet(token, in_cloze=False)
        is_setup = snippet and snippet.options.role is Role.SETUP
        if is_setup or of_fence.has_errors:
            of_setup.extend(of_fence)
        if snippet and is_setup:
            setup.append(snippet)
        elif snippet and executes and snippet.executable:
            message = "this code belongs to no card, so nothing would execute it"
            hint = "put it beneath a question, or make it {.setup} for every card of the file"
            problem = Problem(Code.FENCE_OUTSIDE, message, snippet.place, hint, severity)
            of_cards.report(problem)
    return setup


def _unused_notes(page: Page, readers: Iterable[_CardReader]) -> Iterator[Problem]:
    """Yield a warning for each footnote of the page that no card refers to."""
    used = {name for reader in readers for name in reader.footnotes}
    for name, note in markdown.notes(page.links):
        if name not in used:
            message = f"no card refers to the footnote {name}, so none shows it"
            hint = f"refer to it by [^{name}], or remove it"
            code, severity = Code.FOOTNOTE_UNMATCHED, Severity.WARNING
            yield Problem(code, message, note.place, hint, severity)


_SEEN = {"image", "footnote", "ordered_list_open"}
"""Types of tokens that are seen without a text of their own: Markdown takes the answer `2.` for a
list."""


def _can_be_seen(token: Token) -> bool:
    """Tell text, code, maths, images and footnotes from blanks, and from what only holds others."""
    return token.type in _SEEN or (token.type != "inline" and token.content.strip() != "")


def _stray(
    tokens: Iterable[Token], passage: Passage, *, in_answer: bool = False
) -> Iterator[Problem]:
    """Attributes of a card that stand on no question: whoever wrote them meant one there.

    In an answer, the id of a heading that does not ask may be another tool's anchor.
    """
    lines = passage.text.split("\n")
    opening = ""
    for token in tokens:
        above, opening = opening, token.type
        if token.type != "inline" or "{" not in token.content:
            continue
        found = attributes.TRAILING.search(token.content)
        if not found or not token.map:
            continue
        words = re.findall(r"#|\.?[\w-]+", found["inside"])
        if words and words[0] in WORDS:
            line = token.map[0] + token.content.count("\n", 0, found.start())
            asks = is_question(token.content)
            is_id = above == "heading_open" and words[0] == "#" and not words[2:]
            yield Problem(
                Code.ATTRIBUTE_INVALID,
                f"{found.group().strip()} stands behind no question",
                passage.at(line, max(lines[line].rfind("{"), 0)),
                "put it behind the question; or say by level: or syntax: in the front matter what "
                "is one",
                Severity.WARNING if in_answer and is_id and not asks else Severity.ERROR,
            )


def _suppressions(
    attribute: Attribute | None, rules: frozenset[str], problems: Problems
) -> Iterator[Suppression]:
    """The rules that a card may break: `rule: reason; rule: reason`."""
    if attribute is None:
        return
    position = len('lint="')
    for written in attribute.value.split(";"):
        blank = len(written) - len(written.lstrip())
        place = replace(attribute.place, column=attribute.place.column + position + blank)
        position += len(written) + 1
        name, _, reason = map(str.strip, written.replace("：", ":", 1).partition(":"))
        if name not in rules:
            message, hint = f"there is no rule {name}".rstrip(), suggestion(name, rules)
            problems.report(Problem(Code.ATTRIBUTE_INVALID, message, place, hint))
        elif not reason:
            message, hint = f"a suppression of {name} needs a reason", f'write lint="{name}: why"'
            problems.report(Problem(Code.ATTRIBUTE_INVALID, message, place, hint))
        else:
            yield Suppression(name, reason, place)


@dataclass(frozen=True, slots=True)
class _CardReader:
    """One card on its way from what is written to what is meant."""

    page: Page
    above: tuple[str, ...]
    """The parts of the deck's name above the titles of the file."""
    written: RawCard
    config: SourceConfig
    included: IncludedFiles
    problems: Problems = field(default_factory=Problems)
    """What is wrong with this card."""
    footnotes: set[str] = field(default_factory=set)
    """The footnotes that the card refers to."""
    setup: list[Snippet] = field(default_factory=list)
    """Set-up for all cards of the file that stands in this one."""

    def card(self) -> Card | UnreadCard | None:
        """The card without the set-up of its file; None where something is wrong with it."""
        written = ("question", self.written.question), ("answer", self.written.answer)
        large = [size.too_long(f"this {name}", passage) for name, passage in written]
        self.problems.extend(filter(None, large))
        if any(large):
            return None
        question, words = self._question()
        source, hint = self._line("source", words), self._line("hint", words)
        parsed = [self._parsed(each) for each in (question, self.written.answer, source, hint)]
        in_question, in_answer, in_source, in_hint = (each.tokens for each in parsed)
        below, beside = markdown.divided(in_answer)
        asked = list(markdown.walk([*in_question, *below]))
        notes = [token for each in parsed for note in each.footnotes.values() for token in note]
        aside = list(markdown.walk([*beside, *in_source, *in_hint, *notes]))
        is_cloze = self._is_cloze(words, asked, parsed)
        for word in (".type", ".reversed") if is_cloze and ".cloze" not in words else ():
            if word in words:
                self._contradict(words[word], "a cloze card")
        kind = Kind.TYPED if ".type" in words else self.written.kind or Kind.BASIC
        kind = Kind.CLOZE if is_cloze else kind
        card = Card(
            id=self._id(words.get("#")),
            kind=kind,
            deck=self._deck(),
            question=question,
            answer=self.written.answer,
            snippets=tuple(self._snippets([*asked, *aside], in_cloze=is_cloze)),
            tags=self._tags(words.get("tags")),
            place=question.place,
            reverse=".reversed" in words or (self.written.reverse and kind is Kind.BASIC),
            source=source,
            hint=hint,
            language=self.page.meta.lang,
            verified=self._executes,
            suppressions=tuple(_suppressions(words.get("lint"), self.config.rules, self.problems)),
            deletions=tuple(cloze.deletions(asked, in_code=True)) if is_cloze else (),
            id_slot=self._id_slot(),
        )
        if question.text.strip() and not any(map(_can_be_seen, markdown.walk(in_question))):
            message = "nothing of this question can be seen"
            self.problems.report(Problem(Code.QUESTION_MISSING, message, question.place))
        if is_cloze:
            self._check_deletions(asked, card.deletions)
        else:
            self._check_shown_marks([*asked, *aside])
        self._check_aside(aside, in_cloze=is_cloze)
        if self.written.answer:
            blocks = [*below, *beside]
            self.problems.extend(_stray(blocks, self.written.answer, in_answer=True))
        if not (is_cloze or self._is_seen(in_answer)):
            return self._unanswered(card)
        return None if self.problems.has_errors else card

    def _is_seen(self, answer: Iterable[Token]) -> bool:
        """Tell whether there is anything in an answer but set-up, which no card shows."""
        setup = {each.place for each in self.setup}
        return any(
            markdown.place(token) not in setup if token.type == "fence" else _can_be_seen(token)
            for token in markdown.walk(answer)
        )

    def _unanswered(self, card: Card) -> UnreadCard:
        message = "this question has no answer"
        hint = f"{self.written.lacks}; until then the card is left out"
        problem = Problem(Code.ANSWER_MISSING, message, card.place, hint, Severity.WARNING)
        self.problems.report(problem)
        return UnreadCard(card.place, card.id, one_line(card.question.text))

    def _question(self) -> tuple[Passage, dict[str, Attribute]]:
        """The question without the attributes behind its first paragraph, and these by name."""
        question = self.written.question
        head, gap, rest = question.text.partition("\n\n")
        if "{" not in head:
            return question, {}
        found = attributes.TRAILING.search(head)
        if not found:
            if left_open := attributes.LEFT_OPEN.search(head):
                message = "these attributes lack a closing brace or quote"
                place, hint = question.place_of(left_open.start()), attributes.KEYS_LIKE
                self.problems.report(Problem(Code.ATTRIBUTE_INVALID, message, place, hint))
            return question, {}
        start = found.start("inside")
        read = attributes.read(
            found["inside"],
            lambda offset: question.place_of(start + offset),
            WORDS,
            Code.ATTRIBUTE_INVALID,
            self.problems,
        )
        words = {attribute.name: attribute for attribute in read}
        kinds = [word for word in (".cloze", ".type", ".reversed") if word in words]
        if len(kinds) > 1:
            self._contradict(words[kinds[1]], kinds[0])
        kept = head[: found.start()].rstrip()
        lines_taken = head.count("\n") - kept.count("\n")
        text = kept + "\n" * lines_taken + gap + rest if gap else kept
        if not text.strip():
            self.problems.report(
                Problem(
                    Code.QUESTION_MISSING,
                    "attributes stand here, but no question",
                    question.place_of(start),
                )
            )
        return replace(question, text=text), words

    def _id(self, attribute: Attribute | None) -> str:
        """The id of the attributes, or else the one that the syntax has read."""
        known = self.written.id
        if attribute and known and attribute.value != known.text:
            message = f"this card has two ids: {attribute.value} and {known.text}"
            hint = "keep the one by which Anki knows it"
            self.problems.report(Problem(Code.ATTRIBUTE_INVALID, message, known.place, hint))
        return attribute.value if attribute else known.text if known else ""

    def _contradict(self, word: Attribute, kind: str) -> None:
        message = f"a card is not both {kind} and {word.name}"
        self.problems.report(Problem(Code.ATTRIBUTE_INVALID, message, word.place))

    def _id_slot(self) -> IdSlot:
        """Where the syntax says, or else in or as attributes behind the first paragraph."""
        if self.written.id_slot:
            return self.written.id_slot
        question = self.written.question
        head = question.text.partition("\n\n")[0]
        if "{" in head and (found := attributes.TRAILING.search(head)):
            return IdSlot(question.place_of(found.start() + 1), before="#", behind=" ")
        return IdSlot(question.place_of(len(head.rstrip())))

    def _line(self, name: str, words: dict[str, Attribute]) -> Passage | None:
        """The Markdown of an attribute, or of the front matter's key of the same name."""
        if name in words:
            place = words[name].place
            behind = replace(place, column=place.column + len(f'{name}="'))
            return Passage(words[name].value, behind, inline=True)
        meta = self.page.meta
        text = meta.source if name == "source" else ""
        return Passage(text, meta.at(name), inline=True) if text else None

    def _parsed(self, passage: Passage | None) -> Parsed:
        if passage is None:
            return Parsed((), (), {})
        parsed = markdown.parse(passage)
        if parsed.problems:
            self.problems.extend(parsed.problems)
        self.footnotes.update(parsed.footnotes)
        return parsed

    def _is_cloze(
        self, words: dict[str, Attribute], tokens: list[Token], parsed: Iterable[Parsed]
    ) -> bool:
        """Anki's own marks in prose or maths make a cloze card, and so does asking for one.

        `==text==` alone is a highlight, except where there is no answer: then the question must
        hide something to be one. A mark that is never closed was meant to make one, too.
        """
        if ".cloze" in words or self.written.kind is Kind.CLOZE:
            return True
        if cloze.deletions(tokens, in_code=False):
            return True
        if any(each.code is Code.CLOZE_UNCLOSED for one in parsed for each in one.problems):
            return True
        return self.written.answer is None and any(each.type == "mark_open" for each in tokens)

    def _check_deletions(self, tokens: list[Token], found: Sequence[ClozeDeletion]) -> None:
        place = self.written.question.place
        for token in tokens:
            if opening := cloze.left_open(token):
                self.problems.report(
                    Problem(
                        Code.CLOZE_UNCLOSED,
                        f"{opening.group()} is never closed, or stands in another deletion",
                        markdown.place(token),
                        "in code and maths a deletion ends with }} and holds no other",
                    )
                )
        if not found and not self.problems.has_errors:
            self.problems.report(
                Problem(
                    Code.CLOZE_MISSING,
                    "this cloze card hides nothing",
                    place,
                    "write {{c1::what is hidden}} or ==what is hidden==",
                )
            )
        written = {each.number for each in found if each.number is not None}
        count = len(written) + sum(each.number is None for each in found)
        if count > HIGHEST_DELETION:
            message = (
                f"this card hides {count:,} things, at most {HIGHEST_DELETION} can be asked for"
            )
            hint = "make several cards of it, or number alike what is recalled together"
            self.problems.report(Problem(Code.CLOZE_NUMBER, message, place, hint))
        for each in found:
            if cloze.may_be_code(each):
                message = f"{short(each.hint)} is a hint here, and stays in sight"
                hint = "end the deletion with ::}} if all of it is hidden"
                code, severity = Code.CLOZE_HINT, Severity.WARNING
                self.problems.report(Problem(code, message, each.place, hint, severity))
            if each.is_empty:
                self.problems.report(
                    Problem(
                        Code.CLOZE_MISSING,
                        "this deletion hides nothing",
                        each.place,
                        "write what is hidden between the :: and the }}",
                    )
                )
            if each.number is not None and not 1 <= each.number <= HIGHEST_DELETION:
                self.problems.report(
                    Problem(
                        Code.CLOZE_NUMBER,
                        f"a deletion cannot have the number {each.number}",
                        each.place,
                        f"Anki makes cards of the numbers 1 to {HIGHEST_DELETION}",
                    )
                )

    def _check_shown_marks(self, tokens: list[Token]) -> None:
        """Tell of deletions in code that make no cloze card by themselves, and are shown."""
        for token in tokens:
            is_code = token.type == "fence" and word_of(token.info).lower() not in _LITERAL
            if is_code and cloze.find(token.content)[1]:
                message = "the deletions in this code hide nothing: the card is no cloze card"
                hint = "write {.cloze} behind the question"
                where, severity = markdown.place(token), Severity.WARNING
                self.problems.report(Problem(Code.CLOZE_OUTSIDE, message, where, hint, severity))

    def _check_aside(self, tokens: list[Token], *, in_cloze: bool) -> None:
        for each in cloze.deletions(tokens, in_code=in_cloze):
            if each.number is not None:
                self.problems.report(
                    Problem(
                        Code.CLOZE_OUTSIDE,
                        "Anki looks for no deletion here",
                        each.place,
                        "write it in the question, or in the answer above its ---",
                    )
                )

    def _snippets(self, tokens: list[Token], *, in_cloze: bool) -> Iterator[Snippet]:
        """The card's fences in their order, then the values in its prose."""
        reader = FenceReader(self.config, self.included, self.problems)
        return snippets_of(tokens, reader, self.setup, executes=self._executes, in_cloze=in_cloze)

    @property
    def _executes(self) -> bool:
        return self.page.meta.verify and self.config.verify

    def _warn(self, warning: Problem | None) -> None:
        self.problems.extend([warning] if warning else [])

    def _deck(self) -> str:
        """The deck's name: the front matter's, or else the names above the file, and titles.

        Anki would put the word `blank` where nothing stands between two `::`.
        """
        name = self.page.source.path.rpartition("/")[2]
        stem = name.rpartition(".")[0] if "." in name else name
        titles = self.written.titles or (self.page.meta.title or stem,)
        below_root = "::".join((*self.above, *titles))
        full = self.written.deck.text if self.written.deck else self.page.meta.deck
        parts = [part for each in (full or below_root).split("::") if (part := each.strip())]
        # A colon beside `::` would move it: Anki divides `a:::b` into `a` and `:b`.
        above = [part.strip(":").rstrip() for part in parts[:-1]]
        last = [part.lstrip(":").lstrip() if above else part for part in parts[-1:]]
        return "::".join(filter(None, [*above, *last])) or stem

    def _tags_of_file(self) -> Iterator[str]:
        """The front matter's tags. A blank in one, as other tools have it, becomes `_`."""
        place = self.page.meta.at("tags")
        for written in self.page.meta.tags:
            tag = "_".join(written.removeprefix("#").split()).rstrip(",，")
            if self.page.meta.hashtags:
                tag = hashtags.anki_tag(tag)
            if len(written.split()) > 1:
                message = f"the tag {written!r} becomes {tag}: Anki divides tags at blanks"
                hint = "write it as one word, or as several tags"
                self._warn(Problem(Code.TAG_INVALID, message, place, hint, Severity.WARNING))
            yield tag

    def _tags(self, attribute: Attribute | None) -> tuple[str, ...]:
        given = [(tag, self.page.meta.at("tags")) for tag in self._tags_of_file()]
        given += [(each.text, each.place) for each in self.written.tags]
        if attribute:
            given += [(tag, attribute.place) for tag in attribute.value.split(" ") if tag]
        for tag, place in given:
            if not _TAG.fullmatch(tag):
                self.problems.report(
                    Problem(
                        Code.TAG_INVALID,
                        f"{tag!r} cannot be a tag",
                        place,
                        "tags are words with spaces between; `::` divides one, no part is empty",
                    )
                )
        return tuple(dict.fromkeys(tag for tag, _ in given))
