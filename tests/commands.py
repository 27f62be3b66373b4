"""The real command many times over, from a process that has read the command's code once.

Each command runs in a process of its own, a fork of the prepared one: own environment, folder, output and exit
code, and the interpreter runs to its end. Only the second and a half that the imports take is not spent again.
"""

from __future__ import annotations

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
            asked = [[PROGRAM, *arguments], str(cwd), dict(variables), str(out), str(err)]
            code = self._ask(json.dumps(asked), timeout)
            return subprocess.CompletedProcess(asked[0], code, out.read_text(), err.read_text())

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
        process.stdin.write(line + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], timeout)[0]:
            self.close()
            raise subprocess.TimeoutExpired(PROGRAM, timeout)
        return int(process.stdout.readline())

    def close(self) -> None:
        """End the prepared process, and a command that hangs in it."""
        if self._prepared is not None:
            os.killpg(self._prepared.pid, signal.SIGKILL)
            self._prepared.communicate()
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
    from mercwatch.site.cli import main

    _become(_asked())
    main()
