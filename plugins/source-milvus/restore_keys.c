/* SPDX-License-Identifier: Apache-2.0
 *
 * The declared table of restore options and the reading of their values.
 */
#include "restore_keys.h"

#include <glib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/settings.h"

#include "sdk/lib/ban.h"

#define DAY_MS INT64_C(86400000)
#define MIB INT64_C(1048576)

const struct bp_config_key milvus_restore_keys[] = {
    {.name = "skip_create_collection",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "restore into collections that exist already and have the same schema"},
    {.name = "drop_exist_collection",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "drop collections that exist under the target names, with their data, and create "
             "them anew"},
    {.name = "drop_exist_index",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "drop the indexes of a collection that exists, also when none are made again"},
    {.name = "use_auto_index",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "make vector indexes of type AUTOINDEX with the backup's metric"},
    {.name = "index",
     .type = BP_CONFIG_BOOL,
     .def = "true",
     .alias = "rebuild_index",
     .help = "make the indexes of the backup again"},
    {.name = "load",
     .type = BP_CONFIG_BOOL,
     .def = "true",
     .help = "load collections that were loaded when they were backed up; needs their indexes"},
    {.name = "wait",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "wait until indexes are built and collections loaded"},
    {.name = "wait_timeout",
     .type = BP_CONFIG_DURATION,
     .def = "30m",
     .min = 1000,
     .max = 7 * DAY_MS,
     .unit = "ms",
     .help = "how long to wait for the indexes and the load of one collection"},
    {.name = "placement",
     .type = BP_CONFIG_CHOICE,
     .def = "auto",
     .choices = "auto|in_place|stage",
     .help = "where Milvus reads the backup: in_place on the backup storage, stage after a copy "
             "to its own storage, auto in place where it can"},
    {.name = "max_shards",
     .type = BP_CONFIG_INT,
     .def = "0",
     .min = 0,
     .max = 1024,
     .alias = "max_shard_num",
     .help = "most shards of a created collection; 0 as many as in the backup"},
    {.name = "max_jobs",
     .type = BP_CONFIG_INT,
     .def = "0",
     .min = 0,
     .max = 1024,
     .help = "most import jobs at a time; 0 what suits the version of Milvus"},
    {.name = "max_task_size",
     .type = BP_CONFIG_SIZE,
     .def = "2GiB",
     .min = MIB,
     .max = 1024 * 1024 * MIB,
     .unit = "bytes",
     .help = "largest import of a whole partition; above it, segment by segment"},
    {.name = "stall_timeout",
     .type = BP_CONFIG_DURATION,
     .def = "1h",
     .min = 1000,
     .max = 7 * DAY_MS,
     .unit = "ms",
     .help = "an import job without any progress for so long has failed"},
};
const uint32_t milvus_n_restore_keys = G_N_ELEMENTS(milvus_restore_keys);

static enum milvus_placement
parse_placement(const char *text)
{
    if (g_strcmp0(text, "in_place") == 0) {
        return MILVUS_PLACE_IN_PLACE;
    }
    return g_strcmp0(text, "stage") == 0 ? MILVUS_PLACE_STAGE : MILVUS_PLACE_AUTO;
}

bp_status
milvus_restore_options_load(const struct bp_host *host, const struct bp_config *options,
                            struct milvus_restore_options *out, struct bp_error *error)
{
    *out = (struct milvus_restore_options){
        .skip_create = bp_setting_bool(host, options, "skip_create_collection", false),
        .drop_exist = bp_setting_bool(host, options, "drop_exist_collection", false),
        .drop_exist_index = bp_setting_bool(host, options, "drop_exist_index", false),
        .use_auto_index = bp_setting_bool(host, options, "use_auto_index", false),
        .index = bp_setting_bool(host, options, "index", true),
        .load = bp_setting_bool(host, options, "load", true),
        .wait = bp_setting_bool(host, options, "wait", false),
        .wait_timeout_ms = bp_setting_u64(host, options, "wait_timeout", 30 * 60 * 1000),
        .placement = parse_placement(bp_setting_text(host, options, "placement")),
        .max_shards = (uint32_t)bp_setting_u64(host, options, "max_shards", 0),
        .max_jobs = (uint32_t)bp_setting_u64(host, options, "max_jobs", 0),
        .max_task_bytes = bp_setting_u64(host, options, "max_task_size", UINT64_C(2) << 30),
        .stall_timeout_ms = bp_setting_u64(host, options, "stall_timeout", 60 * 60 * 1000),
    };
    if (out->skip_create && out->drop_exist) {
        return bp_fail(error, BP_ERR_INVALID,
                       "skip_create_collection and drop_exist_collection contradict each other");
    }
    if (!out->index && out->use_auto_index) {
        return bp_fail(error, BP_ERR_INVALID, "use_auto_index needs indexes, which are turned off");
    }
    return BP_OK;
}
