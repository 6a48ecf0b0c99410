/* SPDX-License-Identifier: Apache-2.0
 *
 * Which imports a target takes.  Each has a cost of about two seconds on 2.2 and 2.3, however
 * small it is, so there whole partitions are imported at once.
 */
#include <string.h>

#include "layout.h"
#include "restore_state.h"

#include "sdk/lib/ban.h"

bool
milvus_takes_partitions(const struct bp_restore *restore)
{
    return !milvus_api_can(restore->api, MILVUS_CAN_IMPORT_ONE_PATH);
}

struct milvus_segment
milvus_segment_placed(const struct milvus_segment *segment, bool is_staged)
{
    struct milvus_segment there = *segment;
    if (is_staged && there.group_id == 0 && there.partition_id != MILVUS_ALL_PARTITIONS) {
        there.group_id = there.id;
    }
    return there;
}

static bool
has_group_level(const struct milvus_partition *partition)
{
    for (guint i = 0; i < partition->segments->len; i++) {
        if (((struct milvus_segment *)partition->segments->pdata[i])->group_id != 0) {
            return true;
        }
    }
    return false;
}

static void
count_segment(struct milvus_task *task, const struct milvus_segment *segment)
{
    task->has_deltas |= segment->delta_logs->len > 0;
    task->rows += segment->is_l0 ? 0 : segment->num_rows;
    if (segment->delta_logs->len > 0) {
        task->is_uncounted |= segment->delta_rows == MILVUS_COUNT_UNKNOWN;
        task->deleted += MAX(0, segment->delta_rows);
    }
    task->bytes += (uint64_t)milvus_segment_size(segment);
    task->storage_version = segment->storage_version;
    task->channel = segment->channel;
}

static void
dirs_free(void *data)
{
    struct milvus_dirs *dirs = data;
    g_free(dirs->inserts);
    g_free(dirs->deltas);
    g_free(dirs);
}

static struct milvus_dirs *
first_dirs(const struct milvus_task *task)
{
    return task->dirs->pdata[0];
}

static struct milvus_task *
add_task(struct milvus_target *target, const char *partition)
{
    struct milvus_task *task = g_new0(struct milvus_task, 1);
    task->dirs = g_ptr_array_new_with_free_func(dirs_free);
    g_ptr_array_add(task->dirs, g_new0(struct milvus_dirs, 1));
    task->partition = partition;
    task->seen_rows = -1;
    g_ptr_array_add(target->tasks, task);
    return task;
}

bool
milvus_has_data(const struct milvus_segment *segment)
{
    return !segment->is_l0 && segment->insert_logs->len > 0;
}

static void
add_partition_task(struct milvus_target *target, const char *base,
                   const struct milvus_partition *partition)
{
    struct milvus_task *task = add_task(target, partition->name);
    for (guint i = 0; i < partition->segments->len; i++) {
        count_segment(task, partition->segments->pdata[i]);
    }
    g_autofree char *inserts =
        milvus_backup_dir_partition(target->from->id, partition->id, MILVUS_INSERT_LOG);
    g_autofree char *deltas =
        milvus_backup_dir_partition(target->from->id, partition->id, MILVUS_DELTA_LOG);
    first_dirs(task)->inserts = g_strconcat(base, inserts, NULL);
    first_dirs(task)->deltas = task->has_deltas ? g_strconcat(base, deltas, NULL) : NULL;
}

/* Old backups put several segments into one group: it is imported once, not once per segment. */
static void
add_group_tasks(struct milvus_target *target, const char *base,
                const struct milvus_partition *partition, bool is_staged)
{
    g_autoptr(GHashTable) by_dir = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < partition->segments->len; i++) {
        const struct milvus_segment *segment = partition->segments->pdata[i];
        if (!milvus_has_data(segment)) {
            continue;
        }
        const struct milvus_segment there = milvus_segment_placed(segment, is_staged);
        g_autofree char *inserts = milvus_backup_dir_group(&there, MILVUS_INSERT_LOG);
        struct milvus_task *task = g_hash_table_lookup(by_dir, inserts);
        if (task == NULL) {
            task = add_task(target, partition->name);
            first_dirs(task)->inserts = g_strconcat(base, inserts, NULL);
            g_hash_table_insert(by_dir, g_strdup(inserts), task);
        }
        count_segment(task, segment);
        if (task->has_deltas && first_dirs(task)->deltas == NULL) {
            g_autofree char *deltas = milvus_backup_dir_group(&there, MILVUS_DELTA_LOG);
            first_dirs(task)->deltas = g_strconcat(base, deltas, NULL);
        }
    }
}

