/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON documents of a backup, in the layout of milvus-backup: writing them from the model and
 * reading them back, whoever wrote them.
 *
 * Members of ours start with "bakplane_" or carry the name of the server's own message; the Go
 * tool ignores both.
 */
#ifndef BAKPLANE_MILVUS_DOCUMENT_H
#define BAKPLANE_MILVUS_DOCUMENT_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>
#include <bakplane/source.h>

#include "model.h"

#define MILVUS_DOC_BACKUP "meta/backup_meta.json"
#define MILVUS_DOC_COLLECTION "meta/collection_meta.json"
#define MILVUS_DOC_PARTITION "meta/partition_meta.json"
#define MILVUS_DOC_SEGMENT "meta/segment_meta.json"
#define MILVUS_DOC_FULL "meta/full_meta.json"

/** Largest document that is read; beyond it the file is refused as CORRUPT. */
#define MILVUS_DOC_MAX_BYTES ((size_t)512 * 1024 * 1024)

/**
 * Streams all documents, the levelled ones first and the one by which the Go tool recognises a
 * backup last (BP_DOCUMENT_COMMIT).  CANCELLED when the sink stops.
 */
bp_status milvus_documents_write(const struct milvus_backup *backup,
                                 const struct bp_document_sink *sink, struct bp_error *error);

/** What the files tell of the program that wrote them. */
enum milvus_writer {
    MILVUS_WRITER_UNKNOWN,
    MILVUS_WRITER_0415,     /**< 0.4.15 and older */
    MILVUS_WRITER_04,       /**< 0.4.2x to 0.4.30 */
    MILVUS_WRITER_05,       /**< 0.5.x */
    MILVUS_WRITER_HEAD,     /**< later, binlog format */
    MILVUS_WRITER_SNAPSHOT, /**< later, snapshot format */
    MILVUS_WRITER_OURS
};

/** For people: "milvus-backup 0.5.x". */
const char *milvus_writer_text(enum milvus_writer writer);

/**
 * Reads the documents of the backup behind `backup_ref`: full_meta.json, or the levelled files
 * joined when there is none.  Log lists are as documented, not yet compared with the files.
 *
 * `writer` may be NULL.  CORRUPT names the file and the member; NOT_FOUND: there is no backup;
 * UNSUPPORTED: a format this plugin does not read.
 */
bp_status milvus_documents_read(const struct bp_host *host, const struct bp_op *op,
                                const char *backup_ref, struct milvus_backup **out,
                                enum milvus_writer *writer, struct bp_error *error);

#endif
