/* SPDX-License-Identifier: Apache-2.0
 *
 * The declared settings.
 */
#include "plugins/storage-azure/config.h"

#include "sdk/lib/ban.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define SECOND 1000
#define HOUR (3600 * SECOND)

#define SIZE_KEY .type = BP_CONFIG_SIZE, .unit = "bytes"
#define TIME_KEY .type = BP_CONFIG_DURATION, .unit = "ms"
#define SECRET_KEY .type = BP_CONFIG_STRING, .flags = BP_CONFIG_SECRET

const struct bp_config_key bp_azure_keys[BP_AZURE_N_KEYS] = {
    {.name = "container",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED,
     .alias = "bucket",
     .help = "container that holds the objects"},
    {.name = "prefix",
     .type = BP_CONFIG_STRING,
     .help = "part of the container that is used: all names start with it and a '/'"},
    {.name = "account",
     .type = BP_CONFIG_STRING,
     .help = "name of the storage account; not needed where connection_string or endpoint say it"},
    {.name = "credentials",
     .type = BP_CONFIG_CHOICE,
     .def = "auto",
     .choices = "auto|key|sas|connection-string|service-principal|managed-identity|"
                "workload-identity",
     .help = "how to log in; auto takes the first that is set of connection_string, account_key, "
             "sas, client_secret and token_file (also from AZURE_FEDERATED_TOKEN_FILE), else the "
             "managed identity of this machine"},
    {.name = "account_key", SECRET_KEY, .help = "one of the account's two keys"},
    {.name = "sas",
     SECRET_KEY,
     .help = "shared access signature of the container or the account, with or without '?'"},
    {.name = "connection_string",
     SECRET_KEY,
     .help = "as the portal shows it: account, its key or a SAS, and where it is"},
    {.name = "tenant_id",
     .type = BP_CONFIG_STRING,
     .help = "directory of the service principal or workload identity (else: AZURE_TENANT_ID, for "
             "workload identities)"},
    {.name = "client_id",
     .type = BP_CONFIG_STRING,
     .help = "application of the service principal or workload identity (else: AZURE_CLIENT_ID, "
             "for workload identities), or which managed identity to use"},
    {.name = "client_secret", SECRET_KEY, .help = "secret of the service principal"},
    {.name = "token_file",
     .type = BP_CONFIG_PATH,
     .help = "federated token of a workload identity (else: AZURE_FEDERATED_TOKEN_FILE); read "
             "again for each login"},
    {.name = "authority",
     .type = BP_CONFIG_STRING,
     .help = "where logins are made (else: AZURE_AUTHORITY_HOST, for workload identities; else the "
             "one of endpoint_suffix' cloud, such as https://login.microsoftonline.com)"},
    {.name = "identity_endpoint",
     .type = BP_CONFIG_STRING,
     .def = BP_AZURE_DEFAULT_IDENTITY_ENDPOINT,
     .help = "where this machine gets tokens of its managed identity"},
    {.name = "endpoint",
     .type = BP_CONFIG_STRING,
     .help = "URL of the account's blob service (else: https://ACCOUNT.blob.SUFFIX); with the "
             "account as path for servers that want it there"},
    {.name = "endpoint_suffix",
     .type = BP_CONFIG_STRING,
     .def = BP_AZURE_DEFAULT_SUFFIX,
     .help = "suffix of the cloud, such as core.chinacloudapi.cn or core.usgovcloudapi.net"},
    {.name = "create_container",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "make the container when it is missing and is to be written to"},
    {.name = "tier",
     .type = BP_CONFIG_CHOICE,
     .def = "default",
     .choices = "default|hot|cool|cold",
     .help = "access tier of new objects; default leaves it to the account"},
    {.name = "check_md5",
     .type = BP_CONFIG_BOOL,
     .def = "true",
     .help = "have the service check each block and object by its MD5"},
    {.name = "memory",
     SIZE_KEY,
     .def = "16MiB",
     .min = MIB,
     .max = 64 * GIB,
     .help = "bound of all block buffers together; the more workers share it, the smaller are "
             "blocks"},
    {.name = "block_size",
     SIZE_KEY,
     .def = "4MiB",
     .min = 64 * KIB,
     .max = 4000 * MIB,
     .help = "bytes of a block of a large object, each of which is sent from memory"},
    {.name = "put_size",
     SIZE_KEY,
     .def = "64MiB",
     .choices = "never",
     .max = 5000 * MIB,
     .help = "objects up to this size are written by one streamed request, larger ones in blocks"},
    {.name = "copy_size",
     SIZE_KEY,
     .def = "256MiB",
     .min = MIB,
     .max = 1024 * GIB,
     .help = "objects up to this size are copied by one request; above 256 MiB the service copies "
             "them in the background"},
    {.name = "connect_timeout",
     TIME_KEY,
     .def = "5s",
     .min = 100,
     .max = HOUR,
     .help = "longest wait for a connection"},
    {.name = "idle_timeout",
     TIME_KEY,
     .def = "60s",
     .min = SECOND,
     .max = HOUR,
     .help = "longest wait for the next byte of an answer, or for the server to take one"},
    {.name = "copy_timeout",
     TIME_KEY,
     .def = "10m",
     .min = SECOND,
     .max = 24 * HOUR,
     .help = "the same while the service copies, or removes many objects"},
    {.name = "ca_file",
     .type = BP_CONFIG_PATH,
     .help = "PEM file of authorities to trust instead of the system's"},
    {.name = "cert_file", .type = BP_CONFIG_PATH, .help = "PEM file of a client certificate"},
    {.name = "key_file", .type = BP_CONFIG_PATH, .help = "PEM file of its private key"},
    {.name = "key_password", SECRET_KEY, .help = "password of key_file"},
    {.name = "min_tls",
     .type = BP_CONFIG_CHOICE,
     .def = "1.2",
     .choices = "1.2|1.3",
     .help = "oldest version of TLS to accept"},
    {.name = "proxy",
     SECRET_KEY,
     .help = "URL of a proxy, which may hold a login; the environment is not asked"},
    {.name = "allow_http",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "let a SAS, a token or what logs in travel without TLS, for tests on one machine"},
};
