# SPDX-License-Identifier: Apache-2.0
"""The life of a server: started on ports of its own, asked until it answers, stopped again."""

import shutil
import tempfile
import time
from pathlib import Path

from .ports import PortBlock
from .process import ServerError, ServerProcess


class Server:
    """What all servers share; a subclass says how it is launched and when it is ready.

    data: folder for everything the server writes; kept. Without it, a scratch folder that is
    removed at the end. A stopped server can be started again: same data, same address.
    """

    NAME = ""
    # Seconds between being asked to stop and being killed.
    STOP_GRACE = 10

    def __init__(self, data=None, detached=False):
        self._detached = detached
        self._scratch = None
        if data is None:
            data = self._scratch = tempfile.mkdtemp(prefix=f"bakplane-{self.NAME}-")
        self.data = Path(data).absolute()
        self._ports = PortBlock()
        self._process = None

    # -- what a subclass says

    def _command(self):
        """(command, environment) of the server; makes what they refer to."""
        raise NotImplementedError

    def _is_ready(self):
        """Whether it answers a request as it should."""
        raise NotImplementedError

    # -- what callers need to know

    @property
    def title(self):
        """How errors name it."""
        return self.NAME

    @property
    def log(self):
        return self.data / "logs" / f"{self.NAME}.log"

    @property
    def pid(self):
        return self._process.pid

    def is_running(self):
        return self._process is not None and self._process.is_running()

    # -- life

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, timeout=60):
        """Start and wait until it answers; ServerError with the log's tail otherwise."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command, env = self._command()
        self._process = ServerProcess(command, self.log, env=env, cwd=self.data,
                                      detached=self._detached)
        try:
            self._wait_ready(time.monotonic() + timeout)
        except BaseException:
            self.kill()
            raise

    def stop(self):
        """Stop, keeping data and ports."""
        if self._process is not None:
            self._process.stop(grace=self.STOP_GRACE)
            self._process = None

    def kill(self):
        """As a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def close(self):
        """Stop for good, and remove the scratch folder if there is one."""
        self.stop()
        self._ports.release()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _wait_ready(self, end):
        while True:
            ready = self._is_ready()
            # Looked at afterwards: what answers may be another program on the same port.
            if not self.is_running():
                raise ServerError(f"{self.title} ended:\n{self._process.tail()}")
            if ready:
                return
            if time.monotonic() > end:
                raise ServerError(f"{self.title} is not up in time:\n{self._process.tail()}")
            time.sleep(0.1)
