"""The box around a card's process: what a snippet may not do, however it goes about it.

Every attempt is made twice, by the same card: in the box, where it must be refused, and without
one, where it must succeed; else its refusal would say nothing about the box.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import json
import os
import signal
import socket
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from projects import EXECUTORS, SETTINGS, Held, card, project, soon, user_key

import verideck
from verideck.model import ProvenCard
from verideck.problems import Code, Problem
from verideck.proof.python.parent import proof_cache
from verideck.proof.python.wire.messages import replace as changed
from verideck.proof.sandbox import calls, kernel
from verideck.storage.store import FOLDER

pytestmark = [
    pytest.mark.skipif(bool(kernel.missing()), reason=f"no box: {kernel.missing()}"),
    pytest.mark.xdist_group("box"),
]

UNBOXED = SETTINGS + "sandbox = false\n"
REQUIRED = SETTINGS + "require_sandbox = true\n"

SETUP = """\
import ctypes, mmap, os, resource, shutil, signal, socket, subprocess, sys
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)

def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "the system call failed")

def read(*path):
    if not Path(*path).read_bytes():
        raise LookupError

def run(*command):
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
"""
"""What the cards below share; the names in capitals that they use are those of `Outside.names`."""

ESCAPES = {
    "a connection": "socket.create_connection(('127.0.0.1', PORT), 5)",
    "a datagram": """\
        sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sending.sendto(b'out', ('127.0.0.1', UDP))
    """,
    "a server": "socket.create_server(('127.0.0.1', 0))",
    "looking up a name": "socket.getaddrinfo('localhost', 80)",
    "a program behind a socket of the file system": "socket.socket(socket.AF_UNIX).connect(STREAM)",
    "a datagram to a socket of the file system": """\
        sending, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        sending.sendto(b'out', DATAGRAM)
    """,
    "a raw message to a socket of the file system": """\
        sending, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_RAW)
        sending.sendmsg([b'out'], [], 0, DATAGRAM)
    """,
    "asking the kernel for its routes": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "a socket by its system call": """\
        called(LIBC.syscall({'x86_64': 41}.get(os.uname().machine, 198), 2, 1, 0))
    """,
    "a new file in the project": "Path(ROOT, 'new').write_text('out')",
    "a new file at home": "Path(HOME, 'new').write_text('out')",
    "a new file beside its own folder": "Path(BESIDE).write_text('out')",
    "a new folder in the project": "Path(ROOT, 'folder').mkdir()",
    "writing into a file of the project": "Path(ROOT, 'written').write_text('out')",
    "writing through a link": """\
        os.symlink(Path(ROOT, 'linked'), 'link')
        Path('link').write_text('out')
    """,
    "a file's mode": "os.chmod(Path(ROOT, 'mode'), 0o777)",
    "an open file's mode": "os.fchmod(os.open(Path(ROOT, 'open'), os.O_RDONLY), 0o777)",
    "a file's owner": "os.chown(Path(ROOT, 'owner'), os.getuid(), os.getgid())",
    "a file's attribute": "os.setxattr(Path(ROOT, 'attribute'), 'user.a', b'out')",
    "a file's attribute by a newer call": """\
        value = ctypes.create_string_buffer(b'out')
        given = (ctypes.c_uint64 * 2)(ctypes.addressof(value), 3)
        size = ctypes.c_size_t(16)
        called(LIBC.syscall(463, -100, bytes(Path(ROOT, 'newer')), 0, b'user.a', given, size))
    """,
    "a file's flags": """\
        import fcntl
        opened = os.open(Path(ROOT, 'flags'), os.O_RDONLY)
        had = bytearray(8)  # set without the others, a system may have to store the file anew
        try:
            fcntl.ioctl(opened, 0x80086601, had)
        except OSError:
            pass
        flags = int.from_bytes(had, sys.byteorder) | 0x80
        fcntl.ioctl(opened, 0x40086602, flags.to_bytes(8, sys.byteorder))
    """,
    "a file's time": "os.utime(Path(ROOT, 'time'), (1, 1))",
    "a file's length": "os.truncate(Path(ROOT, 'length'), 0)",
    "a file's name": "os.rename(Path(ROOT, 'name'), Path(ROOT, 'other'))",
    "taking a file away": "shutil.copy2(Path(ROOT, 'away'), '.'); os.unlink(Path(ROOT, 'away'))",
    "another name for a file": "os.link(Path(ROOT, 'hard'), Path(ROOT, 'soft'))",
    "a private key": "read(HOME, '.ssh', 'id_rsa')",
    "the list of the home directory": "os.listdir(HOME)",
    "the passwords": "read('/etc/shadow')",
    "the tokens of its repository": "read(ROOT, '.git', 'config')",
    "a hidden file of its project": "read(ROOT, '.env')",
    "the tokens of a repository in its project": "read(ROOT, 'inner', '.git', 'config')",
    "a hidden file by a link": """\
        os.symlink(Path(ROOT, '.env'), 'to-env')
        read('to-env')
    """,
    "another name for a hidden file": "os.link(Path(ROOT, '.env'), 'env'); read('env')",
    "what hangs on the network": "read('/proc/self/net/unix')",
    "what hangs on the network, by a thread": "read('/proc/thread-self/net/unix')",
    "what is mounted": "read('/proc/self/mountinfo')",
    "programs that nobody needs": "os.listdir('/opt')",
    "its own memory by a file": "open('/proc/self/mem', 'r+b', buffering=0).close()",
    "its own place among those that are ended": """\
        Path('/proc/self/oom_score_adj').write_text('500')
    """,
    "watching a folder": """\
        watch = LIBC.inotify_init1(0)
        called(watch)
        called(LIBC.inotify_add_watch(watch, HOME.encode(), 0x100))
    """,
    "watching a folder as virus scanners do": """\
        watch = LIBC.fanotify_init(0x200, 0)
        called(watch)
        flags = ctypes.c_uint(1), ctypes.c_uint64(0x40000100), -100
        called(LIBC.fanotify_mark(watch, *flags, HOME.encode()))
    """,
    "deciding who may open a file": "called(LIBC.fanotify_init(4, 0))",
    "a notice of what happens in a folder": """\
        import fcntl
        fcntl.fcntl(os.open(ROOT, os.O_RDONLY), fcntl.F_NOTIFY, 0x80000004)
    """,
    "making others wait for a file": """\
        import fcntl
        fcntl.fcntl(os.open(Path(ROOT, 'leased'), os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)
    """,
    "signals of a pipe to a stranger": """\
        import fcntl
        fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, TESTS)
    """,
    "a file of another project": "read(OUTSIDE)",
    "a file by a way around": "read(f'/proc/self/root{OUTSIDE}')",
    "a signal to its parent": "os.kill(os.getppid(), signal.SIGCONT)",
    "a signal to a stranger": "os.kill(TESTS, signal.SIGCONT)",
    "a signal by a descriptor": """\
        signal.pidfd_send_signal(os.pidfd_open(TESTS), signal.SIGCONT)
    """,
    "tracing its parent": "called(LIBC.ptrace(0x4206, os.getppid(), 0, 0))",
    "its parent's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)",
    "its parent's processors": "os.sched_setaffinity(os.getppid(), os.sched_getaffinity(0))",
    "its parent's scheduler": """\
        os.sched_setscheduler(os.getppid(), os.SCHED_OTHER, os.sched_param(0))
    """,
    "its parent's priority": """\
        parent = os.PRIO_PROCESS, os.getppid()
        os.setpriority(*parent, os.getpriority(*parent))
    """,
    "its parent's memory": "open(f'/proc/{os.getppid()}/mem', 'r+b', buffering=0).close()",
    "its parent's environment": "read(f'/proc/{os.getppid()}/environ')",
    "a schedule before all others": """\
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    """,
    "a device": "os.mknod('device', 0o20600, os.makedev(1, 8)); os.unlink('device')",
    "a device in a folder": "os.mknod('b', 0o60600, 0, dir_fd=os.open('.', os.O_RDONLY))",
    "a world of its own": "called(LIBC.unshare(0x20000))",
    "a clock of its own": "called(LIBC.unshare(0x80))",
    "another user": "os.setresuid(65534, 65534, 0); os.setresuid(0, 0, 0)",
    "a Python": "run(sys.executable, '-c', f'open({ROOT!r} + \"/python\", \"w\").close()')",
    "a Python with a socket": "run(sys.executable, '-c', 'import socket; socket.socket()')",
    "a shell": "run('sh', '-c', f'echo out > \"{ROOT}/shell\"')",
    "a Python in its place": """\
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            os.execv(sys.executable, [sys.executable, '-c', f'open({ROOT!r} + "/exec", "w")'])
        called(-os.waitpid(pid, 0)[1])
    """,
}
"""What a snippet may try."""

NAMESPACES = {
    "files": 0x20000, "control groups": 0x2000000, "a name": 0x4000000, "queues": 0x8000000,
    "users": 0x10000000, "processes": 0x20000000, "a network": 0x40000000,
}  # fmt: skip
"""What a process can be given of its own when it is made, by the flag of clone(2)."""
CLONE = """\
clone = {'x86_64': 56}.get(os.uname().machine, 220)
pid = LIBC.syscall(clone, FLAG | signal.SIGCHLD, 0, 0, 0, 0)
called(pid)
pid or os._exit(0)
os.waitpid(pid, 0)
"""
ESCAPES |= {
    f"a process with {name} of its own": CLONE.replace("FLAG", str(flag))
    for name, flag in NAMESPACES.items()
}

VICTIMS = (
    "written", "linked", "mode", "open", "attribute", "newer", "flags", "owner", "time", "length",
    "name", "away", "hard",
)  # fmt: skip
HIDDEN = (".env", ".git/config", "inner/.git/config")
FOR_ROOT = {
    "the passwords", "a schedule before all others", "a device", "a device in a folder",
    "deciding who may open a file", "a world of its own", "a clock of its own",
    "another user",
    *(name for name in ESCAPES if name.startswith("a process with ")),
}  # fmt: skip
"""What the system refuses by itself to everybody else, or may be set up to refuse."""


NEWER = "a file's attribute by a newer call"


def has_setxattrat() -> bool:
    """Whether this kernel knows the call (Linux 6.13)."""
    called = ctypes.CDLL(None, use_errno=True).syscall(463, -1, None, 0, None, None, 0)
    return called != 0 and ctypes.get_errno() != errno.ENOSYS


def attempt(identity: str, code: str) -> str:
    """A card that tries to get out, and asserts that it was refused."""
    body = textwrap.indent(textwrap.dedent(code), "    ")
    return card(
        identity,
        f"def out():\n{body}\n\n"
        "refused = None\n"
        "try:\n    out()\nexcept (OSError, subprocess.SubprocessError) as error:\n"
        "    refused = error\n"
        "assert refused is not None",
    )


class Outside:
    """All that the cards may not touch, and what has become of it."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        """Make a home, a secret, some files of a project, and whoever listens."""
        self.root = folder / "project"
        self.home = folder / "home"
        self.secret = folder / "secret"
        self.beside = Path(tempfile.gettempdir(), f"beside-{folder.name}-{os.getpid()}")
        opened.callback(self.beside.unlink, missing_ok=True)
        (self.home / ".ssh").mkdir(parents=True)
        for file in (self.secret, self.home / ".ssh" / "id_rsa"):
            file.write_text("secret", encoding="ascii")
        self.root.mkdir()
        for name in (*VICTIMS, *HIDDEN, "leased", "inner/shown"):
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("as it was", encoding="ascii")
        self.listening = [
            opened.enter_context(socket.socket(family, kind))
            for family, kind in itertools.product(
                (socket.AF_INET, socket.AF_UNIX), (socket.SOCK_STREAM, socket.SOCK_DGRAM)
            )
        ]
        self.addresses = [("127.0.0.1", 0)] * 2 + [str(folder / name) for name in ("s", "d")]
        for each, address in zip(self.listening, self.addresses, strict=True):
            each.bind(address)
            each.settimeout(0)
            if each.type == socket.SOCK_STREAM:
                each.listen()
        self.signals: list[int] = []
        before = signal.signal(signal.SIGCONT, lambda number, _: self.signals.append(number))
        opened.callback(signal.signal, signal.SIGCONT, before)
        self.before = self.files()

    @property
    def names(self) -> str:
        """What the cards need to know, as Python."""
        port, udp = (each.getsockname()[1] for each in self.listening[:2])
        stream, datagram = self.addresses[2:]
        known = {"PORT": port, "UDP": udp, "STREAM": stream, "DATAGRAM": datagram}
        known |= {"ROOT": str(self.root), "HOME": str(self.home), "OUTSIDE": str(self.secret)}
        known |= {"BESIDE": str(self.beside), "TESTS": os.getpid()}
        return "".join(f"{name} = {value!r}\n" for name, value in known.items())

    def files(self) -> dict[str, tuple[object, ...]]:
        """Every file and folder that is outside, with all that can be seen of it."""
        below = [*self.root.rglob("*"), *self.home.rglob("*"), self.secret, self.beside]
        return {
            str(each): _seen(each) for each in below if each.exists() and FOLDER not in each.parts
        }

    def heard(self) -> list[int]:
        """Which of the listeners somebody called, by their number."""
        return [number for number, each in enumerate(self.listening) if _called(each)]


def _seen(file: Path) -> tuple[object, ...]:
    seen = file.stat()
    if file.is_dir():
        return (seen.st_mode,)
    return (file.read_bytes(), seen.st_mode, seen.st_nlink, seen.st_mtime_ns, seen.st_ctime_ns)


def _called(listening: socket.socket) -> bool:
    try:
        if listening.type == socket.SOCK_STREAM:
            listening.accept()[0].close()
        else:
            listening.recv(16)
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of every attempt, and of what is outside."""

    found: dict[str, ProvenCard | Problem]
    outside: Outside


