/* SPDX-License-Identifier: Apache-2.0
 *
 * What Azure's refusals mean: its error codes to classes, and advice for people.
 *
 * After "Status and error codes" and "Blob service error codes" of the REST reference.  Pure
 * functions, any thread.
 */
#ifndef BAKPLANE_STORAGE_AZURE_ERRORS_H
#define BAKPLANE_STORAGE_AZURE_ERRORS_H

#include <bakplane/error.h>
#include <stdint.h>
#include <time.h>

/** One answer that is no success.  Texts may be NULL. */
struct bp_azure_refusal {
    int status;              /**< of HTTP */
    const char *code;        /**< x-ms-error-code, or <Code> of the body */
    const char *message;     /**< <Message> of the body */
    const char *request_id;  /**< x-ms-request-id */
    const char *date;        /**< Date: the server's clock */
    uint64_t retry_after_ms; /**< or 0 */
};

/** The class of a code; of the status alone where the code is unknown. */
bp_status bp_azure_class(int status, const char *code);

/** What to change, as the end of a sentence, or NULL. */
const char *bp_azure_advice(const char *code);

/**
 * Fills the error: "subject: cannot do: Code: message; advice".  @now is this machine's clock:
 * where the signature was refused and the server's differs much, that is said.
 */
bp_status bp_azure_refuse(struct bp_error *error, const struct bp_azure_refusal *refusal,
                          const char *subject, const char *what, time_t now);

#endif
