/* SPDX-License-Identifier: Apache-2.0
 *
 * Capturing: a unit's index is made when it begins, its items are named from that, page by page,
 * and each file is compared with what the index says of it whenever some of it is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define PAGE_ITEMS 1000
#define PAGE_BYTES (128 * 1024)
#define INDEX_ITEM "index"

/* What a run knows of one tree.  Written while the unit begins, read by any thread afterwards. */
struct unit {
    struct spool spool;
    int root;
    bool begun;
    uint64_t entries, files, bytes; /* stay when the spool is gone */
};

struct bp_run {
    const struct bp_source *source;
    uint32_t flags;
    struct unit *units; /* one for each tree */
};

struct bp_item_reader {
    struct unit *unit;
    int fd; /* a file of the tree; -1 = the index */
    char tag[TAG_CAP];
    char path[PATH_CAP];
    uint64_t offset, size;
};

bp_status
run_begin(struct bp_source *source, const struct bp_op *op, const struct bp_run_args *args,
          struct bp_run_info *info, struct bp_run **out, struct bp_error *error)
{
    (void)op;
    bp_status status = bp_check_flags(args->flags, BP_RUN_DRY | BP_RUN_WITHOUT_ITEMS, error);
    if (status != BP_OK) {
        return status;
    }
    struct bp_run *run = calloc(1, sizeof(*run));
    struct unit *units = calloc(source->n_trees, sizeof(*units));
    if (run == NULL || units == NULL) {
        free(run);
        free(units);
        return bp_fail(error, BP_ERR_NOMEM, "no memory for a run");
    }
    *run = (struct bp_run){.source = source, .flags = args->flags, .units = units};
    for (size_t i = 0; i < source->n_trees; i++) {
        units[i].spool.fd = units[i].root = -1;
    }
    info->keepalive_ms =
        0; /* nothing is pinned: whoever writes into the tree meanwhile is noticed */
    *out = run;
    return BP_OK;
}

static void
unit_clear(struct unit *unit)
{
    spool_clear(&unit->spool);
    if (unit->root >= 0) {
        (void)close(unit->root); /* opened for reading */
    }
    unit->root = -1;
}

bp_status
run_end(struct bp_run *run, const struct bp_op *op, int32_t outcome, struct bp_error *error)
{
    (void)op;
    (void)outcome;
    (void)error;
    for (size_t i = 0; i < run->source->n_trees; i++) {
        unit_clear(&run->units[i]);
    }
    free(run->units);
    free(run);
    return BP_OK;
}

static struct unit *
find_unit(const struct bp_run *run, const char *unit_id, struct bp_error *error)
{
    const struct tree *tree = source_tree(run->source, unit_id);
    if (tree == NULL) {
        (void)bp_fail(error, BP_ERR_NOT_FOUND, "there is no tree %s", unit_id);
        return NULL;
    }
    return &run->units[tree - run->source->trees];
}

bp_status
unit_begin(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
           struct bp_error *error)
{
    bp_status status = bp_check_flags(args->flags, 0, error);
    struct unit *unit = status == BP_OK ? find_unit(run, args->unit_id, error) : NULL;
    if (unit == NULL) {
        return error->cls;
    }
    const struct tree *tree = source_tree(run->source, args->unit_id);
    unit_clear(unit);
    unit->root = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (unit->root < 0) {
        return bp_fail_errno(error, errno, "tree %s: %s", tree->name, tree->path);
    }
    unit->begun = true;
    if ((run->flags & BP_RUN_WITHOUT_ITEMS) != 0) {
        return BP_OK;
    }
    status = walk_tree(run->source, op, tree, &unit->spool, error);
    unit->entries = unit->spool.entries;
    unit->files = unit->spool.files;
    unit->bytes = unit->spool.bytes;
    return status;
}

