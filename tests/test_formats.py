"""The forms in which a run is told to programs, each held to its schema; what decides its end."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from projects import ROOT, Project, card, project

SCHEMA = json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))
GOOD = card("good", "one = int('1')\nassert one == 1")
BAD = card("bad", "one = int('1')\nassert one == 2  # ##[set-output]")
MORE = """\
## Prose? {#prose}

Yes.

```js
x
```

## Not run? {#later}

```python {.no-run reason="it takes a day"}
wait()
```

## Nobody answers?
"""
OFF = "---\nverify: off\n---\n\n" + card("off", "1 / 0")
SETTINGS = '[tool.verideck]\noutput = "deck.apkg"\ndocs.paths = ["docs"]\ndocs.share = "heading"\n'


@pytest.fixture
def deck(tmp_path: Path) -> Project:
    """A project with a card of every verdict, and a document."""
    files: dict[str, str | bytes] = {"a.md": GOOD + BAD, "b.md": MORE, "c.md": OFF}
    made = project(tmp_path / "deck", files, SETTINGS)
    made.write(
        "docs/guide.md", "# Guide\n\n```python\n1 + 1\n```\n\n## Fails\n\n```python\n1 / 0\n```\n"
    )
    return made


@pytest.fixture
def good(tmp_path: Path) -> Project:
    """A project in which everything holds."""
    return project(tmp_path / "deck", {"a.md": GOOD, "b.md": card("other", "assert int('2')")})


# JSON


def fits(value: object, schema: Mapping[str, Any], where: str = "$") -> None:
    """Assert that a value is as a schema says, in as much of JSON Schema as ours uses."""
    known = {"$schema", "$defs", "$ref", "title", "description", "type", "const", "enum"}
    known |= {"required", "properties", "additionalProperties", "items"}
    assert set(schema) <= known
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    types = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    allowed = schema.get("type", [])
    allowed = [allowed] if isinstance(allowed, str) else allowed
    is_number = "number" in allowed and type(value) in {int, float}
    assert not allowed or is_number or type(value) in [types.get(each) for each in allowed], where
    assert "const" not in schema or value == schema["const"], where
    assert "enum" not in schema or value in schema["enum"], where
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value), where
        for key, each in value.items():
            named = schema.get("properties", {}).get(key, schema["additionalProperties"])
            assert named, f"{where}.{key}"
            fits(each, named, f"{where}.{key}")
    for each in value if isinstance(value, list) else ():
        fits(each, schema["items"], f"{where}[]")


def told(made: Project, *words: str, code: int = 1) -> Any:  # noqa: ANN401 - JSON
    """What a command tells as JSON, which fits the schema."""
    run = made.invoke(*words, "--format", "json")
    assert (run.returncode, run.stderr) == (code, "")
    value = json.loads(run.stdout)
    fits(value, SCHEMA)
    return value


def test_json_has_an_entry_for_each_card(deck: Project) -> None:
    """With its place, its verdict, and what was executed of it."""
    value = told(deck, "check")
    verdicts = {each["id"]: each for each in value["verdicts"]}
    found = {name: each["verdict"] for name, each in verdicts.items()}
    assert found == {
        "good": "proved",
        "bad": "failed",
        "prose": "no-code",
        "later": "no-code",
        "off": "unverified",
        "guide": "proved",
        "fails": "failed",
    }
    assert (verdicts["good"]["assertions"], verdicts["good"]["cached"]) == (1, False)
    assert verdicts["good"]["seconds"] > 0
    assert verdicts["prose"]["no_verifier"] == verdicts["later"]["not_run"] == 1
    assert (verdicts["fails"]["kind"], verdicts["fails"]["path"]) == ("document", "docs/guide.md")
    assert verdicts["fails"]["line"] == 7
    assert (value["unverified"], value["not_run"], value["no_verifier"]) == (1, 1, 1)
    again = {each["id"]: each["cached"] for each in told(deck, "check")["verdicts"]}
    assert (again["good"], again["guide"], again["bad"]) == (True, True, False)


def test_json_of_every_command_fits_the_schema(good: Project) -> None:
    """A build, an audit with scores, an update, and what is wrong with settings."""
    assert told(good, "build", code=0)["notes"] == 2
    audited = told(good, "audit")
    assert [each["score"] for each in audited["verdicts"]] == [1.0, None]
    assert told(good, "check", "--update", code=0)["updated"] == []
    good.write("pyproject.toml", "[tool.verideck]\nverfy = true\n")
    assert [each["code"] for each in told(good, "check")["problems"]] == ["setting-invalid"]


def test_every_key_of_the_schema_is_told() -> None:
    """Whoever reads the schema finds a sentence, or a plain name, for all of it."""
    for name, each in SCHEMA["$defs"].items():
        assert set(each["required"]) <= set(each["properties"]), name


# The page of a job


def test_a_summary_has_a_row_for_each_file_and_problem(deck: Project) -> None:
    """It is added to what is there, and beside whatever form is told."""
    page = deck.write("summary.md", "# Before\n")
    run = deck.invoke("check", "--format", "github", "--summary", "summary.md")
    assert run.returncode == 1
    assert "::error file=cards/a.md" in run.stdout
    rows = page.read_text(encoding="utf-8").splitlines()
    assert rows[:3] == ["# Before", "## verideck: it does not hold (2 errors, 1 warning)", ""]
    cells = [each.replace("&#47;", "/").replace("&#46;", ".") for each in rows]
    files = [re.sub(r" [0-9.]+ \|$", "", each) for each in cells if each.startswith("| <code>")][:4]
    assert files == [
        "| <code>cards/a.md</code> | 1 | 1 | 0 | 0 | 1 |",
        "| <code>cards/b.md</code> | 0 | 0 | 2 | 0 | 0 |",
        "| <code>cards/c.md</code> | 0 | 0 | 0 | 1 | 0 |",
        "| <code>docs/guide.md</code> | 1 | 1 | 0 | 0 | 0 |",
    ]
    assert sum(each.endswith("`) |") for each in rows) == 3
    assert "(`assertion-failed`) |" in page.read_text(encoding="utf-8")


def test_no_text_acts_on_the_page_of_a_job(good: Project) -> None:
    """Neither as Markdown nor as HTML; and a page that cannot be written is the caller's error."""
    wrong = "| <img src=x> [a](b) `c` @you ##[x] ![d](e)"
    good.write("cards/b.md", card("b", f"assert int('1') == 2, {wrong!r}"))
    assert good.invoke("check", "--summary", "s.md", "--fail-on", "warning").returncode == 1
    (row,) = re.findall(r"^\| .*error.*$", (good.root / "s.md").read_text("utf-8"), re.MULTILINE)
    inside = row.removeprefix("| <code>").removesuffix("(`assertion-failed`) |")
    first, last = inside.replace("</code> | error | ", "\0").split("\0")
    assert not re.search(r"[^\w &#;]", first + last)
    assert "&#60;img" in last
    assert good.invoke("check", "--summary", "no/such/folder.md").returncode == 2


