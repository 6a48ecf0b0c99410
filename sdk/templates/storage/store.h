/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage plugin "@NAME@": every object is a file below one directory, such as a mounted share.
 *
 * It needs of a file system what all have: open, write, fsync, link, rename, readdir.  The
 * contract of each operation is in <bakplane/storage.h> and bakplane-storage-plugin(3).
 */
#ifndef STORE_H
#define STORE_H

#include <bakplane/plugin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#define TMP_DIR ".@NAME@-tmp"   /* in the root: what is being written */
#define TMP_SECONDS 86400       /* after that nobody is writing it any more */
#define ROOT_MAX 1000           /* so that it fits into bp_storage_info.local_root */
#define LIST_MAX 5000           /* entries of one page */
#define CHUNK ((size_t)1 << 20) /* between two of them somebody may cancel */

/* An instance.  Two of them know nothing of each other. */
struct bp_storage {
    const struct bp_host *host;
    char root[ROOT_MAX];
    pthread_mutex_t lock; /* guards the opening of root_fd */
    int root_fd;          /* -1 until it is needed */
    atomic_ulong serial;  /* names of temporary files */
};

/* plugin.c: what the operations share. */
/* A cancel, the key, and the root; what every operation on one object begins with. */
bp_status begin(struct bp_storage *storage, const struct bp_op *op, const char *key,
                struct bp_error *error);
bp_status open_root(struct bp_storage *storage, struct bp_error *error);
bp_status fail_key(const struct bp_storage *storage, int errnum, const char *verb, const char *key,
                   struct bp_error *error);
void fill_meta(struct bp_object_meta *out, const struct stat *st);

/* read.c */
bp_status stat_object(struct bp_storage *storage, const struct bp_op *op, const char *key,
                      struct bp_object_meta *out, struct bp_error *error);
bp_status read_open(struct bp_storage *storage, const struct bp_op *op,
                    const struct bp_read_args *args, struct bp_object_meta *meta,
                    struct bp_reader **out, struct bp_error *error);
bp_status read_some(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
                    size_t *n, struct bp_error *error);
void read_close(struct bp_reader *reader);

/* write.c */
bp_status write_open(struct bp_storage *storage, const struct bp_op *op,
                     const struct bp_write_args *args, struct bp_writer **out,
                     struct bp_error *error);
bp_status write_all(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
                    struct bp_error *error);
bp_status write_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                       struct bp_error *error);
void write_abort(struct bp_writer *writer, const struct bp_op *op);
bp_status remove_object(struct bp_storage *storage, const struct bp_op *op, const char *key,
                        const char *if_match, struct bp_error *error);
/* Away with what killed programs left behind. */
void sweep_tmp(struct bp_storage *storage);

/* list.c */
bp_status list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
               const struct bp_list_sink *sink, struct bp_error *error);

#endif
