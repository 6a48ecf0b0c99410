# SPDX-License-Identifier: Apache-2.0
"""A private certificate authority for one server, made with openssl."""

import subprocess
from pathlib import Path

SERVER_NAME = "localhost"


class Certificates:
    """ca, server and client certificates with their keys, as files in a folder."""

    def __init__(self, folder):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, self.ca_key = folder / "ca.pem", folder / "ca.key"
        self.server, self.server_key = folder / "server.pem", folder / "server.key"
        self.client, self.client_key = folder / "client.pem", folder / "client.key"
        if not self.client.exists():
            self._make(folder)

    def _make(self, folder):
        _openssl("req", "-x509", *_new_key(self.ca_key), "-out", self.ca, "-days", "30",
                 "-subj", "/CN=bakplane test CA")
        for name in ("server", "client"):
            pem, key = folder / f"{name}.pem", folder / f"{name}.key"
            extensions = folder / f"{name}.ext"
            extensions.write_text(f"subjectAltName=DNS:{SERVER_NAME},IP:127.0.0.1\n",
                                  encoding="ascii")
            request = folder / f"{name}.csr"
            _openssl("req", *_new_key(key), "-out", request, "-subj", f"/CN={SERVER_NAME}")
            _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key,
                     "-CAcreateserial", "-days", "30", "-extfile", extensions, "-out", pem)


def _new_key(path):
    return ["-newkey", "rsa:2048", "-nodes", "-keyout", path]


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
