# SPDX-License-Identifier: Apache-2.0
"""Signatures of storage-s3 beside those of botocore, for keys and queries that nobody would choose."""

import os
import random
import subprocess
from pathlib import Path
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PROGRAM = Path(os.environ["BAKPLANE_BUILD_DIR"], "tests/unit/s3_sign")
STAMP, REGION, ACCESS, SECRET = "20261125T180000Z", "eu-central-1", "AKIDEXAMPLE", "se/cr+et=="
PAYLOADS = ("UNSIGNED-PAYLOAD", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
PIECES = [*"abcXYZ019-._~ !\"#$%&'()*+,:;<=>?@[\\]^`{|}/\x7f", "ä", "ß", "日本", "\U0001f600", "%2F",
          "%zz", "//", "=&"]
ROUNDS = 1000


def text(noise, least, most):
    return "".join(noise.choice(PIECES) for _ in range(noise.randint(least, most)))


def cases():
    noise = random.Random(4)
    for _ in range(ROUNDS):
        yield (noise.choice(("GET", "PUT", "HEAD", "POST", "DELETE")),
               noise.choice(("bucket.s3.example.org", "127.0.0.1:9000")),
               noise.choice(PAYLOADS), text(noise, 1, 60),
               [(text(noise, 1, 12), text(noise, 0, 20)) for _ in range(noise.randint(0, 5))])


def ours(case):
    method, host, payload, key, pairs = case
    hexed = [key, *(part for pair in pairs for part in pair)]
    return "\t".join([method, host, REGION, STAMP, ACCESS, SECRET, payload,
                      *(part.encode().hex() for part in hexed)])


def theirs(case):
    method, host, payload, key, pairs = case
    auth = S3SigV4Auth(Credentials(ACCESS, SECRET), "s3", REGION)
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
                     for name, value in pairs)
    url = f"http://{host}/{quote(key, safe='/-_.~')}"
    request = AWSRequest(method, f"{url}?{query}" if pairs else url)
    request.context["timestamp"] = STAMP
    request.headers["X-Amz-Date"] = STAMP
    request.headers["X-Amz-Content-SHA256"] = payload
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    return urlsplit(url).path, canonical.split("\n")[2], signature


def test_same_as_botocore():
    chosen = list(cases())
    done = subprocess.run([PROGRAM], input="".join(ours(case) + "\n" for case in chosen),
                          capture_output=True, encoding="utf-8", check=True)
    answers = [tuple(line.split("\t")) for line in done.stdout.splitlines()]
    assert len(answers) == len(chosen) == ROUNDS
    for case, answer in zip(chosen, answers):
        assert answer == theirs(case), case
