"""The sandbox of a card's process: the Linux kernel holds it, and all that the process starts.

Landlock (through sandlock) restricts files and signals: nothing is written outside of the scratch
folder, nothing is read but the project, Python and the system's libraries, no other process gets a
signal. It does not cover the network, nor calls that change a file without opening it; a seccomp
filter (through pyseccomp) refuses these. Neither needs privileges, and neither can be undone.
"""

from __future__ import annotations

import ctypes
import errno
import importlib.util
import os
import socket
import stat
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

NAME = "Landlock and seccomp"

_LANDLOCK_CREATE_RULESET = 444
_ABI_WITH_SIGNALS = 6
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _BY_FILTER = 38, 22, 2
_INSTRUCTION = 8

_SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/mime.types", "/etc/passwd",
    "/etc/alternatives", "/var/cache/fontconfig",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems", "/proc/self",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system", "/sys/kernel/mm/transparent_hugepage",
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
)  # fmt: skip
"""What programs and libraries read; none of it is secret."""
_FONTS = (".fonts", ".local/share/fonts")
_SINKS = ("/dev/null", "/dev/zero", "/dev/full")
_SHARED_MEMORY = ("/dev/shm",)  # noqa: S108 - no file of ours is made there

_REFUSED = {
    "the network, and programs behind sockets of the file system": """
        socket connect bind listen accept accept4
    """,
    "changing files that need not be opened for it, which Landlock does not see": """
        chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat
        futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
        open_by_handle_at name_to_handle_at
    """,
    "ways around a filter": """
        io_uring_setup io_uring_enter io_uring_register userfaultfd bpf perf_event_open
    """,
    "other processes": """
        ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd setpriority
        ioprio_set migrate_pages move_pages
        shmget shmat shmctl semget semop semctl msgget msgsnd msgrcv msgctl mq_open mq_unlink
    """,
    "other worlds, and this one as a whole": """
        unshare setns mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount
        open_tree mount_setattr swapon swapoff reboot kexec_load kexec_file_load init_module
        finit_module delete_module acct quotactl quotactl_fd settimeofday clock_settime
        clock_adjtime adjtimex sethostname setdomainname iopl ioperm syslog
        add_key request_key keyctl
    """,
    "a schedule in a structure, which no filter can read": """
        sched_setattr
    """,
}
"""System calls, by what they would reach."""

_NEWER = range(451, 512)
"""Numbers of calls that libseccomp does not know by name, equal on all processors. Among them are
calls that change extended attributes and flags of files by their paths, and calls that Linux does
not have yet. To a program, Linux seems older."""

_OF_OTHERS = """
    prlimit64 sched_setaffinity sched_setscheduler sched_setparam
"""
"""Refused where their first argument names a process: 0 is the caller itself."""

_NEW_USER = 0x10000000
_STOLEN_INPUT = 0x5412
_FLAGS_OF_FILES = (0x40086602, 0x401C5820, 0x40086604, 0x40087602, 0x40806685, 0x800C6613)
"""FS_IOC_SETFLAGS, FSSETXATTR, two SETVERSIONs, ENABLE_VERITY, SET_ENCRYPTION_POLICY (ioctl_fs(2)):
they change a file that was opened to be read."""
_KIND = 0o170000
_DEVICES = (stat.S_IFCHR, stat.S_IFBLK)
_MODE_OF = {"mknod": 1, "mknodat": 2}
"""Calls that can make a device, and which of their arguments says what is made."""
_REAL_TIME = (1, 2, 6)
"""SCHED_FIFO, SCHED_RR, SCHED_DEADLINE: a process with one of them starves all others."""
_POLICY = 0xFF
_SOCKET_TYPE = 0xF


def extra(name: str) -> str:
    """What to do if an extra of verideck is missing; it is in no package index."""
    return f"which the extra [{name}] brings: pip install '<folder of verideck>[{name}]'"


