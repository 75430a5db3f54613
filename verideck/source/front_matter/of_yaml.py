"""Front matter between two lines `---`: YAML 1.2."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from verideck.source.front_matter import plain
from verideck.source.front_matter.values import Pair, UnreadableError

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.tokens import Token

_DEEPEST = 20
"""Levels of lists and tables in each other. No value needs more than two."""


def pairs(text: str) -> list[Pair]:
    """Return the keys and values of front matter. Raises UnreadableError.

    They are YAML's nodes, not Python's values: the tag `1.0` is the text `1.0`, an alias is not
    expanded, and no object is made.
    """
    if (found := plain.pairs(text)) is not None:
        return found
    return parsed(text)


def parsed(text: str) -> list[Pair]:
    """Return the keys and values as YAML's own parser finds them. Raises UnreadableError."""
    from ruamel.yaml.composer import MaxDepthExceededError  # noqa: PLC0415 - see `_parser_type`
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    yaml = _parser_type()()
    yaml.composer.warn_double_anchors = False
    try:
        node = yaml.compose(text)
    except MaxDepthExceededError as error:
        raise UnreadableError("this is nested too deeply", error.problem_mark.index) from error
    except (YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        index = mark.index if mark else getattr(error, "position", 0)
        raise UnreadableError(f"this is not YAML: {_what(error)}", index) from error
    if node is None:
        return []
    if node.id != "mapping":
        raise UnreadableError("front matter is made of lines like deck: name")
    return [Pair(key, value, key.start_mark.index) for key, value in node.value]


@cache
def _parser_type() -> type[YAML]:
    """YAML's parser, which does not look for its plug-ins on the disk, for each file.

    Its scanner reads a thousand characters ahead of what counts the levels, and at each of them
    goes through all brackets that are open: so it counts these itself.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - many files have no front matter
    from ruamel.yaml.composer import MaxDepthExceededError  # noqa: PLC0415
    from ruamel.yaml.scanner import Scanner  # noqa: PLC0415

    class _Scanner(Scanner):
        def fetch_flow_collection_start(self, token_class: type[Token], to_push: str) -> None:
            if len(self.indents) + self.flow_level >= _DEEPEST:
                raise MaxDepthExceededError(problem_mark=self.reader.get_mark())
            super().fetch_flow_collection_start(token_class, to_push)

    class _Yaml(YAML):
        def __init__(self) -> None:
            super().__init__(typ="safe", pure=True)
            self.Scanner = _Scanner
            self.max_depth = _DEEPEST

        def official_plug_ins(self) -> list[str]:
            return []

    return _Yaml


def _what(error: Exception) -> str:
    """What the YAML parser objects to, in one line."""
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    # Of one error, the first half of the sentence is in its context.
    return f"{getattr(error, 'context', '')}, {problem}" if problem.startswith("but ") else problem
