"""Does what only root may: names the machine, sets its clock, restarts it, makes devices. Each call is made so that it
changes nothing where it is allowed; what is refused is refused as not permitted."""

import ctypes
import errno
import os
import socket
import struct

ADJ_TICK = 0x4000


def set_the_clock(libc):
    clock = ctypes.create_string_buffer(256)
    libc.adjtimex(clock)
    struct.pack_into("I", clock, 0, ADJ_TICK)
    return libc.adjtimex(clock)


CALLS = {
    "set its clock": set_the_clock,
    "restart it": lambda libc: libc.reboot(1),
    "stop its swapping": lambda libc: libc.swapoff(b"/nothing"),
    "name it": lambda libc: libc.sethostname(socket.gethostname().encode(), len(socket.gethostname())),
    "change its root": lambda libc: libc.chroot(b"/nothing"),
    "mount": lambda libc: libc.umount2(b"/nothing", 0),
    "make a device": lambda libc: libc.mknod(b"device", 0o20600, os.makedev(1, 3)),
}


def temporal_split(timestamps, test_fraction):
    libc = ctypes.CDLL(None, use_errno=True)
    for what, call in CALLS.items():
        ctypes.set_errno(0)
        if call(libc) == 0 or ctypes.get_errno() not in (errno.EPERM, errno.EACCES):
            print("BREACH: may", what, errno.errorcode.get(ctypes.get_errno(), ""))
    return timestamps, timestamps
