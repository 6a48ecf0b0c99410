/* SPDX-License-Identifier: Apache-2.0
 *
 * The places in which the plugin keeps objects, and what every operation does first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"
#include "tests/plugins/broken/memory.h"

#include "sdk/lib/ban.h"

#define SPACES_MAX 8

enum broken_as broken_as;
pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
static struct space spaces[SPACES_MAX];
static size_t n_spaces;
static uint64_t last_version;

struct space *
memory_space(const char *name)
{
    struct space *found = NULL;
    (void)pthread_mutex_lock(&memory_lock);
    for (size_t i = 0; i < n_spaces && found == NULL; i++) {
        found = strcmp(spaces[i].name, name) == 0 ? &spaces[i] : NULL;
    }
    if (found == NULL && n_spaces < SPACES_MAX) {
        found = &spaces[n_spaces++];
        (void)snprintf(found->name, sizeof found->name, "%s", name);
    }
    (void)pthread_mutex_unlock(&memory_lock);
    if (found == NULL) {
        abort();
    }
    return found;
}

int64_t
memory_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bp_status
memory_check_op(const struct bp_storage *self, const struct bp_op *op, struct bp_error *error)
{
    if (!IS_BROKEN(NEVER_ASKS) && self->host->cancelled(op) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "cancelled");
    }
    if (op->deadline_ns != 0 && memory_now_ns() > op->deadline_ns) {
        return bp_fail(error, IS_BROKEN(DEADLINE_IS_CANCEL) ? BP_ERR_CANCELLED : BP_ERR_TIMEOUT,
                       "the deadline has passed");
    }
    return BP_OK;
}

bp_status
memory_begin(struct bp_storage *self, const struct bp_op *op, uint32_t flags, uint32_t known,
             struct bp_error *error)
{
    if ((flags & ~known) != 0 && !IS_BROKEN(TAKES_ANY_FLAG)) {
        return bp_fail(error, BP_ERR_INVALID, "flags %#x are not known", flags);
    }
    if (self->expired) {
        return bp_fail(error, IS_BROKEN(EXPIRED_IS_DENIED) ? BP_ERR_DENIED : BP_ERR_AUTH,
                       "the token has expired");
    }
    return memory_check_op(self, op, error);
}

bp_status
memory_missing(struct bp_error *error, const char *key)
{
    return bp_fail(error, IS_BROKEN(MISSING_IS_DENIED) ? BP_ERR_DENIED : BP_ERR_NOT_FOUND,
                   "there is no object %s", key);
}

size_t
memory_lower_bound(const struct space *space, const char *key)
{
    size_t low = 0, high = space->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(space->objects[middle]->key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct object *
memory_find(const struct space *space, const char *key)
{
    size_t i = memory_lower_bound(space, key);
    bool there = i < space->n && strcmp(space->objects[i]->key, key) == 0;
    return there && !space->objects[i]->hidden ? space->objects[i] : NULL;
}

uint64_t
memory_version(void)
{
    return last_version;
}

uint64_t
memory_next_version(void)
{
    return ++last_version;
}

static struct object *
insert(struct space *space, const char *key)
{
    size_t i = memory_lower_bound(space, key);
    if (i < space->n && strcmp(space->objects[i]->key, key) == 0) {
        return space->objects[i];
    }
    if (space->n == space->room) {
        size_t room = space->room * 2 + 16;
        struct object **grown = realloc(space->objects, room * sizeof(struct object *));
        if (grown == NULL) {
            return NULL;
        }
        space->objects = grown;
        space->room = room;
    }
    struct object *object = calloc(1, sizeof *object);
    if (object == NULL) {
        return NULL;
    }
    (void)snprintf(object->key, sizeof object->key, "%s", key);
    memmove(space->objects + i + 1, space->objects + i, (space->n - i) * sizeof(struct object *));
    space->objects[i] = object;
    space->n++;
    return object;
}

bp_status
memory_store(struct bp_storage *self, const char *key, unsigned char *take_bytes, size_t n,
             struct bp_error *error)
{
    struct space *space = self->space;
    const struct object *old = memory_find(space, key);
    size_t used = space->used - (old != NULL ? old->n : 0) + n;
    struct object *object = used <= self->quota ? insert(space, key) : NULL;
    if (object == NULL) {
        self->host->free(take_bytes);
        return bp_fail(error, IS_BROKEN(FULL_IS_PERMANENT) ? BP_ERR_PERMANENT : BP_ERR_NO_SPACE,
                       "object %s: the quota is reached", key);
    }
    self->host->free(object->bytes);
    object->bytes = take_bytes;
    object->n = n;
    if (!IS_BROKEN(SAME_ETAG) || object->version == 0) {
        object->version = memory_next_version();
    }
    object->hidden = false;
    object->since_ns = memory_now_ns();
    space->used = used;
    return BP_OK;
}

void
memory_drop(struct bp_storage *self, const char *key)
{
    struct space *space = self->space;
    size_t i = memory_lower_bound(space, key);
    if (i < space->n && strcmp(space->objects[i]->key, key) == 0) {
        struct object *object = space->objects[i];
        space->used -= object->n;
        self->host->free(object->bytes);
        free(object);
        space->n--;
        memmove(space->objects + i, space->objects + i + 1,
                (space->n - i) * sizeof(struct object *));
    }
}

void
memory_etag(uint64_t version, char *out, size_t cap)
{
    (void)snprintf(out, cap, "v%llu", (unsigned long long)version);
}

void
memory_meta(const struct object *object, struct bp_object_meta *out)
{
    uint32_t size = out->struct_size;
    memset(out, 0, sizeof *out);
    out->struct_size = size;
    out->size = object->n;
    memory_etag(object->version, out->etag, sizeof out->etag);
    if (IS_BROKEN(ETAG_IS_CUT) && strstr(object->key, "/read.facts/") != NULL) {
        memset(out->etag, 'e', sizeof out->etag - 1);
    }
}

bp_status
memory_match_new(const struct object *object, const char *if_match, struct bp_error *error)
{
    bool wanted = if_match != NULL && *if_match != '\0';
    return object == NULL && wanted && IS_BROKEN(GONE_IS_NOT_FOUND)
               ? bp_fail(error, BP_ERR_NOT_FOUND, "there is no version at all")
               : memory_match(object, if_match, error);
}

bp_status
memory_match(const struct object *object, const char *if_match, struct bp_error *error)
{
    char etag[64] = "";
    if (if_match == NULL || *if_match == '\0') {
        return BP_OK;
    }
    if (object != NULL) {
        memory_etag(object->version, etag, sizeof etag);
    }
    return strcmp(etag, if_match) == 0 ? BP_OK
                                       : bp_fail(error, BP_ERR_EXISTS, "another version is there");
}
