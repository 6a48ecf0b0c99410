/* SPDX-License-Identifier: Apache-2.0
 *
 * See source.h: instances, the storages within reach, plan.
 */
#include "sdk/testkit/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/hostrefs.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/settings.h"

#include "sdk/lib/ban.h"

static struct bp_config *
read_settings(struct bp_kit *kit, const struct bp_kit_settings_params *params, const char *what)
{
    char *why = NULL;
    struct bp_config *config = bp_kit_settings_new(params, &why);
    if (config == NULL) {
        bp_kit_bail(kit, "%s: %s: %s", kit->options->config, what, why);
    }
    return config;
}

/* Keys of a table with a stride of the plugin's. */
static struct bp_config *
read_options(struct bp_kit *kit, const struct bp_config_key *from, uint32_t n, const char *name)
{
    const struct bp_kit_node *base = bp_kit_node_get(kit->config, name);
    struct bp_config_key *keys = bp_kit_alloc(n, sizeof *keys);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(&keys[i], (const char *)from + (size_t)i * kit->source.key_stride, sizeof keys[i]);
    }
    struct bp_kit_settings_params params = {.keys = keys, .n_keys = n, .base = base};
    return read_settings(kit, &params, name);
}

/* A file, or the name of a plugin that lies beside the one under test. */
static char *
plugin_file(const struct bp_kit *kit, const struct bp_kit_node *storage)
{
    const char *plugin = bp_kit_node_text(storage, "plugin", NULL);
    const char *slash = strrchr(kit->options->plugin, '/');
    if (plugin == NULL) {
        bp_kit_bail(kit,
                    "%s: line %u: a storage has a plugin: its file, or the name of one beside "
                    "the source's",
                    kit->options->config, storage->line);
    }
    return strchr(plugin, '/') != NULL
               ? bp_kit_dup(plugin)
               : bp_kit_text("%.*s/bakplane-storage-%s.so", (int)(slash - kit->options->plugin),
                             kit->options->plugin, plugin);
}

/* A kit of its own for each storage, as if it were to be checked. */
static struct bp_kit_store *
open_storage(const struct bp_kit *kit, const struct bp_kit_node *storage)
{
    struct bp_kit *inner = bp_kit_alloc(1, sizeof *inner);
    struct bp_kit_options *options = bp_kit_alloc(1, sizeof *options);
    struct bp_kit_node *config = bp_kit_alloc(1, sizeof *config);
    struct bp_kit_node *entry = bp_kit_alloc(1, sizeof *entry);
    struct bp_kit_store *store = bp_kit_alloc(1, sizeof *store);
    *options = *kit->options;
    options->kind = BP_KIT_STORAGE;
    options->plugin = plugin_file(kit, storage);
    *entry = *storage;
    entry->name = bp_kit_dup("storage");
    *config = (struct bp_kit_node){.type = BP_KIT_MAP, .kids = entry, .n = 1};
    *inner = (struct bp_kit){.options = options,
                             .config = config,
                             .check = kit->check,
                             .run_prefix = kit->run_prefix,
                             .prefix = kit->prefix,
                             .report_fd = kit->report_fd,
                             .step = kit->step};
    bp_kit_store_open(inner, NULL, 0, store);
    return store;
}

/* They stay open until the process ends; a source may be opened several times. */
static struct bp_kit_store *
reach_storages(const struct bp_kit *kit)
{
    static struct bp_kit_store *backup;
    static bool reached;
    const struct bp_kit_node *storages = bp_kit_node_get(kit->config, "storages");
    const char *target = bp_kit_node_text(kit->config, "backup", "backup");
    for (size_t i = 0; !reached && storages != NULL && i < storages->n; i++) {
        const struct bp_kit_node *node = &storages->kids[i];
        struct bp_kit_store *store = open_storage(kit, node);
        bp_kit_refs_add(node->name, store, "", 0);
        if (strcmp(node->name, target) == 0) {
            backup = store;
            bp_kit_refs_add(BP_KIT_BACKUP_REF, store, kit->prefix, BP_VIEW_READ_ONLY);
        }
    }
    reached = true;
    return backup;
}

void
bp_kit_source_open(struct bp_kit *kit, const struct bp_kit_node *other, struct bp_kit_source *out)
{
    struct bp_error error;
    bp_kit_start(kit);
    struct bp_kit_settings_params params = {.keys = kit->keys,
                                            .n_keys = kit->plugin.n_keys,
                                            .base = bp_kit_node_get(kit->config, "source"),
                                            .other = other};
    *out = (struct bp_kit_source){.kit = kit, .backup = reach_storages(kit)};
    out->config = read_settings(kit, &params, "source");
    out->options = read_options(kit, kit->source.create_keys, kit->source.n_create_keys, "options");
    out->restore_options =
        read_options(kit, kit->source.restore_keys, kit->source.n_restore_keys, "restore_options");
    bp_error_init(&error);
    bp_kit_step(kit, "open", NULL);
    bp_status status =
        kit->source.open(kit->host, bp_kit_context(NULL), out->config, &out->it, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "open with the settings of the config file");
    out->info = (struct bp_source_info){.struct_size = sizeof out->info};
    bp_kit_step(kit, "info", NULL);
    status = kit->source.info(out->it, &out->info, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "info");
}

