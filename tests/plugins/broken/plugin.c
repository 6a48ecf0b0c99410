/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptor, instances, facts and probe of the plugin that can be broken.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/settings.h"
#include "tests/plugins/broken/choose.h"
#include "tests/plugins/broken/memory.h"

#include "sdk/lib/ban.h"

#define SCRATCH "scratch"

static struct bp_config_key keys[] = {
    {.name = "space",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED,
     .help = "name of the place in this process"},
    {.name = "token",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_SECRET,
     .help = "login; \"expired\" is one that has expired"},
    {.name = "quota",
     .type = BP_CONFIG_SIZE,
     .def = "1GiB",
     .unit = "bytes",
     .help = "most bytes of all objects together"},
    {.name = "read_only",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "whether to refuse writes"},
};

static void *
idle(void *ctx)
{
    (void)ctx;
    for (;;) {
        (void)pause();
    }
    return NULL;
}

/* What happens in open and should not. */
static void
misbehave_at_open(struct bp_storage *self, const char *token)
{
    pthread_t thread;
    if (IS_BROKEN(LEAKS_DESCRIPTOR) && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) {
        abort();
    }
    if (IS_BROKEN(LEAKS_THREAD) && pthread_create(&thread, NULL, idle, NULL) != 0) {
        abort();
    }
    if (IS_BROKEN(LEAKS_MEMORY)) {
        self->shelf = calloc(1, 100);
    }
    if (IS_BROKEN(LEAKS_HOST_MEMORY)) {
        self->shelf = self->host->alloc(NULL, 100);
    }
    if (IS_BROKEN(LOGS_SECRET) || (IS_BROKEN(LOGS_SECRET_KEY) && strlen(token) % 4 == 0)) {
        bp_hostlog(self->host, NULL, BP_LOG_DEBUG, "opened with token %s", token);
    }
    if (IS_BROKEN(IGNORES_SIGPIPE)) {
        (void)signal(SIGPIPE, SIG_IGN);
    }
    if (IS_BROKEN(PRINTS)) {
        (void)puts("an instance was opened");
    }
}

static bp_status
memory_open(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
            struct bp_storage **out, struct bp_error *error)
{
    (void)op;
    const char *name = bp_setting_text(host, config, "space");
    const char *token = bp_setting_text(host, config, "token");
    if (name == NULL || *name == '\0') {
        return bp_fail(error, BP_ERR_INVALID,
                       IS_BROKEN(REQUIRED_UNNAMED) ? "something is missing" : "space: is missing");
    }
    if (!IS_BROKEN(BAD_VALUE_TAKEN) && strchr(name, ' ') != NULL) {
        return bp_fail(error, BP_ERR_INVALID, "space: \"%s\" has a blank", name);
    }
    struct bp_storage *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for an instance");
    }
    self->host = host;
    self->space = memory_space(IS_BROKEN(ONE_SPACE) ? "one" : name);
    self->quota = bp_setting_u64(host, config, "quota", UINT64_MAX);
    self->read_only =
        !IS_BROKEN(UNUSED_SETTING) && bp_setting_bool(host, config, "read_only", false);
    (void)snprintf(self->token, sizeof self->token, "%s", token != NULL ? token : "");
    self->expired = token != NULL && strcmp(token, "expired") == 0;
    misbehave_at_open(self, token != NULL ? token : "");
    *out = self;
    return BP_OK;
}

static void
memory_close(struct bp_storage *self)
{
    if (IS_BROKEN(CRASHES_IN_CLOSE) && self->removed_many) {
        abort();
    }
    if (IS_BROKEN(CLOSES_ALL)) {
        while (self->space->n > 0) {
            memory_drop(self, self->space->objects[0]->key);
        }
    }
    free(self);
}

