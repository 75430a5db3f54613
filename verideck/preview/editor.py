"""Opens a line of a file in the author's editor."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread

from verideck.model import Place

LINKS: Mapping[str, str] = {
    "vscode": "vscode://file{file}:{line}:{column}",
    "vscodium": "vscodium://file{file}:{line}:{column}",
    "cursor": "cursor://file{file}:{line}:{column}",
    "windsurf": "windsurf://file{file}:{line}:{column}",
    "zed": "zed://file{file}:{line}:{column}",
    "idea": "idea://open?file={file}&line={line}&column={column}",
    "pycharm": "pycharm://open?file={file}&line={line}&column={column}",
    "textmate": "txmt://open?url=file://{file}&line={line}&column={column}",
}
"""The addresses by which editors are told a place, by their names."""

_GOTO = frozenset({"code", "code-insiders", "codium", "cursor", "windsurf"})
"""These take `--goto file:line:column`."""
_COLONS = frozenset({"subl", "zed", "zeditor", "hx", "helix", "lapce", "micro"})
"""These take `file:line:column`."""
_NAMED = frozenset({"idea", "pycharm", "webstorm", "phpstorm", "goland", "rubymine", "clion"})
"""These take `--line`."""


def editor() -> str:
    """The command of the author's editor; empty if none is named."""
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""


def command(editor: str, file: Path, place: Place) -> Sequence[str]:
    """Return the words that open a place. Raises ValueError where the editor's name is none."""
    words = shlex.split(editor)
    if not words:
        raise ValueError("no editor is named")
    name = Path(words[0]).stem.lower()
    if name in _GOTO:
        return [*words, "--goto", f"{file}:{place.line}:{place.column}"]
    if name in _COLONS:
        return [*words, f"{file}:{place.line}:{place.column}"]
    if name in _NAMED:
        return [*words, "--line", str(place.line), str(file)]
    return [*words, f"+{place.line}", str(file)]  # vi, emacs, nano, kak, gedit, kate and others


def opened(root: Path, place: Place) -> str:
    """Open a place in the editor that `VISUAL` or `EDITOR` names; return what went wrong.

    An editor for a terminal has that in which verideck runs.
    """
    named = editor()
    if not named:
        return "set VISUAL or EDITOR to the command of your editor, or name one by --editor"
    try:
        words = command(named, root / place.path, place)
        process = subprocess.Popen(words, cwd=root)  # noqa: S603 - the caller's own command
        Thread(target=process.wait, daemon=True).start()  # or its end would stay unread
    except (OSError, ValueError) as error:
        return f"{named} cannot be started: {error}"
    return ""