@contextmanager
def tried(folder: Path, settings: str) -> Iterator[Tried]:
    """Make every attempt, each in a card of its own, in one run."""
    with ExitStack() as opened, pytest.MonkeyPatch.context() as patch:
        outside = Outside(folder, opened)
        patch.setenv("HOME", str(outside.home))
        setup = f"# T\n\n```python {{.setup}}\n{SETUP}\n{outside.names}```\n\n"
        names = {f"e{number}": name for number, name in enumerate(ESCAPES)}
        cards = "".join(attempt(identity, ESCAPES[name]) for identity, name in names.items())
        made = project(outside.root, {"a.md": setup + cards}, settings)
        user_key(made.root)  # the user has one, who runs verideck not for the first time
        outside.before = outside.files()
        found = made.verified()
        assert len(found) == len(names)
        yield Tried(dict(zip(ESCAPES, found, strict=True)), outside)


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """Every attempt, in the box."""
    with tried(tmp_path_factory.mktemp("boxed"), REQUIRED) as all_of_them:
        yield all_of_them


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """Every attempt, without the box."""
    with tried(tmp_path_factory.mktemp("loose"), UNBOXED) as all_of_them:
        yield all_of_them


@pytest.mark.parametrize("name", ESCAPES)
def test_the_box_refuses(boxed: Tried, name: str) -> None:
    """What a snippet may not do fails inside of it, and the card goes on."""
    proven = boxed.found[name]
    assert isinstance(proven, ProvenCard), proven
    assert sum(proof.assertions for proof in proven.proofs) == 1