static struct unit *
indexed_unit(const struct bp_run *run, const char *unit_id, struct bp_error *error)
{
    struct unit *unit = find_unit(run, unit_id, error);
    if (unit != NULL && unit->spool.fd < 0) {
        (void)bp_fail(error, BP_ERR_INVALID, "tree %s was not begun", unit_id);
        return NULL;
    }
    return unit;
}

static bp_status
name_file(const struct entry *entry, const char *tree, uint64_t at, const struct bp_item_sink *sink,
          struct bp_error *error)
{
    char id[32], key[BP_KEY_MAX];
    (void)snprintf(id, sizeof(id), "%" PRIu64, at);
    item_key(tree, entry->path, at, key);
    const struct bp_item item = {.struct_size = sizeof(item),
                                 .kind = BP_ITEM_STREAM,
                                 .id = id,
                                 .key = key,
                                 .etag = entry->tag,
                                 .size = entry->size};
    return sink->item(sink->ctx, &item) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "naming the files was stopped");
}

/* Each index is another one, whatever its size. */
static bp_status
index_tag(const struct unit *unit, const char *tree, char tag[TAG_CAP], struct bp_error *error)
{
    struct stat st;
    if (fstat(unit->spool.fd, &st) != 0) {
        return bp_fail_errno(error, errno, "index of tree %s", tree);
    }
    entry_tag(&st, tag);
    return BP_OK;
}

static bp_status
name_index(const struct unit *unit, const char *tree, const struct bp_item_sink *sink,
           struct bp_error *error)
{
    char key[BP_KEY_MAX];
    char tag[TAG_CAP];
    index_key(tree, key);
    bp_status status = index_tag(unit, tree, tag, error);
    if (status != BP_OK) {
        return status;
    }
    const struct bp_item item = {.struct_size = sizeof(item),
                                 .kind = BP_ITEM_STREAM,
                                 .id = INDEX_ITEM,
                                 .key = key,
                                 .etag = tag,
                                 .size = unit->spool.size};
    return sink->item(sink->ctx, &item) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "naming the files was stopped");
}

/* A page's token is where its lines begin, so each page can be asked for at any time. */
static bp_status
name_page(struct unit *unit, const char *tree, struct lines *lines, const struct bp_item_sink *sink,
          struct bp_error *error)
{
    struct entry *entry = calloc(1, sizeof(*entry)); /* too large for the stack of any thread */
    char next[32];
    bp_status status = BP_OK;
    unsigned named = 0;
    bool over = false;
    if (entry == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for a page of items");
    }
    while (status == BP_OK && !over && named < PAGE_ITEMS) {
        uint64_t at = 0;
        status = lines_next(lines, entry, &at, error);
        if (status == BP_OK && entry->kind == 'f') {
            status = name_file(entry, tree, at, sink, error);
            named++;
        }
        over = status == BP_OK && entry->kind == 'e';
    }
    free(entry);
    if (status != BP_OK || over) {
        return status == BP_OK ? name_index(unit, tree, sink, error) : status;
    }
    (void)snprintf(next, sizeof(next), "%" PRIu64, lines->offset);
    return sink->next(sink->ctx, next) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "naming the files was stopped");
}

bp_status
unit_items(struct bp_run *run, const struct bp_op *op, const char *unit_id, const char *token,
           const struct bp_item_sink *sink, struct bp_error *error)
{
    (void)op;
    uint64_t offset = 0;
    struct lines lines;
    if ((run->flags & BP_RUN_WITHOUT_ITEMS) != 0) {
        return BP_OK;
    }
    struct unit *unit = indexed_unit(run, unit_id, error);
    if (unit == NULL) {
        return error->cls;
    }
    if (token != NULL && (bp_parse_u64(token, &offset) != 0 || offset >= unit->spool.size)) {
        return bp_fail(error, BP_ERR_INVALID, "tree %s has no page \"%s\"", unit_id, token);
    }
    bp_status status = lines_begin(&lines, spool_fill, &unit->spool, PAGE_BYTES, offset, error);
    if (status == BP_OK) {
        status = name_page(unit, unit_id, &lines, sink, error);
    }
    lines_end(&lines);
    return status;
}

