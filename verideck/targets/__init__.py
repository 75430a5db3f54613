"""Where a deck goes. To add a target: a file here, a line in `TARGETS`, a case in the tests.

A distribution that is installed beside verideck adds one by an entry point of the group
`verideck.targets`, whose name is the suffix without its dot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from verideck import plugins
from verideck.plugins import Plugin
from verideck.problems import Code, Problem, Problems, shown
from verideck.settings import Settings
from verideck.targets.target import AnkiTarget, ReadersTarget, Target

__all__ = ["TARGETS", "Target", "check_suffix", "shows_cards", "target_of"]


def _apkg() -> Target:
    from verideck.targets import apkg, packages  # noqa: PLC0415 - a check packages nothing

    return AnkiTarget(apkg.package, packages.require_ours)


def _html() -> Target:
    from verideck.targets import html  # noqa: PLC0415 - see `_apkg`

    return html.TARGET


def _json() -> Target:
    from verideck.targets import as_json  # noqa: PLC0415 - see `_apkg`

    return as_json.TARGET


def _csv() -> Target:
    from verideck.targets import as_csv  # noqa: PLC0415 - see `_apkg`

    return as_csv.TARGET


TARGETS: Mapping[str, Callable[[], Target]] = MappingProxyType(
    {".apkg": _apkg, ".csv": _csv, ".html": _html, ".json": _json}
)
"""By the suffix of the file. A target is made when it is asked for."""


def target_of(file: Path) -> Target:
    """Return the target of a file, by its suffix. Raises ValueError where there is none, or two."""
    added = plugins.installed(plugins.TARGETS)
    claims = [each for each in added if f".{each.name}" == file.suffix]
    if claims and (file.suffix in TARGETS or len(claims) > 1):
        owners = [*(["verideck"] if file.suffix in TARGETS else []), *(c.package for c in claims)]
        raise ValueError(f"{file.suffix} is claimed by {' and '.join(owners)}: uninstall one")
    if file.suffix in TARGETS:
        return TARGETS[file.suffix]()
    if claims:
        return _loaded(claims[0])
    what = file.suffix or "file without suffix"
    known = sorted({*TARGETS, *(f".{each.name}" for each in added)})
    raise ValueError(f"cannot write a {what}: known are {', '.join(known)}")


def _loaded(claim: Plugin) -> Target:
    target = claim.load()
    if not isinstance(target, Target):
        raise ValueError(f"{claim}, is no target")  # noqa: TRY004 - it is the caller's to mend
    return target


def shows_cards(file: Path) -> bool:
    """Whether the target of a file shows cards, and not only what their notes hold."""
    target = target_of(file)
    return isinstance(target, ReadersTarget) and target.shows_cards


def check_suffix(settings: Settings, problems: Problems) -> None:
    """Report a setting `output` that is no package for Anki, or that no file can be named by.

    By it a build finds what learners have; a page is named by the caller.
    """
    suffix = Path(settings.output).suffix
    if suffix != ".apkg" or "\0" in settings.output:
        message = f"output must be a path that ends with .apkg, not {shown(settings.output)}"
        hint = f"write a {suffix} by -o" if suffix in TARGETS and suffix != ".apkg" else ""
        problems.report(Problem(Code.SETTING_INVALID, message, settings.at("output"), hint))
