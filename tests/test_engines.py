"""An executor that is open for many runs: what it keeps, what it notices, and how it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from projects import SETTINGS, Held, Project, card, execution_config, project, soon

from verideck.model import Proof, Snippet
from verideck.problems import Problem
from verideck.proof.python.parent import forks, interpreter
from verideck.proof.python.parent.forks import Forks
from verideck.proof.python.parent.needs import needed
from verideck.proof.python.parent.prover import Python
from verideck.proof.python.wire.run import StoppedError
from verideck.proof.scheduling import executed as executed_by_language

pytestmark = pytest.mark.linux(reason="looks into /proc")

Executor = tuple[Python, threading.Event]


@contextmanager
def opened(made: Project, executor: str = "fork") -> Iterator[Executor]:
    """An executor of a project that stores nothing, and the event that breaks off its runs."""
    stop = threading.Event()
    config = replace(execution_config(made.settings(), kept=False), executor=executor)
    with closing(Python(config, stop)) as python:
        yield python, stop


def snippets(made: Project) -> list[Snippet]:
    """The snippets of the only card."""
    (only,) = made.cards()
    return list(executed_by_language(only)["python"])


def printed(python: Python, made: Project) -> str:
    """What the only card prints in another run."""
    python.begin()
    python.expect(snippets(made))
    (proof,) = python.execute(snippets(made))
    assert isinstance(proof, Proof), proof
    return proof.stdout.strip()


def warm_parent(python: Python) -> int:
    """The process from which cards are forked."""
    assert isinstance(python.engine, Forks)
    assert python.engine._parent  # noqa: SLF001 - no user of an engine asks for it
    return python.engine._parent.pid  # noqa: SLF001 - as above


def other(made: Project, code: str) -> None:
    """Let the only card have other code."""
    made.write("cards/a.md", card("one", f"{code}\none = int('1')\nassert one"))


PRINTS_PARENT = "import os\nprint(os.getppid())"
LIBRARY = "import colour_names\nprint(colour_names.RED)"


@pytest.mark.parametrize("executor", ["fork", "spawn"])
def test_a_changed_helper_is_new_in_the_next_run(tmp_path: Path, executor: str) -> None:
    """No module of the project outlives its card: not the helper, nor what it imports."""
    made = project(tmp_path, {"snippets/one.py": "from snippets.two import n\n"})
    other(made, "from snippets.one import n\nprint(n)")
    with opened(made, executor) as (python, _):
        for number in ("1", "2", "3"):
            made.write("snippets/two.py", f"n = {number}\n")
            assert printed(python, made) == number


def test_the_warm_parent_and_its_workers_stay(tmp_path: Path) -> None:
    """Another card's code, with imports that are known, costs one fork."""
    made = project(tmp_path, {})
    other(made, f"import yaml\n{PRINTS_PARENT}")
    with opened(made) as (python, _):
        worker, parent = printed(python, made), warm_parent(python)
        other(made, f"import yaml\n{PRINTS_PARENT}\nx = yaml")
        assert printed(python, made) == worker
        assert warm_parent(python) == parent


def test_what_another_run_imports_is_imported_before_its_forks(tmp_path: Path) -> None:
    """A worker that was forked before does not execute the card."""
    there = "import sys\nprint('yaml' in sys.modules, 'anki' in sys.modules)"
    made = project(tmp_path, {})
    other(made, PRINTS_PARENT)
    with opened(made) as (python, _):
        worker, parent = printed(python, made), warm_parent(python)
        other(made, f"import yaml\n{PRINTS_PARENT}")
        assert printed(python, made) != worker
        assert warm_parent(python) == parent
        other(made, there)
        assert printed(python, made) == "True False"


def test_libraries_are_not_imported_where_the_project_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some read their settings from the working folder, and a warm parent has the user's rights."""
    made = project(tmp_path, {})
    monkeypatch.chdir(tmp_path)
    other(made, f"import yaml\n{PRINTS_PARENT}")
    with opened(made) as (python, _):
        printed(python, made)
        folder = Path(f"/proc/{warm_parent(python)}/cwd").resolve()
        assert not folder.is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize(
    "code", ["import coverage.__main__", "from coverage import __main__", "import a.__main__.b"]
)
def test_a_program_is_not_started_before_the_sandbox(tmp_path: Path, code: str) -> None:
    """What an import would start is started by the card, if at all."""
    modules, _ = needed(f"import yaml\n{code}", [tmp_path])
    assert "yaml" in modules
    assert not [name for name in modules if "__main__" in name]


