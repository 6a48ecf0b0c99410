# SPDX-License-Identifier: Apache-2.0
"""Answers of a real server held against its description, by a real client: curl."""

import copy
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from services import cache

sys.path.append(str(cache.openapi_packages()))

# The folder is not on the path before.
from jsonschema import Draft202012Validator, FormatChecker  # noqa: E402  pylint: disable=C0413
from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: E402  pylint: disable=C0413

FILE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "openapi.json"


def closed(schema):
    """The same schema, in which objects have no members but those it names: what a server answers
    is described, whole."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return schema


class Description:
    """docs/reference/openapi.json."""

    def __init__(self):
        self.document = json.loads(FILE.read_text(encoding="utf-8"))
        self._closed = closed(copy.deepcopy(self.document["components"]))
        self.seen = set()  # (method, path, status)

    def validate(self):
        OpenAPIV31SpecValidator(self.document).validate()

    def operations(self):
        return {(method.upper(), path) for path, methods in self.document["paths"].items()
                for method in methods}

    def protected(self):
        """{(method, path): role} of those that ask for a token."""
        return {(method.upper(), path): operation["security"][0]["token"][0]
                for path, methods in self.document["paths"].items()
                for method, operation in methods.items() if operation["security"]}

    def path_of(self, target):
        """The path of the description that a target belongs to, or None."""
        path = target.partition("?")[0]
        for known in self.document["paths"]:
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path):
                return known
        return None

    def _response(self, method, path, status):
        operation = self.document["paths"].get(path, {}).get(method.lower())
        if operation is None:  # 404 and 405 are not those of an operation
            return {"content": {"application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"}}}}
        responses = operation["responses"]
        response = responses.get(str(status)) or responses["default"]
        assert str(status) in responses or status >= 400, f"{method} {path}: {status}?"
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].split("/")[-1]]
        return response

    def check(self, method, target, answer):
        """The answer is one that the description has."""
        path = self.path_of(target)
        response = self._response(method, path, answer.status)
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in response["content"], f"{method} {target}: {answer.status} {kind}"
        for header in response.get("headers", {}):
            assert header.lower() in answer.headers, f"{method} {target}: no {header}"
        if "json" in kind:
            schema = {"components": self._closed, **response["content"][kind]["schema"]}
            Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer.json)
        self.seen.add((method, path, answer.status))


class Answer:
    """What curl got. headers: by their names in lower case."""

    def __init__(self, head, body):
        lines = head.decode().splitlines()
        self.status, self.body = int(lines[0].split()[1]), body
        pairs = (line.partition(":") for line in lines[1:] if ":" in line)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def expect(self, status, *texts):
        assert self.status == status, f"{status} was expected: {self.status} {self.text}"
        missing = [text for text in texts if text not in self.text]
        assert not missing, f"nothing is said of {missing}: {self.text}"
        return self


class Curl:
    """Asks a server, and holds each answer against the description."""

    def __init__(self, server, description, patience=120):
        """patience: seconds that an answer may take."""
        self.server, self.description, self.patience = server, description, patience

    def ask(self, method, target, body=None, token="", headers=()):
        """token: None = send none, "" = the server's own. body: text, or to be JSON."""
        words = ["curl", "--silent", "--show-error", "--include", "--max-time", str(self.patience),
                 "--globoff", "--path-as-is", "--request", method, self.server.url + target,
                 "--config", "-"]
        given = list(headers)
        if token is not None:
            given.append(f"Authorization: Bearer {token or self.server.token}")
        config = "".join(f'header = "{line}"\n' for line in given)
        with tempfile.NamedTemporaryFile() as file:
            if body is not None:
                text = body if isinstance(body, str) else json.dumps(body)
                file.write(text.encode())
                file.flush()
                words += ["--data-binary", f"@{file.name}"]
            done = subprocess.run(words, input=config.encode(), check=True, capture_output=True)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        if b" 100 " in head.partition(b"\r\n")[0]:
            head, _, rest = rest.partition(b"\r\n\r\n")
        answer = Answer(head, rest)
        self.description.check(method, target, answer)
        return answer

    def get(self, target, **kwargs):
        return self.ask("GET", target, **kwargs)

    def post(self, target, body=None, **kwargs):
        return self.ask("POST", target, body, **kwargs)

    def start(self, method, target, body=None, **kwargs):
        """A request that starts a job. Returns: where that is."""
        return self.ask(method, target, body, **kwargs).expect(202).headers["location"]

    def end_of(self, where):
        """The job once it is over."""
        job = self.get(f"{where}?wait=60").expect(200).json
        assert "ended" in job, job
        return job

    def do(self, method, target, body=None, state="succeeded"):
        job = self.end_of(self.start(method, target, body))
        assert job["state"] == state, job
        return job
