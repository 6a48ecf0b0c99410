/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of the plugin that speaks HTTP and can be broken.
 */
#ifndef BP_TESTS_BROKEN_WIRE_H
#define BP_TESTS_BROKEN_WIRE_H

#include <bakplane/plugin.h>

#include "tests/plugins/broken/wire_breaks.h"

#define HEAD_MAX 16384

struct bp_storage {
    const struct bp_host *host;
    unsigned port;
};

struct connection {
    const struct bp_host *host;
    int fd;
    unsigned status;
    uint64_t left;           /* bytes of the body that did not come yet */
    char head[HEAD_MAX + 1]; /* of the answer, and perhaps some of its body, which begins at `at` */
    size_t n, at;
};

struct wire_request {
    const char *verb, *key;
    uint64_t size; /* of the body that follows */
};

/* Set in the entry; does not change afterwards. */
extern enum broken_as broken_as;

#define IS_BROKEN(as) (broken_as == (as))

bp_status wire_request(const struct bp_storage *storage, const struct bp_op *op,
                       const struct wire_request *request, struct connection *out,
                       struct bp_error *error);
bp_status wire_wait(const struct connection *self, const struct bp_op *op, short events,
                    struct bp_error *error);
bp_status wire_send(const struct connection *self, const struct bp_op *op, const void *bytes,
                    size_t n, struct bp_error *error);
/* 0 bytes are the end of the connection. */
bp_status wire_receive(struct connection *self, const struct bp_op *op, void *buffer, size_t cap,
                       size_t *n, struct bp_error *error);
bp_status wire_answer(struct connection *self, const struct bp_op *op, struct bp_error *error);
void wire_close(struct connection *self);

#endif