def test_nothing_outside_of_the_box_has_changed(boxed: Tried) -> None:
    """No file was written, renamed or touched, nobody was called, no signal came."""
    assert boxed.outside.files() == boxed.outside.before
    assert boxed.outside.heard() == []
    assert boxed.outside.signals == []


@pytest.mark.parametrize("name", ESCAPES)
def test_without_the_box_it_gets_out(loose: Tried, name: str) -> None:
    """What the box refuses is possible here: its refusal is the box's doing."""
    if name in FOR_ROOT and os.getuid():
        pytest.skip("not root: the system refuses it by itself")
    if name == NEWER and not has_setxattrat():
        pytest.skip("this kernel has no such call")
    found = loose.found[name]
    assert isinstance(found, Problem)
    assert found.code is Code.ASSERTION_FAILED, found


def test_without_the_box_it_is_seen_outside(loose: Tried) -> None:
    """What is looked at outside would have changed."""
    outside = loose.outside
    after = outside.files()
    same = {
        name
        for name in VICTIMS
        if after.get(file := str(outside.root / name)) == outside.before[file]
    }
    assert same <= ({"newer"} if not has_setxattrat() else set())
    assert {str(outside.beside), str(outside.home / "new")} <= after.keys()
    assert outside.heard() == [0, 1, 2, 3]
    assert outside.signals


