/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptor, the table of operations and the one exported symbol.
 */
#include <bakplane/plugin.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>

#include "bp_build.h"
#include "capture.h"
#include "config.h"
#include "restore.h"
#include "restore_keys.h"
#include "sdk/http/http.h"
#include "sdk/lib/hostlog.h"
#include "source.h"

#include "sdk/lib/ban.h"

/* Most requests to one server at a time. */
#define MAX_PARALLEL 64

static const struct bp_host *log_host;

/* gRPC would write to stderr, which is not ours. */
static void
on_grpc_log(gpr_log_func_args *args)
{
    int32_t level = args->severity == GPR_LOG_SEVERITY_DEBUG ? BP_LOG_TRACE : BP_LOG_DEBUG;
    bp_hostlog(log_host, NULL, level, "grpc: %s", args->message);
}

static bp_status
init(const struct bp_host *host, struct bp_error *error)
{
    bp_status status = bp_http_init(error);
    if (status != BP_OK) {
        return status;
    }
    log_host = host;
    gpr_set_log_function(on_grpc_log);
    grpc_init();
    return BP_OK;
}

static void
fini(void)
{
    grpc_shutdown();
    bp_http_fini();
}

static struct bp_source_ops ops = {
    .struct_size = sizeof(ops),
    .key_stride = sizeof(struct bp_config_key),
    .create_keys = milvus_create_keys,
    .restore_keys = milvus_restore_keys,
    .open = milvus_source_open,
    .close = milvus_source_close,
    .info = milvus_source_info,
    .probe = milvus_source_probe,
    .plan = milvus_source_plan,
    .run_begin = milvus_run_begin,
    .run_keepalive = milvus_run_keepalive,
    .run_end = milvus_run_end,
    .unit_begin = milvus_unit_begin,
    .unit_items = milvus_unit_items,
    .unit_refresh = milvus_unit_refresh,
    .unit_end = milvus_unit_end,
    .unit_prove = milvus_unit_prove,
    .documents = milvus_run_documents,
    .adopt = milvus_source_adopt,
    .restore_begin = milvus_restore_begin,
    .target_prepare = milvus_target_prepare,
    .target_place = milvus_target_place,
    .target_step = milvus_target_step,
    .job_poll = milvus_job_poll,
    .target_prove = milvus_target_prove,
    .target_finish = milvus_target_finish,
    .restore_end = milvus_restore_end,
};

static struct bp_plugin plugin = {
    .struct_size = sizeof(plugin),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .min_host_minor = 0,
    .thread_model = BP_THREADS_PARALLEL,
    .max_parallel = MAX_PARALLEL,
    .name = "milvus",
    .version = BP_BUILD_VERSION,
    .summary = "Milvus 2.2 and later, on any storage that it uses",
    .license = "Apache-2.0",
    .keys = milvus_config_keys,
    .key_stride = sizeof(struct bp_config_key),
    .source = &ops,
    .init = init,
    .fini = fini,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host;
    (void)error;
    /* Each table knows its own length; to the compiler of this file that is no constant. */
    plugin.n_keys = milvus_n_config_keys;
    ops.n_create_keys = milvus_n_create_keys;
    ops.n_restore_keys = milvus_n_restore_keys;
    *out = &plugin;
    return BP_OK;
}
