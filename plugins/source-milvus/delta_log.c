/* SPDX-License-Identifier: Apache-2.0
 *
 * A binlog is a magic number and events.  Each event begins with time, type, length and the
 * position of the next one; the payload of a delete event is a whole Parquet file, which ends
 * where the event ends.
 */
#include "delta_log.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "parquet.h"
#include "sdk/lib/errors.h"
#include <bakplane/storage.h>

#include "sdk/lib/ban.h"

#define MAGIC_BYTES 4
#define HEADER_BYTES 17
#define TYPE_AT 8
#define NEXT_AT 13
#define TYPE_DESCRIPTOR 0
#define MAX_EVENTS 4096
#define FOOTER_MAX ((uint32_t)16 * 1024 * 1024)
/* Most delta logs fit into one read. */
#define WINDOW_BYTES ((size_t)64 * 1024)

struct window {
    const struct bp_host *host;
    const struct bp_op *op;
    const char *ref, *key;
    uint64_t size; /* of the object */
    uint64_t start;
    size_t n; /* bytes held */
    GByteArray *bytes;
};

/* Bytes [at, at + n) of the object; reads from `from` on when they are not held. */
static bp_status
bytes_at(struct window *w, uint64_t from, uint64_t at, size_t n, const uint8_t **out,
         struct bp_error *error)
{
    if (at + n > w->size) {
        return bp_fail(error, BP_ERR_CORRUPT, "delta log %s: ends at %" PRIu64 " bytes", w->key,
                       w->size);
    }
    if (w->n == 0 || at < w->start || at + n > w->start + w->n) {
        size_t wanted = MAX(WINDOW_BYTES, (size_t)(at - from) + n);
        g_byte_array_set_size(w->bytes, (guint)wanted);
        size_t got = 0;
        w->n = 0;
        const struct bp_read_args args = {
            .struct_size = sizeof args, .key = w->key, .offset = from, .length = wanted};
        bp_status status =
            w->host->storage_read_small(w->op, w->ref, &args, w->bytes->data, &got, error);
        if (status != BP_OK) {
            return status;
        }
        w->start = from;
        w->n = got;
        if (at + n > from + got) {
            return bp_fail(error, BP_ERR_CORRUPT,
                           "delta log %s: ends at %" PRIu64 " of %" PRIu64 " bytes", w->key,
                           from + got, w->size);
        }
    }
    *out = w->bytes->data + (at - w->start);
    return BP_OK;
}

/* Rows of the Parquet file that lies in [begin, end). */
static bp_status
rows_of_parquet(struct window *w, uint64_t begin, uint64_t end, int64_t *rows,
                struct bp_error *error)
{
    const uint8_t *bytes = NULL;
    uint32_t n = 0;
    if (end < begin + MILVUS_PARQUET_TAIL) {
        return bp_fail(error, BP_ERR_CORRUPT, "delta log %s: no room for a footer", w->key);
    }
    uint64_t from = end - begin > WINDOW_BYTES ? end - WINDOW_BYTES : begin;
    bp_status status =
        bytes_at(w, from, end - MILVUS_PARQUET_TAIL, MILVUS_PARQUET_TAIL, &bytes, error);
    if (status != BP_OK) {
        return status;
    }
    if (!milvus_parquet_tail(bytes, &n) || n > FOOTER_MAX ||
        n > end - begin - MILVUS_PARQUET_TAIL) {
        return bp_fail(error, BP_ERR_CORRUPT,
                       "delta log %s: no Parquet footer before byte %" PRIu64, w->key, end);
    }
    uint64_t at = end - MILVUS_PARQUET_TAIL - n;
    status = bytes_at(w, at, at, n, &bytes, error);
    if (status == BP_OK && !milvus_parquet_rows(bytes, n, rows)) {
        status =
            bp_fail(error, BP_ERR_CORRUPT, "delta log %s: Parquet footer is not readable", w->key);
    }
    return status;
}

static uint32_t
le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static bp_status
rows_of_events(struct window *w, int64_t *rows, struct bp_error *error)
{
    *rows = 0;
    uint64_t at = MAGIC_BYTES;
    for (unsigned i = 0; i < MAX_EVENTS && at < w->size; i++) {
        const uint8_t *header = NULL;
        bp_status status = bytes_at(w, at, at, HEADER_BYTES, &header, error);
        if (status != BP_OK || header == NULL) {
            return status;
        }
        uint8_t type = header[TYPE_AT];
        uint64_t next = le32(header + NEXT_AT);
        if (next < at + HEADER_BYTES || next > w->size) {
            return bp_fail(error, BP_ERR_CORRUPT,
                           "delta log %s: event at %" PRIu64 " ends at %" PRIu64 " of %" PRIu64
                           " bytes",
                           w->key, at, next, w->size);
        }
        int64_t found = 0;
        if (type != TYPE_DESCRIPTOR) {
            status = rows_of_parquet(w, at + HEADER_BYTES, next, &found, error);
        }
        if (status != BP_OK) {
            return status;
        }
        if (__builtin_add_overflow(*rows, found, rows)) {
            return bp_fail(error, BP_ERR_CORRUPT, "delta log %s: impossible number of rows",
                           w->key);
        }
        at = next;
    }
    if (at != w->size) {
        return bp_fail(error, BP_ERR_CORRUPT, "delta log %s: more than %d events", w->key,
                       MAX_EVENTS);
    }
    return BP_OK;
}

bp_status
milvus_delta_log_rows(const struct bp_host *host, const struct bp_op *op,
                      const struct milvus_object *log, int64_t *rows, struct bp_error *error)
{
    static const uint8_t magic[MAGIC_BYTES] = {0xbc, 0xfa, 0xff, 0x00};
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct window w = {.host = host,
                       .op = op,
                       .ref = log->ref,
                       .key = log->key,
                       .size = log->size > 0 ? (uint64_t)log->size : 0,
                       .bytes = bytes};
    const uint8_t *head = NULL;
    bp_status status = bytes_at(&w, 0, 0, MAGIC_BYTES, &head, error);
    if (status != BP_OK || head == NULL) {
        return status;
    }
    if (memcmp(head, magic, MAGIC_BYTES) == 0) {
        return rows_of_events(&w, rows, error);
    }
    if (memcmp(head, "PAR1", MAGIC_BYTES) == 0) {
        return rows_of_parquet(&w, MAGIC_BYTES, w.size, rows, error);
    }
    return bp_fail(error, BP_ERR_CORRUPT,
                   "delta log %s: begins with %02x %02x %02x %02x, which is neither a binlog nor "
                   "Parquet",
                   log->key, head[0], head[1], head[2], head[3]);
}