# JUnit, by the schema of Jenkins' xUnit plug-in: children and attributes by element

JUNIT: Mapping[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, {"name"}, set()),
    "testsuite": ({"testcase"}, {"name", "tests", "failures", "errors"}, {"skipped", "time"}),
    "testcase": ({"skipped", "error", "failure", "system-out"}, {"name"}, {"classname", "time"}),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"message"}, set()),
    "system-out": (set(), set(), set()),
}


def junit(text: str) -> ET.Element:
    """The suites of a report: every element is one that the schema knows, and counts agree."""
    root = ET.fromstring(text)  # noqa: S314 - it is our own
    assert root.tag == "testsuites"
    for element in root.iter():
        children, required, optional = JUNIT[element.tag]
        assert {each.tag for each in element} <= children
        assert required <= set(element.attrib) <= required | optional
        assert re.fullmatch(r"\d*\.\d{3}", element.get("time", "0.000"))
    for suite in root:
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(count, "0")) == len(suite.findall(f"testcase/{tag}")), count
        assert int(suite.attrib["tests"]) == len(suite)
    return root


def test_junit_has_a_test_for_each_card(deck: Project) -> None:
    """And one for what is wrong with a file and belongs to no card."""
    run = deck.run("check", "--format", "junit")
    assert (run.returncode, run.stderr) == (1, "")
    suites = {each.attrib["name"]: each for each in junit(run.stdout)}
    names = {name: [each.attrib["name"] for each in suite] for name, suite in suites.items()}
    assert names == {
        "cards/a.md": ["good", "bad"],
        "cards/b.md": ["(file)", "prose", "later"],
        "cards/c.md": ["off"],
        "docs/guide.md": ["guide", "fails"],
    }
    (bad,) = suites["cards/a.md"].findall("testcase[@name='bad']/failure")
    assert bad.get("type") == "assertion-failed"
    assert (bad.text or "").startswith("cards/a.md:16:1: error: assertion failed")
    assert suites["cards/c.md"].find("testcase/skipped") is not None
    assert "##[" not in run.stdout


