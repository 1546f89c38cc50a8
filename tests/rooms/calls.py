"""The filter of the real program, read from a trace of it, is put on children of this process; each makes one call that it
must refuse. Prints what each call was answered without the filter, and with it. Only for x86-64."""

import ctypes
import errno
import mmap
import os
import re
import signal
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
NO_NEW_PRIVILEGES, SET_FILTER = 38, 1
SECCOMP, IOCTL, SOCKET = 317, 16, 41
X32 = 0x40000000


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def instructions(trace):
    """`BPF_STMT(code, k)` and `BPF_JUMP(code, k, true, false)`, their numbers joined by `|`."""
    number = lambda text: sum(int(part, 0) for part in text.split("|"))
    for kind, inside in re.findall(r"BPF_(STMT|JUMP)\(([^)]*)\)", trace):
        code, k, *jumps = [number(part) for part in inside.split(", ")]
        if_true, if_false = jumps if kind == "JUMP" else (0, 0)
        yield code.to_bytes(2, "little") + bytes([if_true, if_false]) + k.to_bytes(4, "little")


def call(number, *arguments):
    return lambda: LIBC.syscall(ctypes.c_long(number), *[ctypes.c_long(argument) for argument in arguments])


def of_another_machine():
    """getpid, as a program of 32 bits asks for it."""
    code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20; int 0x80; ret
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()


NULL = os.open("/dev/null", os.O_RDWR)
CALLS = {
    "type for her": call(IOCTL, NULL, 0x5412, 0),
    "type for her, in other bits": call(IOCTL, NULL, 0x100005412, 0),
    "type by the console's clipboard": call(IOCTL, NULL, 0x541C, 0),
    "ask by a ring": call(425, 1, 0),
    "a socket": call(SOCKET, 1, 1, 0),
    "a socket, by x32": call(X32 | SOCKET, 1, 1, 0),
    "a ring, by x32": call(X32 | 425, 1, 0),
    "type for her, by x32": call(X32 | 514, NULL, 0x5412, 0),
    "a program, by x32": call(X32 | 520, 0, 0, 0),
    "another machine's number": of_another_machine,
    "what is not refused": call(39),
}


def answer(make, program=None):
    """What a child is told that makes a call: the name of an error, of a signal that ends it, or that it was done."""
    child = os.fork()
    if child == 0:
        if program is not None:
            done = LIBC.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
            if not done or LIBC.syscall(SECCOMP, SET_FILTER, 0, ctypes.byref(program)) != 0:
                os._exit(255)
        ctypes.set_errno(0)
        os._exit(ctypes.get_errno() if make() == -1 else 0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return errno.errorcode.get(os.WEXITSTATUS(status), "done" if os.WEXITSTATUS(status) == 0 else "no filter")


def main():
    code = b"".join(instructions(sys.stdin.read()))
    program = Program(len(code) // 8, code)
    for name, make in CALLS.items():
        print(f"{name}: {answer(make)}, {answer(make, program)}")


main()
