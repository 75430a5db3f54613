"""Where a deck goes. To add a target: a file here, a line in `TARGETS`, a case in the tests.

A distribution that is installed beside verideck adds one by an entry point of the group
`verideck.targets`, whose name is the suffix without its dot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType

from verideck.problems import Code, Problem, Problems, shown
from verideck.settings import Settings
from verideck.targets.target import AnkiTarget, Target

__all__ = ["TARGETS", "Target", "check_suffix", "target_of"]

GROUP = "verideck.targets"


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
    claims = [each for each in entry_points(group=GROUP) if f".{each.name}" == file.suffix]
    if len(claims) > 1 or (claims and file.suffix in TARGETS):
        named = " and ".join(sorted({_owner(each) for each in claims}))
        verideck = "verideck and " if file.suffix in TARGETS else ""
        raise ValueError(f"{file.suffix} is claimed by {verideck}{named}: uninstall one")
    if file.suffix in TARGETS:
        return TARGETS[file.suffix]()
    if claims:
        return _loaded(claims[0])
    what = file.suffix or "file without suffix"
    known = sorted({*TARGETS, *(f".{each.name}" for each in entry_points(group=GROUP))})
    raise ValueError(f"cannot write a {what}: known are {', '.join(known)}")


def _owner(claim: EntryPoint) -> str:
    return claim.dist.name if claim.dist else claim.value


def _loaded(claim: EntryPoint) -> Target:
    target = claim.load()
    if not isinstance(target, Target):
        raise ValueError(f"{claim.value}, of {_owner(claim)}, is no target")  # noqa: TRY004 - the caller's
    return target


def check_suffix(settings: Settings, problems: Problems) -> None:
    """Report a setting `output` that is no package for Anki, or that no file can be named by.

    By it a build finds what learners have; a page is named by the caller.
    """
    suffix = Path(settings.output).suffix
    if suffix != ".apkg" or "\0" in settings.output:
        message = f"output must be a path that ends with .apkg, not {shown(settings.output)}"
        hint = f"write a {suffix} by -o" if suffix in TARGETS and suffix != ".apkg" else ""
        problems.report(Problem(Code.SETTING_INVALID, message, settings.at("output"), hint))
