/* SPDX-License-Identifier: Apache-2.0
 *
 * See means.h.
 */
#include "core/compat/means.h"

#include <string.h>

#include "core/base/error.h"

#include "sdk/lib/ban.h"

static bool
is_word(const char *text, const char *word)
{
    return g_ascii_strcasecmp(text, word) == 0;
}

bool
bp_compat_strategy(const bp_compat_flush *said, char **native, bool *meta_only, GError **error)
{
    const char *strategy = said->strategy;
    const char *found = said->force ? "skip_flush" : NULL;
    *meta_only = said->meta_only;
    *native = NULL;
    if (strategy == NULL) {
        /* `force` and `meta_only` are the older way to say it. */
    } else if (is_word(strategy, "meta_only")) {
        *meta_only = true;
    } else if (is_word(strategy, "auto") || is_word(strategy, "serial_flush") ||
               is_word(strategy, "skip_flush")) {
        found = strategy;
        *meta_only = false;
    } else if (is_word(strategy, "bulk_flush")) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "bulk_flush needs a call that this version does not make");
        bp_error_add_hint(error, "auto and serial_flush flush each collection before its data");
        return false;
    } else {
        bp_set_error(error, BP_ERR_INVALID, "there is no \"%s\"", strategy);
        bp_error_add_hint(error, "%s",
                          is_word(strategy, "snapshot")
                              ? "that is a format, and not in this version"
                              : "there are auto, serial_flush, skip_flush and meta_only");
        return false;
    }
    *native = found != NULL ? g_ascii_strdown(found, -1) : NULL;
    return true;
}

bool
bp_compat_format(const char *format, GError **error)
{
    if (format == NULL || is_word(format, "auto") || is_word(format, "binlog")) {
        return true; /* what is written anyway */
    }
    if (is_word(format, "snapshot")) {
        bp_set_error(error, BP_ERR_UNSUPPORTED, "backups of the snapshot format cannot be made");
        bp_error_add_hint(error, "binlog can");
        return false;
    }
    bp_set_error(error, BP_ERR_INVALID, "there is no \"%s\"", format);
    bp_error_add_hint(error, "there are auto and binlog");
    return false;
}

char *
bp_compat_rename(const char *from, const char *to)
{
    bool from_bare = strchr(from, '.') == NULL;
    bool to_bare = strchr(to, '.') == NULL;
    bool mixed = from_bare != to_bare;
    const char *const bare = BP_COMPAT_DATABASE ".";
    return g_strdup_printf("%s%s:%s%s", mixed && from_bare ? bare : "", from,
                           mixed && to_bare ? bare : "", to);
}

char *
bp_compat_listed(const char *collection)
{
    return strchr(collection, '.') != NULL ? g_strdup(collection)
                                           : g_strconcat("*.", collection, NULL);
}

GPtrArray *
bp_compat_index_settings(bool index, bool auto_index)
{
    GPtrArray *out = g_ptr_array_new();
    g_ptr_array_add(out, (gpointer)(index ? "index=true" : "index=false"));
    g_ptr_array_add(out, (gpointer) "load=false");
    if (index && auto_index) {
        g_ptr_array_add(out, (gpointer) "use_auto_index=true");
    }
    g_ptr_array_add(out, NULL);
    return out;
}
