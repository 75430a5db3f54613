"""Comments that say what a statement gives: `#>` lines under it, an arrow behind or under it.

    print(1 / 3)
    #> 0.3333333333333333
    print(7 // 2)
    # => 3
    sum([1, 2])  # → 3
    print([1, 2])  # [1, 2]

The child records what the statement printed and its value, the parent compares it with the comment.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_ARROW = re.compile(r"#\s*(?:→|⇒|=>|->)\s*(?P<text>\S(?:.*\S)?)\s*")
_PLAIN = re.compile(r"#\s*(?P<text>\S(?:.*\S)?)\s*")
_LINE = re.compile(r"#> ?(?P<text>.*)")
_OBJECT = re.compile(r"<.+>")
_CONTAINERS = (ast.Tuple, ast.List, ast.Set, ast.Dict)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")

RECORDED = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign)
"""The statements that have a value."""

Ending = Mapping[int, ast.stmt]
"""By line: the last statement that ends in it, if it is one that has a value."""


@dataclass(frozen=True, slots=True)
class ValueComment:
    """A comment, or several lines of `#>`, and its statement. Lines are counted from 1."""

    line: int
    column: int
    """Of the first line's `#`; counted from 0."""
    text: str
    """What the statement is said to give."""
    statement: tuple[int, int]
    """The line and the column (in bytes, as `ast` counts) of the statement."""
    is_block: bool
    """Whether it stands under the statement, in `#>` lines."""
    is_plain: bool = False
    """Whether it has no arrow. It is a value only where the value's own text begins as it does."""
    named: str = ""
    """The name that its text begins with, as `torch.Size` or `tensor`: it is a value only where
    the value's own text begins so."""


def value_comments(code: str) -> tuple[ValueComment, ...]:
    """Return the value comments of some code; none where it is not Python."""
    if "#" not in code:
        return ()
    try:
        tree = ast.parse(code)
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
        statements = [each for each in ast.walk(tree) if isinstance(each, ast.stmt)]
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return ()
    last = {each.end_lineno or 0: each for each in sorted(statements, key=_start)}
    ending = {line: each for line, each in last.items() if isinstance(each, RECORDED)}
    return tuple(_found(tokens, ending))


def _found(tokens: list[tokenize.TokenInfo], ending: Ending) -> Iterator[ValueComment]:
    block: list[tokenize.TokenInfo] = []
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    alone_at = {token.start[0] for token in comments if _is_alone(token)}
    for token in comments:
        alone = token.start[0] in alone_at
        if alone and _LINE.fullmatch(token.string):
            if block and token.start[0] != block[-1].start[0] + 1:
                yield from _of_block(block, ending)
                block = []
            block.append(token)
        elif alone and (arrow := _ARROW.fullmatch(token.string)):
            if token.start[0] + 1 not in alone_at:
                yield from _of_arrow_under(token, arrow["text"], ending)
        elif not alone and (arrow := _ARROW.fullmatch(token.string)):
            yield from _of_arrow(token, arrow["text"], ending)
        elif not alone and (plain := _PLAIN.fullmatch(token.string)):
            yield from _of_plain(token, plain["text"], ending)
    yield from _of_block(block, ending)


def _is_alone(token: tokenize.TokenInfo) -> bool:
    return not token.line[: token.start[1]].strip()


def _of_block(block: list[tokenize.TokenInfo], ending: Ending) -> Iterator[ValueComment]:
    if block and (statement := ending.get(block[0].start[0] - 1)):
        lines = [found["text"] for each in block if (found := _LINE.fullmatch(each.string))]
        line, column = block[0].start
        yield ValueComment(line, column, "\n".join(lines), _start(statement), is_block=True)


def _of_arrow(token: tokenize.TokenInfo, text: str, ending: Ending) -> Iterator[ValueComment]:
    line, column = token.start
    statement = ending.get(line)
    if statement is None:
        return
    named = ""
    if not _is_print(statement):
        form = _form(text)
        if form is None:
            return
        named = form
    yield ValueComment(line, column, text, _start(statement), is_block=False, named=named)


def _of_arrow_under(token: tokenize.TokenInfo, text: str, ending: Ending) -> Iterator[ValueComment]:
    """A comment with an arrow in the line under a statement: a value, or else a remark."""
    line, column = token.start
    statement = ending.get(line - 1)
    named = _form(text)
    if statement and named is not None and statement.col_offset == column:
        yield ValueComment(line, column, text, _start(statement), is_block=False, named=named)


def _of_plain(token: tokenize.TokenInfo, text: str, ending: Ending) -> Iterator[ValueComment]:
    """A comment without an arrow, behind an expression: a list, a tuple or the like.

    A number may be that of a remark, and an assignment may have any remark.
    """
    line, column = token.start
    statement = ending.get(line)
    named = _form(text)
    if not isinstance(statement, ast.Expr) or named is None:
        return
    value = None if _OBJECT.fullmatch(text) else ast.parse(text, mode="eval").body
    if named or (isinstance(value, _CONTAINERS) and "," in text):
        yield ValueComment(
            line, column, text, _start(statement), is_block=False, is_plain=True, named=named
        )


def _start(statement: ast.stmt) -> tuple[int, int]:
    return statement.lineno, statement.col_offset


def _is_print(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            return True
    return False


def _form(text: str) -> str | None:
    """The name that a value's text begins with, empty for a literal; None if it is a remark.

    A remark behind a statement may begin with an arrow: `# → (B, T, H, D)`.
    """
    if _OBJECT.fullmatch(text):
        return ""
    try:
        value = ast.parse(text, mode="eval").body
        if isinstance(value, ast.Attribute) and _DOTTED.fullmatch(text):
            return text.rpartition(".")[0]
        if isinstance(value, ast.Call) and _is_literal(value):
            return ast.unparse(value.func)
        return "" if _is_literal(value) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_literal(node: ast.expr) -> bool:
    """Whether an expression is written as values are: of literals, maybe given to a class."""
    inner: list[ast.expr | None] = []
    match node:
        case ast.Constant() | ast.Name(id="nan" | "inf"):
            pass
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            inner = [operand]
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.Constant(value=complex())):
            inner = [left]
        case ast.Tuple() | ast.List() | ast.Set():
            inner = [*node.elts]
        case ast.Dict():
            inner = [*node.keys, *node.values]
        case ast.Call() if _DOTTED.fullmatch(ast.unparse(node.func)):
            given = [*node.args, *(each.value for each in node.keywords)]
            inner = [each for each in given if not isinstance(each, ast.Attribute)]  # a dtype
        case _:
            return False
    return all(each is not None and _is_literal(each) for each in inner)