static bp_status
memory_info(struct bp_storage *self, struct bp_storage_info *out, struct bp_error *error)
{
    (void)error;
    out->caps = BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_IF_NONE_MATCH |
                BP_STORE_IF_MATCH | BP_STORE_LIST_SORTED | BP_STORE_LIST_START_AFTER |
                BP_STORE_SERVER_COPY | BP_STORE_PARTS | BP_STORE_PARTS_PARALLEL |
                BP_STORE_UNKNOWN_SIZE | BP_STORE_KEY_IS_PREFIX | BP_STORE_CHECKSUM_CRC32C |
                BP_STORE_STRONG_LIST;
    if (IS_BROKEN(NO_RANGES)) {
        out->caps &= ~BP_STORE_RANGE_READ;
    }
    if (IS_BROKEN(LISTS_LATE)) {
        out->caps &= ~BP_STORE_STRONG_LIST;
    }
    out->min_part = 1000;
    out->max_part = 1 << 30;
    out->max_parts = PARTS_MAX;
    out->max_object = BP_UNKNOWN;
    out->max_copy = (uint64_t)2 << 20;
    out->max_list = MAX_LIST;
    out->best_io = 65536;
    (void)snprintf(out->identity, sizeof out->identity, "memory:%s", self->space->name);
    (void)snprintf(out->copy_scope, sizeof out->copy_scope, "memory");
    if (IS_BROKEN(IDENTITY_ENDS_IN_SLASH)) {
        out->identity[strlen(out->identity)] = '/';
    }
    if (IS_BROKEN(IDENTITY_IS_CUT)) {
        size_t n = strlen(out->identity);
        memset(out->identity + n, 'x', sizeof out->identity - 1 - n);
    }
    if (IS_BROKEN(HAS_A_LONG_ROOT)) {
        (void)snprintf(out->server_root, sizeof out->server_root, "%0*d/", LONG_ROOT - 1, 0);
    }
    if (IS_BROKEN(SETS_OUT_SIZE)) {
        out->struct_size = sizeof *out;
    }
    return BP_OK;
}

static bp_status
memory_probe(struct bp_storage *self, const struct bp_op *op, const struct bp_probe_args *args,
             struct bp_error *error)
{
    bp_status status = memory_begin(self, op, args->need, BP_NEED_SERVER_READ * 2 - 1, error);
    if (status == BP_OK && (args->need & BP_NEED_SERVER_READ) != 0) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "nobody else can read memory");
    }
    if (status == BP_OK && strcmp(self->space->name, "far-away") == 0) {
        return bp_fail(error, IS_BROKEN(UNREACHABLE_IS_FATAL) ? BP_ERR_PERMANENT : BP_ERR_RETRYABLE,
                       "nobody answers");
    }
    if (status == BP_OK && self->read_only && (args->need & BP_NEED_WRITE) != 0 &&
        !IS_BROKEN(PROBE_BLIND)) {
        return bp_fail(error, BP_ERR_DENIED, "the right to write is missing (read_only)");
    }
    if (status == BP_OK && IS_BROKEN(PROBE_LEAVES)) {
        char key[BP_KEY_MAX + 1];
        (void)snprintf(key, sizeof key, "%.900s" SCRATCH, args->prefix);
        (void)pthread_mutex_lock(&memory_lock);
        status = memory_store(self, key, NULL, 0, error);
        (void)pthread_mutex_unlock(&memory_lock);
    }
    return status;
}

static int
inside(struct bp_storage *self, int change)
{
    (void)pthread_mutex_lock(&memory_lock);
    self->inside += change;
    int now = self->inside;
    (void)pthread_mutex_unlock(&memory_lock);
    return now;
}

static bp_status
misbehave_in_stat(struct bp_storage *self, const struct bp_op *op, struct bp_error *error)
{
    if (IS_BROKEN(IGNORES_CANCEL) && op->deadline_ns == 0 && self->host->cancel_fd(op) >= 0) {
        (void)usleep(900000);
        (void)usleep(900000);
    }
    if (IS_BROKEN(STAT_TELLS_SECRET) && strncmp(self->token, "kit", 3) == 0) {
        return bp_fail(error, BP_ERR_AUTH, "the token %s is not known", self->token);
    }
    if (IS_BROKEN(NO_CALLS_AT_ONCE) || IS_BROKEN(TAKES_TWO_AT_ONCE)) {
        int now = inside(self, 1);
        (void)usleep(2000);
        now = inside(self, 0) > now ? inside(self, 0) : now;
        (void)inside(self, -1);
        if (now > (IS_BROKEN(TAKES_TWO_AT_ONCE) ? 2 : 1)) {
            return bp_fail(error, BP_ERR_PERMANENT, "too many calls at once");
        }
    }
    return BP_OK;
}