# SARIF 2.1.0: what its schema requires of the objects that are written


def sarif(text: str) -> Any:  # noqa: ANN401 - JSON
    """The one run of a log, whose objects have what the specification requires."""
    log = json.loads(text)
    assert set(log) == {"$schema", "version", "runs"}
    assert (log["version"], "sarif-schema-2.1.0" in log["$schema"]) == ("2.1.0", True)
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    rules = [rule["id"] for rule in driver["rules"]]
    assert (driver["name"], len(set(rules))) == ("verideck", len(rules))
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    for invocation in run["invocations"]:
        assert type(invocation["executionSuccessful"]) is bool
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert not physical["artifactLocation"]["uri"].startswith("/")
        assert physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert min(physical["region"]["startLine"], physical["region"]["startColumn"]) >= 1
    return run


def test_sarif_has_a_result_for_each_problem(deck: Project) -> None:
    """At its line, by its rule."""
    run = deck.run("check", "--format", "sarif")
    assert (run.returncode, run.stderr) == (1, "")
    results = sarif(run.stdout)["results"]
    assert [(each["ruleId"], each["level"]) for each in results] == [
        ("assertion-failed", "error"),
        ("answer-missing", "warning"),
        ("exception-raised", "error"),
    ]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "cards/a.md"
    assert place["region"] == {"startLine": 16, "startColumn": 1}
    lint = deck.run("lint", "--level", "full", "--format", "sarif")
    assert {each["ruleId"] for each in sarif(lint.stdout)["results"]} >= {"card-orphan"}


# Usage, files, and what else decides


def test_wrong_usage_is_told_in_the_form_that_is_asked_for(good: Project) -> None:
    """A program reads it as it reads all else; the exit code says that the caller is wrong."""
    for words in (["check", "--sign"], ["check", "--fail-on", "sign"], ["check", "none.md"]):
        run = good.invoke(*words, "--format", "json")
        assert run.returncode == 2
        value = json.loads(run.stdout)
        fits(value, SCHEMA)
        assert set(value) == {"verideck", "usage"}
    run = good.invoke("build", "none.md", "--format=junit")
    (error,) = junit(run.stdout).findall("testsuite/testcase/error")
    assert "none.md" in error.attrib["message"]
    run = good.invoke("check", "--sign", "--format", "sarif")
    assert sarif(run.stdout)["invocations"][0]["executionSuccessful"] is False
    run = good.invoke("check", "--sign", "--format", "github")
    assert run.stdout.startswith("::error title=usage::No such option")
    assert good.invoke("check", "--sign").stdout == ""


@pytest.mark.parametrize("form", ["json", "junit", "sarif", "github", "human"])
def test_a_report_goes_into_a_file_and_people_are_told_all_the_same(
    deck: Project, form: str
) -> None:
    """One run is both what a log shows and what a program takes."""
    run = deck.invoke("check", "--format", form, "--output-file", "report.txt")
    assert run.returncode == 1
    assert "cards/a.md:16:1: error: assertion failed" in run.stderr
    text = (deck.root / "report.txt").read_text("utf-8")
    match form:
        case "json":
            fits(json.loads(text), SCHEMA)
        case "junit":
            junit(text)
        case "sarif":
            sarif(text)
        case "github":
            assert text.startswith("::error file=cards/a.md,line=16,col=1,title=assertion-failed::")
        case _:
            assert text.startswith("cards/a.md:16:1: error: assertion failed")
    run = deck.invoke("check", "--format", form, "--output-file", "none/report.txt")
    assert (run.returncode, "none/report.txt" in run.stderr) == (2, True)


