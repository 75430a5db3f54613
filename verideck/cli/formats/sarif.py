"""A run as SARIF 2.1.0, which code scanning takes."""

from __future__ import annotations

import json
from pathlib import PurePath
from urllib.parse import quote

from verideck import __version__
from verideck.cli.formats.told import Told
from verideck.cli.report import relative
from verideck.problems import Problem, Severity

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"


def run(told: Told) -> str:
    """Return one run with a result for each problem, and a rule for each code that it has."""
    codes = sorted({each.code for each in told.problems})
    rules = [{"id": code, "shortDescription": {"text": code.replace("-", " ")}} for code in codes]
    index = {code: number for number, code in enumerate(codes)}
    found = {
        "tool": {"driver": {"name": "verideck", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(told)],
        "results": [_result(each, index[each.code], told) for each in told.problems],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [found]}, indent=2)


def _invocation(told: Told) -> dict[str, object]:
    if not told.usage:
        return {"executionSuccessful": True}
    wrong = {"level": "error", "message": {"text": told.usage}}
    return {"executionSuccessful": False, "toolConfigurationNotifications": [wrong]}


def _result(problem: Problem, index: int, told: Told) -> dict[str, object]:
    place = problem.place
    path = relative(told.root / place.path)
    location: dict[str, object] = {"uri": quote(path)}
    if not PurePath(path).is_absolute():
        location["uriBaseId"] = _ROOT
    region = {"startLine": place.line, "startColumn": place.column}
    hint = f"\n{problem.hint}" if problem.hint else ""
    return {
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": "error" if problem.severity is Severity.ERROR else "warning",
        "message": {"text": f"{problem.message}{hint}"},
        "locations": [{"physicalLocation": {"artifactLocation": location, "region": region}}],
    }