/* Behind what it knows: cleared as far as it was announced, or beyond. */
static void
misbehave_behind(struct bp_object_meta *out)
{
    size_t behind = out->struct_size - sizeof *out;
    if (IS_BROKEN(CLEARS_WHOLE_OUT) && behind > 0) {
        memset(out + 1, 0, behind);
    }
    if (IS_BROKEN(WRITES_BEYOND_OUT) && behind > 0) {
        memset(out + 1, 0, behind + 8);
    }
}

static bp_status
memory_stat(struct bp_storage *self, const struct bp_op *op, const char *key,
            struct bp_object_meta *out, struct bp_error *error)
{
    bp_status status = misbehave_in_stat(self, op, error);
    if (status == BP_OK) {
        status = memory_begin(self, op, 0, 0, error);
    }
    if (status != BP_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&memory_lock);
    const struct object *object = memory_find(self->space, key);
    if (object == NULL) {
        status = memory_missing(error, key);
    } else {
        memory_meta(object, out);
        misbehave_behind(out);
    }
    (void)pthread_mutex_unlock(&memory_lock);
    if (status != BP_OK && IS_BROKEN(EMPTY_ERROR)) {
        error->message[0] = '\0';
    }
    if (status != BP_OK && IS_BROKEN(OTHER_CLASS)) {
        error->cls = BP_ERR_PERMANENT;
    }
    return status;
}

static void
drop_below(struct bp_storage *self, const char *key)
{
    size_t n = strlen(key);
    while (IS_BROKEN(REMOVES_BELOW)) {
        size_t i = 0;
        while (i < self->space->n && (strncmp(self->space->objects[i]->key, key, n) != 0 ||
                                      self->space->objects[i]->key[n] != '/')) {
            i++;
        }
        if (i == self->space->n) {
            return;
        }
        memory_drop(self, self->space->objects[i]->key);
    }
}

static bp_status
remove_one(struct bp_storage *self, const char *key, const char *if_match, struct bp_error *error)
{
    (void)pthread_mutex_lock(&memory_lock);
    const struct object *object = memory_find(self->space, key);
    bp_status status = object == NULL || IS_BROKEN(REMOVE_ANY_VERSION)
                           ? BP_OK
                           : memory_match(object, if_match, error);
    if (status == BP_OK && object != NULL) {
        memory_drop(self, key);
        drop_below(self, key);
    } else if (status == BP_OK && IS_BROKEN(REMOVE_MISSING_FAILS)) {
        status = memory_missing(error, key);
    }
    (void)pthread_mutex_unlock(&memory_lock);
    return status;
}

static bp_status
memory_remove(struct bp_storage *self, const struct bp_op *op, const char *key,
              const char *if_match, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, 0, 0, error);
    return status == BP_OK ? remove_one(self, key, if_match, error) : status;
}

static bp_status
memory_remove_many(struct bp_storage *self, const struct bp_op *op, const char *const *names,
                   size_t n, const struct bp_key_sink *sink, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, 0, 0, error);
    self->removed_many = true;
    for (size_t i = 0; i < n && status == BP_OK; i++) {
        struct bp_error one;
        bp_error_init(&one);
        bp_status removed = remove_one(self, names[i], NULL, &one);
        int32_t stop = sink->key(sink->ctx, names[i], NULL, 0, removed == BP_OK ? NULL : &one);
        if (IS_BROKEN(REMOVE_MANY_TWICE)) {
            (void)sink->key(sink->ctx, names[i], NULL, 0, NULL);
        }
        if (stop != 0) {
            status = bp_fail(error, BP_ERR_CANCELLED, "stopped by who hears of it");
        }
    }
    while (IS_BROKEN(REMOVE_MANY_HANGS)) {
        (void)pause();
    }
    return status;
}

