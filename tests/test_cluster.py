"""Proofs on more than one machine: a real Dask scheduler with real workers, started here."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from projects import SETTINGS, Held, Project, audit, card, execution_config, project, soon, verify

from verideck.events import CardProven, Event
from verideck.model import Proof, ProvenCard
from verideck.problems import Problem
from verideck.proof.config import ExecutionConfig
from verideck.proof.python.parent import cluster, cluster_worker
from verideck.proof.python.parent.prover import Python
from verideck.proof.python.parent.request import request_of
from verideck.proof.python.wire.messages import encoded
from verideck.proof.python.wire.run import ExecutorError, StoppedError
from verideck.proof.scheduling import executed as executed_by_language

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.linux(reason="looks into /proc"),
]

UNBOXED = SETTINGS + "sandbox = false\n"
"""In a box, a card on a worker cannot read the files that the tests have here."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A scheduler and its workers, each a process."""

    address: str
    workers: tuple[subprocess.Popen[str], ...]


def _scheduler() -> subprocess.Popen[str]:
    code = (
        "import asyncio\n"
        "from distributed import Scheduler\n"
        "async def main():\n"
        "    async with Scheduler(host='127.0.0.1', port=0, dashboard=False) as scheduler:\n"
        "        print(scheduler.address, flush=True)\n"
        "        await scheduler.finished()\n"
        "asyncio.run(main())\n"
    )
    return _python(code)


def _worker(address: str, folder: Path) -> subprocess.Popen[str]:
    code = (
        "import asyncio\n"
        "from distributed import Worker\n"
        "async def main():\n"
        f"    async with Worker({address!r}, nthreads=1, dashboard=False,\n"
        f"                      local_directory={str(folder)!r}) as worker:\n"
        "        print(worker.address, flush=True)\n"
        "        await worker.finished()\n"
        "asyncio.run(main())\n"
    )
    return _python(code)


def _python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@contextmanager
def _started(folder: Path) -> Iterator[Cluster]:
    with ExitStack() as running:

        def run(process: subprocess.Popen[str]) -> str:
            running.enter_context(process)
            running.callback(process.kill)
            assert process.stdout
            return process.stdout.readline().strip()

        address = run(_scheduler())
        workers = tuple(_worker(address, folder / str(number)) for number in range(2))
        for worker in workers:
            assert run(worker).startswith("tcp://")
        yield Cluster(address.replace("tcp://", "dask://"), workers)


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers."""
    with _started(tmp_path_factory.mktemp("dask")) as started:
        yield started.address


def remotely(made: Project, address: str) -> list[ProvenCard | Problem]:
    """What becomes of the cards on a cluster; nothing is known from before."""
    return list(
        verify(
            made.cards(), replace(execution_config(made.settings(), kept=False), executor=address)
        )
    )


def here(made: Project) -> list[ProvenCard | Problem]:
    """What becomes of the cards on this machine."""
    return list(verify(made.cards(), execution_config(made.settings(), kept=False)))


def timeless(found: list[ProvenCard | Problem]) -> list[object]:
    """Proofs without the seconds that they took."""
    return [
        [replace(proof, seconds=0.0) for proof in each.proofs]
        if isinstance(each, ProvenCard)
        else each
        for each in found
    ]


CARDS = {
    "holds": "import random\nprint(random.random())\nassert int('1')",
    "imports": "from snippets.half import half\nassert half(4) == 2",
    "reads": "from snippets.half import DATA\nassert DATA.read_text() == 'x'",
    "fails": "x = 1\nassert x == 2",
    "fails-there": "from snippets.half import half\nassert half(3)",
    "ends": "import os\nos._exit(0)",
    "asserts-nothing": "x = 1",
}
FILES: dict[str, str | bytes] = {
    "snippets/half.py": "from pathlib import Path\n\nDATA = Path(__file__).with_name('data.txt')\n"
    "def half(x):\n    assert x % 2 == 0\n    return x // 2\n",
    "snippets/data.txt": "x",
}


def test_the_same_results_as_here(dask: str, tmp_path: Path) -> None:
    """Proofs and problems are those of a local run, places and all; the project is sent along."""
    text = "".join(card(name, code) for name, code in CARDS.items())
    made = project(tmp_path, {**FILES, "a.md": text})
    there = remotely(made, dask)
    assert timeless(there) == timeless(here(made))
    assert [type(each) for each in there] == [ProvenCard] * 3 + [Problem] * 4


def test_the_order_of_sets_is_varied_there(dask: str, tmp_path: Path) -> None:
    """An audit's other hash seeds are those of interpreters of the cluster, too."""
    text = card("a", "print({'a', 'b', 'c'})", "\n```output\n{'c', 'a', 'b'}\n```\n")
    made = project(tmp_path, {"a.md": text})
    config = replace(execution_config(made.settings()), executor=dask)
    (problem, _) = audit(made.proven(), config, 0.0)
    assert isinstance(problem, Problem)
    assert "with hash seed 1: it prints something else" in problem.message