NO_PRIVILEGES = """\
import os, subprocess
with open("/proc/self/status") as file:
    sets = {line.split()[0]: int(line.split()[1], 16) for line in file if line.startswith("Cap")}
bounds = sets.pop("CapBnd:")  # what a program could bring; nobody else can shrink it, nor use it
assert len(sets) == 4 and not any(sets.values()) and (not bounds or os.getuid())
shown = subprocess.run(["grep", "^CapEff", "/proc/self/status"], capture_output=True, text=True)
assert shown.returncode and not shown.stdout  # of a program, not even that can be read
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_nobody_has_privileges_in_the_box(tmp_path: Path, executor: str) -> None:
    """All sets of capabilities are empty that could be used, also those of root."""
    settings = f'{REQUIRED}executor = "{executor}"\n'
    made = project(tmp_path, {"a.md": card("one", NO_PRIVILEGES)}, settings)
    assert made.proven()[0].proofs[0].assertions == 2


EVERY_CALL = """\
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def refused(number):
    return libc.syscall(number, *[-1] * 6) == -1 and ctypes.get_errno() in REFUSALS
passed = [number for number in NUMBERS if not refused(number)]
assert passed == []
"""


def test_what_is_not_allowed_by_name_is_refused(tmp_path: Path) -> None:
    """Every number up to 600 that is no allowed call's is refused, or there is no such call."""
    others = set(range(600)) - {number_of(name) for name, *_ in calls.allowed()} - PROBES
    outside = {number_of(name) for names in REACH_OUTSIDE for name in names.split()}
    assert {number for number in outside if number >= 0} <= others
    code = EVERY_CALL.replace("NUMBERS", repr(sorted(others)))
    code = code.replace("REFUSALS", repr((errno.EPERM, errno.ENOSYS)))
    (proven,) = project(tmp_path, {"a.md": card("one", code)}, REQUIRED).proven()
    assert proven.proofs[0].assertions == 1


