/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the API share: one call with its answer, and the conversions between wire
 * messages and the model.
 */
#ifndef BAKPLANE_MILVUS_API_INTERNAL_H
#define BAKPLANE_MILVUS_API_INTERNAL_H

#include "api.h"
#include "milvus_schema.pb-c.h"
#include "milvus_service.pb-c.h"
#include "rpc.h"

/** An unpacked answer, for g_autoptr. */
typedef ProtobufCMessage milvus_answer;
void milvus_answer_free(milvus_answer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_answer, milvus_answer_free)

/** How long a request may take. */
enum milvus_patience { MILVUS_USUAL, MILVUS_LONG };

struct milvus_request {
    const char *method;
    const char *object; /**< for messages, or NULL */
    const char *db;     /**< as callers say it */
    enum milvus_patience patience;
    bool is_fragile; /**< as in milvus_rpc_call */
    const ProtobufCMessage *message;
    const ProtobufCMessageDescriptor *answer;
};

/** Connects first if need be.  `answer` as in milvus_rpc_call. */
bp_status milvus_api__call(struct milvus_api *api, const struct bp_op *op,
                           const struct milvus_request *request, milvus_answer **answer,
                           struct bp_error *error);

/** The database as it is sent: NULL for the default one.  Never written to. */
char *milvus_api__db(const char *db);

/** protobuf-c's members are not const although packing never writes. */
char *milvus_api__text(const char *text);

/** "shop.items": how messages call a collection. */
char *milvus_api__collection_text(const char *db, const char *collection);

/** Memory of one request: everything taken from it ends with it. */
typedef GPtrArray milvus_arena;
milvus_arena *milvus_arena_new(void);
void milvus_arena_free(milvus_arena *arena);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_arena, milvus_arena_free)
void *milvus_arena_take(milvus_arena *arena, size_t n, size_t size);

/** struct milvus_kv to wire messages and back. */
Mv__KeyValuePair **milvus_api__kv_pack(milvus_arena *arena, const GArray *list, size_t *n);
void milvus_api__kv_unpack(GArray *list, size_t n, Mv__KeyValuePair *const *pairs);

/** Appends copies. */
void milvus_api__texts(GPtrArray *list, size_t n, char *const *texts);

/** A schema from its serialized form; raw keeps the bytes.  NULL when they are no schema. */
struct milvus_schema *milvus_schema_unpack(const void *bytes, size_t n);

/** Serialized CollectionSchema under another name, or FieldSchema. */
GBytes *milvus_schema_pack(const struct milvus_schema *schema, const char *name);
GBytes *milvus_field_pack(const struct milvus_field *field);

#endif
