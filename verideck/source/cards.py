"""Stage 2 of 5: Source -> Card. Drives syntaxes/, and minds what concerns many cards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from verideck import markdown
from verideck.markdown import Token, cloze
from verideck.model import (
    Card,
    IdSlot,
    Kind,
    Options,
    Passage,
    Place,
    Role,
    Snippet,
    Source,
    Suppression,
    Unanswered,
    one_line,
)
from verideck.problems import Code, Problem, Severity, errors, keep
from verideck.rules import RULES
from verideck.settings import Settings
from verideck.source import attributes, fences
from verideck.source.attributes import Attribute, suggestion
from verideck.source.front_matter import split
from verideck.source.syntaxes import SYNTAXES, Page, RawCard, fitting, left_out

WORDS = frozenset({"#", ".reversed", ".type", ".cloze", "tags", "source", "hint", "lint"})


def parse(sources: Iterable[Source], settings: Settings) -> Iterator[Card | Unanswered | Problem]:
    """Find the cards and drafts of all files. No two cards have the same identity."""
    first_place: dict[str, Place] = {}
    for source in sources:
        for each in _cards(source, settings):
            if isinstance(each, Card):
                key = _key(each)
                if key in first_place:
                    yield _repeated(each, first_place[key])
                    continue
                first_place[key] = each.place
            yield each


def _key(card: Card) -> str:
    """What two cards may not share: the id that the author wrote, or else the question's text."""
    return f"#{card.id}" if card.id else f"?{one_line(card.question.text)}"


def _repeated(card: Card, first: Place) -> Problem:
    if card.id:
        return Problem(
            Code.ID_REPEATED,
            f"the id {card.id} is taken by the card at {first}",
            card.place,
            "give one of the two cards another id: reviews hang on it",
        )
    return Problem(
        Code.ID_REPEATED,
        f"the card at {first} asks the same, and neither has an id",
        card.place,
        "write {#some-id} behind one of the questions",
    )


def _cards(source: Source, settings: Settings) -> Iterator[Card | Unanswered | Problem]:
    problems: list[Problem] = []
    for page in keep(_page(source), problems):
        written = list(keep(_written(page), problems))
        faults: list[Problem] = []
        setup = tuple(keep(_setup(page, written, settings), faults))
        problems += faults
        for each in written:
            for made in _Reading(page, each, settings, []).card(setup):
                if isinstance(made, Problem) or not faults:
                    yield made
    yield from problems


def _page(source: Source) -> Iterator[Page | Problem]:
    for each in split(source):
        yield each if isinstance(each, Problem) else Page(source, *each)


def _written(page: Page) -> Iterator[RawCard | Problem]:
    """What the page's syntax finds in it."""
    name = page.meta.syntax
    if name and name not in SYNTAXES:
        place, hint = page.meta.at("syntax"), suggestion(name, frozenset(SYNTAXES))
        yield Problem(Code.SYNTAX_UNKNOWN, f"there is no syntax {name}", place, hint)
        return
    chosen = name or fitting(page)
    found = list(SYNTAXES[chosen].cards(page)) if chosen else []
    yield from found
    yield from page.problems
    cards = [each for each in found if isinstance(each, RawCard)]
    underlined = any(_is_underline(each) for each in found)
    # Whoever names the syntax has looked; and until it is clear what is a heading, nobody can.
    if chosen and not name and not underlined:
        yield from left_out(page, chosen, cards)
    inside = {line for each in cards for line in each.lines}
    outside = [token for token in page.tokens if token.map and token.map[0] not in inside]
    yield from _stray(outside, Passage("\n".join(page.lines), Place(page.source.path)))
    if not found:
        empty = not any(line.strip() for line in page.lines)
        yield Problem(
            Code.NO_CARD,
            "this file is empty" if empty else "there is no card in this file",
            page.meta.place,
            f"questions are `{'#' * page.meta.level} headings`, list items, or paragraphs that "
            "begin with Q:",
            Severity.WARNING,
        )


def _is_underline(found: RawCard | Problem) -> bool:
    return isinstance(found, Problem) and found.code is Code.HEADING_UNDERLINED


