"""What ``sshd`` of the tests runs instead of any command: a machine whose "shutdown" ends this very sshd."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])
REAPER = """
import os, signal, sys, time
def below(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as stream:
            children = [int(word) for word in stream.read().split()]
    except OSError:
        return []
    return [one for child in children for one in (child, *below(child))]
time.sleep(float(sys.argv[2]))
main = int(sys.argv[1])
for pid in [main, *below(main)]:
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
"""


def end_sshd(delay: float) -> None:
    main = (FOLDER / "pid").read_text("ascii")
    null = subprocess.DEVNULL
    arguments = [sys.executable, "-S", "-c", REAPER, main, str(delay)]
    subprocess.Popen(arguments, start_new_session=True, stdin=null, stdout=null, stderr=null)


def main() -> int:
    command = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    with (FOLDER / "commands").open("a", encoding="utf-8") as stream:
        stream.write(command + "\n")
    word = command.split()[0] if command else ""
    if word == "halt-soon":
        end_sshd(0.3)
    elif word == "halt-now":
        end_sshd(0.0)
        time.sleep(60)
    elif word == "hang-up":  # only this session ends, the machine stays up
        os.kill(os.getppid(), signal.SIGKILL)
    elif word == "hang":
        time.sleep(60)
    elif word == "sudo":
        print("sudo: a password is required", file=sys.stderr)
        return 1
    elif word == "exit":
        return int(command.split()[1])
    elif word == "cat":
        return subprocess.call(command.split())
    else:
        print(f"bash: line 1: {word}: command not found", file=sys.stderr)
        return 127
    return 0


sys.exit(main())
