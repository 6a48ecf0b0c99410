/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of text that Azure wants: percent encoding, times, and messages without signatures.  Pure
 * functions, any thread.
 */
#ifndef BAKPLANE_STORAGE_AZURE_TEXT_H
#define BAKPLANE_STORAGE_AZURE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define BP_AZURE_TIME 32

/** Percent encoding of all but unreserved characters (RFC 3986); '/' stays if `path`.  (g_free) */
char *bp_azure_encode(const char *text, bool path);

/** "Mon, 02 Jan 2006 15:04:05 GMT" into out[BP_AZURE_TIME], whatever the locale. */
void bp_azure_http_date(time_t when, char *out);

/** The same backwards, in ns since the epoch; 0 for what is none, or NULL. */
int64_t bp_azure_parse_http_date(const char *text);

/** "2006-01-02T15:04:05Z" into out[BP_AZURE_TIME]. */
void bp_azure_iso_date(time_t when, char *out);

/** The same backwards; 0 for what is none, or NULL. */
time_t bp_azure_parse_iso_date(const char *text);

/** Overwrites the values of "sig=" (signatures of a SAS) in place with '*'. */
void bp_azure_redact(char *text);

/** Base64 of the bytes. (g_free) */
char *bp_azure_base64(const void *bytes, size_t n);

/** 16 bytes from their base64 form; false when it is none. */
bool bp_azure_parse_md5(const char *base64, uint8_t *md5);

/** Copies an etag without its quotes, and without "W/", into out[128]. */
void bp_azure_plain_etag(const char *etag, char *out);

#endif
