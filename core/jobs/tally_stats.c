/* SPDX-License-Identifier: Apache-2.0
 *
 * See tally_internal.h.  What is read was written by other processes, perhaps of another version:
 * what is not as expected is passed over.
 */
#include "core/jobs/tally_internal.h"

#include <string.h>

#include "core/base/json.h"
#include "core/jobs/tally.h"
#include "core/plugin/stats.h"

#include "sdk/lib/ban.h"

/* Operations of a storage, and outcomes of one: more than there are. */
#define MAX_NAMES 48

static guint64
moved(const json_t *fresh, const json_t *old)
{
    json_int_t now = json_integer_value(fresh);
    json_int_t before = json_integer_value(old);
    return now > before && before >= 0 ? (guint64)(now - before) : 0;
}

static void
add_numbers(json_t *into, const json_t *fresh, const json_t *old)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)fresh, name, value)
    {
        bool known = json_object_get(into, name) != NULL;
        if (json_is_integer(value) && (known || json_object_size(into) < MAX_NAMES)) {
            bp_json_set_u64(into, name,
                            bp_json_u64(into, name, 0) + moved(value, json_object_get(old, name)));
        }
    }
}

static void
add_buckets(json_t *into, const json_t *fresh, const json_t *old)
{
    if (json_array_size(fresh) != BP_STATS_BOUNDS + 1) {
        return; /* of other bounds */
    }
    while (json_array_size(into) < BP_STATS_BOUNDS + 1) {
        json_array_append_new(into, json_integer(0));
    }
    for (gsize i = 0; i <= BP_STATS_BOUNDS; i++) {
        json_int_t sum = json_integer_value(json_array_get(into, i));
        sum += (json_int_t)moved(json_array_get(fresh, i), json_array_get(old, i));
        json_array_set_new(into, i, json_integer(sum));
    }
}

/* The member, which is made when it is not there. */
static json_t *
child(json_t *parent, const char *name, json_t *take_new)
{
    json_t *found = json_object_get(parent, name);
    if (found != NULL) {
        json_decref(take_new);
        return found;
    }
    json_object_set_new(parent, name, take_new);
    return take_new;
}

static void
add_operation(json_t *into, const json_t *fresh, const json_t *old)
{
    add_numbers(into, fresh, old); /* "bytes" and "us" */
    add_numbers(child(into, "outcomes", json_object()), json_object_get(fresh, "outcomes"),
                json_object_get(old, "outcomes"));
    add_buckets(child(into, "buckets", json_array()), json_object_get(fresh, "buckets"),
                json_object_get(old, "buckets"));
}

static void
add_storage(json_t *into, const json_t *fresh, const json_t *old)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)fresh, name, value)
    {
        bool known = json_object_get(into, name) != NULL;
        if (json_is_object(value) && (known || json_object_size(into) < MAX_NAMES)) {
            add_operation(child(into, name, json_object()), value, json_object_get(old, name));
        }
    }
}

static void
add_storages(json_t *into, const json_t *fresh, const json_t *old)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)fresh, name, value)
    {
        bool fits =
            json_object_get(into, name) != NULL || json_object_size(into) < BP_TALLY_STORAGES;
        json_t *storage = child(into, fits ? name : BP_STATS_OTHER, json_object());
        add_storage(storage, value, json_object_get(old, name));
    }
}

void
bp_tally__add(json_t *into, const json_t *fresh, const json_t *old)
{
    bool is_same = strcmp(bp_json_text(fresh, "run", ""), bp_json_text(old, "run", "")) == 0;
    const json_t *before = is_same ? old : NULL;
    add_storages(child(into, "storages", json_object()), json_object_get(fresh, "storages"),
                 json_object_get(before, "storages"));
    add_numbers(child(into, "retries", json_object()), json_object_get(fresh, "retries"),
                json_object_get(before, "retries"));
}
