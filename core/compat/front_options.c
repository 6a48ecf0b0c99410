/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands and options of milvus-backup 0.4, 0.5 and 0.6, all of them, and what becomes of
 * each here.
 */
#include "core/compat/front_line.h"

#include "sdk/lib/ban.h"

#define NO_RBAC "users, roles and grants are not backed up or restored by this version"
#define DONE BP_FATE_DONE
#define IDLE BP_FATE_IDLE
#define REFUSED BP_FATE_REFUSED

const bp_front_option bp_front_globals[] = {
    {"config", 0, DONE, "FILE", "configuration file (default backup.yaml)", NULL},
    {"set", 0, DONE, "KEY=VALUE", "set values, by key or by environment variable (comma list)",
     NULL},
    {"help", 'h', DONE, NULL, "show what may be given", NULL},
    {"version", 'v', DONE, NULL, "show the version", NULL},
};
const gsize bp_front_n_globals = G_N_ELEMENTS(bp_front_globals);

static const bp_front_option create_options[] = {
    {"name", 'n', DONE, "NAME", "name of the backup (default: from the time)", "--name"},
    {"colls", 'c', DONE, "LIST", "collections, coll or db.coll", "--colls"},
    {"databases", 'd', DONE, "LIST", "databases, whole", "--databases"},
    {"database_collections", 'a', DONE, "JSON", "database -> list of collections",
     "--database-collections"},
    {"filter", 0, DONE, "TERMS", "db., db.*, db.coll or coll (comma list)", "--filter"},
    {"force", 'f', DONE, NULL, "do not flush first", NULL},
    {"meta_only", 0, DONE, NULL, "schemas and indexes, no data", NULL},
    {"strategy", 0, DONE, "NAME", "auto, serial_flush, skip_flush or meta_only", NULL},
    {"format", 0, DONE, "NAME", "auto or binlog", NULL},
    {"rbac", 0, REFUSED, NULL, NO_RBAC, NULL},
    {"backup_index_extra", 0, REFUSED, NULL, "index details are not read from etcd", NULL},
};

static const bp_front_option restore_options[] = {
    {"name", 'n', DONE, "NAME", "name of the backup (required)", "--name"},
    {"collections", 'c', DONE, "LIST", "collections by their names in the backup", "--collections"},
    {"databases", 'd', DONE, "LIST", "databases of the backup, whole", "--databases"},
    {"database_collections", 'a', DONE, "JSON", "database -> list of collections",
     "--database-collections"},
    {"filter", 0, DONE, "TERMS", "what to restore, by names after renaming", "--filter"},
    {"suffix", 's', DONE, "TEXT", "appended to every collection's name", "--suffix"},
    {"rename", 'r', DONE, "RULES", "c1:c2, db1.c1:db2.c2 or db1.*:db2.* (comma list)", NULL},
    {"meta_only", 0, DONE, NULL, "make the collections, bring no data", "--meta-only"},
    {"restore_index", 0, DONE, NULL, "make the indexes again", NULL},
    {"rebuild_index", 0, DONE, NULL, "the same", NULL},
    {"use_auto_index", 0, DONE, NULL, "make vector indexes of type AUTOINDEX", NULL},
    {"drop_exist_collection", 0, DONE, NULL, "drop collections that are in the way",
     "--drop-exist-collection"},
    {"drop_exist_index", 0, DONE, NULL, "drop the indexes of the target first",
     "--drop-exist-index"},
    {"skip_create_collection", 0, DONE, NULL, "restore into collections that exist",
     "--skip-create-collection"},
    {"use_v2_restore", 0, IDLE, NULL, "segments are merged into few imports anyway", NULL},
    {"rbac", 0, REFUSED, NULL, NO_RBAC, NULL},
};

static const bp_front_option list_options[] = {
    {"collection", 'c', DONE, "NAME", "only backups that hold it, in any database", NULL},
};

static const bp_front_option get_options[] = {
    {"name", 'n', DONE, "NAME", "name of the backup (required)", "--name"},
    {"detail", 'd', DONE, NULL, "with partitions and segments", NULL},
};

static const bp_front_option delete_options[] = {
    {"name", 'n', DONE, "NAME", "name of the backup (required)", "--name"},
};

static const bp_front_option server_options[] = {
    {"port", 'p', DONE, "PORT", "port of REST (default: $SERVER_PORT, else as configured)", NULL},
    {"insecure", 0, DONE, NULL, "not of milvus-backup: serve everybody, with server.auth=none",
     "--insecure"},
};

static const bp_front_option config_options[] = {
    {"output", 'o', DONE, "FILE", "migrate: file to write (default: standard output)", "--output"},
    {"force", 0, DONE, NULL, "migrate: replace that file", "--force"},
    {"strict", 0, DONE, NULL, "migrate: fail where the result is not valid", "--strict"},
};

#define OPTIONS(array) .options = (array), .n_options = G_N_ELEMENTS(array)

const bp_front_command bp_front_commands[] = {
    {.name = "create", .summary = "make a backup", OPTIONS(create_options)},
    {.name = "restore",
     .summary = "bring a backup's collections back",
     OPTIONS(restore_options),
     .words = ""},
    {.name = "list", .summary = "show the names of all backups", OPTIONS(list_options)},
    {.name = "get", .summary = "show one backup", OPTIONS(get_options)},
    {.name = "delete", .summary = "delete one backup", OPTIONS(delete_options)},
    {.name = "check", .summary = "try the connections", .words = "backup_yaml config"},
    {.name = "config",
     .summary = "show the configuration, or migrate it to the second dialect",
     OPTIONS(config_options),
     .words = "show migrate"},
    {.name = "server", .summary = "serve by REST and gRPC", OPTIONS(server_options)},
    {.name = "migrate", .refused = "backups cannot be sent to Zilliz Cloud"},
    {.name = "l0compact", .refused = "delete logs of a backup cannot be folded"},
};
const gsize bp_front_n_commands = G_N_ELEMENTS(bp_front_commands);
