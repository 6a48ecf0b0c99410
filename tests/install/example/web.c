/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP and XML as a third party would use them, in a program of its own so that the test can run
 * it: a server that is not there, and an answer that is made up.
 */
#include <stdio.h>
#include <string.h>

#include "sdk/http/http.h"
#include "sdk/http/xml.h"
#include "sdk/lib/errors.h"

static int32_t
never_cancelled(const struct bp_op *op)
{
    (void)op;
    return 0;
}

static int32_t
no_descriptor(const struct bp_op *op)
{
    (void)op;
    return -1;
}

/* What sdk/http asks of a host; a plugin is given a whole one. */
static const struct bp_host host = {.struct_size = sizeof(host),
                                    .abi_major = BP_ABI_MAJOR,
                                    .abi_minor = BP_ABI_MINOR,
                                    .cancelled = never_cancelled,
                                    .cancel_fd = no_descriptor};

static bp_status
ask(struct bp_http_answer *answer, struct bp_error *error)
{
    const struct bp_op op = {.struct_size = sizeof(op)};
    const struct bp_http_config config = {.user_agent = "example/1"};
    const struct bp_http_request request = {.url = "http://127.0.0.1:1/?signature=secret"};
    bp_http_client *client = NULL;
    bp_status status = bp_http_client_new(&host, &config, &client, error);
    if (status == BP_OK) {
        status = bp_http_perform(client, &op, &request, 0, answer, error);
    }
    bp_http_client_free(client);
    return status;
}

int
main(void)
{
    static const char text[] = "<List><Key>a</Key><Key>b</Key></List>";
    struct bp_error error;
    struct bp_http_answer answer = {0};
    bp_xml *xml = NULL;
    bp_error_init(&error);
    if (bp_http_init(&error) != BP_OK || ask(&answer, &error) != BP_ERR_RETRYABLE ||
        strstr(error.message, "secret") != NULL) {
        fprintf(stderr, "unexpected: %s\n", error.message);
        return 1;
    }
    bp_http_answer_clear(&answer);
    bp_http_fini();
    if (bp_xml_parse(text, sizeof(text) - 1, &xml, &error) != BP_OK) {
        fprintf(stderr, "unexpected: %s\n", error.message);
        return 1;
    }
    const bp_xml_node *key = bp_xml_first(bp_xml_root(xml), "Key");
    int right = strcmp(bp_xml_own_text(bp_xml_next(key, "Key")), "b") == 0;
    bp_xml_free(xml);
    return right ? 0 : 1;
}
