"""The system calls that a card's process may make: a seccomp filter, which the kernel keeps.

What is not named here is refused, so also what Linux does not have yet. All that is named acts on
the process itself, on what it starts, or on a file that it has opened: which files it can open, and
whom it can send a signal, Landlock decides (see `kernel`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

_ALLOWED = {
    "files, by names that Landlock sees": """
        access chdir creat execve execveat faccessat faccessat2 fchdir getcwd getxattr lgetxattr
        link linkat listxattr llistxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat
        openat2 readlink readlinkat rename renameat renameat2 rmdir stat statfs statx symlink
        symlinkat truncate umask unlink unlinkat
    """,
    "files that are open": """
        close close_range copy_file_range dup dup2 dup3 fadvise64 fallocate fdatasync fgetxattr
        flistxattr flock fstat fstatfs fsync ftruncate getdents getdents64 io_cancel io_destroy
        io_getevents io_pgetevents io_setup io_submit lseek pipe pipe2 pread64 preadv preadv2
        pwrite64 pwritev pwritev2 read readahead readv sendfile splice sync sync_file_range syncfs
        tee vmsplice write writev
    """,
    "a pair of sockets, which nothing else is connected with": """
        getpeername getsockname getsockopt recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto
        setsockopt shutdown
    """,
    "waiting": """
        epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
        poll ppoll pselect6 select signalfd signalfd4 timerfd_create timerfd_gettime
        timerfd_settime
    """,
    "its own memory": """
        brk get_mempolicy madvise mbind membarrier memfd_create mincore mlock mlock2 mlockall mmap
        mprotect mremap msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
        remap_file_pages set_mempolicy
    """,
    "its own processes and threads": """
        arch_prctl exit exit_group fork futex futex_waitv get_robust_list get_thread_area getpgid
        getpgrp getpid getppid getsid gettid pidfd_open prctl restart_syscall riscv_flush_icache
        riscv_hwprobe rseq set_robust_list set_thread_area set_tid_address setpgid setsid vfork
        wait4 waitid
    """,
    "less than it may do already: it has no privilege by which it could get more": """
        capget capset getegid geteuid getgid getgroups getresgid getresuid getuid
        landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp setfsgid setfsuid
        setgid setgroups setregid setresgid setresuid setreuid setrlimit setuid
    """,
    "signals, which Landlock keeps inside": """
        kill pause pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
        rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sigaltstack tgkill tkill
    """,
    "time": """
        alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer
        time timer_create timer_delete timer_getoverrun timer_gettime timer_settime times
    """,
    "what the system is, and how busy": """
        getcpu getpriority getrandom getrlimit getrusage ioprio_get sched_get_priority_max
        sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
        sched_rr_get_interval sched_yield sysinfo uname
    """,
}
"""System calls, by what they reach."""

_OF_ITSELF = "prlimit64 sched_setaffinity sched_setparam"
"""Allowed where their first argument, a process, is 0: the caller itself."""

_NAMESPACES = 0x7E020080
"""The flags of clone(2) that make new namespaces; the lowest is that of time, for a signal."""
_ORDINARY = (0, 3, 5)
"""SCHED_OTHER, SCHED_BATCH, SCHED_IDLE: a process with another policy may starve all others."""
_POLICY = 0xFF
_SOCKET_TYPE = 0xF
_PAIRS = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)
"""They keep their connection. A socket without one can send to any socket of the file system."""
_COMMAND = 0xFFFFFFFF

_OF_FILES = (
    "F_ADD_SEALS F_DUPFD F_DUPFD_CLOEXEC F_GETFD F_GETFL F_GETLK F_GETOWN F_GETPIPE_SZ F_GET_SEALS "
    "F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW F_SETFD F_SETFL F_SETLK F_SETLKW F_SETPIPE_SZ"
)
"""Commands of fcntl(2). Others reach outside by a file that was opened only to be read: a lease
makes programs wait that open it, a notice tells what they do in a folder, an owner gets signals."""
_OF_DEVICES = "FIOCLEX FIONBIO FIONCLEX FIONREAD TCGETS TIOCGPGRP TIOCGWINSZ"
_OTHER_DEVICES = (0x802C542A, 0x40049409)
"""TCGETS2 and FICLONE, which `termios` lacks. Other commands of ioctl(2) change flags of a file
that was opened only to be read, make snapshots beneath a folder, or type into a terminal."""

_NEWER = range(451, 512)
"""Numbers of calls, equal on all processors, that glibc tries and can do without. They are told to
be missing, not refused: to a program, Linux seems older."""

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _BY_FILTER = 38, 22, 2
_INSTRUCTION = 8


class _Program(ctypes.Structure):
    """Linux's sock_fprog, see seccomp(2)."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def restrict() -> None:
    """Let this process make no other calls, for good. Raises OSError if the kernel refuses."""
    filter_ = program()
    libc = ctypes.CDLL(None, use_errno=True)
    given = _Program(len(filter_) // _INSTRUCTION, filter_)
    refused = libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if refused or libc.prctl(_SET_SECCOMP, _BY_FILTER, ctypes.byref(given), 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel refuses the filter")


@cache
def program() -> bytes:
    """The filter as the kernel reads it: made once, before any fork."""
    with open(os.memfd_create("filter"), "w+b") as file:  # noqa: PTH123 - a file without a path
        _filter().export_bpf(file)
        file.seek(0)
        return file.read()


def _filter() -> Any:  # noqa: ANN401 - ships no annotations
    import pyseccomp  # noqa: PLC0415 - only where there is a sandbox

    made = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    for name, *arguments in allowed():
        _add(made, pyseccomp.ALLOW, name, *arguments)
    # glibc takes clone where clone3 is missing; the flags of clone3 no filter can read.
    for call in ("clone3", *_NEWER):
        _add(made, pyseccomp.ERRNO(errno.ENOSYS), call)
    return made


def allowed() -> Iterator[Sequence[Any]]:
    """The name of each call that is allowed, with conditions for its arguments, if there are any.

    A call with several sets of conditions is allowed if one of them holds.
    """
    import pyseccomp  # noqa: PLC0415 - as above

    yield from ((name,) for names in _ALLOWED.values() for name in names.split())
    argument, masked, equal = pyseccomp.Arg, pyseccomp.MASKED_EQ, pyseccomp.EQ
    yield "clone", argument(0, masked, _NAMESPACES, 0)
    for name in _OF_ITSELF.split():
        yield name, argument(0, equal, 0)
    for policy in _ORDINARY:
        yield "sched_setscheduler", argument(0, equal, 0), argument(1, masked, _POLICY, policy)
    for kind in _PAIRS:
        family = argument(0, equal, socket.AF_UNIX)
        yield "socketpair", family, argument(1, masked, _SOCKET_TYPE, kind)
    for call, commands in (("fcntl", _commands_of_files()), ("ioctl", _commands_of_devices())):
        for command in commands:
            yield call, argument(1, masked, _COMMAND, command)


def _commands_of_files() -> list[int]:
    import fcntl  # noqa: PLC0415 - not on Windows

    return [getattr(fcntl, name) for name in _OF_FILES.split() if hasattr(fcntl, name)]


def _commands_of_devices() -> list[int]:
    import termios  # noqa: PLC0415 - not on Windows

    return [*_OTHER_DEVICES, *(getattr(termios, name) for name in _OF_DEVICES.split())]


def _add(made: Any, action: int, call: str | int, *arguments: object) -> None:  # noqa: ANN401 - as above
    """Add a rule; a call that this processor's Linux does not have needs none."""
    try:
        made.add_rule(action, call, *arguments)
    except (OSError, ValueError):
        if call in {"read", "openat", "execve"}:  # every Linux has these
            raise
