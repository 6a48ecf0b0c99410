# SPDX-License-Identifier: Apache-2.0
"""The golden data: its collections in a live Milvus, and the backups that another tool wrote."""

import base64
import json
import subprocess
import sys
import tarfile
from pathlib import Path

from services.process import clean_environment

from .milvus import plain

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "milvus-backup"
COLLECTIONS = ("default.articles", "shop.empty", "shop.items")
BACKUPS = ("g_057", "g_0430")


def fill(server):
    """Make the golden collections; the server has to be empty."""
    done = subprocess.run([sys.executable, FOLDER / "make_golden.py", str(server.port)], text=True,
                          env=clean_environment({"PYTHONWARNINGS": "ignore"}), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def unpack(name, folder):
    """One of BACKUPS, as folder/name."""
    with tarfile.open(FOLDER / f"{name}.tar.xz") as archive:
        archive.extractall(folder)
    return Path(folder) / name


def expected_rows():
    """{"db.coll": {key: row}} of the golden backups."""
    keys = {"default.articles": "pk", "shop.items": "sku"}
    text = (FOLDER / "expected_rows.json").read_text(encoding="utf-8")
    content = {path: {row[keys[path]]: decoded(row) for row in rows}
               for path, rows in json.loads(text).items()}
    return {**content, "shop.empty": {}}


def decoded(row):
    """Bytes stand there in base64; here they are compared as plain() writes them."""
    row = dict(row)
    if "sig" in row:
        texts = row["sig"] if isinstance(row["sig"], list) else [row["sig"]]
        row["sig"] = [plain(base64.b64decode(text)) for text in texts]
    return row
