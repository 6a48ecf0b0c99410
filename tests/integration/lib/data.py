# SPDX-License-Identifier: Apache-2.0
"""Collections to back up: small ones for quick tests, and one of every kind that can go wrong.

All values follow from the numbers of the rows, so that a row tells where it came from.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, db, utility

from .milvus import using

DIM = 8
UNICODE = ["é", "ß", "漢字", "🙂", "\u202eright to left", "tab\tline\nquote\"slash\\", "Ω" * 20,
           " "]


def vector(number):
    return [float((number * 31 + i * 17) % 997) / 997 for i in range(DIM)]


def simple_rows(keys, version=0):
    return [{"id": key, "vec": vector(key + version), "text": f"row {key}.{version}"}
            for key in keys]


def simple(server, name="simple", count=50, database="default", index=True, load=False):
    """An integer key, a vector and a text; flushed."""
    fields = [FieldSchema("id", DataType.INT64, is_primary=True),
              FieldSchema("vec", DataType.FLOAT_VECTOR, dim=DIM),
              FieldSchema("text", DataType.VARCHAR, max_length=200)]
    one = Collection(name, CollectionSchema(fields), using=using(server, database), num_shards=1)
    if count:
        one.insert(simple_rows(range(count)))
        one.flush()
    if index:
        one.create_index("vec", {"index_type": "IVF_FLAT", "metric_type": "L2",
                                 "params": {"nlist": 4}}, index_name="vec_idx")
    if load:
        one.load()
    return one


def large(server, name="photos", count=20000, dim=64):
    """Enough rows to see the copying.

    Its index has to keep the vectors themselves: with one that does not (such as IVF_SQ8), Milvus
    2.3.5 on local storage removes its own log files of a vector field that a query answers.
    """
    fields = [FieldSchema("id", DataType.INT64, is_primary=True),
              FieldSchema("vec", DataType.FLOAT_VECTOR, dim=dim),
              FieldSchema("taken", DataType.DOUBLE)]
    one = Collection(name, CollectionSchema(fields, "a larger one"), using=using(server),
                     num_shards=2)
    values = numpy.random.default_rng(count).random((count, dim), dtype=numpy.float32)
    one.insert([list(range(count)), list(values), [i / 8 for i in range(count)]])
    one.delete(f"id in {list(range(0, count, 100))}")
    one.flush()
    one.create_index("vec", {"index_type": "IVF_FLAT", "metric_type": "L2",
                             "params": {"nlist": 128}}, index_name="vec_idx")
    one.load()


def many(server, count, rows=20):
    """The paths of `count` small collections, made several at a time: the client likes to wait."""
    using(server)
    names = [f"small_{number:03}" for number in range(count)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: simple(server, name, rows, index=name[-1] in "02468"), names))
    return [f"default.{name}" for name in names]


def make_database(server, name):
    if name not in db.list_database(using=using(server)):
        db.create_database(name, using=using(server))


def books(server):
    """Rows changed, deleted, and inserted again; partitions of which one holds nothing."""
    fields = [FieldSchema("id", DataType.INT64, is_primary=True, description="negative too"),
              FieldSchema("vec", DataType.FLOAT_VECTOR, dim=DIM),
              FieldSchema("text", DataType.VARCHAR, max_length=200)]
    one = Collection("books", CollectionSchema(fields, "rows that change"), using=using(server),
                     num_shards=2, consistency_level="Session")
    for partition in ("old", "new", "none"):
        one.create_partition(partition)
    one.insert(simple_rows(range(-50, 50)), partition_name="old")
    one.insert(simple_rows(range(100, 200)), partition_name="new")
    one.flush()
    one.upsert(simple_rows(range(0, 20), version=1), partition_name="old")
    one.delete(f"id in {list(range(100, 130))}", partition_name="new")
    one.flush()
    one.insert(simple_rows(range(110, 115), version=2), partition_name="new")
    one.insert(simple_rows(range(200, 210)), partition_name="new")
    one.delete(f"id in {list(range(200, 205))}", partition_name="new")
    one.insert(simple_rows(range(200, 203), version=3), partition_name="new")
    one.flush()
    one.create_index("vec", {"index_type": "IVF_FLAT", "metric_type": "L2",
                             "params": {"nlist": 16}}, index_name="by_distance")
    one.create_index("id", index_name="by_id")
    one.load()


def words(server):
    """Texts as keys, JSON and dynamic fields in all scripts; indexed, two aliases, not loaded."""
    fields = [FieldSchema("word", DataType.VARCHAR, max_length=300, is_primary=True),
              FieldSchema("vec", DataType.FLOAT_VECTOR, dim=DIM),
              FieldSchema("doc", DataType.JSON)]
    schema = CollectionSchema(fields, "Wörter, 言葉", enable_dynamic_field=True)
    one = Collection("words", schema, using=using(server), num_shards=1,
                     consistency_level="Eventually",
                     properties={"collection.ttl.seconds": 8640000})
    one.insert([{"word": f"{text}-{i}", "vec": vector(i), "doc": {text: [i, None, {"ü": text}]},
                 "more": text, f"only_{i % 3}": i} for i in range(10) for text in UNICODE])
    one.flush()
    one.create_index("vec", {"index_type": "HNSW", "metric_type": "IP",
                             "params": {"M": 8, "efConstruction": 64}}, index_name="vec")
    for alias in ("lexicon", "dictionary"):
        utility.create_alias("words", alias, using=using(server))


def empties(server):
    """Nothing in it, one way or the other: no rows, no index, no collection."""
    fields = [FieldSchema("id", DataType.INT64, is_primary=True, auto_id=True),
              FieldSchema("bits", DataType.BINARY_VECTOR, dim=16)]
    make_database(server, "other")
    one = Collection("void", CollectionSchema(fields), using=using(server, "other"),
                     consistency_level="Bounded")
    one.create_partition("p1")
    one.create_index("bits", {"index_type": "BIN_IVF_FLAT", "metric_type": "JACCARD",
                              "params": {"nlist": 8}}, index_name="bits")
    one.load()
    simple(server, "books", count=30, database="other", index=False)
    make_database(server, "hollow")


def zoo(server):
    """Everything of the above, beside whatever is there."""
    books(server)
    words(server)
    empties(server)