def touched_installation(_: Project, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Install something."""
    del patch
    (folder / "more-1.0.dist-info").mkdir()


def other_variable(_: Project, __: Path, patch: pytest.MonkeyPatch) -> None:
    """Let programs find other libraries."""
    patch.setenv("LD_LIBRARY_PATH", "/nowhere")


def edited_library(_: Project, folder: Path, __: pytest.MonkeyPatch) -> None:
    """Edit a library that is used from where it is developed."""
    (folder / "colour_names.py").write_text("RED = 'red!'\n", encoding="utf-8")


def shadowed_library(made: Project, _: Path, __: pytest.MonkeyPatch) -> None:
    """Add a module of a library's name to the project."""
    made.write("colour_names.py", "RED = 'ours'\n")


CHANGES: dict[str, tuple[Callable[[Project, Path, pytest.MonkeyPatch], None], str]] = {
    "what is installed": (touched_installation, "red"),
    "a variable": (other_variable, "red"),
    "a library's file": (edited_library, "red!"),
    "a module before a library": (shadowed_library, "ours"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_warm_parent_does_not_outlive_what_it_has_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The next run has another one; without a change it has not."""
    libraries = tmp_path / "libraries"
    (libraries / "colour_names-1.0.dist-info").mkdir(parents=True)
    (libraries / "colour_names.py").write_text("RED = 'red'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(libraries))
    variables = interpreter.environment
    found = {"PYTHONPATH": str(libraries)}
    monkeypatch.setattr(interpreter, "environment", lambda seed=0: {**variables(seed), **found})
    made = project(tmp_path / "deck", {}, SETTINGS + "sandbox = false\n", trusted=True)
    other(made, LIBRARY)
    change, afterwards = CHANGES[name]
    with opened(made) as (python, _):
        assert printed(python, made) == "red"
        parent = warm_parent(python)
        assert printed(python, made) == "red"
        assert warm_parent(python) == parent
        change(made, libraries, monkeypatch)
        assert printed(python, made) == afterwards
        assert warm_parent(python) != parent
        assert soon(lambda: not Path(f"/proc/{parent}").exists())


@pytest.mark.parametrize("executor", ["fork", "spawn"])
def test_a_run_that_is_broken_off_is_not_the_last_one(tmp_path: Path, executor: str) -> None:
    """All that it started ends at once, and the executor can be used again."""
    made = project(tmp_path, {})
    held = Held.of(made)
    endless = (
        f"{held.opened}; hold()\n"
        "import subprocess\nsubprocess.run(['sleep', '600'], close_fds=False)"
    )
    with opened(made, executor) as (python, stop):
        for _ in range(2):
            other(made, endless)
            raised: list[Exception] = []

            def execute(endless: list[Snippet], raised: list[Exception] = raised) -> None:
                try:
                    python.execute(endless)
                except StoppedError as error:
                    raised.append(error)

            running = threading.Thread(target=execute, args=[snippets(made)])
            running.start()
            assert soon(held.is_held)
            stop.set()
            running.join(5)
            assert raised
            assert soon(held.is_free)
            stop.clear()
            other(made, "print(2)")
            assert printed(python, made) == "2"


def test_what_is_left_of_a_card_that_killed_its_worker_ends_with_the_run(tmp_path: Path) -> None:
    """It lost its worker and is nobody's: it is ended when the next run begins."""
    made = project(tmp_path, {}, SETTINGS + "sandbox = false\n", trusted=True)
    held = Held.of(made)
    other(
        made,
        f"{held.opened}; hold()\nimport subprocess\n"
        "subprocess.Popen(['sleep', '600'], start_new_session=True, close_fds=False)\n"
        "os.kill(os.getppid(), 9)",
    )
    with opened(made) as (python, _):
        (problem,) = python.execute(snippets(made))
        assert isinstance(problem, Problem)
        parent = warm_parent(python)
        other(made, "print(3)")
        assert printed(python, made) == "3"
        assert warm_parent(python) == parent
        assert soon(held.is_free)


def test_close_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process and no file, after many runs; and nothing is started any more."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(forks, "run_folder", lambda: _made(temporary / str(time.monotonic_ns())))
    made = project(tmp_path / "deck", {})
    other(made, "import os\nprint(os.getpid())")
    with opened(made) as (python, _):
        first = printed(python, made)
        parent = warm_parent(python)
        monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
        assert printed(python, made) != first
        assert warm_parent(python) != parent
        parent = warm_parent(python)
        assert len(list(temporary.iterdir())) == 1
    assert not Path(f"/proc/{parent}").exists()
    assert list(temporary.iterdir()) == []
    with pytest.raises(StoppedError):
        python.execute(snippets(made))
    assert os.listdir(temporary) == []  # noqa: PTH208 - as above


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