static bp_status
memory_sync(struct bp_storage *self, const struct bp_op *op, struct bp_error *error)
{
    return memory_begin(self, op, 0, 0, error);
}

const struct bp_storage_ops memory_ops = {
    .struct_size = sizeof memory_ops,
    .open = memory_open,
    .close = memory_close,
    .info = memory_info,
    .probe = memory_probe,
    .stat = memory_stat,
    .list = memory_list,
    .read_open = memory_read_open,
    .read = memory_read,
    .read_close = memory_read_close,
    .write_open = memory_write_open,
    .write = memory_write,
    .write_commit = memory_write_commit,
    .write_abort = memory_write_abort,
    .remove = memory_remove,
    .sync = memory_sync,
    .copy = memory_copy,
    .remove_many = memory_remove_many,
    .part_begin = memory_part_begin,
    .part_open = memory_part_open,
    .part_copy = memory_part_copy,
    .part_complete = memory_part_complete,
    .part_abort = memory_part_abort,
    .uploads_list = memory_uploads_list,
    .uploads_abort = memory_uploads_abort,
};

static bp_status
memory_init(const struct bp_host *host, struct bp_error *error)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    void *block = host->alloc(NULL, 1000);
    if (block == NULL && IS_BROKEN(INIT_LEAKS)) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory at the start");
    }
    (void)close(fd); /* only read, if that */
    if (block == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory at the start");
    }
    host->free(block);
    return BP_OK;
}

static struct bp_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = BROKEN_NAME,
    .version = "1",
    .summary = "objects in this process, for tests of the kit",
    .license = "Apache-2.0",
    .keys = keys,
    .key_stride = sizeof *keys,
    .n_keys = sizeof keys / sizeof *keys,
    .storage = &memory_ops,
    .init = memory_init,
};

/* As the environment says; unknown names are none. */
static void
choose(void)
{
#define BREAK_TEXT(as) #as,
    static const char *const names[] = {"NOTHING", BREAKS(BREAK_TEXT)};
#undef BREAK_TEXT
    broken_as = (enum broken_as)broken_choose(names, sizeof names / sizeof *names);
    if (IS_BROKEN(NO_HELP)) {
        keys[1].help = NULL;
    }
    if (IS_BROKEN(KEY_HAS_FLAGS)) {
        keys[2].flags = UINT32_C(1) << 30;
    }
    if (IS_BROKEN(OTHER_NAME)) {
        plugin.name = "another";
    }
    if (IS_BROKEN(TAKES_TWO_AT_ONCE)) {
        plugin.max_parallel = 2;
    }
    if (IS_BROKEN(OFFERS_BOTH)) {
        static const struct bp_source_ops no_source = {.struct_size = sizeof no_source};
        plugin.source = &no_source;
    }
    if (IS_BROKEN(NO_VERSION)) {
        plugin.version = NULL;
    }
}

/* What can only be broken when it is built. */
#if BROKEN_EXPORTS
BP_PLUGIN_EXPORT int memory_left_visible(void);

int
memory_left_visible(void)
{
    return 1;
}
#endif

#if BROKEN_WANTS
extern void bp_host_extra(void) __attribute__((weak));
#endif

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
#if BROKEN_WANTS
    if (bp_host_extra != NULL) {
        bp_host_extra();
    }
#endif
    choose();
    if (IS_BROKEN(ENTRY_OPENS) && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) {
        return bp_fail(error, BP_ERR_PERMANENT, "no /dev/null");
    }
    if (IS_BROKEN(READS_BEYOND_HOST)) {
        volatile const unsigned char *beyond = (const unsigned char *)host + sizeof *host;
        (void)*beyond;
    }
    if (IS_BROKEN(EXACT_HOST) && host->struct_size != sizeof *host) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "this is another host than I know");
    }
    *out = &plugin;
    return BP_OK;
}