bp_status
unit_end(struct bp_run *run, const struct bp_op *op, const char *unit_id, int32_t outcome,
         struct bp_error *error)
{
    (void)op;
    (void)outcome;
    struct unit *unit = find_unit(run, unit_id, error);
    if (unit == NULL) {
        return error->cls;
    }
    unit_clear(unit);
    return BP_OK;
}

bp_status
unit_prove(struct bp_run *run, const struct bp_op *op, const char *unit_id, struct bp_proof *out,
           struct bp_error *error)
{
    (void)op;
    const struct unit *unit = indexed_unit(run, unit_id, error);
    if (unit == NULL) {
        return error->cls;
    }
    out->low = out->high = out->found = unit->entries;
    (void)snprintf(out->note, sizeof(out->note), "files, directories and links of the tree");
    return BP_OK;
}

/* The line of the index that an item's id says. */
static bp_status
find_line(struct unit *unit, const char *item_id, struct entry *entry, struct bp_error *error)
{
    uint64_t offset = 0;
    uint64_t at = 0;
    struct lines lines;
    if (bp_parse_u64(item_id, &offset) != 0 || offset >= unit->spool.size) {
        return bp_fail(error, BP_ERR_INVALID, "there is no item \"%s\"", item_id);
    }
    bp_status status = lines_begin(&lines, spool_fill, &unit->spool, LINE_CAP, offset, error);
    if (status == BP_OK) {
        status = lines_next(&lines, entry, &at, error);
    }
    lines_end(&lines);
    if (status == BP_OK && entry->kind != 'f') {
        status = bp_fail(error, BP_ERR_INVALID, "there is no item \"%s\"", item_id);
    }
    return status;
}

static bp_status
check_unchanged(const struct bp_item_reader *reader, struct bp_error *error)
{
    struct stat st;
    char tag[TAG_CAP];
    if (fstat(reader->fd, &st) != 0) {
        return bp_fail_errno(error, errno, "%s", reader->path);
    }
    entry_tag(&st, tag);
    return S_ISREG(st.st_mode) && (uint64_t)st.st_size == reader->size &&
                   strcmp(tag, reader->tag) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_STALE, "%s changed since it was listed", reader->path);
}

static bp_status
open_file(struct bp_item_reader *reader, const struct entry *entry, struct bp_error *error)
{
    reader->size = entry->size;
    memcpy(reader->tag, entry->tag, sizeof(reader->tag));
    memcpy(reader->path, entry->path, sizeof(reader->path));
    /* Not to block, in case it became a pipe meanwhile. */
    reader->fd =
        open_beneath(reader->unit->root, entry->path, strlen(entry->path), O_RDONLY | O_NONBLOCK);
    if (reader->fd == -ENOENT || reader->fd == -ENOTDIR || reader->fd == -ELOOP) {
        return bp_fail(error, BP_ERR_STALE, "%s went since it was listed", entry->path);
    }
    if (reader->fd < 0) {
        return bp_fail_errno(error, -reader->fd, "%s", entry->path);
    }
    return check_unchanged(reader, error);
}

/* Of an older listing: its id says another line of this one, and the index is another one, too. */
static bp_status
check_listing(const struct bp_item_open_args *args, const char *tag, struct bp_error *error)
{
    return args->etag == NULL || strcmp(args->etag, tag) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_STALE, "item %s was listed anew since it was named",
                         args->item_id);
}

static bp_status
open_index(struct bp_item_reader *reader, const struct bp_item_open_args *args,
           struct bp_error *error)
{
    char tag[TAG_CAP];
    reader->size = reader->unit->spool.size;
    bp_status status = index_tag(reader->unit, args->unit_id, tag, error);
    return status == BP_OK ? check_listing(args, tag, error) : status;
}