def test_the_same_limits_as_here(dask: str, tmp_path: Path) -> None:
    """An endless loop is ended there, and what is printed without end is cut."""
    endless = card("one", "while True:\n    pass\nassert int('1')")
    endless = endless.replace("```python", "```python {timeout=1}")
    made = project(tmp_path, {"a.md": endless + card("two", "while True:\n    print('x' * 9999)")})
    there = [f"{each.code}" for each in remotely(made, dask) if isinstance(each, Problem)]
    assert there == ["time-limit", "output-limit"]


def test_the_command_takes_a_cluster(dask: str, tmp_path: Path) -> None:
    """`--executor dask://…` says the same as a run here, and keeps what it proved."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1')")})
    run = made.run("check", "--executor", dask)
    assert run.returncode == 0, run.stderr
    assert "1 snippet executed, 1 assertion held" in run.stdout
    assert "unchanged: 1 card" in made.run("check").stdout


def test_a_lost_worker_loses_nothing(tmp_path: Path) -> None:
    """One of two workers is killed in the middle: every card is proved all the same, once."""
    code = "import time\ntime.sleep(0.3)\nassert int('1')\nprint({})"
    text = "".join(card(f"c{number}", code.format(number)) for number in range(14))
    text += card("fails", "assert int('1') == 2")
    made = project(tmp_path / "deck", {"a.md": text})
    with _started(tmp_path) as cluster:
        found: list[ProvenCard | Problem] = []
        where = replace(execution_config(made.settings(), kept=False), executor=cluster.address)
        for each in verify(made.cards(), where):
            found.append(each)
            if len(found) == 3:
                cluster.workers[0].send_signal(signal.SIGKILL)
                cluster.workers[0].wait()
    printed = [each.proofs[0].stdout for each in found if isinstance(each, ProvenCard)]
    assert printed == [f"{number}\n" for number in range(14)]
    assert [each.code for each in found if isinstance(each, Problem)] == ["assertion-failed"]


def test_where_a_card_was_is_told_as_here(dask: str, tmp_path: Path) -> None:
    """Not at its fence, but at the statement: of the card's, and of a file of the project."""
    endless = "from snippets.slow import wait\nwait()\nassert int('1')"
    crash = "import ctypes\nassert int('1')\nctypes.string_at(0)"
    files: dict[str, str | bytes] = {
        "snippets/slow.py": "def wait():\n    while True:\n        pass\n",
        "a.md": card("one", endless) + card("two", crash),
    }
    made = project(tmp_path, files, SETTINGS + "timeout = 1\n")
    there = [
        f"{each.place} {each.code}" for each in remotely(made, dask) if isinstance(each, Problem)
    ]
    assert re.fullmatch(r"snippets/slow.py:[23]:1 time-limit", there[0])
    assert there[1:] == ["cards/a.md:18:1 ended-early"]


def test_nothing_is_started_for_a_run_that_has_ended(tmp_path: Path) -> None:
    """A task that comes late would start an engine that nobody ends."""
    cluster_worker.end_here("over")
    request = request_of([], ExecutionConfig(tmp_path))
    with pytest.raises(StoppedError):
        cluster_worker.run_here("over", {}, [[], []], encoded(request))


