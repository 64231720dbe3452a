"""Take from a session, before it sees the student's code, what no exercise needs. Nothing here can be undone.

files : sees none but Python's own, and its folder; makes none anywhere else
system calls : starts no process, opens no socket, traces and signals nobody but itself, changes nobody's rights
user : where the kit runs as root, the session is a user of its own
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import limits
import sight
from gpu import files

CONFINED = ("landlock", "bubblewrap")
NOBODY = 65534
USERS = range(0x7000_0000, 0x8000_0000)  # user numbers that no system gives to anybody
THREADS = 2048
CAP_DAC_READ_SEARCH = 2
CAPABILITIES_VERSION = 0x20080522
PR_SET_KEEPCAPS = 8
CLONE_THREAD = 0x00010000
F_SETOWN, F_SETSIG, F_SETOWN_EX, FIOSETOWN, SIOCSPGRP = 8, 10, 15, 0x8901, 0x8902
LOW_HALF = 0xFFFF_FFFF  # of an argument: the kernel does not look at the other half of those below
NEWER_CALLS = range(451, 512)  # those this filter was not written for; who makes them knows what to do without
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")

STARTING = ("fork", "vfork", "execve", "execveat")
SPYING = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "perf_event_open"),
    *("pidfd_open", "pidfd_getfd", "pidfd_send_signal", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"),
)
CONVERSING = (
    *("socket", "socketpair", "bind", "listen", "connect", "accept", "accept4"),
    *("shmget", "shmat", "shmctl", "semget", "semctl", "msgget", "msgsnd", "msgrcv", "mq_open", "mq_unlink"),
)
MEDDLING = (
    *("mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "open_by_handle_at", "fanotify_init"),
    *("fsopen", "fsmount", "open_tree", "move_mount", "mount_setattr"),
    *("bpf", "userfaultfd", "keyctl", "add_key", "request_key", "personality", "ioprio_set"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),  # makes system calls that no filter sees
    *("memfd_create", "memfd_secret"),  # memory that no limit counts
    *("setpriority", "sched_setscheduler", "sched_setparam", "sched_setattr", "mknod", "mknodat"),
)
# Landlock knows nothing of these, or not on every kernel.
ALTERING = (
    *("truncate", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "utimensat", "futimesat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
)
ON_ITSELF = ("prlimit64", "sched_setaffinity")
OWN_SIGNALS = ("kill", "tgkill")
# Which argument is which: to have a signal sent to others, and to live on without the parent.
TRICKS = (
    *(("fcntl", 1, command) for command in (F_SETOWN, F_SETSIG, F_SETOWN_EX)),
    *(("ioctl", 1, command) for command in (FIOSETOWN, SIOCSPGRP)),
    ("prctl", 0, limits.PR_SET_PDEATHSIG),
)


def prepare(how: str) -> None:
    """Import what confining needs, where processes can still be started: finding libseccomp takes one."""
    if how in CONFINED:
        import landlock  # noqa: F401
        import pyseccomp  # noqa: F401


def become_somebody(home: str) -> None:
    """As root, become a user of one's own who has nothing but `home` and may do nothing but read Python's files."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    needed = (f"{sys.prefix}/lib", f"{sys.base_prefix}/lib", __file__, home)
    kept = 0 if all(map(open_to_others, needed)) else 1 << CAP_DAC_READ_SEARCH
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1)
    try:
        become(secrets.choice(USERS), home)
    except OSError:  # inside a container that has fewer users
        become(NOBODY, home)
    header, sets = struct.pack("Ii", CAPABILITIES_VERSION, 0), struct.pack("6I", kept, kept, 0, 0, 0, 0)
    if libc.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "root's rights cannot be given up")


def become(user: int, home: str) -> None:
    os.chown(home, user, user)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def limit_threads() -> None:
    """Bound the number of threads; the kernel counts them by user, so that this needs a user of one's own."""
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (THREADS, THREADS))


def open_to_others(path: str) -> bool:
    """Whether somebody else can get there: each folder above lets everybody pass."""
    return all(parent.stat().st_mode & 0o1 for parent in Path(path).resolve().parents)


