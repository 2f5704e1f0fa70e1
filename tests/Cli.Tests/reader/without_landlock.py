"""Runs a program as on a kernel without Landlock: a seccomp filter makes landlock_create_ruleset fail with ENOSYS. x86-64.

    python3 without_landlock.py PROGRAM ARGUMENT...
"""
import ctypes
import os
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LANDLOCK_CREATE_RULESET, ENOSYS = 444, 38

# struct sock_filter: code, jump if true, jump if false, operand
CODE = b"".join(struct.pack("HBBI", *one) for one in [
    (0x20, 0, 0, 0),                          # load the number of the call
    (0x15, 0, 1, LANDLOCK_CREATE_RULESET),    # is it that one?
    (0x06, 0, 0, 0x00050000 | ENOSYS),        # then it fails
    (0x06, 0, 0, 0x7FFF0000),                 # else it is allowed
])


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


if LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(Program(len(CODE) // 8, CODE)), 0, 0):
    sys.exit("no filter: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
