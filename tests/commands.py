"""The real command many times over, from a process that has read the command's code once.

Each command runs in a process of its own, a fork of the prepared one: own environment, folder, output and exit
code, and the interpreter runs to its end. Only the imports (1.5 s) are not done again, and the seed of hashes is
the prepared process's: what compares the bytes of two runs starts the program anew.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("mercwatch"))


class Commands:
    """Runs `mercwatch` with arguments; the prepared process starts at the first use and ends with `close`."""

    def __init__(self) -> None:
        self._prepared: subprocess.Popen[str] | None = None

    def run(
        self, arguments: Sequence[str], cwd: Path, variables: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """What the command said and its exit code; raises TimeoutExpired after so many seconds."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            command = [PROGRAM, *arguments]
            code = self._ask(json.dumps([command, str(cwd), dict(variables), str(out), str(err)]), timeout)
            return subprocess.CompletedProcess(command, code, out.read_text(), err.read_text())

    def _ask(self, line: str, timeout: float) -> int:
        if self._prepared is None:
            self._prepared = subprocess.Popen(
                [sys.executable, "-P", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        process = self._prepared
        assert process.stdin is not None and process.stdout is not None
        print(line, file=process.stdin, flush=True)
        if not select.select([process.stdout], [], [], timeout)[0]:
            self.close()
            raise subprocess.TimeoutExpired(PROGRAM, timeout)
        code = process.stdout.readline()
        if not code:
            self.close()
            raise RuntimeError("the prepared process ended: see its error on standard error")
        return int(code)

    def close(self) -> None:
        """End the prepared process, and a command that hangs in it."""
        if self._prepared is not None:
            os.killpg(self._prepared.pid, signal.SIGKILL)
            self._prepared.wait()
            self._prepared = None


def _asked() -> str:
    """Wait for commands, fork a process for each and tell its exit code; in the fork, what it is to run."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            return line
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    sys.exit()


def _become(line: str) -> None:
    """Take over the arguments, folder, environment and outputs that a command is to have."""
    sys.argv, folder, variables, out, err = json.loads(line)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    for number, path, mode in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        os.dup2(os.open(path, mode | os.O_CREAT), number)


if __name__ == "__main__":
    from click import Context

    from mercwatch.site.cli import main

    with Context(main) as context:
        for name in main.list_commands(context):
            main.get_command(context, name)  # loads what it needs
    gc.freeze()  # what is imported stays as it is: a fork need not copy it only to count and free it
    _become(_asked())
    main()
