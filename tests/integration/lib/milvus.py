# SPDX-License-Identifier: Apache-2.0
"""What a Milvus holds, as plain values that can be compared: every property and every row."""

import contextlib
import itertools

from pymilvus import Collection, DataType, connections, db, utility

_SERIAL = itertools.count()
_ALIASES = {}

VECTORS = {DataType.FLOAT_VECTOR: {"index_type": "FLAT", "metric_type": "L2", "params": {}},
           DataType.BINARY_VECTOR: {"index_type": "BIN_FLAT", "metric_type": "HAMMING",
                                    "params": {}}}


def using(server, database="default"):
    """The name of a connection to one database; made at its first use."""
    key = (server.address, database)
    if key not in _ALIASES:
        _ALIASES[key] = f"connection-{next(_SERIAL)}"
    alias = _ALIASES[key]
    if not connections.has_connection(alias):
        arguments = dict(server.client_arguments())
        if database != "default":
            arguments["db_name"] = database
        connections.connect(alias=alias, **arguments)
    return alias


def forget(server):
    """Close all connections to a server, because it was stopped."""
    for (address, _), alias in _ALIASES.items():
        if address == server.address and connections.has_connection(alias):
            connections.disconnect(alias)


def handler(server, database="default"):
    return connections._fetch_handler(using(server, database))


def databases(server):
    return sorted(db.list_database(using=using(server)))


def collections(server, database="default"):
    return sorted(utility.list_collections(using=using(server, database)))


def collection(server, path):
    """ "coll" or "db.coll". """
    database, _, name = path.rpartition(".")
    return Collection(name, using=using(server, database or "default"))


def has(server, path):
    database, _, name = path.rpartition(".")
    return utility.has_collection(name, using=using(server, database or "default"))


def drop(server, path):
    database, _, name = path.rpartition(".")
    connection = using(server, database or "default")
    for alias in handler(server, database or "default").describe_collection(name)["aliases"]:
        utility.drop_alias(alias, using=connection)
    utility.drop_collection(name, using=connection)


def wipe(server):
    """Drop everything."""
    for database in databases(server):
        for name in collections(server, database):
            drop(server, f"{database}.{name}")
        if database != "default":
            db.drop_database(database, using=using(server))
            connections.remove_connection(using(server, database))


def load_state(server, database, name, partitions=None):
    state = utility.load_state(name, partition_names=partitions, using=using(server, database))
    return str(state).rpartition(".")[2]


def describe(server, path):
    """Everything but the rows: schema, partitions, indexes, aliases, properties, load state."""
    database, _, name = path.rpartition(".")
    database = database or "default"
    connection = handler(server, database)
    facts = dict(connection.describe_collection(name))
    for volatile in ("collection_id", "collection_name"):
        facts.pop(volatile)
    facts["aliases"] = sorted(facts["aliases"])
    facts["partitions"] = {one: load_state(server, database, name, [one])
                           for one in sorted(connection.list_partitions(name))}
    facts["load_state"] = load_state(server, database, name)
    facts["indexes"] = {
        index.index_name: (index.field_name, {pair.key: pair.value for pair in index.params})
        for index in connection.list_indexes(name)}
    return facts


def plain(value):
    """Numbers, text and bytes as Python has them, whatever the client made of them."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


@contextlib.contextmanager
def readable(server, path):
    """Rows can be read: loaded meanwhile, with an index where there is none."""
    database, _, name = path.rpartition(".")
    one = collection(server, path)
    if load_state(server, database or "default", name) == "Loaded":
        yield one
        return
    field = next(field for field in one.schema.fields if field.dtype in VECTORS)
    indexed = any(index.field_name == field.name for index in one.indexes)
    if not indexed:
        one.create_index(field.name, VECTORS[field.dtype], index_name="for_reading")
    one.load()
    try:
        yield one
    finally:
        one.release()
        if not indexed:
            one.drop_index(index_name="for_reading")


def rows(server, path, partitions=None):
    """Every live row by its key; a key that is there twice is an error."""
    with readable(server, path) as one:
        key = one.primary_field
        is_text = key.dtype == DataType.VARCHAR
        everything_there = f'{key.name} != ""' if is_text else f"{key.name} >= -{1 << 62}"
        # For Milvus 2.2, "*" means no vectors.
        fields = ["*", *(field.name for field in one.schema.fields if field.dtype in VECTORS)]
        found = one.query(everything_there, output_fields=fields, partition_names=partitions,
                          consistency_level="Strong")
    by_key = {row[key.name]: plain(row) for row in found}
    assert len(by_key) == len(found), f"{path}: {len(found) - len(by_key)} keys are there twice"
    return by_key


def partition_rows(server, path):
    """Keys by partition; {} where the server itself spreads the rows by a partition key."""
    one = collection(server, path)
    if any(field.is_partition_key for field in one.schema.fields):
        return {}
    with readable(server, path):
        return {partition: sorted(rows(server, path, [partition]))
                for partition, state in describe(server, path)["partitions"].items()
                if state == "Loaded"}


def everything(server):
    """(facts, rows): of all collections, by "db.coll"; of databases without any, by "db." """
    facts, content = {}, {}
    for database in databases(server):
        names = collections(server, database)
        if not names:
            facts[f"{database}."] = {}
        for name in names:
            path = f"{database}.{name}"
            facts[path] = describe(server, path)
        for name in names:
            path = f"{database}.{name}"
            content[path] = rows(server, path)
    return facts, content


def differences(expected, found, where="", limit=20):
    """One line per difference between nested dictionaries; [] = equal."""
    if isinstance(expected, dict) and isinstance(found, dict):
        lines = []
        for key in [*expected, *(key for key in found if key not in expected)]:
            place = f"{where}/{key}" if where else str(key)
            if key not in found:
                lines.append(f"{place}: missing")
            elif key not in expected:
                lines.append(f"{place}: unexpected: {found[key]!r:.200}")
            else:
                lines += differences(expected[key], found[key], place, limit)
            if len(lines) > limit:
                return [*lines[:limit], "…"]
        return lines
    return [] if expected == found else [f"{where}: {found!r:.200} instead of {expected!r:.200}"]


def assert_same(expected, found):
    lines = differences(expected, found)
    assert not lines, "\n".join(lines)