void
bp_kit_source_close(struct bp_kit_source *source)
{
    bp_kit_step(source->kit, "close", NULL);
    source->kit->source.close(source->it);
    bp_kit_settings_free(source->config);
    bp_kit_settings_free(source->options);
    bp_kit_settings_free(source->restore_options);
}

static int32_t
take_note(void *ctx, int32_t level, const char *code, const char *text)
{
    (void)ctx;
    (void)level;
    (void)code;
    (void)text;
    return 0;
}

bp_status
bp_kit_source_try_probe(struct bp_kit_source *source, struct bp_kit_op *op, struct bp_error *error)
{
    struct bp_note_sink notes = {.struct_size = sizeof notes, .note = take_note};
    bp_error_init(error);
    bp_kit_step(source->kit, "probe", NULL);
    return source->kit->source.probe(source->it, bp_kit_context(op), &notes, error);
}

void
bp_kit_source_probe(struct bp_kit_source *source)
{
    struct bp_error error;
    bp_status status = bp_kit_source_try_probe(source, NULL, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "probe");
    bp_kit_step(source->kit, "info", "after probe");
    status = source->kit->source.info(source->it, &source->info, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "info after probe");
}

int
bp_kit_command(const struct bp_kit *kit, const char *hook, const char *const *variables)
{
    const struct bp_kit_node *node = bp_kit_hook(kit, hook);
    int status = 0;
    if (node == NULL || node->text == NULL) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        for (; variables != NULL && variables[0] != NULL; variables += 2) {
            (void)setenv(variables[0], variables[1] != NULL ? variables[1] : "", 1);
        }
        (void)execl("/bin/sh", "sh", "-c", node->text, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

void
bp_kit_source_ready(struct bp_kit *kit, struct bp_kit_source *out)
{
    int code = bp_kit_command(kit, "seed", NULL);
    if (code > 0) {
        bp_kit_bail(kit, "hooks.seed ended with code %d", code);
    }
    bp_kit_source_open(kit, NULL, out);
    bp_kit_source_probe(out);
}

static char *
dup_or_null(const char *text)
{
    return text != NULL ? bp_kit_dup(text) : NULL;
}

static int32_t
take_unit(void *ctx, const struct bp_unit *unit)
{
    struct bp_kit_units *units = ctx;
    units->units = bp_kit_grow(units->units, units->n + 1, sizeof *units->units);
    units->units[units->n++] = (struct bp_kit_unit){.id = dup_or_null(unit->id),
                                                    .parent = dup_or_null(unit->parent),
                                                    .kind = dup_or_null(unit->kind),
                                                    .name = dup_or_null(unit->name),
                                                    .flags = unit->flags};
    return 0;
}

bp_status
bp_kit_try_plan(struct bp_kit_source *source, const struct bp_unit_filter *filter,
                struct bp_kit_op *op, struct bp_kit_units *out, struct bp_error *error)
{
    struct bp_unit_sink sink = {.struct_size = sizeof sink, .ctx = out, .unit = take_unit};
    *out = (struct bp_kit_units){0};
    bp_error_init(error);
    bp_kit_step(source->kit, "plan", NULL);
    return source->kit->source.plan(source->it, bp_kit_context(op), filter, &sink, error);
}

void
bp_kit_plan(struct bp_kit_source *source, struct bp_kit_units *out)
{
    struct bp_error error;
    bp_status status = bp_kit_try_plan(source, NULL, NULL, out, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "plan");
}

void
bp_kit_units_clear(struct bp_kit_units *units)
{
    for (size_t i = 0; i < units->n; i++) {
        bp_kit_items_clear(&units->units[i]);
        free(units->units[i].id);
        free(units->units[i].parent);
        free(units->units[i].kind);
        free(units->units[i].name);
    }
    free(units->units);
    *units = (struct bp_kit_units){0};
}

bool
bp_kit_has_items(const struct bp_kit_source *source, const struct bp_kit_unit *unit)
{
    return unit->kind != NULL &&
           strncmp(unit->kind, source->info.item_kind, sizeof source->info.item_kind) == 0;
}

struct bp_kit_unit *
bp_kit_some_unit(struct bp_kit_source *source, struct bp_kit_units *units)
{
    for (size_t i = 0; i < units->n; i++) {
        if (bp_kit_has_items(source, &units->units[i])) {
            return &units->units[i];
        }
    }
    bp_kit_bail(source->kit, "the source has no unit of kind \"%s\": seed it (hooks.seed)",
                source->info.item_kind);
}
