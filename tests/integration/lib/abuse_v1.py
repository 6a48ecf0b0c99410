# SPDX-License-Identifier: Apache-2.0
"""Requests of milvus-backup's service that no honest client sends, as JSON or to become protobuf.

Members that nobody knows are ignored there, so a heap of nonsense could be a good request. Each of
these has a reason of its own to be refused, and but for that it would start something. They are for
a server that saves files, has no backups, and knows no address where something could be paused.
"""

import itertools
import json

TEXT, BOOL, NUMBER, LIST, MAP, OBJECT = "text", "bool", "number", "list", "map", "object"
CREATE = {
    "requestId": TEXT, "backup_name": TEXT, "collection_names": LIST, "async": BOOL, "force": BOOL,
    "meta_only": BOOL, "gc_pause_enable": BOOL, "gc_pause_seconds": NUMBER,
    "gc_pause_address": TEXT, "rbac": BOOL, "backup_root_path": TEXT, "filter": MAP,
    "strategy": TEXT, "with_index_extra": BOOL, "format": TEXT}
RESTORE = {
    "requestId": TEXT, "backup_name": TEXT, "collection_names": LIST, "collection_suffix": TEXT,
    "collection_renames": MAP, "async": BOOL, "bucket_name": TEXT, "path": TEXT, "metaOnly": BOOL,
    "restoreIndex": BOOL, "useAutoIndex": BOOL, "dropExistCollection": BOOL,
    "dropExistIndex": BOOL, "skipCreateCollection": BOOL, "id": TEXT, "rbac": BOOL,
    "skipImportDiskQuotaCheck": BOOL, "maxShardNum": NUMBER, "skipParams": OBJECT,
    "useV2Restore": BOOL, "truncateBinlogByTs": BOOL, "restorePlan": OBJECT, "ezkMapping": MAP}
# Of the wrong type in any case. A null would be as if nothing was said.
WRONG = {
    TEXT: [1, True, [], {}, 0.5, ["a"]],
    BOOL: [1, 0, "true", "", [], {}, 0.5],
    NUMBER: ["1", True, 0.5, 2**31, -2**31 - 1, 10**18, -10**18, [], {}],
    LIST: ["a", True, {}, [1], [None], [["a"]], ["a", {}]],
    MAP: ["a", [], 1, {"a": 1}, {"a": None}, {"a": []}],
    OBJECT: ["a", [], 1, True, [{}]]}
# What can be the name of no collection and no database.
NO_NAMES = ["", "a,b", "a b", "a:b", "a.b.c", ".a", "a*", "a\tb"]
# Any JSON that does not say which databases, and not that it is all of them either.
NO_DATABASES = [
    1, 0.5, -1, True, "no json", "[1]", '{"a":1}', '{"a":["b"]', [1, 2], {"a": 1}, {"a": "b"},
    {"a": {"b": []}}, {"a": [1]}, {"a": [None]}, {"b": [], "a b": []},
    *({name: ["b"]} for name in NO_NAMES), *({"a": ["b", name]} for name in NO_NAMES)]
# Reasons that have to be among the answers: so far the requests got, in each of the layers.
REASONS = [reason.encode() for reason in (
    "is not valid JSON", "is not a JSON object", "it has to be a text",
    "it has to be true or false", "it has to be a whole number in its range",
    'it has to be a list"', 'it has to be an object"',
    "should not contain whitespace", "should start with an underscore or letter",
    "length should not exceed 128", "backup name should only contain",
    "users, roles and grants are not backed up", "index details are not read",
    "strategy: there is no", "bulk_flush needs a call", "format: there is no", "snapshot format",
    "no storage of the configuration has", "no management address is configured",
    "gc_pause_address: it is not the one", "is no name", "is no valid term",
    "must be a name with a list of names", "it has to be an object of lists",
    "it has to be a list of names", "empty backup name", "users, roles and grants are not restored",
    "come back with all their parameters", "imports take all rows", "keys of encryption",
    "exclude each other", "collection_suffix should only contain", "is no rule",
    "cannot become two", "source and target have to be named", "shards and descriptions",
    "maxShardNum: it is less than 0", "id: it has to be of at most", "there is no backup",
    "a standby cluster cannot be seeded", "please set a backup name or id", '"not found"',
    "empty restore id", "restore id not exist in context")]