/* A server imports what lies in one channel and one format together best. */
static bool
can_join(const struct milvus_task *task, const struct milvus_task *next)
{
    return !task->is_l0 && !next->is_l0 && task->dirs->len < MILVUS_REST_DIRS_MAX &&
           task->partition == next->partition && task->storage_version == next->storage_version &&
           g_strcmp0(task->channel, next->channel) == 0;
}

/* REST takes many directories as one job. */
static void
join_tasks(struct milvus_target *target)
{
    for (guint i = 0; i < target->tasks->len; i++) {
        struct milvus_task *task = target->tasks->pdata[i];
        for (guint k = i + 1; k < target->tasks->len;) {
            struct milvus_task *next = target->tasks->pdata[k];
            if (!can_join(task, next)) {
                k++;
                continue;
            }
            g_ptr_array_add(task->dirs, g_ptr_array_steal_index(next->dirs, 0));
            task->has_deltas |= next->has_deltas;
            task->is_uncounted |= next->is_uncounted;
            task->rows += next->rows;
            task->deleted += next->deleted;
            task->bytes += next->bytes;
            g_ptr_array_remove_index(target->tasks, k);
        }
    }
}

static void
add_l0_tasks(struct milvus_target *target, const char *base, const GPtrArray *segments,
             const char *partition, bool is_staged)
{
    for (guint i = 0; i < segments->len; i++) {
        const struct milvus_segment *segment = segments->pdata[i];
        if (!segment->is_l0 || segment->delta_logs->len == 0) {
            continue;
        }
        struct milvus_task *task = add_task(target, partition);
        const struct milvus_segment there = milvus_segment_placed(segment, is_staged);
        g_autofree char *deltas = milvus_backup_dir_group(&there, MILVUS_DELTA_LOG);
        task->is_l0 = true;
        first_dirs(task)->deltas = g_strconcat(base, deltas, NULL);
        count_segment(task, segment);
    }
}

bool
milvus_is_one_task(const struct bp_restore *restore, const struct milvus_partition *partition,
                   bool is_staged)
{
    bool is_known = is_staged || partition->is_exact;
    bool fits = (uint64_t)milvus_partition_size(partition) <= restore->options.max_task_bytes;
    for (guint i = 0; i < partition->segments->len; i++) {
        if (((struct milvus_segment *)partition->segments->pdata[i])->is_l0) {
            return false;
        }
    }
    if (milvus_takes_partitions(restore)) {
        return is_known && fits;
    }
    /* There, a partition without groups has the form of one group, and no other form to name. */
    return is_known && !is_staged && !has_group_level(partition);
}

static bool
holds_data(const struct milvus_partition *partition)
{
    for (guint i = 0; i < partition->segments->len; i++) {
        if (milvus_has_data(partition->segments->pdata[i])) {
            return true;
        }
    }
    return false;
}

void
milvus_tasks_make(const struct bp_restore *restore, struct milvus_target *target, const char *base,
                  bool is_staged)
{
    g_clear_pointer(&target->tasks, g_ptr_array_unref);
    target->tasks = g_ptr_array_new_with_free_func((GDestroyNotify)milvus_task_free);
    target->n_started = 0;
    const GPtrArray *partitions = target->from->partitions;
    for (guint i = 0; i < partitions->len; i++) {
        const struct milvus_partition *partition = partitions->pdata[i];
        if (!holds_data(partition)) {
            continue;
        }
        if (milvus_is_one_task(restore, partition, is_staged)) {
            add_partition_task(target, base, partition);
        } else {
            add_group_tasks(target, base, partition, is_staged);
        }
    }
    if (restore->rest != NULL) {
        join_tasks(target);
    }
    for (guint i = 0; i < partitions->len; i++) {
        const struct milvus_partition *partition = partitions->pdata[i];
        add_l0_tasks(target, base, partition->segments, partition->name, is_staged);
    }
    add_l0_tasks(target, base, target->from->l0_segments, "", is_staged);
}