def forbid_files(home: str, device: bool = False) -> None:
    """From now on this process reads nothing but Python's own files, and writes nowhere but in `home`.

    With a `device` also what its driver needs.
    """
    from landlock import FSAccess, Ruleset

    reading = FSAccess.READ_FILE | FSAccess.READ_DIR
    rules = Ruleset()
    readable = *sight.system_folders(), *sight.FILES, *sight.python_folders(), str(Path(__file__).parent)
    for path in (*readable, *(files.FACTS if device else ())):
        with contextlib.suppress(FileNotFoundError):
            rules.allow(path, rules=reading if os.path.isdir(path) else FSAccess.READ_FILE)
    writing = FSAccess.READ_FILE | FSAccess.WRITE_FILE
    for path in DEVICES:
        rules.allow(path, rules=writing)
    for path in files.devices() if device else ():  # a driver is all ioctl, which newer kernels refuse apart
        rules.allow(path, rules=writing | (FSAccess.all() & getattr(FSAccess, "IOCTL_DEV", 0)))
    rules.allow(home)
    rules.apply()


def forbid_calls() -> None:
    """From now on these system calls fail with EPERM, in this process and all its threads."""
    import pyseccomp as seccomp

    own, denied = os.getpid(), seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(defaction=seccomp.ALLOW)
    for name in (*STARTING, *SPYING, *CONVERSING, *MEDDLING, *ALTERING):
        deny(rules, denied, name)
    # A new thread is allowed, a new process is not. clone3 hides its flags in memory: without it, clone is used.
    deny(rules, denied, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
    deny(rules, seccomp.ERRNO(errno.ENOSYS), "clone3")
    for name in OWN_SIGNALS:
        deny(rules, denied, name, seccomp.Arg(0, seccomp.NE, own))
    for name in ON_ITSELF:
        deny(rules, denied, name, seccomp.Arg(0, seccomp.NE, 0))  # 0 is whoever calls
    for name, argument, value in TRICKS:
        deny(rules, denied, name, seccomp.Arg(argument, seccomp.MASKED_EQ, LOW_HALF, value))
    for number in NEWER_CALLS:
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), number)
    rules.load()


def deny(rules: object, action: int, name: str, *conditions: object) -> None:
    """Add a rule, unless this machine has no such system call."""
    import pyseccomp as seccomp

    if seccomp.resolve_syscall(seccomp.system_arch(), name) >= 0:
        rules.add_rule(action, name, *conditions)  # type: ignore[attr-defined]


def confine(how: str, home: str, device: bool = False) -> None:
    """All that a level of isolation asks of the session itself; with a `device`, a GPU stays in reach."""
    prepare(how)
    if how in CONFINED:
        if os.geteuid() == 0 or how == "bubblewrap":
            limit_threads()
        become_somebody(home)
    limits.die_with_parent()  # after the change of user, which would undo it
    if how in CONFINED:
        import landlock

        # Within bubblewrap it only keeps sessions apart. Where root has given each a user of its own, nothing is amiss
        # without it; else the probe finds what is.
        dispensable = (landlock.SyscallError,) if how == "bubblewrap" else ()
        with contextlib.suppress(*dispensable):
            forbid_files(home, device)
        forbid_calls()


def weakness(secrets: Sequence[str], home: str) -> str:
    """What a confined process can do after all; "" where it can do nothing of it.

    Parameters
    ----------
    secrets : files of the host
    home : the process's own folder; beside it are those of other sessions
    """
    for secret in secrets:
        with contextlib.suppress(OSError):
            Path(secret).read_bytes()
            return f"it reads {secret}"
    with contextlib.suppress(OSError):
        socket.socket().close()
        return "it opens a socket"
    with contextlib.suppress(OSError):
        Path(secrets[0]).with_name("written-by-a-guest").write_text("")
        return "it writes beside the host's files"
    with contextlib.suppress(OSError):
        (Path(home).parent / "written-by-a-guest").write_text("")
        return "it writes where other sessions have their folders (Landlock is against that, from Linux 5.13 on)"
    with contextlib.suppress(OSError):
        if os.fork() == 0:
            os._exit(0)
        return "it starts a process"
    return ""