REACH_OUTSIDE = (
    "fanotify_init fanotify_mark inotify_init inotify_init1 inotify_add_watch unshare setns",
    "clone3 mount umount2 pivot_root chroot memfd_secret process_mrelease process_madvise",
    "lookup_dcookie nfsservctl uselib ustat sysfs vhangup modify_ldt personality syslog acct",
    "quotactl swapon swapoff reboot add_key keyctl request_key mq_open shmget semget msgget",
    "perf_event_open bpf userfaultfd io_uring_setup name_to_handle_at open_by_handle_at ptrace",
    "process_vm_readv process_vm_writev kcmp pidfd_getfd setpriority ioprio_set sched_setattr",
    "migrate_pages move_pages socket",
)
"""Calls of Linux 6.18 and before that reach, for somebody, what is not the caller's own."""
PROBES = {335, 336}
"""On x86-64 the kernel's own traps; to everybody else they are illegal instructions."""


def number_of(name: str) -> int:
    """A system call's number on this machine; below 0 if it has no such call."""
    import pyseccomp  # noqa: PLC0415 - only where there is a box

    try:
        return int(pyseccomp.resolve_syscall(pyseccomp.system_arch(), name))
    except ValueError:
        return -1


def test_a_signal_to_everybody_reaches_nobody(tmp_path: Path) -> None:
    """`kill(-1)` says that it went well, and the kernel has told no other process."""
    heard: list[int] = []
    before = signal.signal(signal.SIGURG, lambda number, _: heard.append(number))
    try:
        code = "import os, signal\nassert os.kill(-1, signal.SIGURG) is None"
        project(tmp_path, {"a.md": card("one", code)}, REQUIRED).verified()
    finally:
        signal.signal(signal.SIGURG, before)
    assert heard == []


