/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of milvus-backup's service (messages_v1.h) as requests of our own (core/jobs/request.h).
 *
 * Errors begin with the field: INVALID for what is wrong, UNSUPPORTED for what cannot be honoured.
 * Where that tool takes one of several fields and not the others, so is it here, and a warning is
 * logged.  Any thread.
 */
#ifndef BP_CORE_COMPAT_ASK_V1_H
#define BP_CORE_COMPAT_ASK_V1_H

#include <jansson.h>

#include "core/config/config.h"

/** Of a backup that is to be made, in that tool's words.  INVALID. */
bool bp_v1_ask_name(const char *name, GError **error);

/**
 * Other places than the configured ones are nobody's to name: bucket and path have to be those of
 * a storage in the configuration.  What is NULL or "" is as with `backup.storage`.
 * @storage: its name, borrowed from the configuration; NULL = `backup.storage`.
 */
bool bp_v1_ask_storage(const bp_config_tree *config, const char *bucket, const char *path,
                       const char **storage, GError **error);

/** @message: a CreateBackupRequest as bp_message_read gives it.  Returns: (transfer full) */
json_t *bp_v1_ask_create(const json_t *message, const bp_config_tree *config, GError **error);

/** @message: a RestoreBackupRequest, likewise; its `id` is not in the result. */
json_t *bp_v1_ask_restore(const json_t *message, const bp_config_tree *config, GError **error);

/** What bp_verb_list takes for a `collection_name`.  Returns: (transfer full), NULL for "" */
char *bp_v1_ask_listed(const char *collection);

/** The field is there, and not empty. */
bool bp_v1_is_said(const json_t *message, const char *field);

#endif
