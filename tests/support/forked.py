"""Commands of Python programs, each run in a fork of a process that has imported them already.

For programs that take longer to import than to run, ours and those of others. A command is a
process all the same, with arguments, environment, folder and standard streams of its own. In the
place of each program stands a small one that has it forked, hands signals on, and ends as it does:
by itself, or by a signal. Where that one is killed, so is the fork. A command may execute
statements before it begins: those in the variable PREPARE.
"""

from __future__ import annotations

import gc
import marshal
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

PREPARE = "FORKED_PREPARE"
STAND_IN = """#!{python} -IS
import marshal, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
order = marshal.dumps((os.path.basename(sys.argv[0]), sys.argv, dict(os.environ), os.getcwd()))
socket.send_fds(server, [len(order).to_bytes(4, "big")], [0, 1, 2])
answers = server.makefile("r")
held = signal.pthread_sigmask(signal.SIG_BLOCK, (1, 2, 15))
server.sendall(order)
pid = int(answers.readline())
for number in (1, 2, 15):
    signal.signal(number, lambda number, _: os.kill(pid, number))
signal.pthread_sigmask(signal.SIG_SETMASK, held)
code = int(answers.readline())
if code < 0:
    signal.signal(-code, signal.SIG_DFL) if code != -9 else None
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@contextmanager
def forked(
    programs: Collection[str], prepare: str = "", python: Path | str = sys.executable
) -> Iterator[Path]:
    """Yield a folder with stand-ins; in the end, kill whatever still runs.

    Args:
        programs: Names of programs that are installed.
        prepare: Statements after which every command finds done what it would do itself.
        python: The interpreter of the environment that they are in.
    """
    with TemporaryDirectory() as home:  # whose path is short, as a socket's has to be
        yield from _serving(Path(home), programs, prepare, python)


def _serving(
    home: Path, programs: Collection[str], prepare: str, python: Path | str
) -> Iterator[Path]:
    address = home / "socket"
    for name in programs:
        script = home / name
        script.write_text(STAND_IN.format(python=sys.executable, address=str(address)))
        script.chmod(0o755)
    # -P: what lies beside this file is no module of theirs.
    with subprocess.Popen(
        [python, "-P", __file__, str(address), prepare, *programs],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline(), "it does not listen"
        # That nothing can be read from standard input any more ends it.
        yield home


class Server:
    """Forks what is ordered, and tells how it ended."""

    def __init__(self, address: str) -> None:
        self._mains: Mapping[str, Callable[[], Any]] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address)
        self._listener.listen(64)
        self._ended, woken = socket.socketpair()
        for end in (self._ended, woken):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        self._woken = woken
        self._clients: dict[int, socket.socket] = {}

    def serve(self, mains: Mapping[str, Callable[[], Any]]) -> None:
        """Take orders for these programs until standard input is closed."""
        self._mains = mains
        while True:
            waiting = {client: pid for pid, client in self._clients.items()}
            readable, _, _ = select.select([0, self._listener, self._ended, *waiting], [], [])
            for ready in readable:
                if ready == 0:
                    return
                if ready is self._listener:
                    self._start(self._listener.accept()[0])
                elif ready is self._ended:
                    self._ended.recv(64)
                else:
                    # Who ordered it was killed; but it may have ended by itself meanwhile.
                    self._kill(waiting[ready])
            self._reap()

    def end(self) -> None:
        """Kill what still runs."""
        for pid in list(self._clients):
            self._kill(pid)
        while self._clients:
            self._reap(0)

    def _start(self, client: socket.socket) -> None:
        size, streams, _, _ = socket.recv_fds(client, 4, 3)
        if not size:  # who wanted to order was killed
            client.close()
            return
        with client.makefile("rb") as orders:
            program, *order = marshal.loads(orders.read(int.from_bytes(size, "big")))
        pid = os.fork()
        if not pid:
            self._become(streams, *order)
            client.close()
            sys.exit(self._mains[program]())
        for stream in streams:
            os.close(stream)
        self._clients[pid] = client
        client.sendall(f"{pid}\n".encode())

    def _become(
        self, streams: list[int], arguments: list[str], environment: dict[str, str], folder: str
    ) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for ours in (self._listener, self._ended, self._woken, *self._clients.values()):
            ours.close()
        for descriptor, stream in enumerate(streams):
            os.dup2(stream, descriptor)
            os.close(stream)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.argv[:] = arguments
        exec(os.environ.pop(PREPARE, ""), {})

    def _kill(self, pid: int) -> None:
        if pid in self._clients:
            os.kill(pid, signal.SIGKILL)

    def _reap(self, options: int = os.WNOHANG) -> None:
        while self._clients:
            pid, status = os.waitpid(-1, options)
            if not pid:
                return
            # Who ordered it may be gone.
            with self._clients.pop(pid) as client, suppress(OSError):
                client.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _imported(name: str) -> Callable[[], Any]:
    """Import a program; one that cannot be imported fails whenever it is run."""
    (program,) = entry_points(group="console_scripts", name=name)
    try:
        main: Callable[[], Any] = program.load()
    except ImportError as error:
        failure = error

        def main() -> NoReturn:
            raise failure

    return main


def _main(address: str, prepare: str, *programs: str) -> NoReturn:
    server = Server(address)
    # Orders wait until everything is imported; whoever started this need not.
    os.write(1, b"ready\n")
    os.dup2(2, 1)
    mains = {name: _imported(name) for name in programs}
    exec(prepare, {})
    gc.freeze()
    server.serve(mains)
    server.end()
    sys.exit()


if __name__ == "__main__":
    _main(*sys.argv[1:])
