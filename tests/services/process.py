# SPDX-License-Identifier: Apache-2.0
"""A server process that cannot outlive its owner, and its log."""

import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class ServerError(RuntimeError):
    """A server did not start, or ended by itself; the text ends in the tail of its log."""


class ServerProcess:
    """One child process: started with a clean environment, stopped by SIGINT, then SIGKILL."""

    def __init__(self, command, log, env=None, cwd=None, detached=False):
        """detached: keep running after this program (only for `dev services up`)."""
        self.log = log
        parent = os.getpid()

        def before_exec():
            # Also when the tests are killed with SIGKILL, nothing is left behind.
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with open(log, "ab") as output:
            # A session of its own: Ctrl-C at the terminal reaches the test, which then stops us.
            self._child = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, cwd=cwd, env=clean_environment(env),
                start_new_session=True, preexec_fn=None if detached else before_exec)

    @property
    def pid(self):
        return self._child.pid

    def is_running(self):
        return self._child.poll() is None

    def wait(self, timeout):
        """Its exit code, when it ends by itself."""
        return self._child.wait(timeout)

    def send(self, number):
        self._child.send_signal(number)

    def stop(self, grace=10):
        """Ask, wait, insist. Returns whether the process ended by itself."""
        self._child.send_signal(signal.SIGINT)
        try:
            self._child.wait(grace)
            return True
        except subprocess.TimeoutExpired:
            self.kill()
            return False

    def kill(self):
        """End it and whatever it started, at once."""
        if self.is_running():
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait()

    def tail(self, lines=20):
        """The last lines of the log."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])


def clean_environment(extra=None):
    """What a server needs, and nothing of the caller's proxies, certificates or debug switches."""
    keep = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")
    env = {name: os.environ[name] for name in keep if name in os.environ}
    env.update({name: str(value) for name, value in (extra or {}).items()})
    return env