def test_a_lost_worker_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it was sent and its cards wrote is removed by what is left of it."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    code = "import time\ntime.sleep(0.5)\nassert int('1')"
    made = project(tmp_path / "deck", {"a.md": card("one", code) + card("two", code)})
    with _started(tmp_path) as cluster:
        where = replace(execution_config(made.settings(), kept=False), executor=cluster.address)

        def kill_the_workers(event: Event) -> None:
            if isinstance(event, CardProven):
                assert list(temporary.glob("verideck-*/project"))
                for worker in cluster.workers:
                    worker.send_signal(signal.SIGKILL)
                    worker.wait()
                assert soon(lambda: not list(temporary.glob("verideck-*")))
                raise GaveUpError

        with pytest.raises(GaveUpError):
            verify(made.cards(), where, kill_the_workers)


class GaveUpError(Exception):
    """What a listener raises that wants no more proofs."""


def test_giving_up_ends_what_runs_there(dask: str, tmp_path: Path) -> None:
    """When nobody wants the proofs any more, nothing is waited for and nothing goes on."""
    made = project(tmp_path, {}, UNBOXED, trusted=True)
    held = Held.of(made)
    endless = f"{held.opened}; hold()\nwhile True:\n    pass\nassert int('1')"
    made.write("cards/a.md", card("one", "assert int('1')") + card("two", endless))
    started: list[float] = []

    def give_up(event: Event) -> None:
        if isinstance(event, CardProven):
            assert soon(held.is_held)
            started.append(time.monotonic())
            raise GaveUpError

    with pytest.raises(GaveUpError):
        verify(
            made.cards(),
            replace(execution_config(made.settings(), kept=False), executor=dask),
            give_up,
        )
    assert time.monotonic() - started[0] < made.settings().timeout
    assert soon(held.is_free)


def test_a_cluster_is_used_for_many_runs(dask: str, tmp_path: Path) -> None:
    """Each sends the project as it is then. One that is broken off ends, and is not the last."""
    text = card("one", "from helper import n, wait\nprint(n)\nwait()")
    made = project(tmp_path, {"a.md": text}, UNBOXED, trusted=True)
    (snippets,) = executed_by_language(made.cards()[0]).values()
    stop = threading.Event()
    config = replace(execution_config(made.settings(), kept=False), executor=dask)
    helper = "n = {}\nassert n\ndef wait():\n    {}\n"
    held = Held.of(made)
    endless = f"{held.opened}; hold(); import time; time.sleep(600)"
    with closing(Python(config, stop)) as python, ThreadPoolExecutor() as pool:
        for number in range(1, 4):
            made.write("helper.py", helper.format(number, "pass"))
            python.begin()
            (proof,) = python.execute(snippets)
            assert isinstance(proof, Proof), proof
            assert proof.stdout == f"{number}\n"
            made.write("helper.py", helper.format(number, endless))
            python.begin()
            running = pool.submit(python.execute, snippets)
            assert soon(held.is_held)
            stop.set()
            with pytest.raises(StoppedError):
                running.result(10)
            assert soon(held.is_free)
            stop.clear()


def test_no_scheduler_is_told(tmp_path: Path) -> None:
    """Where nobody listens, the cards are not proved, and that is said."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1')")})
    run = made.run("check", "--executor", "dask://127.0.0.1:1")
    assert run.returncode == 1
    assert "[executor-failed]" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_cluster_without_workers_is_told(tmp_path: Path) -> None:
    """With the address, and what starts one; at the line where the cluster is named."""
    scheduler = _scheduler()
    with scheduler:
        assert scheduler.stdout
        address = scheduler.stdout.readline().strip()
        there = address.replace("tcp://", "dask://")
        made = project(
            tmp_path, {"a.md": card("one", "int('1')")}, f'{SETTINGS}executor = "{there}"\n'
        )
        (problem,) = made.verified()
        scheduler.kill()
    assert isinstance(problem, Problem)
    assert f"at {address} has no workers: start one by dask worker {address}" in problem.message
    assert str(problem.place) == "pyproject.toml:5:1"


def test_another_verideck_is_refused(dask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster of another version, or another Python, would give other proofs."""
    monkeypatch.setattr(cluster_worker, "_versions", _another)
    with pytest.raises(ExecutorError, match=re.escape("verideck 0.0 on Python 2.7")):
        cluster.connected(dask)


def _another() -> str:
    return "verideck 0.0 on Python 2.7"
