"""pytest collects the cards of a deck project, and each is a test that its proof decides.

This file is all that pytest loads where there is no deck: options, and whether there is one.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

_NAME = "verideck"
_LONGEST = 10_000_000
"""Bytes of a pyproject.toml, as for verideck itself: nothing of it is imported for that."""
_FLAGS = {
    "strict": "take verideck's warnings as errors",
    "no-verify": "execute nothing: cards with code are skipped",
    "audit": "ask of every card whether its assertions could have caught a mistake",
    "require-sandbox": "execute nothing where there is no sandbox",
    "require-assertions": "documents must assert what their code computes, as cards must",
}
"""The switches. Each is a flag, and an ini option with `_` for `-`."""


class VerideckWarning(pytest.PytestWarning):
    """What verideck warns of. `filterwarnings` may make an error of it, as of any warning."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the command line of verideck can say, too."""
    group = parser.getgroup(_NAME, "verideck: the snippets of Markdown cards")
    for name, what in _FLAGS.items():
        group.addoption(f"--{_NAME}-{name}", action="store_true", help=what)
        parser.addini(f"{_NAME}_{name.replace('-', '_')}", what, type="bool", default=False)
    form = "the form of the cards in files that name none"
    group.addoption(f"--{_NAME}-syntax", metavar="NAME", default="", help=form)
    parser.addini(f"{_NAME}_syntax", form, default="")
    share = "what the fences of a document share names in: file or heading"
    group.addoption(f"--{_NAME}-share", metavar="WHAT", default="", help=share)
    parser.addini(f"{_NAME}_share", share, default="")
    # What would loosen a protection only the caller says: a project's ini file may not.
    who = (
        "who executes: fork, spawn or dask://host:port; here: a card that fails is executed once "
        "more in pytest's own process, without a sandbox, for --pdb"
    )
    group.addoption(f"--{_NAME}-executor", metavar="WHO", default="", help=who)
    trust = "let the settings of the project hold as they are"
    group.addoption(f"--{_NAME}-trust", action="store_true", help=trust)
    most = "the most that the project may ask for; may be given several times"
    group.addoption(
        f"--{_NAME}-limit", metavar="NAME=VALUE", action="append", default=[], help=most
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect cards, if what is tested is a deck project, or `-p verideck` asks for it."""
    is_asked = _NAME in config.getoption("plugins")
    named = [config.invocation_params.dir / each.partition("::")[0] for each in config.args]
    if is_asked or any(map(deck_folder, [config.rootpath, *named])):
        from verideck.pytest_plugin.cards import Cards  # noqa: PLC0415 - elsewhere it costs nothing

        otherwise = config.rootpath if is_asked else None
        config.pluginmanager.register(Cards(config, otherwise), f"{_NAME}-cards")


def deck_folder(path: Path) -> Path | None:
    """Return the nearest folder at or above a path whose pyproject.toml has `[tool.verideck]`.

    Which of them may be a project is `Project.open`'s to say.
    """
    return next((each for each in (path, *path.parents) if _is_deck(each / "pyproject.toml")), None)


def _is_deck(file: Path) -> bool:
    try:
        if not file.is_file() or file.stat().st_size > _LONGEST:  # a pipe would be waited for
            return False
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    if _NAME not in text:
        return False
    try:
        tool = tomllib.loads(text).get("tool")
    except (ValueError, RecursionError):
        return True  # verideck tells what is wrong with it
    return isinstance(tool, dict) and _NAME in tool
