/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection of the API: identity, version, and the one way through which all calls go.
 */
#include "api.h"

#include <pthread.h>
#include <string.h>

#include "api_internal.h"
#include "bp_build.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

#define LONG_FACTOR 10

struct milvus_api {
    const struct bp_host *host;
    struct milvus_rpc *rpc;
    char *user;
    uint32_t long_timeout_ms;
    pthread_mutex_t lock; /* guards what follows; set once, by the first connect */
    bool connected;
    int64_t identifier;
    uint64_t features;
    char version[64];
};

bp_status
milvus_api_new(const struct bp_host *host, const struct milvus_config *config,
               struct milvus_api **out, struct bp_error *error)
{
    struct milvus_rpc *rpc = NULL;
    bp_status status = milvus_rpc_new(host, config, &rpc, error);
    if (status != BP_OK) {
        return status;
    }
    struct milvus_api *api = g_new0(struct milvus_api, 1);
    api->host = host;
    api->rpc = rpc;
    api->user = g_strdup(config->user);
    api->long_timeout_ms = config->request_timeout_ms * LONG_FACTOR;
    (void)pthread_mutex_init(&api->lock, NULL);
    *out = api;
    return BP_OK;
}

void
milvus_api_free(struct milvus_api *api)
{
    if (api == NULL) {
        return;
    }
    milvus_rpc_free(api->rpc);
    (void)pthread_mutex_destroy(&api->lock);
    g_free(api->user);
    g_free(api);
}

const char *
milvus_api_address(const struct milvus_api *api)
{
    return milvus_rpc_address(api->rpc);
}

static bool
is_connected(struct milvus_api *api)
{
    (void)pthread_mutex_lock(&api->lock);
    bool connected = api->connected;
    (void)pthread_mutex_unlock(&api->lock);
    return connected;
}

/* The text is written once, before `connected`, and never again. */
const char *
milvus_api_version(const struct milvus_api *api)
{
    return is_connected((struct milvus_api *)api) ? api->version : "";
}

bool
milvus_api_can(const struct milvus_api *api, enum milvus_feature feature)
{
    return is_connected((struct milvus_api *)api) && (api->features & UINT64_C(1) << feature) != 0;
}

/* What Connect and GetVersion said. */
struct greeting {
    int64_t identifier;
    char version[64];
};

static bp_status
say_hello(struct milvus_api *api, const struct bp_op *op, struct greeting *out,
          struct bp_error *error)
{
    Mv__ClientInfo client = MV__CLIENT_INFO__INIT;
    client.sdk_type = milvus_api__text("bakplane");
    client.sdk_version = milvus_api__text(BP_BUILD_VERSION);
    client.user = api->user;
    Mv__ConnectRequest message = MV__CONNECT_REQUEST__INIT;
    message.client_info = &client;
    struct milvus_rpc_call call = {
        .method = "Connect", .request = &message.base, .answer = &mv__connect_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_rpc_call(api->rpc, op, &call, &answer, error);
    if (status == BP_ERR_UNSUPPORTED) {
        return BP_OK; /* older than 2.2.9: no identifier, the version comes from GetVersion */
    }
    if (status != BP_OK) {
        return status;
    }
    const Mv__ConnectResponse *response = (const Mv__ConnectResponse *)answer;
    out->identifier = response->identifier;
    if (response->server_info != NULL && response->server_info->build_tags != NULL) {
        g_strlcpy(out->version, response->server_info->build_tags, sizeof(out->version));
    }
    return BP_OK;
}

static bp_status
ask_version(struct milvus_api *api, const struct bp_op *op, struct greeting *out,
            struct bp_error *error)
{
    Mv__Empty message = MV__EMPTY__INIT;
    struct milvus_rpc_call call = {.method = "GetVersion",
                                   .identifier = out->identifier,
                                   .request = &message.base,
                                   .answer = &mv__get_version_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_rpc_call(api->rpc, op, &call, &answer, error);
    if (status == BP_ERR_UNSUPPORTED) {
        return bp_fail(error, BP_ERR_INVALID,
                       "setting address: what answers at %s is no Milvus (it knows neither Connect "
                       "nor GetVersion)",
                       milvus_api_address(api));
    }
    if (status == BP_OK) {
        const char *version = ((const Mv__GetVersionResponse *)answer)->version;
        g_strlcpy(out->version, version != NULL ? version : "", sizeof(out->version));
    }
    return status;
}

bp_status
milvus_api_connect(struct milvus_api *api, const struct bp_op *op, struct bp_error *error)
{
    if (is_connected(api)) {
        return BP_OK;
    }
    struct greeting greeting = {0};
    struct milvus_version version = {0, 0, 0};
    bp_status status = say_hello(api, op, &greeting, error);
    if (status == BP_OK && !milvus_version_parse(greeting.version, &version)) {
        status = ask_version(api, op, &greeting, error);
    }
    if (status != BP_OK) {
        return status;
    }
    if (!milvus_version_parse(greeting.version, &version)) {
        bp_hostlog(api->host, op, BP_LOG_WARN,
                   "milvus %s: \"%s\" is no version I know; treated as the newest",
                   milvus_api_address(api), greeting.version);
    }
    (void)pthread_mutex_lock(&api->lock);
    if (!api->connected) {
        api->identifier = greeting.identifier;
        api->features = milvus_features(&version);
        memcpy(api->version, greeting.version, sizeof(api->version));
        api->connected = true;
    }
    (void)pthread_mutex_unlock(&api->lock);
    return BP_OK;
}

char *
milvus_api__text(const char *text)
{
    return (char *)text;
}

char *
milvus_api__db(const char *db)
{
    if (db == NULL || db[0] == '\0' || strcmp(db, MILVUS_DEFAULT_DATABASE) == 0) {
        return NULL;
    }
    return milvus_api__text(db);
}

char *
milvus_api__collection_text(const char *db, const char *collection)
{
    const char *sent = milvus_api__db(db);
    return g_strdup_printf("collection %s.%s", sent != NULL ? sent : MILVUS_DEFAULT_DATABASE,
                           collection);
}

bp_status
milvus_api__call(struct milvus_api *api, const struct bp_op *op,
                 const struct milvus_request *request, milvus_answer **answer,
                 struct bp_error *error)
{
    bp_status status = milvus_api_connect(api, op, error);
    if (status != BP_OK) {
        return status;
    }
    const char *db = milvus_api__db(request->db);
    if (db != NULL && !milvus_api_can(api, MILVUS_CAN_DATABASES)) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "milvus %s: database %s: version %s knows no databases (%s does)",
                       milvus_api_address(api), db, api->version,
                       milvus_feature_since(MILVUS_CAN_DATABASES));
    }
    struct milvus_rpc_call call = {
        .method = request->method,
        .object = request->object,
        .db = db,
        .identifier = api->identifier,
        .timeout_ms = request->patience == MILVUS_LONG ? api->long_timeout_ms : 0,
        .is_fragile = request->is_fragile,
        .request = request->message,
        .answer = request->answer,
    };
    return milvus_rpc_call(api->rpc, op, &call, answer, error);
}

void
milvus_answer_free(milvus_answer *answer)
{
    protobuf_c_message_free_unpacked(answer, NULL);
}
