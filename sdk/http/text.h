/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of headers that mean the same everywhere.  Pure functions, any thread, whatever the
 * locale.
 */
#ifndef BAKPLANE_HTTP_TEXT_H
#define BAKPLANE_HTTP_TEXT_H

#include <bakplane/abi.h>
#include <stdint.h>

BP_BEGIN_DECLS

/** "Mon, 02 Jan 2006 15:04:05 GMT" (RFC 9110 5.6.7, the form that is sent today) in ns since the
 *  epoch; 0 for what is none, and for NULL. */
int64_t bp_http_date(const char *text);

#define BP_HTTP_ETAG 128 /**< as bp_object_meta has it */

/** An ETag without its quotes and without "W/" into out[BP_HTTP_ETAG]; "" for NULL, and for one
 *  that is too long, because one cut short could be another's. */
void bp_http_etag(const char *text, char out[BP_HTTP_ETAG]);

BP_END_DECLS

#endif