def _setup(page: Page, written: list[RawCard], settings: Settings) -> Iterator[Snippet | Problem]:
    """The set-up of the page; and a problem for code that belongs to no card."""
    executes = page.meta.verify and settings.verify
    inside = {line for each in written for line in each.lines}
    for token in page.tokens:
        if token.type != "fence":
            continue
        belongs = token.map is not None and token.map[0] in inside
        for each in fences.snippet(token, settings.root, in_cloze=False):
            if isinstance(each, Problem):
                if not belongs:
                    yield each
            elif each.options.role is Role.SETUP:
                yield each
            elif executes and not belongs and fences.is_executable(each):
                yield Problem(
                    Code.FENCE_OUTSIDE,
                    "this code belongs to no card, so nothing would execute it",
                    each.place,
                    "put it beneath a question, or make it {.setup} for every card of the file",
                )


def _can_be_seen(token: Token) -> bool:
    """Tell text, code, maths and images from tokens that only hold others, and from blanks."""
    return token.type == "image" or (token.type != "inline" and token.content.strip() != "")


def _stray(tokens: Iterable[Token], passage: Passage) -> Iterator[Problem]:
    """Attributes of a card that stand on no question: whoever wrote them meant one there."""
    lines = passage.text.split("\n")
    for token in tokens:
        found = attributes.TRAILING.search(token.content) if token.type == "inline" else None
        if not found or not token.map:
            continue
        words = re.findall(r"#|\.?[\w-]+", found["inside"])
        if words and words[0] in WORDS:
            line = token.map[0] + token.content.count("\n", 0, found.start())
            yield Problem(
                Code.ATTRIBUTE_INVALID,
                f"{found.group().strip()} stands behind no question",
                passage.at(line, max(lines[line].rfind("{"), 0)),
                "put it behind the question; or say by level: or syntax: in the front matter what "
                "is one",
            )


