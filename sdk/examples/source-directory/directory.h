/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of source-directory: plain directory trees as a source.
 *
 * Each configured tree is one unit.  Before anything is copied it is walked once, into an index: a
 * text with a line for each entry, in a file of its own outside of the tree.  From there on nothing
 * but that file and one page of it is needed, so memory depends neither on the number of files nor
 * on that of the names in one directory.  The index also is the last item of its unit: a restore
 * reads it line by line.
 *
 *   d PATH                        a directory begins; "." is the tree itself
 *   f MODE MTIME SIZE TAG PATH    a file; TAG changes whenever the file does
 *   l MTIME TARGET PATH           a symbolic link
 *   u MODE MTIME PATH             the directory is over ("up"), which is when a restore can set
 * these
 *
 * MODE is octal, MTIME seconds.nanoseconds, names are encoded (names.c).  The first line says
 * what it is, the last one how many entries there are, so that a cut index is noticed.
 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <bakplane/plugin.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#define INDEX_HEAD "bakplane-directory-index 1"
#define COMMIT_DOCUMENT "meta/directory.json"

/** Longest path below a tree, and longest name of a tree, with the NUL. */
#define PATH_CAP 4096
#define TREE_CAP 64
/** Two encoded names, each of whose bytes may have become three, and the numbers. */
#define LINE_CAP (2 * 3 * PATH_CAP + 256)
#define TAG_CAP 64

/** What a file is called until it is whole.  A capture passes over what a crash left of them. */
#define TEMPORARY ".bakplane-directory.tmp"

/** One configured tree; `path` is absolute. */
struct tree {
    char name[TREE_CAP];
    char *path;
};

struct bp_source {
    const struct bp_host *host;
    struct tree *trees;
    size_t n_trees;
    char *scratch; /* directory for indexes while a capture runs */
    char kernel[64];
};

/** The tree of that name, or NULL. */
const struct tree *source_tree(const struct bp_source *source, const char *name);

/* names.c: paths as text that fits into keys and lines, and opened without leaving the tree. */

/** Everything but printable UTF-8 without ' ' and '%' becomes %XX.  -1 when it does not fit. */
int name_encode(const char *raw, char *out, size_t cap);
/** The inverse; -1 for what encode does not write. */
int name_decode(const char *text, char *out, size_t cap);
/** 0 when `path` is "." or has only real names between its slashes: not "", "." or "..". */
int path_check(const char *path);
/** The last part of a path, and the length of what comes before it without the slash. */
const char *path_base(const char *path);
size_t path_parent(const char *path);
/**
 * Opens `path` (n bytes of it; 0 = the tree itself) below `root` part by part, so that no symbolic
 * link is followed, wherever it is.  A descriptor, or -errno.
 */
int open_beneath(int root, const char *path, size_t n, int flags);
/** The key of a file's item.  `line`: where the index tells of it. */
void item_key(const char *tree, const char *path, uint64_t line, char *out);
/** The key of a tree's index. */
void index_key(const char *tree, char *out);

/* lines.c: the index. */

/** One line of it. */
struct entry {
    char kind; /* d f l u, h: the head, e: the end */
    unsigned mode;
    struct timespec mtime;
    uint64_t size; /* f; e: number of entries */
    char tag[TAG_CAP];
    char path[PATH_CAP], target[PATH_CAP];
};

/** Reads bytes of an index from where it is; *n is less than cap only at its end. */
typedef bp_status (*lines_fill)(void *ctx, uint64_t offset, void *buffer, size_t cap, size_t *n,
                                struct bp_error *error);

/** A position in an index. */
struct lines {
    lines_fill fill;
    void *ctx;
    char *buffer;
    size_t cap, begin, end;
    uint64_t offset; /* of what begins at `begin` */
    bool at_end;
};

/** NOMEM.  `cap` is at least LINE_CAP. */
bp_status lines_begin(struct lines *lines, lines_fill fill, void *ctx, size_t cap, uint64_t offset,
                      struct bp_error *error);
