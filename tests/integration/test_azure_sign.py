# SPDX-License-Identifier: Apache-2.0
"""Signatures of the Azure storage beside those of Microsoft's own client."""

import base64
import datetime
import json
import os
import random
import subprocess
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote

CASES = 300
TOOL = Path(os.environ.get("BAKPLANE_BUILD_DIR", "build/debug")) / "tests/unit/azure_sign"
VERSION = "2021-12-02"
LETTERS = "abcXYZ019-._~ +%&=?/#'\"!*();:@,$[]{}|^`<>\u00fc\u4e2d\U0001f600"
STANDARD = ["Content-MD5", "Content-Type", "If-Match", "If-None-Match"]
OWN = ["x-ms-date", "x-ms-version", "x-ms-range", "x-ms-blob-type", "x-ms-blob-content-type",
       "x-ms-blob-content-md5", "x-ms-access-tier", "x-ms-copy-source",
       "x-ms-copy-source-authorization", "x-ms-source-range", "x-ms-source-if-match",
       "x-ms-requires-sync", "x-ms-copy-action"]
QUERY = ["restype", "comp", "prefix", "marker", "maxresults", "delimiter", "include", "blockid",
         "copyid", "blocklisttype"]


def text(rng, most=24):
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, most)))


def tool(requests):
    """One line of answer for each request."""
    run = subprocess.run([TOOL], input="".join(json.dumps(one) + "\n" for one in requests),
                         capture_output=True, encoding="utf-8", check=True)
    return run.stdout.splitlines()


def key(rng):
    return base64.b64encode(rng.randbytes(64)).decode()


def random_request(rng):
    headers = [[name, text(rng).strip() or "x"]
               for name in rng.sample(STANDARD, rng.randint(0, 4)) + rng.sample(OWN, rng.randint(2, 9))]
    return {
        "method": rng.choice(["GET", "PUT", "HEAD", "DELETE", "POST"]), "account": "acct",
        "key": key(rng), "headers": headers, "length": rng.choice([0, 0, rng.randint(1, 1 << 40)]),
        "path": "/" + quote(text(rng, 60), safe="/~"),
        "query": [[name, text(rng)] for name in rng.sample(QUERY, rng.randint(0, 5))],
    }


def microsofts(request):
    """What azure-storage-blob signs for it."""
    from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy
    headers = dict(request["headers"])
    if request["length"]:
        headers["Content-Length"] = str(request["length"])
    http = SimpleNamespace(method=request["method"], headers=headers,
                           url="https://acct.blob.core.windows.net" + request["path"],
                           query={name: quote(value, safe="") for name, value in request["query"]})
    context = SimpleNamespace(transport=None)
    SharedKeyCredentialPolicy("acct", request["key"]).on_request(
        SimpleNamespace(http_request=http, context=context))
    return headers["Authorization"].partition(":")[2]


def test_shared_key():
    rng = random.Random(4)
    requests = [random_request(rng) for _ in range(CASES)]
    for request, ours in zip(requests, tool(requests), strict=True):
        assert ours == microsofts(request), request


def test_sas(monkeypatch):
    """By the account's key; for user delegation this client signs lines of a later version."""
    import azure.storage.blob._shared_access_signature as blob
    from azure.storage.blob import generate_blob_sas
    from azure.storage.blob._shared import shared_access_signature as shared
    monkeypatch.setattr(blob, "X_MS_VERSION", VERSION)
    monkeypatch.setattr(shared, "X_MS_VERSION", VERSION)
    rng = random.Random(5)
    requests = [{"kind": "sas", "account": "acct", "container": "box", "blob": text(rng, 60),
                 "permissions": "r", "start": (start := rng.randint(1500000000, 2000000000)),
                 "expiry": start + 4500, "protocol": rng.choice(["https", "https,http"]),
                 "key": key(rng)} for _ in range(CASES)]
    for request, ours in zip(requests, tool(requests), strict=True):
        start, expiry = (datetime.datetime.fromtimestamp(request[name], datetime.timezone.utc)
                         for name in ("start", "expiry"))
        theirs = generate_blob_sas("acct", "box", request["blob"], permission="r", start=start,
                                   expiry=expiry, account_key=request["key"],
                                   protocol=request["protocol"])
        assert dict(parse_qsl(ours)) == dict(parse_qsl(theirs)), request