def _excuses(attribute: Attribute | None) -> Iterator[Suppression | Problem]:
    """The rules that a card may break: `rule: reason; rule: reason`."""
    if attribute is None:
        return
    position = len('lint="')
    for written in attribute.value.split(";"):
        blank = len(written) - len(written.lstrip())
        place = replace(attribute.place, column=attribute.place.column + position + blank)
        position += len(written) + 1
        name, _, reason = map(str.strip, written.replace("：", ":", 1).partition(":"))
        if name not in RULES:
            message, hint = f"there is no rule {name}".rstrip(), suggestion(name, frozenset(RULES))
            yield Problem(Code.ATTRIBUTE_INVALID, message, place, hint)
        elif not reason:
            message, hint = f"a suppression of {name} needs a reason", f'write lint="{name}: why"'
            yield Problem(Code.ATTRIBUTE_INVALID, message, place, hint)
        else:
            yield Suppression(name, reason, place)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One card on its way from what is written to what is meant."""

    page: Page
    written: RawCard
    settings: Settings
    problems: list[Problem]

    def card(self, setup: tuple[Snippet, ...]) -> Iterator[Card | Unanswered | Problem]:
        """Yield what is wrong with the card, and the card if nothing is."""
        question, words = self._question()
        source, hint = self._line("source", words), self._line("hint", words)
        below, beside = markdown.divided(self._tokens(self.written.answer))
        in_question = self._tokens(question)
        asked = list(markdown.walk([*in_question, *below]))
        aside = list(markdown.walk([*beside, *self._tokens(source), *self._tokens(hint)]))
        is_cloze = self._is_cloze(words, asked)
        for word in (".type", ".reversed") if is_cloze and ".cloze" not in words else ():
            if word in words:
                self._contradict(words[word], "a cloze card")
        own = tuple(keep(self._snippets([*asked, *aside], in_cloze=is_cloze), self.problems))
        card = Card(
            id=words["#"].value if "#" in words else "",
            kind=Kind.CLOZE if is_cloze else Kind.TYPED if ".type" in words else Kind.BASIC,
            deck=self._deck(),
            question=question,
            answer=self.written.answer,
            snippets=(*setup, *own) if any(map(fences.is_executable, own)) else own,
            tags=self._tags(words.get("tags")),
            place=question.place,
            reverse=".reversed" in words,
            source=source,
            hint=hint,
            language=self.page.meta.lang or self.settings.lang,
            verified=self.page.meta.verify and self.settings.verify,
            suppressions=tuple(keep(_excuses(words.get("lint")), self.problems)),
            hidden=tuple(cloze.deletions(asked, in_code=True)) if is_cloze else (),
            id_slot=self._id_goes(),
        )
        if not errors(self.problems) and not any(map(_can_be_seen, markdown.walk(in_question))):
            message = "nothing of this question can be seen"
            self.problems.append(Problem(Code.QUESTION_MISSING, message, question.place))
        if is_cloze:
            self._check_deletions(asked)
        self._check_aside(aside, in_cloze=is_cloze)
        if self.written.answer:
            self.problems.extend(_stray([*below, *beside], self.written.answer))
        yield from self.problems
        if not is_cloze and self.written.answer is None:
            yield Problem(
                Code.ANSWER_MISSING,
                "this question has no answer",
                card.place,
                "write the answer beneath it; until then the card is left out",
                Severity.WARNING,
            )
            yield Unanswered(card.place, card.id, one_line(card.question.text))
        elif not errors(self.problems):
            yield card

    def _question(self) -> tuple[Passage, dict[str, Attribute]]:
        """The question without the attributes behind its first paragraph, and these by name."""
        question = self.written.question
        head, gap, rest = question.text.partition("\n\n")

        def at(position: int) -> Place:
            line = head.count("\n", 0, position)
            return question.at(line, position - (head.rfind("\n", 0, position) + 1))

        found = attributes.TRAILING.search(head)
        if not found:
            if left_open := attributes.LEFT_OPEN.search(head):
                message = "these attributes lack a closing brace or quote"
                place, hint = at(left_open.start()), attributes.KEYS_LIKE
                self.problems.append(Problem(Code.ATTRIBUTE_INVALID, message, place, hint))
            return question, {}
        start = found.start("inside")
        known = attributes.read(
            found["inside"], lambda offset: at(start + offset), WORDS, Code.ATTRIBUTE_INVALID
        )
        words = {attribute.name: attribute for attribute in keep(known, self.problems)}
        kinds = [word for word in (".cloze", ".type", ".reversed") if word in words]
        if len(kinds) > 1:
            self._contradict(words[kinds[1]], kinds[0])
        kept = head[: found.start()].rstrip()
        lines_taken = head.count("\n") - kept.count("\n")
        text = kept + "\n" * lines_taken + gap + rest if gap else kept
        if not text.strip():
            self.problems.append(
                Problem(Code.QUESTION_MISSING, "attributes stand here, but no question", at(start))
            )
        return replace(question, text=text), words

    def _contradict(self, word: Attribute, kind: str) -> None:
        message = f"a card is not both {kind} and {word.name}"
        self.problems.append(Problem(Code.ATTRIBUTE_INVALID, message, word.place))

    def _id_goes(self) -> IdSlot:
        """Behind the `{` of the attributes, or else behind the question's first paragraph."""
        question = self.written.question
        head = question.text.partition("\n\n")[0]
        found = attributes.TRAILING.search(head)
        offset = found.start() + 1 if found else len(head.rstrip())
        line = head.count("\n", 0, offset)
        column = offset - (head.rfind("\n", 0, offset) + 1)
        return IdSlot(question.at(line, column), among_attributes=found is not None)

    def _line(self, name: str, words: dict[str, Attribute]) -> Passage | None:
        """The Markdown of an attribute, or of the front matter's key of the same name."""
        if name in words:
            place = words[name].place
            behind = replace(place, column=place.column + len(f'{name}="'))
            return Passage(words[name].value, behind, inline=True)
        meta = self.page.meta
        text = meta.source if name == "source" else ""
        return Passage(text, meta.at(name), inline=True) if text else None

    def _tokens(self, passage: Passage | None) -> Sequence[Token]:
        if passage is None:
            return ()
        parsed = markdown.parse(passage)
        self.problems.extend(parsed.problems)
        return parsed.tokens

    def _is_cloze(self, words: dict[str, Attribute], tokens: list[Token]) -> bool:
        """Anki's own marks in prose or maths make a cloze card, and so does asking for one.

        `==text==` alone is a highlight, except where there is no answer: then the question must
        hide something to be one. A mark that is never closed was meant to make one, too.
        """
        if ".cloze" in words or cloze.deletions(tokens, in_code=False):
            return True
        if any(problem.code is Code.CLOZE_UNCLOSED for problem in self.problems):
            return True
        return self.written.answer is None and any(each.type == "mark_open" for each in tokens)

    def _check_deletions(self, tokens: list[Token]) -> None:
        found = cloze.deletions(tokens, in_code=True)
        place = self.written.question.place
        for token in tokens:
            if opening := cloze.left_open(token):
                self.problems.append(
                    Problem(
                        Code.CLOZE_UNCLOSED,
                        f"{opening.group()} is never closed, or stands in another deletion",
                        markdown.place(token),
                        "in code and maths a deletion ends with }} and holds no other",
                    )
                )
        if not found and not errors(self.problems):
            self.problems.append(
                Problem(
                    Code.CLOZE_MISSING,
                    "this cloze card hides nothing",
                    place,
                    "write {{c1::what is hidden}} or ==what is hidden==",
                )
            )
        for each in found:
            if each.is_empty:
                self.problems.append(
                    Problem(
                        Code.CLOZE_MISSING,
                        "this deletion hides nothing",
                        each.place,
                        "write what is hidden between the :: and the }}",
                    )
                )
            if each.number is not None and not 1 <= each.number <= cloze.HIGHEST:
                self.problems.append(
                    Problem(
                        Code.CLOZE_NUMBER,
                        f"a deletion cannot have the number {each.number}",
                        each.place,
                        f"Anki makes cards of the numbers 1 to {cloze.HIGHEST}",
                    )
                )

    def _check_aside(self, tokens: list[Token], *, in_cloze: bool) -> None:
        for each in cloze.deletions(tokens, in_code=in_cloze):
            if each.number is not None:
                self.problems.append(
                    Problem(
                        Code.CLOZE_OUTSIDE,
                        "Anki looks for no deletion here",
                        each.place,
                        "write it in the question, or in the answer above its ---",
                    )
                )

    def _snippets(self, tokens: list[Token], *, in_cloze: bool) -> Iterator[Snippet | Problem]:
        """The card's fences in their order, then the values in its prose."""
        ran_above = False
        for token in tokens:
            if token.type != "fence":
                continue
            for each in fences.snippet(token, self.settings.root, in_cloze=in_cloze):
                if isinstance(each, Snippet):
                    if each.options.role is Role.SETUP:
                        continue
                    if each.options.role is Role.OUTPUT and not ran_above:
                        yield Problem(
                            Code.OPTION_INVALID,
                            "this output follows no fence that is executed",
                            each.place,
                            "put it under the fence that prints it, or call it text",
                        )
                    ran_above = fences.is_executable(each)
                yield each
        for token in tokens:
            if token.type == "value":
                place, origin = markdown.place(token), markdown.origin(token)
                yield Snippet("python", token.content, place, origin, Options(Role.VALUE))

    def _deck(self) -> str:
        """The deck's name: the front matter's, or else root, folders and titles.

        Anki would put the word `blank` where nothing stands between two `::`.
        """
        stem = re.sub(r"\.[^.]*$", "", self.page.source.path.rsplit("/", 1)[-1])
        titles = self.written.titles or (stem,)
        below_root = "::".join((self.settings.deck, *self.page.source.folders, *titles))
        parts = map(str.strip, (self.page.meta.deck or below_root).split("::"))
        return "::".join(filter(None, parts)) or stem

    def _tags(self, attribute: Attribute | None) -> tuple[str, ...]:
        given = [(tag, self.page.meta.at("tags")) for tag in self.page.meta.tags]
        if attribute:
            given += [(tag, attribute.place) for tag in attribute.value.split(" ") if tag]
        for tag, place in given:
            if not re.fullmatch(r"[^\s:,，]+(?:::?[^\s:,，]+)*", tag):
                self.problems.append(
                    Problem(
                        Code.TAG_INVALID,
                        f"{tag!r} cannot be a tag",
                        place,
                        "tags are words with spaces between; `::` divides one, no part is empty",
                    )
                )
        return tuple(dict.fromkeys(tag for tag, _ in given))