HIDES = """\
import os
from pathlib import Path
import helped
root = Path(__file__).parents[1]
def refused(name):
    try:
        return not (root / name).read_text()
    except PermissionError:
        return True
assert refused(".git/config") and refused("inner/.git/config") and refused("inner/.env")
assert helped.by == "the project" and (root / "inner" / "shown").read_text() == "shown"
assert {"inner", "helped.py"} <= set(os.listdir(root)) and os.listdir(root / "inner")
"""
HIDDEN_FILES: dict[str, str | bytes] = {
    ".git/config": "token",
    "inner/.git/config": "token",
    "inner/.env": "token",
    "inner/shown": "shown",
    "helped.py": "by = 'the project'",
}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_is_hidden_is_not_read_and_all_else_is(tmp_path: Path, executor: str) -> None:
    """Tokens lie in `.git`, at any depth; beside them are modules and files that a card needs."""
    files = {"a.md": card("one", HIDES), **HIDDEN_FILES}
    made = project(tmp_path, files, f'{REQUIRED}executor = "{executor}"\n')
    assert made.proven()[0].proofs[0].assertions == 3


def test_a_hidden_file_does_not_make_a_proof_stale(tmp_path: Path) -> None:
    """What was refused had no part in a proof: it may change."""
    made = project(tmp_path, {"a.md": card("one", HIDES), **HIDDEN_FILES}, REQUIRED)
    made.proven()
    made.write(".git/config", "another token")
    assert made.proven()[0].proofs[0].reused


def test_what_comes_to_lie_beside_something_hidden_is_read(tmp_path: Path) -> None:
    """A project that stays open looks at its folders again before each card."""
    made = project(tmp_path, {"inner/.env": "token", "a.md": card("one", "assert int('1')")})
    with verideck.Project.open(tmp_path) as opened:
        assert opened.check().ok
        code = "from pathlib import Path\nroot = Path(__file__).parents[1]\n"
        code += "assert (root / 'inner' / 'new').read_text() == 'new'"
        made.write("inner/new", "new")
        made.write("cards/a.md", card("one", code))
        found = opened.check()
        assert found.ok, found.problems


READS_HIDDEN = {
    "by its path": "import os\nopen(os.path.dirname(__file__) + '/../.git/config')",
    "beside the note": "open('.env')",
    "to be written": "open('.env', 'a')",
}


@pytest.mark.parametrize("name", READS_HIDDEN)
def test_that_hidden_files_are_not_read_is_explained(tmp_path: Path, name: str) -> None:
    """The author is told which files these are."""
    files = {"a.md": card("one", READS_HIDDEN[name]), "cards/.env": "token", **HIDDEN_FILES}
    (problem,) = project(tmp_path, files, REQUIRED).verified()
    assert isinstance(problem, Problem)
    assert problem.message.startswith("PermissionError")
    assert "hidden files are not read" in problem.hint


DAEMON = """\
import os, subprocess

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        subprocess.Popen(["sleep", "600"], start_new_session=True, close_fds=False)
        os.execvp("sleep", ["sleep", "600"])
    os._exit(0)
os.wait()
assert os.getpid()
"""


@pytest.mark.parametrize("executor", ["fork", "spawn"])
@pytest.mark.parametrize("settings", [REQUIRED, UNBOXED], ids=["boxed", "loose"])
def test_a_daemon_ends_with_its_card(tmp_path: Path, settings: str, executor: str) -> None:
    """What left its session and its parent behind is ended all the same."""
    settings += f'executor = "{executor}"\n'
    made = project(tmp_path, {}, settings)
    held = Held.of(made)
    made.write("cards/a.md", card("one", f"{held.opened}; hold()\n{DAEMON}"))
    (proven,) = (each for each in made.verified() if isinstance(each, ProvenCard))
    assert proven.proofs[0].assertions == 1
    assert soon(held.is_free)


def test_what_libraries_need_is_there(tmp_path: Path) -> None:
    """In the box there are time zones, names of users, types of files, and the project's files."""
    code = """\
import getpass, mimetypes, os, platform, zoneinfo
from pathlib import Path
assert os.cpu_count() and platform.machine() and Path.home()
assert mimetypes.guess_type("a.png")[0] == "image/png"
assert "root:" in Path("/etc/passwd").read_text()
assert Path(PROJECT, "data.txt").read_text() == "data"
assert Path("here").write_text("x") and Path("here").read_text() == "x"
"""
    code = code.replace("PROJECT", repr(str(tmp_path)))
    files: dict[str, str | bytes] = {"data.txt": "data", "a.md": card("one", code)}
    (proven,) = project(tmp_path, files, REQUIRED).proven()
    assert proven.proofs[0].assertions == 5