class AbuseV1:
    """chance: a random.Random of the caller's. Reasons come in turn, so that none is left out."""

    def __init__(self, chance):
        self.random = chance
        self._creates = itertools.cycle(self._wrong_creates())
        self._restores = itertools.cycle(self._wrong_restores())

    # -- pieces

    def word(self, least=1, most=60):
        return "".join(chr(self.random.randint(33, 126))
                       for _ in range(self.random.randint(least, most)))

    def number(self):
        return self.random.choice([-1, 2**31 - 1, -2**31, self.random.randint(-1000, 10**9)])

    def no_name(self):
        return self.random.choice(NO_NAMES)

    def names(self):
        """A list with one that is none."""
        names = ["books", "films"][:self.random.randint(0, 2)]
        names.insert(self.random.randint(0, len(names)), self.no_name())
        return names

    def no_backup_name(self):
        first = self.random.choice("./-1 \t\"'\\%\u00e9\u2028\U0001f600")
        return self.random.choice([
            lambda: first + self.word(0, 100), lambda: "a" + first.strip("1") + "-" + self.word(),
            lambda: "x" * self.random.randint(129, 5000), lambda: "../" * 9 + "etc"])()

    def nested_databases(self):
        value = []
        for _ in range(self.random.randint(1, 30)):
            value = [value]
        return {"a": value}

    # -- what is right but for one thing

    def _wrong_creates(self):
        return [
            lambda: {"backup_name": self.no_backup_name()}, lambda: {"backup_name": "a b"},
            lambda: {"backup_name": "1" + self.word()}, lambda: {"backup_name": "a" * 129},
            lambda: {"backup_name": "a-b"}, lambda: {"rbac": True},
            lambda: {"with_index_extra": True}, lambda: {"strategy": "bulk_flush"},
            lambda: {"strategy": "no " + self.word()}, lambda: {"format": "Snapshot"},
            lambda: {"format": "no " + self.word()},
            lambda: {"backup_root_path": self.random.choice(["/", "/etc", "..", "s3://evil/b"])},
            lambda: {"backup_root_path": "no/" + self.word()}, lambda: {"gc_pause_enable": True},
            lambda: {"gc_pause_address": "http://169.254.169.254/latest"},
            lambda: {"gc_pause_address": "x" + self.word()},
            lambda: {"collection_names": self.names()},
            lambda: {"filter": {"db": {"colls": self.names()}}},
            lambda: {"filter": {"db": {"colls": ["c"]}, self.no_name(): {"colls": []}}},
            lambda: {"db_collections": self.nested_databases(), "collection_names": ["books"]},
            *(lambda name=name: {"filter": {name: {"colls": ["c"]}}} for name in NO_NAMES),
            *(lambda value=value: {"db_collections": value} for value in NO_DATABASES)]

    def _wrong_restores(self):
        one = {"source": "a", "target": "b"}
        coll = {"source": "c", "target": "d"}
        return [
            lambda: {"backup_name": ""}, lambda: {"backup_name": self.no_backup_name()},
            lambda: {"rbac": True}, lambda: {"skipParams": {"indexParams": [self.word()]}},
            lambda: {"truncateBinlogByTs": True}, lambda: {"ezkMapping": {"a": self.word()}},
            lambda: {"collection_suffix": "_x", "collection_renames": {"a": "b"}},
            lambda: {"dropExistCollection": True, "skipCreateCollection": True},
            lambda: {"restorePlan": {"mapping": [one]}, "collection_suffix": "_x"},
            lambda: {"bucket_name": "evil" + self.word()}, lambda: {"path": "/etc"},
            lambda: {"bucket_name": "no", "path": "../" + self.word()},
            lambda: {"db_collections": self.nested_databases()},
            lambda: {"db_collections_after_rename": self.nested_databases()},
            lambda: {"db_collections": self.random.choice(NO_DATABASES)},
            lambda: {"db_collections_after_rename": self.random.choice(NO_DATABASES)},
            lambda: {"collection_names": self.names()},
            lambda: {"collection_suffix": "-" + self.word()},
            lambda: {"collection_renames": {self.no_name(): "b"}},
            lambda: {"collection_renames": {"a": "b,c"}}, lambda: {"collection_renames": {"a": ""}},
            lambda: {"restorePlan": {"mapping": [{"source": "a"}]}},
            lambda: {"restorePlan": {"mapping": [one, {"source": "a", "target": "c"}]}},
            lambda: {"restorePlan": {"mapping": [
                {**one, "colls": [{**coll, "override": {"shardNum": self.number()}}]}]}},
            lambda: {"restorePlan": {"mapping": [{**one, "source": "a,b"}]}},
            lambda: {"restorePlan": {"filter": {"a": {"colls": self.names()}}}},
            lambda: {"maxShardNum": self.random.randint(-2**31, -1)},
            lambda: {"id": self.random.choice(["a b", "\u00e9" * 9, "x" * 300])},
            lambda: {"restoreIndex": True, "useAutoIndex": True, "metaOnly": True,
                     "maxShardNum": 2**31 - 1, "id": "x"}]

    def create(self):
        message = {"backup_name": "fine", "async": True}
        for name, value in (("requestId", self.word()), ("force", True), ("meta_only", True),
                            ("gc_pause_seconds", self.number())):
            if self.random.randint(0, 3) == 0:
                message[name] = value
        return {**message, **next(self._creates)()}

    def restore(self):
        return {"backup_name": "none", "async": True, **next(self._restores)()}

    def get(self):
        return self.random.choice([
            lambda: {}, lambda: {"backup_name": self.word()}, lambda: {"backup_id": self.word()},
            lambda: {"backup_name": self.no_backup_name(), "without_detail": True},
            lambda: {"backup_name": "b", "bucket_name": "evil", "path": self.word()}])()

    def get_restore(self):
        return self.random.choice([{}, {"id": self.word()}, {"id": "x" * 5000}])

    def delete(self):
        return self.random.choice([{}, {"backup_name": self.word()},
                                   {"backup_name": self.no_backup_name()}])

    # -- bodies of REST

    def _wrong_type(self, message, fields):
        """Of one member, however its name is written."""
        name = self.random.choice(list(fields))
        written = self.random.choice([name, name.upper(), name.swapcase()])
        return {**message, written: self.random.choice(WRONG[fields[name]])}

    def _no_json(self, message):
        whole = json.dumps(message).encode()
        return self.random.choice([
            lambda: whole[:self.random.randint(0, len(whole) - 1)], lambda: whole + b" {}",
            lambda: whole[:-1] + b",}", lambda: json.dumps(message).encode("utf-16"),
            lambda: whole[:-1] + b',"async":true,"async":true}', lambda: whole[:-1] + b',"a":NaN}',
            lambda: whole[:-1] + b',"a":1e999}', lambda: whole[:-1] + b',"a":' + b"9" * 5000 + b"}",
            lambda: whole[:-1] + b',"a":"\xff\xfe"}', lambda: whole[:-1] + b',"a":"\\ud800"}',
            lambda: whole[:-1] + b',"a\\u0000":1}', lambda: b"[" + whole + b"]",
            lambda: whole[:-1] + b',"a":' + b"[" * self.random.randint(2100, 20000) + b"}",
            lambda: b'{"filter":' * self.random.randint(1, 5000), lambda: b"[1,2]", lambda: b"null",
            lambda: json.dumps(json.dumps(message)).encode(), lambda: b""])()

    def body(self, operation):
        """operation: create, restore, restore_secondary."""
        good = {"backup_name": "fine", "async": True}
        kind = self.random.randint(0, 3)
        if kind == 0:
            return self._no_json(good)
        if kind == 1:
            fields = CREATE if operation == "create" else RESTORE
            return json.dumps(self._wrong_type(good, fields)).encode()
        message = self.create() if operation == "create" else self.restore()
        if self.random.randint(0, 3) == 0:
            message["no such member"] = {"async": False, "backup_name": self.word()}
        return json.dumps(message, ensure_ascii=self.random.randint(0, 1) == 0).encode()
