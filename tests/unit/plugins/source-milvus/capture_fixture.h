/* SPDX-License-Identifier: Apache-2.0
 *
 * A capture of one collection, UNIT, against a scripted server and files in a directory.
 */
#ifndef BAKPLANE_TEST_CAPTURE_FIXTURE_H
#define BAKPLANE_TEST_CAPTURE_FIXTURE_H

#include "plugins/source-milvus/capture.h"
#include "server_fixture.h"
#include "wire_test.h"

#define UNIT "collection/1000"
extern const struct bp_unit_args unit_args; /* of it */

extern fake_milvus *fake;
extern char *dir;
extern struct bp_config *settings, *options;
extern struct bp_source *source;
extern struct bp_run *run;
extern struct bp_error problem;
extern GPtrArray *seen;  /* what sinks were told */
extern char *next_token; /* of the last page */

void capture_setup(void);
void capture_teardown(void);
void open_source(void);
bp_status begin_run(uint32_t flags);
/** Of a source and a run that are opened for it. */
bp_status begin_unit(void);
bp_status list_items(const char *token);
/** All pages, as the host asks for them. */
bp_status list_all(void);
bool has_seen(const char *line);

#endif
