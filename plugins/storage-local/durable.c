/* SPDX-License-Identifier: Apache-2.0
 *
 * See durable.h.  A directory is known by its device, its number and the time of its birth: another
 * one that takes its name, and perhaps its number, is not taken for it.
 */
#include "plugins/storage-local/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/storage-local/root.h"

#include "sdk/lib/ban.h"

#define REMEMBERED_MAX 4096 /* directories; then it begins anew, which costs syncs and no more */

_Atomic uint64_t bp_local_synced_dirs;

struct identity {
    uint64_t device, number;
    int64_t born_s;
    uint32_t born_ns;
};

static guint
hash_identity(gconstpointer key)
{
    const struct identity *id = key;
    return g_int64_hash(&(gint64){(gint64)(id->number ^ (uint64_t)id->born_ns << 32)});
}

static gboolean
same_identity(gconstpointer a, gconstpointer b)
{
    const struct identity *one = a;
    const struct identity *other = b;
    return one->device == other->device && one->number == other->number &&
           one->born_s == other->born_s && one->born_ns == other->born_ns;
}

GHashTable *
bp_local_durable_new(void)
{
    return g_hash_table_new_full(hash_identity, same_identity, g_free, NULL);
}

/* False where the file system does not tell when a directory was born. */
static bool
identify(int dir, struct identity *out)
{
    struct statx st;
    if (statx(dir, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) != 0 ||
        (st.stx_mask & (STATX_INO | STATX_BTIME)) != (STATX_INO | STATX_BTIME)) {
        return false;
    }
    *out = (struct identity){.device = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor,
                             .number = st.stx_ino,
                             .born_s = st.stx_btime.tv_sec,
                             .born_ns = st.stx_btime.tv_nsec};
    return true;
}

static bool
is_known(struct bp_storage *storage, const struct identity *id)
{
    pthread_mutex_lock(&storage->lock);
    bool known = g_hash_table_contains(storage->durable, id);
    pthread_mutex_unlock(&storage->lock);
    return known;
}

/* Only once all above are synced, too. */
static void
remember(struct bp_storage *storage, const GArray *synced)
{
    pthread_mutex_lock(&storage->lock);
    if (g_hash_table_size(storage->durable) + synced->len > REMEMBERED_MAX) {
        g_hash_table_remove_all(storage->durable);
    }
    for (guint i = 0; i < synced->len; i++) {
        const struct identity *id = &g_array_index(synced, struct identity, i);
        g_hash_table_add(storage->durable, g_memdup2(id, sizeof(*id)));
    }
    pthread_mutex_unlock(&storage->lock);
}

/* *known: those above it were synced after it came there. */
static int
sync_dir(struct bp_storage *storage, const char *path, GArray *synced, bool *known)
{
    struct identity id;
    int dir = bp_local_open(storage, path, O_RDONLY | O_DIRECTORY);
    if (dir < 0) {
        return dir;
    }
    bool identified = identify(dir, &id);
    *known = identified && is_known(storage, &id);
    if (identified) {
        g_array_append_val(synced, id);
    }
    /* Some network file systems have nothing to sync for a directory and say EINVAL. */
    int status = fsync(dir) == 0 || errno == EINVAL ? 0 : -errno;
    bp_local_synced_dirs++;
    (void)close(dir); /* opened for reading */
    return status;
}

int
bp_local_sync_parents(struct bp_storage *storage, const char *key)
{
    char path[BP_KEY_MAX + 1];
    g_autoptr(GArray) synced = g_array_new(FALSE, FALSE, sizeof(struct identity));
    size_t len = bp_local_parent_len(key);
    int status = 0;
    memcpy(path, key, len);
    path[len] = '\0';
    for (bool more = true; more && status == 0;) {
        bool known = false;
        status = sync_dir(storage, path, synced, &known);
        more = path[0] != '\0' && !known;
        path[bp_local_parent_len(path)] = '\0';
    }
    if (status == 0) {
        remember(storage, synced);
    }
    return status;
}