TOLD = """\
import os
from pathlib import Path
root, parent = Path(__file__).parents[1], os.getppid()
assert os.stat(OUTSIDE).st_size == 6 and os.readlink(LINK) == OUTSIDE
assert os.listdir(root / ".git") == ["config"]
assert os.stat(f"/proc/{parent}").st_uid == os.getuid() and os.getsid(parent)
assert os.statvfs("/").f_blocks and os.sched_getaffinity(parent)
def refused(call, *path):
    try:
        call(*path)
    except PermissionError:
        return True
    return False
assert refused(os.listdir, os.path.dirname(OUTSIDE)) and refused(open, OUTSIDE)
of_parent = [Path("/proc", str(parent), name) for name in ("comm", "cmdline", "environ", "maps")]
assert all(refused(open, each) for each in of_parent)
assert refused(os.readlink, f"/proc/{parent}/exe") and refused(os.listdir, "/proc/self/task")
of_itself = ["net/tcp", "mounts", "mountinfo", "mountstats", "cgroup"]
assert all(refused(open, f"/proc/self/{each}") for each in of_itself)
"""


def test_what_a_card_is_told_all_the_same(tmp_path: Path) -> None:
    """The documentation says what of the machine a card can find out; and what it cannot."""
    (tmp_path / "secret").write_text("secret", encoding="ascii")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    code = TOLD.replace("OUTSIDE", repr(str(tmp_path / "secret")))
    code = code.replace("LINK", repr(str(tmp_path / "link")))
    files: dict[str, str | bytes] = {".git/config": "token", "a.md": card("one", code)}
    found = project(tmp_path / "project", files, REQUIRED).verified()
    proven = [each for each in found if isinstance(each, ProvenCard)]
    assert len(proven) == 1, found
    assert proven[0].proofs[0].assertions == 8


REFUSED = {
    "a socket": "import socket\nsocket.socket()",
    "the name of a host": "import socket\nsocket.gethostbyname('example.org')",
    "a page": "import urllib.request\nurllib.request.urlopen('http://example.org')",
    "a cause": "try:\n    open('/etc/x', 'w')\nexcept OSError as e: raise ValueError from e",
    "a ring of causes": "one, two = ValueError(), PermissionError(1, 'no')\n"
    "one.__cause__, two.__cause__ = two, one\nraise one",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_explained(tmp_path: Path, name: str) -> None:
    """An author who meets the box is told that there is one, however it comes."""
    code = REFUSED[name]
    (problem,) = project(tmp_path, {"a.md": card("one", code)}).verified()
    assert isinstance(problem, Problem)
    assert (problem.code, problem.place.line) == (
        Code.EXCEPTION_RAISED,
        6 + code.count("\n"),
    )
    assert "no network" in problem.hint


OTHERS = {
    "another error": "open('nothing')",
    "one that keeps quiet": "try:\n    open('/etc/x', 'w')\nexcept OSError:\n"
    "    raise ValueError from None",
    "the author's own": "raise PermissionError('only for members')",
    "a reason that raises": "class E(Exception):\n    @property\n    def reason(self):\n"
    "        raise SystemExit\nraise E",
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_refusal_is_not_explained_by_the_box(tmp_path: Path, name: str) -> None:
    """What the kernel did not refuse has nothing to do with it."""
    (problem,) = project(tmp_path, {"a.md": card("one", OTHERS[name])}).verified()
    assert isinstance(problem, Problem)
    assert problem.code is Code.EXCEPTION_RAISED
    assert "sandbox" not in problem.hint


ATTRIBUTES = {
    "a mode": "import os\nos.chmod('a', 0o600)",
    "an owner": "import os\nos.chown('a', os.getuid(), os.getgid())",
    "a time": "import os\nos.utime('a', (1, 1))",
    "a copy of times": "import shutil\nshutil.copystat('a', 'b')",
}


def test_a_refused_change_of_a_files_attributes_is_explained(tmp_path: Path) -> None:
    """Also where the file is the card's own, whose text it may change."""
    begin = "open('a', 'w').close()\nopen('b', 'w').close()\n"
    cards = [card(f"c{n}", begin + code) for n, code in enumerate(ATTRIBUTES.values())]
    found = project(tmp_path, {"a.md": "".join(cards)}).verified()
    problems = [each for each in found if isinstance(each, Problem)]
    assert len(problems) == len(ATTRIBUTES)
    assert all("mode, owner or times" in each.hint for each in problems)


WITNESSES = 'import os\nassert os.environ\nopen(r"{}", "w").close()'


def test_without_a_box_that_is_required_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this system has no box, `require_sandbox` refuses every card before it starts."""
    monkeypatch.setattr(kernel, "missing", lambda: "it is made of cardboard")
    witness = tmp_path / "witness"
    made = project(tmp_path, {"a.md": card("one", WITNESSES.format(witness))}, REQUIRED)
    (problem,) = made.verified()
    assert isinstance(problem, Problem)
    assert problem.code is Code.SANDBOX_MISSING
    assert problem.message.endswith("it is made of cardboard")
    assert not witness.exists()


def test_a_proof_from_outside_of_a_box_is_not_reused_where_one_is_required(tmp_path: Path) -> None:
    """What ran with the author's rights is no proof for somebody who requires the box."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1')")}, UNBOXED, trusted=True)
    made.proven()
    assert made.proven()[0].proofs[0].reused
    made.write("pyproject.toml", UNBOXED + "require_sandbox = true\n")
    assert made.problems() == ["pyproject.toml:5:1 sandbox-missing"]


def test_a_proof_from_outside_of_a_box_is_not_reused_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that has a box executes again what was proved without one."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1')")})
    row = proof_cache.proved_run
    with monkeypatch.context() as patch:
        patch.setattr(
            proof_cache, "proved_run", lambda *of: row(of[0], of[1], changed(of[2], sandbox=""))
        )
        made.proven()
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "missing", lambda: "it is made of cardboard")
        assert made.proven()[0].proofs[0].reused
    assert not made.proven()[0].proofs[0].reused
    assert made.proven()[0].proofs[0].reused


