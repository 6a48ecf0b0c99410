/* SPDX-License-Identifier: Apache-2.0
 *
 * Life of an instance, and the check that everything it needs is there.
 */
#include "source.h"

#include <inttypes.h>
#include <string.h>

#include "adopt.h"
#include "capture_list.h"
#include "document.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

bp_status
milvus_source_open(const struct bp_host *host, const struct bp_op *op,
                   const struct bp_config *config, struct bp_source **out, struct bp_error *error)
{
    (void)op; /* nothing here waits */
    struct bp_source *source = g_new0(struct bp_source, 1);
    source->host = host;
    (void)pthread_mutex_init(&source->lock, NULL);
    bp_status status = milvus_config_load(host, config, &source->config, error);
    if (status == BP_OK) {
        status = milvus_api_new(host, &source->config, &source->api, error);
    }
    if (status == BP_OK) {
        const struct bp_http_config http = {
            .ca_file = source->config.ca_file,
            .connect_timeout_ms = source->config.connect_timeout_ms,
        };
        status = bp_http_client_new(host, &http, &source->http, error);
    }
    if (status != BP_OK) {
        milvus_source_close(source);
        return status;
    }
    *out = source;
    return BP_OK;
}

void
milvus_source_close(struct bp_source *source)
{
    milvus_api_free(source->api);
    bp_http_client_free(source->http);
    milvus_plan_free(source->plan);
    milvus_config_clear(&source->config);
    (void)pthread_mutex_destroy(&source->lock);
    g_free(source);
}

bp_status
milvus_source_info(struct bp_source *source, struct bp_source_info *out, struct bp_error *error)
{
    (void)error;
    out->features = BP_SOURCE_CONCURRENT_UNITS;
    if (source->config.management != NULL) {
        out->features |= BP_SOURCE_PIN;
    }
    g_strlcpy(out->item_kind, "collection", sizeof(out->item_kind));
    g_strlcpy(out->parent_kind, "database", sizeof(out->parent_kind));
    g_strlcpy(out->default_parent, MILVUS_DEFAULT_DATABASE, sizeof(out->default_parent));
    g_strlcpy(out->proof_what, "rows", sizeof(out->proof_what));
    g_strlcpy(out->server_version, milvus_api_version(source->api), sizeof(out->server_version));
    g_strlcpy(out->address, milvus_api_address(source->api), sizeof(out->address));
    g_strlcpy(out->commit_document, MILVUS_DOC_BACKUP, sizeof(out->commit_document));
    return BP_OK;
}

bp_status
milvus_source_adopt(struct bp_source *source, const struct bp_op *op, const char *backup_ref,
                    const struct bp_adopt_sink *sink, struct bp_adopt_info *info,
                    struct bp_error *error)
{
    return milvus_adopt(source->host, op, backup_ref, sink, info, error);
}

static void note(const struct bp_note_sink *notes, int32_t level, const char *code,
                 const char *format, ...) G_GNUC_PRINTF(4, 5);

static void
note(const struct bp_note_sink *notes, int32_t level, const char *code, const char *format, ...)
{
    if (notes == NULL || notes->note == NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    (void)notes->note(notes->ctx, level, code, text);
}

/* Any flushed segment with rows: its id, or 0 when this collection has none. */
static bp_status
find_segment(struct bp_source *source, const struct bp_op *op,
             const struct milvus_collection *collection, struct milvus_segment **out,
             struct bp_error *error)
{
    g_autoptr(GArray) infos = g_array_new(FALSE, FALSE, sizeof(struct milvus_segment_info));
    bp_status status = milvus_api_list_segments(source->api, op, collection->db_name,
                                                collection->name, infos, error);
    for (guint i = 0; status == BP_OK && i < infos->len; i++) {
        const struct milvus_segment_info *info =
            &g_array_index(infos, struct milvus_segment_info, i);
        if (info->state == MILVUS_SEGMENT_FLUSHED && info->num_rows > 0 &&
            info->level != MILVUS_LEVEL_L0) {
            *out = milvus_segment_new(collection->id, info->partition_id, info->id);
            (*out)->num_rows = info->num_rows;
            return BP_OK;
        }
    }
    return status;
}

/* Are the files of a segment that Milvus names where the settings say? */
static bp_status
probe_segment(struct bp_source *source, const struct bp_op *op,
              const struct milvus_collection *collection, struct milvus_segment *segment,
              const struct bp_note_sink *notes, struct bp_error *error)
{
    bp_status status = milvus_list_inserts(source, op, segment, NULL, error);
    if (status != BP_OK) {
        return status;
    }
    g_autofree char *defect = milvus_segment_defect(segment, NULL);
    if (defect != NULL) {
        g_autofree char *place = milvus_describe_place(source, op, segment);
        return bp_fail(error, BP_ERR_INVALID, "collection %s.%s: segment %" PRId64 " %s; %s",
                       collection->db_name, collection->name, segment->id, defect, place);
    }
    note(notes, BP_NOTE_INFO, "storage",
         "storage %s holds the data of this Milvus (seen: segment %" PRId64 " of %s.%s)",
         source->config.storage, segment->id, collection->db_name, collection->name);
    return BP_OK;
}

static bp_status
probe_storage(struct bp_source *source, const struct bp_op *op, const struct milvus_plan *plan,
              const struct bp_note_sink *notes, struct bp_error *error)
{
    if (source->config.storage == NULL) {
        note(notes, BP_NOTE_WARN, "storage",
             "setting storage is missing: without it nothing can be created or restored");
        return BP_OK;
    }
    for (guint i = 0; i < plan->collections->len; i++) {
        const struct milvus_collection *collection = plan->collections->pdata[i];
        g_autoptr(milvus_segment) segment = NULL;
        bp_status status = find_segment(source, op, collection, &segment, error);
        if (status == BP_ERR_NOT_FOUND) {
            continue; /* dropped since the listing */
        }
        if (status != BP_OK) {
            return status;
        }
        if (segment != NULL) {
            return probe_segment(source, op, collection, segment, notes, error);
        }
    }
    note(notes, BP_NOTE_WARN, "storage",
         "whether storage %s is that of this Milvus cannot be proven: no segments",
         source->config.storage);
    return BP_OK;
}

bp_status
milvus_source_probe(struct bp_source *source, const struct bp_op *op,
                    const struct bp_note_sink *notes, struct bp_error *error)
{
    g_autoptr(milvus_plan) plan = NULL;
    bp_status status = milvus_api_connect(source->api, op, error);
    if (status != BP_OK) {
        return status;
    }
    note(notes, BP_NOTE_INFO, "version", "milvus %s is %s", milvus_api_address(source->api),
         milvus_api_version(source->api));
    status = milvus_plan_make(source, op, NULL, NULL, &plan, error);
    if (status != BP_OK) {
        return status;
    }
    note(notes, BP_NOTE_INFO, "rights", "%u databases and %u collections can be listed",
         plan->databases->len, plan->collections->len);
    return probe_storage(source, op, plan, notes, error);
}