@cache
def missing() -> str:
    """Why there is no sandbox on this system; empty if there is one."""
    if sys.platform != "linux":
        return "it is made of Linux's Landlock and seccomp"
    for package in ("sandlock", "pyseccomp"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed, {extra('sandbox')}"
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return "the library libseccomp is not installed"
    abi = ctypes.CDLL(None).syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if abi < _ABI_WITH_SIGNALS:
        return "this kernel's Landlock cannot keep signals (Linux 6.12 can)"
    return ""


def prepare() -> None:
    """Import what `enter` needs, so that a fork need not."""
    import sandlock  # noqa: F401, PLC0415 - only where there is a sandbox

    _program()


def enter(root: Path, scratch: Path, *, shared_memory: bool = False) -> None:
    """Put this process into the sandbox, for good.

    It can read the project's folder `root` and write into `scratch`; with `shared_memory` also
    what other processes share. Raises OSError, or sandlock's error, if the kernel refuses.
    """
    import sandlock  # noqa: PLC0415 - only where there is a sandbox

    program = _program()
    outside = [*_SINKS, *(_SHARED_MEMORY if shared_memory else ())]
    sandlock.confine(
        sandlock.Sandbox(
            fs_readable=sorted(set(_readable(root))), fs_writable=[str(scratch), *_there(outside)]
        )
    )
    _load(program)
    _entered.append(NAME)


_entered: list[str] = []


def entered() -> str:
    """The name of the sandbox that this process is in; empty if it is in none."""
    return "".join(_entered)


def _readable(root: Path) -> Iterator[str]:
    python = [sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path]
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    fonts = [str(Path.home() / folder) for folder in _FONTS]
    narrow = [path for path in [*python, *libraries, *fonts] if path and path != "/"]
    yield from _there([str(root), *_SYSTEM, *narrow])


def _there(paths: tuple[str, ...] | list[str]) -> list[str]:
    return [path for path in paths if os.path.exists(path)]  # noqa: PTH110 - many, and forked often


class _Program(ctypes.Structure):
    """Linux's sock_fprog, see seccomp(2)."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _load(program: bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    given = _Program(len(program) // _INSTRUCTION, program)
    refused = libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if refused or libc.prctl(_SET_SECCOMP, _BY_FILTER, ctypes.byref(given), 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel refuses the filter")


@cache
def _program() -> bytes:
    """The filter as the kernel reads it: made once, before any fork."""
    with open(os.memfd_create("filter"), "w+b") as file:  # noqa: PTH123 - a file without a path
        _filter().export_bpf(file)
        file.seek(0)
        return file.read()


def _filter() -> Any:  # noqa: ANN401 - ships no annotations
    import pyseccomp  # noqa: PLC0415 - only where there is a sandbox

    calls = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refused = pyseccomp.ERRNO(errno.EPERM)
    for names in _REFUSED.values():
        for name in names.split():
            _refuse(calls, refused, name)
    # glibc takes clone where clone3 is unknown; the flags of clone3 no filter can read.
    _refuse(calls, pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    argument, masked = pyseccomp.Arg, pyseccomp.MASKED_EQ
    _refuse(calls, refused, "clone", argument(0, masked, _NEW_USER, _NEW_USER))
    for name in _OF_OTHERS.split():
        _refuse(calls, refused, name, argument(0, pyseccomp.NE, 0))
    # One of a pair that keeps no connection can send to any socket of the file system.
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        _refuse(calls, refused, "socketpair", argument(1, masked, _SOCKET_TYPE, kind))
    for command in (_STOLEN_INPUT, *_FLAGS_OF_FILES):
        _refuse(calls, refused, "ioctl", argument(1, masked, 0xFFFFFFFF, command))
    for name, number in _MODE_OF.items():
        for device in _DEVICES:
            _refuse(calls, refused, name, argument(number, masked, _KIND, device))
    for policy in _REAL_TIME:
        _refuse(calls, refused, "sched_setscheduler", argument(1, masked, _POLICY, policy))
    for call in _NEWER:
        _refuse(calls, pyseccomp.ERRNO(errno.ENOSYS), call)
    return calls


def _refuse(calls: Any, action: int, call: str | int, *arguments: object) -> None:  # noqa: ANN401 - ships no annotations
    """Add a rule; a call that this processor's Linux does not have needs none."""
    try:
        calls.add_rule(action, call, *arguments)
    except (OSError, ValueError):
        if call in {"socket", "ptrace", "io_uring_setup"}:  # every Linux has these
            raise