@pytest.mark.parametrize(
    ("settings", "words", "says"),
    [
        (SETTINGS, ["--require-sandbox"], kernel.NAME),
        (UNBOXED, [], "none: turned off"),
    ],
    ids=["boxed", "loose"],
)
def test_a_run_says_which_box_was_on(
    tmp_path: Path, settings: str, words: list[str], says: str
) -> None:
    """The summary tells it to people, JSON to programs."""
    made = project(tmp_path, {"a.md": card("one", "assert int('1')")}, settings, trusted=True)
    assert f"sandbox: {says}\n" in made.run("check", *words).stdout
    told = made.run("check", "--format", "json", *words).stdout
    assert json.loads(told)["sandbox"] == says


def test_the_flag_requires_the_box(tmp_path: Path) -> None:
    """`--require-sandbox` on the command line refuses what the settings allow."""
    cards = [card(name, "assert int('1')") for name in ("one", "two")]
    made = project(tmp_path, {"a.md": "".join(cards)}, UNBOXED, trusted=True)
    assert made.run("check").returncode == 0
    refused = made.run("check", "--require-sandbox")
    assert refused.returncode == 1
    told = [line for line in refused.stderr.split("\n") if "[sandbox-missing]" in line]
    assert len(told) == 1, "it is one problem, whatever number of cards there is"
    assert told[0].startswith("pyproject.toml:5:1: error: ")


@pytest.mark.parametrize("folder", [".", "cards", "src"])
@pytest.mark.parametrize("executor", EXECUTORS)
def test_no_module_of_the_project_is_imported_before_the_box(
    tmp_path: Path, executor: str, folder: str
) -> None:
    """A project may hold a module of any name, also of those that make the box."""
    out = tmp_path / "out"
    made = project(
        tmp_path / "deck",
        {"a.md": card("one", "assert int('1')")},
        SETTINGS + f'executor = "{executor}"\n',
    )
    for name in ("sandlock", "pyseccomp", "msgspec", "_sandlock", "json", "landlock"):
        made.write(f"{folder}/{name}.py", f"open({str(out)!r}, 'w').close()\n")
    made.result()
    assert not out.exists()
