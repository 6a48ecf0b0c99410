# SPDX-License-Identifier: Apache-2.0
"""Blocks of free ports, below the range from which the kernel takes ports by itself."""

import random
import socket

LOWEST, HIGHEST, BLOCK = 11000, 29000, 16


class PortBlock:
    """Fifteen free neighbouring ports, given out by name.

    The first port of the block stays bound here as a claim, so that two test programs on one
    machine never choose the same block.
    """

    def __init__(self):
        self._claim, self._base = self._reserve()
        self._names = {}

    @staticmethod
    def _reserve():
        bases = list(range(LOWEST, HIGHEST, BLOCK))
        random.shuffle(bases)
        for base in bases:
            claim = _bind(base)
            if claim is None:
                continue
            probes = [_bind(port) for port in range(base + 1, base + BLOCK)]
            for probe in probes:
                if probe is not None:
                    probe.close()
            if None not in probes:
                return claim, base
            claim.close()
        raise OSError("no block of free ports on this machine")

    def __getitem__(self, name):
        if name not in self._names:
            if len(self._names) == BLOCK - 1:
                raise IndexError(f"no port left for {name}")
            self._names[name] = self._base + 1 + len(self._names)
        return self._names[name]

    def release(self):
        """Give the block back; the ports keep their names."""
        self._claim.close()


def _bind(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # All addresses: some servers listen on every interface.
        sock.bind(("", port))
    except OSError:
        sock.close()
        return None
    return sock
