"""For the test: runs a command under a terminal of its own and types a passphrase where it is asked for one.

    terminal.py PASSPHRASE COMMAND…    `age` reads passphrases from the terminal alone, never from a pipe
"""
import os
import pty
import sys

passphrase, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
said = b""
while True:
    try:
        block = os.read(terminal, 4096)
    except OSError:  # how Linux tells that the other side has gone
        break
    if not block:
        break
    os.write(1, block)
    said += block
    if b"passphrase:" in said:
        os.write(terminal, passphrase.encode() + b"\n")
        said = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0)
