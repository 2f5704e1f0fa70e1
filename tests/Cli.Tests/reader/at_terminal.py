"""Runs a program at a terminal of its own, types a line when the program has asked for it, and prints all that the terminal shows. Exit code: the program's.

    python3 at_terminal.py QUESTION LINE PROGRAM ARGUMENT...
"""
import os
import pty
import sys

question, line, command = sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)
shown, typed = b"", False
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:  # it has closed its side
        break
    if not piece:
        break
    shown += piece
    if not typed and question in shown:
        os.write(terminal, line + b"\r")
        typed = True
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