void lines_end(struct lines *lines);
/** The next line and where it begins.  CORRUPT when it is none, or none comes before the end. */
bp_status lines_next(struct lines *lines, struct entry *out, uint64_t *at, struct bp_error *error);

/** What says of a file that it is still the same. */
void entry_tag(const struct stat *st, char *out);

/* walk.c: makes the index. */

/** An index on disk and what is in it. */
struct spool {
    int fd; /* unlinked; -1 = none */
    uint64_t size, entries, files, bytes;
};

/** Walks a tree into a new spool file. */
bp_status walk_tree(const struct bp_source *source, const struct bp_op *op, const struct tree *tree,
                    struct spool *out, struct bp_error *error);
void spool_clear(struct spool *spool);
/** lines_fill of a `struct spool`. */
bp_status spool_fill(void *ctx, uint64_t offset, void *buffer, size_t cap, size_t *n,
                     struct bp_error *error);

/* capture.c and restore.c: the operations of the same names. */

bp_status run_begin(struct bp_source *source, const struct bp_op *op,
                    const struct bp_run_args *args, struct bp_run_info *info, struct bp_run **out,
                    struct bp_error *error);
bp_status run_end(struct bp_run *run, const struct bp_op *op, int32_t outcome,
                  struct bp_error *error);
bp_status unit_begin(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
                     struct bp_error *error);
bp_status unit_items(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                     const char *token, const struct bp_item_sink *sink, struct bp_error *error);
bp_status unit_end(struct bp_run *run, const struct bp_op *op, const char *unit_id, int32_t outcome,
                   struct bp_error *error);
bp_status unit_prove(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                     struct bp_proof *out, struct bp_error *error);
bp_status item_open(struct bp_run *run, const struct bp_op *op,
                    const struct bp_item_open_args *args, struct bp_item_reader **out,
                    struct bp_error *error);
bp_status item_read(struct bp_item_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
                    size_t *n, struct bp_error *error);
void item_close(struct bp_item_reader *reader);
bp_status documents(struct bp_run *run, const struct bp_op *op, const struct bp_document_sink *sink,
                    struct bp_error *error);

bp_status restore_begin(struct bp_source *source, const struct bp_op *op,
                        const struct bp_restore_args *args, struct bp_restore_info *info,
                        struct bp_restore **out, struct bp_error *error);
bp_status target_prepare(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                         const struct bp_note_sink *notes, const struct bp_text_sink *identity,
                         struct bp_error *error);
bp_status target_place(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                       const struct bp_place_sink *sink, struct bp_error *error);
bp_status target_step(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                      const struct bp_job_sink *sink, struct bp_step_state *out,
                      struct bp_error *error);
bp_status job_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                   const char *token, struct bp_job_state *out, struct bp_error *error);
bp_status target_prove(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                       struct bp_proof *out, struct bp_error *error);
bp_status target_finish(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                        const struct bp_note_sink *notes, struct bp_error *error);
bp_status restore_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                      struct bp_error *error);

/* place.c: what a restore does with each line of an index. */

/** One tree on its way back.  Only its own target's thread uses it. */
struct placing {
    const struct bp_host *host;
    const struct bp_op *op;
    const char *ref;  /* the backup */
    const char *tree; /* its name there */
    const char *path; /* where it goes, for messages */
    int root;         /* the same, opened */
    int parent;       /* an open directory below it, of the entries just now; -1 = none */
    char parent_path[PATH_CAP];
    char *buffer; /* PIECE bytes */
    uint64_t found;
    uint64_t special; /* entries that ran as their owner or group, and do no more */
};

/** Makes directories, files and links. */
bp_status place_entries(struct placing *placing, struct bp_error *error);
/** Counts what is there as the index says: `found`. */
bp_status count_entries(struct placing *placing, struct bp_error *error);
/** Sets the directories' modes and times, when nothing is made in them any more; `special`. */
bp_status finish_directories(struct placing *placing, struct bp_error *error);

#endif
