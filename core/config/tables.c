/* SPDX-License-Identifier: Apache-2.0
 *
 * The core's own keys.  A plugin's stand in the plugin.
 */
#include "core/config/config.h"

#include "sdk/lib/ban.h"

#define KIB G_GINT64_CONSTANT(1024)
#define MIB (KIB * KIB)
#define SECOND G_GINT64_CONSTANT(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

#define TABLE(array)                                                         \
    {                                                                        \
        .keys = (array), .stride = sizeof *(array), .n = G_N_ELEMENTS(array) \
    }

/* Keys of `backup` and `restore` that mean the same in both. */
#define THROTTLE                                                                                \
    {                                                                                           \
        .name = "throttle", .type = BP_CONFIG_SIZE, .def = "unlimited", .choices = "unlimited", \
        .min = 64 * KIB, .max = G_MAXINT64, .unit = "bytes per second",                         \
        .help = "most bytes to copy per second, over all workers"                               \
    }
#define TIMEOUT                                                                          \
    {                                                                                    \
        .name = "timeout", .type = BP_CONFIG_DURATION, .def = "none", .choices = "none", \
        .min = SECOND, .max = 365 * DAY, .unit = "ms",                                   \
        .help = "longest time that the whole job may take"                               \
    }

#define N_NOT_FOR_COPY 3

static const struct bp_config_key backup_keys[] = {
    /* The first three are not for copying a backup: bp_config_copy_keys leaves them out. */
    {.name = "storage",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED,
     .flag = "storage",
     .help = "name of the storage that holds the backups"},
    {.name = "concurrency.units",
     .type = BP_CONFIG_INT,
     .def = "4",
     .min = 1,
     .max = 256,
     .flag = "concurrency-units",
     .help = "units of the source (collections) that are captured at once"},
    {.name = "wait_for_turn",
     .type = BP_CONFIG_DURATION,
     .def = "12h",
     .min = 0,
     .max = 365 * DAY,
     .unit = "ms",
     .flag = "wait-for-turn",
     .help = "how long to wait for another job that captures the same source; 0 fails at once"},
    {.name = "concurrency.copies",
     .type = BP_CONFIG_INT,
     .def = "16",
     .min = 1,
     .max = 1024,
     .flag = "concurrency-copies",
     .help = "objects that are copied at once"},
    THROTTLE,
    {.name = "prove",
     .type = BP_CONFIG_CHOICE,
     .def = "stream",
     .choices = "size|stream|read",
     .help = "how a copy is proven: its size; a checksum of the bytes that pass through; or every "
             "copy read again and compared"},
    {.name = "lock",
     .type = BP_CONFIG_CHOICE,
     .def = "exclusive",
     .choices = "exclusive|advisory",
     .help = "how two runs on one backup are kept apart; advisory is for storages that cannot "
             "create an object exclusively"},
    {.name = "buffer_size",
     .type = BP_CONFIG_SIZE,
     .def = "1MiB",
     .min = 64 * KIB,
     .max = 8 * MIB,
     .unit = "bytes",
     .flag = "buffer-size",
     .help = "memory of each worker that copies"},
    {.name = "part_size",
     .type = BP_CONFIG_SIZE,
     .choices = "never",
     .min = 5 * MIB,
     .max = 5 * KIB * MIB,
     .unit = "bytes",
     .flag = "part-size",
     .help = "larger objects go in parts of at least this size, where the storage can; without it "
             "from 8 MiB on, where parts are of use"},
    {.name = "retry.attempts",
     .type = BP_CONFIG_INT,
     .def = "6",
     .min = 1,
     .max = 100,
     .flag = "retry-attempts",
     .help = "how often a request is tried in all, by any command"},
    {.name = "retry.max_delay",
     .type = BP_CONFIG_DURATION,
     .def = "30s",
     .min = 100,
     .max = HOUR,
     .unit = "ms",
     .flag = "retry-max-delay",
     .help = "longest pause between two attempts, by any command"},
    TIMEOUT,
};

static const struct bp_config_key restore_keys[] = {
    {.name = "concurrency.units",
     .type = BP_CONFIG_INT,
     .def = "2",
     .min = 1,
     .max = 256,
     .flag = "concurrency-units",
     .help = "units (collections) that are restored at once"},
    {.name = "concurrency.copies",
     .type = BP_CONFIG_INT,
     .def = "16",
     .min = 1,
     .max = 1024,
     .flag = "concurrency-copies",
     .help = "objects that are staged at once"},
    THROTTLE,
    {.name = "verify",
     .type = BP_CONFIG_CHOICE,
     .def = "size",
     .choices = "size|deep",
     .help = "how the backup's own files are checked before anything is restored: that all are "
             "there with their sizes, or every byte against its checksum"},
    TIMEOUT,
};

static const struct bp_config_key plugins_keys[] = {
    {.name = "dirs",
     .type = BP_CONFIG_PATH,
     .flags = BP_CONFIG_LIST,
     .help = "directories that are searched for plugins, instead of the one that came with the "
             "program"},
    {.name = "sha256",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_LIST,
     .help = "if any are given, only plugin files with one of these SHA-256 sums are loaded"},
};

static const struct bp_config_key log_keys[] = {
    {.name = "level",
     .type = BP_CONFIG_CHOICE,
     .def = "warn",
     .choices = "error|warn|info|debug|trace",
     .help = "how much is written to standard error"},
    {.name = "format",
     .type = BP_CONFIG_CHOICE,
     .def = "text",
     .choices = "text|json",
     .help = "lines for people or one JSON object per line"},
};

static const struct bp_config_key top_keys[] = {
    {.name = "state_dir",
     .type = BP_CONFIG_PATH,
     .help = "directory for jobs and the journals of restores; without it /var/lib/bakplane for "
             "root, else the user's state directory"},
};

const bp_key_table bp_config_backup_keys = TABLE(backup_keys);
const bp_key_table bp_config_copy_keys = {.keys = backup_keys + N_NOT_FOR_COPY,
                                          .stride = sizeof *backup_keys,
                                          .n = G_N_ELEMENTS(backup_keys) - N_NOT_FOR_COPY};
const bp_key_table bp_config_restore_keys = TABLE(restore_keys);
const bp_key_table bp_config_plugins_keys = TABLE(plugins_keys);
const bp_key_table bp_config_log_keys = TABLE(log_keys);
const bp_key_table bp_config_top_keys = TABLE(top_keys);