/* What is to be read: the index, or the file that the item's id says. */
static bp_status
open_item(struct bp_item_reader *reader, const struct bp_item_open_args *args,
          struct bp_error *error)
{
    if (strcmp(args->item_id, INDEX_ITEM) == 0) {
        return open_index(reader, args, error);
    }
    struct entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to read item %s", args->item_id);
    }
    bp_status status = find_line(reader->unit, args->item_id, entry, error);
    if (status == BP_OK) {
        status = check_listing(args, entry->tag, error);
    }
    if (status == BP_OK) {
        status = open_file(reader, entry, error);
    }
    free(entry);
    return status;
}

bp_status
item_open(struct bp_run *run, const struct bp_op *op, const struct bp_item_open_args *args,
          struct bp_item_reader **out, struct bp_error *error)
{
    (void)op;
    bp_status status = bp_check_flags(args->flags, 0, error);
    struct unit *unit = status == BP_OK ? indexed_unit(run, args->unit_id, error) : NULL;
    if (unit == NULL) {
        return error->cls;
    }
    struct bp_item_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to read item %s", args->item_id);
    }
    reader->unit = unit;
    reader->fd = -1;
    reader->offset = args->offset;
    status = open_item(reader, args, error);
    if (status == BP_OK && args->offset > reader->size) {
        status = bp_fail(error, BP_ERR_RANGE, "item %s ends before byte %" PRIu64, args->item_id,
                         args->offset);
    }
    if (status != BP_OK) {
        item_close(reader);
        return status;
    }
    *out = reader;
    return BP_OK;
}

bp_status
item_read(struct bp_item_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
          size_t *n, struct bp_error *error)
{
    (void)op;
    *n = 0;
    if (reader->fd < 0) {
        bp_status status = spool_fill(&reader->unit->spool, reader->offset, buffer, cap, n, error);
        reader->offset += *n;
        return status;
    }
    ssize_t got = -1;
    do {
        got = pread(reader->fd, buffer, cap, (off_t)reader->offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return bp_fail_errno(error, errno, "%s", reader->path);
    }
    /* Afterwards, so that what was read is known to be of the version that was listed. */
    bp_status status = check_unchanged(reader, error);
    if (status == BP_OK) {
        *n = (size_t)got;
        reader->offset += *n;
    }
    return status;
}

void
item_close(struct bp_item_reader *reader)
{
    if (reader->fd >= 0) {
        (void)close(reader->fd); /* opened for reading */
    }
    free(reader);
}

static int32_t
put_text(const struct bp_document_sink *sink, const char *text)
{
    return sink->write(sink->ctx, text, strlen(text));
}

bp_status
documents(struct bp_run *run, const struct bp_op *op, const struct bp_document_sink *sink,
          struct bp_error *error)
{
    (void)op;
    char text[TREE_CAP + 128];
    bool first = true;
    bool taken = sink->begin(sink->ctx, COMMIT_DOCUMENT, BP_DOCUMENT_COMMIT) == 0 &&
                 put_text(sink, "{\"version\": 1, \"trees\": [") == 0;
    for (size_t i = 0; taken && i < run->source->n_trees; i++) {
        const struct unit *unit = &run->units[i];
        if (unit->begun) { /* names hold nothing that JSON would need to have escaped */
            (void)snprintf(text, sizeof(text),
                           "%s\n  {\"name\": \"%s\", \"entries\": %" PRIu64 ", \"files\": %" PRIu64
                           ", \"bytes\": %" PRIu64 "}",
                           first ? "" : ",", run->source->trees[i].name, unit->entries, unit->files,
                           unit->bytes);
            taken = put_text(sink, text) == 0;
            first = false;
        }
    }
    taken = taken && put_text(sink, "\n]}\n") == 0 && sink->end(sink->ctx) == 0;
    return taken ? BP_OK : bp_fail(error, BP_ERR_CANCELLED, "the documents were stopped");
}