def test_what_is_no_error_can_fail_a_run(good: Project) -> None:
    """By the words of the caller, and no others."""
    good.write("cards/b.md", MORE)
    good.write("cards/c.md", OFF)
    assert good.invoke("check").returncode == 0
    for words, found in (
        ("warning", ["1 warnings"]),
        ("unverified", ["2 snippets or cards that are not verified"]),
        ("no-verifier,warning", ["1 snippets that have no verifier", "1 warnings"]),
    ):
        run = good.invoke("check", "--fail-on", words)
        assert run.returncode == 1
        assert all(f"failed by --fail-on: {each}\n" in run.stderr for each in found)
        assert told(good, "check", "--fail-on", words)["failed_on"] == found
    good.write("cards/b.md", card("other", "assert int('2')"))
    assert good.invoke("check", "--fail-on", "warning,no-verifier").returncode == 0


def test_a_check_tells_that_the_lock_is_not_committed(good: Project) -> None:
    """As a locked build does, and it writes nothing."""
    run = good.invoke("check", "--locked")
    assert (run.returncode, "[lock-stale]" in run.stderr) == (1, True)
    assert not (good.root / "cards.lock").exists()
    good.invoke("build")
    assert good.invoke("check", "--locked").returncode == 0
    good.write("cards/b.md", card("other", "assert int('3')"))
    assert good.invoke("check", "--locked").returncode == 1


def ids(made: Project, *words: str, code: int = 0) -> Sequence[str]:
    """The ids of the cards that a check is about."""
    return [each["id"] for each in told(made, "check", *words, code=code)["verdicts"]]


def test_a_card_is_checked_by_its_line_or_by_its_id(deck: Project) -> None:
    """Nothing of the others is executed or told."""
    assert ids(deck, "cards/a.md:5") == ["good"]
    assert ids(deck, "cards/a.md:15:3", code=1) == ["bad"]
    assert ids(deck, "cards/a.md:1", "docs/guide.md:4") == ["good", "guide"]
    assert ids(deck, "--id", "good", "--id", "guide") == ["good", "guide"]
    run = deck.invoke("check", "cards/a.md:1")
    assert (run.returncode, run.stderr.count("error")) == (0, 0)
    for words in (["--id", "none"], ["cards/a.md:1", "--id", "good"], ["none.md:1"], ["cards:1"]):
        assert deck.invoke("check", *words).returncode == 2, words


def test_a_card_without_a_written_id_is_checked_by_that_of_the_lock(good: Project) -> None:
    """The id by which all reports name it."""
    good.write("cards/b.md", "## Two?\n\n```python\ntwo = int('2')\nassert two == 2\n```\n")
    good.invoke("build")
    (name,) = set(ids(good)) - {"good"}
    assert ids(good, "--id", name) == [name]


def test_the_first_failure_ends_a_run_that_asks_for_it(deck: Project) -> None:
    """What stands behind it is neither executed nor told."""
    run = deck.invoke("check", "-x", "-j", "1")
    assert run.returncode == 1
    assert run.stderr.count(": error: ") == 1
    assert "stopped at the first card that fails (-x)" in run.stderr


def test_a_run_that_ended_early_tells_what_became_of_each_card_until_then(deck: Project) -> None:
    """Those that hold, and the one that does not: of what was not asked for there is no verdict."""
    value = told(deck, "check", "-x", "-j", "1")
    verdicts = {each["id"]: each["verdict"] for each in value["verdicts"]}
    assert verdicts["bad"] == "failed"
    assert verdicts.get("good", "proved") == "proved"
    assert "fails" not in verdicts
    assert value["cards"] == len(verdicts)
    document = told(deck, "check", "-x", "docs/guide.md")["verdicts"]
    assert [(each["id"], each["kind"]) for each in document][-1] == ("fails", "document")


def test_as_many_cards_at_once_as_are_asked_for(good: Project) -> None:
    """One after another gives what all at once give."""
    code = "import time\ntime.sleep(0.2)\nassert time.time() > 1\n"
    for name in ("c", "d"):
        good.write(f"cards/{name}.md", card(name, code))
    assert good.invoke("check", "-j", "1").returncode == 0
    assert good.invoke("check", "--jobs", "0").returncode == 2
