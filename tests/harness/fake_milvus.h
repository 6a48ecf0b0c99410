/* SPDX-License-Identifier: Apache-2.0
 *
 * A scripted Milvus: a gRPC server on the loopback address that answers what a test tells it, for
 * faults and for servers newer than those that run in the tests.  Built from the public
 * description of the protocol, not from a server.
 *
 * A method without a rule answers UNIMPLEMENTED, as an old server does.  One thread serves all
 * calls.  grpc_init must have run.
 */
#ifndef BP_TESTS_HARNESS_FAKE_MILVUS_H
#define BP_TESTS_HARNESS_FAKE_MILVUS_H

#include <glib.h>
#include <protobuf-c/protobuf-c.h>

typedef struct fake_milvus fake_milvus;

/** Listens on a free port. */
fake_milvus *fake_milvus_start(void);
void fake_milvus_stop(fake_milvus *fake);

/** "127.0.0.1:port". */
const char *fake_milvus_address(const fake_milvus *fake);

/**
 * Rules are used in the order in which they were made, each `times` times (0 = for ever).  The
 * answer is copied.
 */
void fake_milvus_answer(fake_milvus *fake, const char *method, guint times,
                        const ProtobufCMessage *answer);
/** Raw bytes, which need not be a message. */
void fake_milvus_answer_bytes(fake_milvus *fake, const char *method, guint times, const void *bytes,
                              size_t n);
/** Ends with a status of gRPC instead of an answer. */
void fake_milvus_refuse(fake_milvus *fake, const char *method, guint times, int grpc_code,
                        const char *details);
/** Never answers. */
void fake_milvus_hang(fake_milvus *fake, const char *method);

/** Forgets all rules for a method. */
void fake_milvus_forget(fake_milvus *fake, const char *method);

/** Connect answers this build tag and identifier 7. */
void fake_milvus_hello(fake_milvus *fake, const char *build_tag);

/** How often a method was called. */
guint fake_milvus_calls(fake_milvus *fake, const char *method);
/** The last request of a method, or NULL; owned by the caller. */
GBytes *fake_milvus_request(fake_milvus *fake, const char *method);
/** A header of the last request of a method, or NULL; owned by the caller. */
char *fake_milvus_header(fake_milvus *fake, const char *method, const char *name);

#endif
