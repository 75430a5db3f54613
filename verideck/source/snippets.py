"""Tokens -> Snippets: what is executed of some Markdown, and what should be and is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from verideck import markdown
from verideck.markdown import Token
from verideck.model import Options, Role, Snippet
from verideck.problems import Code, Problem, Problems, Severity
from verideck.source import code_in_html
from verideck.source.fences import FenceReader, unexecuted, unexecuted_block

_CODE = frozenset({"fence", "code_block", "value"})


def snippets_of(
    tokens: Sequence[Token],
    reader: FenceReader,
    setup: list[Snippet],
    *,
    executes: bool,
    in_cloze: bool = False,
) -> Iterator[Snippet]:
    """Yield the fences in their order, then the values in prose.

    What is set-up for the whole file is put into `setup` instead. Reports what is wrong with them
    to the reader's problems; and, if code here `executes`, code that is written so that it does
    not. Where it does not, an output under no fence that would is text. If `in_cloze`, Anki's cloze
    marks are no part of the code.
    """
    problems = reader.problems
    ran_above = False
    if executes:
        problems.extend(code_in_html.unexecuted(tokens))
    code = [token for token in tokens if token.type in _CODE]
    for token in code:
        snippet = reader.snippet(token, in_cloze=in_cloze) if token.type == "fence" else None
        if token.type == "code_block" and executes and (told := unexecuted_block(token)):
            problems.report(told)
        if snippet is None:
            continue
        if executes and (told := unexecuted(token, snippet)):
            problems.report(told)
        if snippet.options.role is Role.SETUP:
            setup.append(snippet)
            continue
        if snippet.options.role is Role.OUTPUT and not ran_above:
            snippet = _uncompared(snippet, problems, executes=executes)
        ran_above = snippet.executable
        yield snippet
    for token in code:
        if token.type == "value":
            place, origin = markdown.place(token), markdown.origin(token)
            executable = "python" in reader.config.proved
            options = Options(Role.VALUE)
            yield Snippet("python", token.content, place, origin, options, executable=executable)


def _uncompared(output: Snippet, problems: Problems, *, executes: bool) -> Snippet:
    """Report that an output follows no fence that would print it; return what is shown of it."""
    message = "this output follows no fence that is executed"
    hint = "put it under the fence that prints it, or call it text"
    if executes:
        problems.report(Problem(Code.OPTION_INVALID, message, output.place, hint))
        return output
    message += ": it is shown as text"
    problems.report(Problem(Code.OPTION_INVALID, message, output.place, hint, Severity.WARNING))
    return replace(output, options=replace(output.options, role=Role.TEXT))
