"""The action and its like: their commands, as they stand, in a clean clone of somebody's deck."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from projects import ROOT, SETTINGS, Project, card
from repositories import committed, git
from ruamel.yaml import YAML
from wheels import BUILDING, installed_as_wheels

pytestmark = [
    pytest.mark.linux(reason="the commands are bash's, and installed are Linux's wheels"),
    pytest.mark.xdist_group("action"),  # one environment is made
]

GOOD = card("good", "assert int('1')")
BAD = card("bad", "assert int('1') == 2")

EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
KNOWN = {
    "github.action_path",
    "github.run_id",
    "runner.os",
    "runner.arch",
    "runner.temp",
    "steps.build.outputs.package",
    "steps.build.outputs.page",
    "hashFiles('**/constraints*.txt', '**/requirements*.txt')",
    "hashFiles('**/cards.lock')",
}
"""What a runner knows besides inputs. An expression of another name is empty there, in silence."""

Step = Mapping[str, Any]


def action() -> dict[str, Any]:
    """What action.yml says."""
    value: dict[str, Any] = YAML(typ="safe").load((ROOT / "action.yml").read_text("utf-8"))
    return value


def commands() -> list[Step]:
    """The steps of the action that have commands; the first one installs what the others need."""
    return [step for step in action()["runs"]["steps"] if "run" in step]


@dataclass(frozen=True, slots=True)
class Runner:
    """A machine that runs the commands of a build, in a clone."""

    clone: Path
    temp: Path
    given: Mapping[str, str]
    """What expressions stand for, by their texts."""
    variables: Mapping[str, str]

    @property
    def summary(self) -> str:
        """What the page of the job shows."""
        file = self.temp / "summary"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def evaluated(self, text: str) -> str:
        """A text with its expressions replaced; one that is not known is an error."""
        return EXPRESSION.sub(lambda found: self.given[found[1]], text)

    def runs(self, step: Step) -> bool:
        """Whether a step is run at all."""
        if "if" not in step:
            return True
        found = re.fullmatch(r"(\S+) (==|!=) '(.*)'", step["if"])
        assert found, step["if"]
        is_equal = self.given[found[1]] == found[3]
        return is_equal == (found[2] == "==")

    def run(self, step: Step) -> subprocess.CompletedProcess[str]:
        """Run a step's commands by bash, as GitHub calls it."""
        assert step["shell"] == "bash"
        own = {name: self.evaluated(text) for name, text in step["env"].items()}
        folder = self.clone / self.evaluated(step["working-directory"])
        return self.bash(step["run"], folder, own)

    def bash(
        self, script: str, folder: Path, own: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a script."""
        file = self.temp / "script.sh"
        file.write_text(script, encoding="utf-8")
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(file)]
        return subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, **self.variables, **own},
            check=False,
            capture_output=True,
            encoding="utf-8",
        )

    def job(self) -> subprocess.CompletedProcess[str]:
        """Run the commands behind the first, which installs, until one fails; gives the last."""
        done = None
        for step in commands()[1:]:
            if self.runs(step):
                done = self.run(step)
                if done.returncode:
                    break
        assert done
        return done


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A Python of its own, as the first step sets up, whose pip asks no registry."""
    folder = tmp_path_factory.mktemp("machine")
    installed_as_wheels(folder / "wheels", "verideck[sandbox]", *BUILDING)
    subprocess.run([sys.executable, "-m", "venv", folder / "python"], check=True)
    found = {
        "PATH": f"{folder / 'python/bin'}:/usr/bin:/bin:/usr/sbin:/sbin",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_CONSTRAINT": "",
        "PIP_FIND_LINKS": str(folder / "wheels"),
        "PIP_NO_INDEX": "1",
        "RUNNER_OS": "Linux",
    }
    folder.joinpath("clone").mkdir()
    runner = Runner(folder / "clone", folder, given(folder), found)
    installed = runner.run(commands()[0])
    assert installed.returncode == 0, installed.stderr
    return found


def given(temp: Path, **inputs: str) -> dict[str, str]:
    """What expressions stand for; inputs that are not given are as action.yml says."""
    found = {f"inputs.{name}": each["default"] for name, each in action()["inputs"].items()}
    found |= {f"inputs.{name.replace('_', '-')}": each for name, each in inputs.items()}
    return {**found, "github.action_path": str(ROOT), "runner.temp": str(temp)}


def cloned(tmp_path: Path, variables: Mapping[str, str], cards: str, **inputs: str) -> Runner:
    """A runner with a clean clone of a deck of some cards, whose lock has the first of them."""
    made = Project(tmp_path / "deck")
    made.write("pyproject.toml", SETTINGS)
    made.write("cards/a.md", GOOD)
    assert made.invoke("build").returncode == 0
    made.write("cards/a.md", cards)
    made.write(".gitignore", ".verideck/\ndeck.apkg\n")
    committed(made.root)
    clone, temp = tmp_path / "clone", tmp_path / "temp"
    git(tmp_path, "clone", "--quiet", str(made.root), str(clone))
    temp.mkdir()
    files = {"GITHUB_STEP_SUMMARY": temp / "summary", "GITHUB_OUTPUT": temp / "output"}
    files |= dict.fromkeys(["HOME", "XDG_STATE_HOME"], temp / "home")
    return Runner(
        clone,
        temp,
        given(temp, **inputs),
        {**variables, **{key: str(it) for key, it in files.items()}},
    )


def test_what_holds_is_built(tmp_path: Path, variables: dict[str, str]) -> None:
    """The steps of the action, one after the other: a table, the deck, and the page."""
    runner = cloned(tmp_path, variables, GOOD, cache_key="k" * 16)
    done = runner.job()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "## verideck: it holds\n\n| file | proved | failed |" in runner.summary
    assert "| <code>cards&#47;a&#46;md</code> | 1 | 0 | 0 | 0 | 1 |" in runner.summary
    named = (runner.temp / "output").read_text(encoding="utf-8")
    outputs = dict(line.split("=", 1) for line in named.splitlines())
    assert set(outputs) == {"package", "page"}
    assert "collection.anki2" in zipfile.ZipFile(outputs["package"]).namelist()
    assert "What is good?" in Path(outputs["page"]).read_text(encoding="utf-8")
    assert {Path(each).parent for each in outputs.values()} == {runner.temp / "verideck"}


def test_what_does_not_hold_is_annotated(tmp_path: Path, variables: dict[str, str]) -> None:
    """At its line, and in the table; nothing is built then."""
    runner = cloned(tmp_path, variables, GOOD + BAD)
    done = runner.job()
    assert done.returncode == 1
    assert "::error file=cards/a.md,line=14,col=1,title=assertion-failed::" in done.stdout
    assert "it does not hold (1 error)" in runner.summary
    assert not (runner.temp / "verideck").exists()


def test_a_lock_that_is_not_committed_is_annotated(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    """A deck that learners have must be the one that is remembered; documents have no lock."""
    cards = GOOD + GOOD.replace("good", "new")
    runner = cloned(tmp_path, variables, cards, build="false")
    assert runner.job().returncode == 0
    assert not (runner.temp / "verideck").exists()
    done = replace(runner, given=given(runner.temp)).job()
    assert done.returncode == 1
    assert "title=lock-stale::" in done.stdout


def test_no_input_is_a_command(tmp_path: Path, variables: dict[str, str]) -> None:
    """What a caller gives is a word, and what lies in the repository is not imported."""
    bad = "$(touch hacked); touch hacked & `touch hacked` || 'touch hacked' \"\n touch hacked"
    runner = cloned(tmp_path, variables, GOOD)
    for module in ("pip", "ctypes", "click", "verideck"):
        (runner.clone / f"{module}.py").write_text("open('hacked', 'w')\n", encoding="utf-8")
    hostile = dict.fromkeys(runner.given, bad) | {
        name: runner.given[name]
        for name in ("inputs.working-directory", "github.action_path", "runner.temp")
    }
    for step in commands():
        replace(runner, given=hostile).run(step)
    assert not list(tmp_path.rglob("hacked"))


def test_every_expression_is_one_that_is_known() -> None:
    """One that is misspelt would be empty; and none stands in a script, which it could change."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    names = {f"inputs.{name}" for name in action()["inputs"]}
    known = names | KNOWN
    assert set(EXPRESSION.findall(text)) <= known
    used = set(re.findall(r"inputs\.[\w-]+", text))
    assert used == names, "each input is used"
    steps = action()["runs"]["steps"]
    assert not any("${{" in step.get("run", "") for step in steps)
    for step in steps:
        assert ("uses" in step) != ("run" in step)
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))


def test_docs_tell_every_input() -> None:
    """In the table of docs/ci.md, each as action.yml has it."""
    text = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    table = text.split("## On GitHub")[1].split("## On GitLab")[0]
    rows = re.findall(r"^\| (`.*?`) \| .* \| (.*) \|$", table, re.MULTILINE)
    told = {name: default for names, default in rows for name in re.findall(r"`([\w-]+)`", names)}
    assert set(told) == set(action()["inputs"])
    for name, each in action()["inputs"].items():
        assert each["default"] in {"", told[name].strip("`")}, name


def test_the_commands_for_gitlab_run(tmp_path: Path, variables: dict[str, str]) -> None:
    """As docs/ci.md has them, after what the action installs."""
    text = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"```yaml\n(cards:\n  image.*?)```", text, re.DOTALL)
    job = YAML(typ="safe").load(written)["cards"]
    runner = cloned(tmp_path, variables, GOOD)
    done = runner.bash("\n".join(job["script"]), runner.clone, {})
    assert done.returncode == 0, done.stderr
    assert "<testsuites" in (runner.clone / job["artifacts"]["reports"]["junit"]).read_text("utf-8")
    for path in job["artifacts"]["paths"]:
        assert {each.name for each in (runner.clone / path).iterdir()} == {"deck.apkg", "deck.html"}
    assert json.dumps(job["cache"]["paths"]) == '[".verideck"]'
