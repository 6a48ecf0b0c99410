/* SPDX-License-Identifier: Apache-2.0
 *
 * Text forms.  Names of days and months are spelled here: those of the C library follow the locale.
 */
#include "plugins/storage-azure/text.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "sdk/http/text.h"

#include "sdk/lib/ban.h"

#define MD5_BYTES 16

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

char *
bp_azure_encode(const char *text, bool path)
{
    return g_uri_escape_string(text, path ? "/" : NULL, FALSE);
}

void
bp_azure_http_date(time_t when, char *out)
{
    struct tm tm;
    gmtime_r(&when, &tm);
    (void)snprintf(out, BP_AZURE_TIME, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday % 7],
                   tm.tm_mday % 100, months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000,
                   tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
}

int64_t
bp_azure_parse_http_date(const char *text)
{
    return bp_http_date(text);
}

void
bp_azure_iso_date(time_t when, char *out)
{
    struct tm tm;
    gmtime_r(&when, &tm);
    (void)snprintf(out, BP_AZURE_TIME, "%04d-%02d-%02dT%02d:%02d:%02dZ",
                   (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100, tm.tm_mday % 100,
                   tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
}

time_t
bp_azure_parse_iso_date(const char *text)
{
    g_autoptr(GDateTime) when = text == NULL ? NULL : g_date_time_new_from_iso8601(text, NULL);
    return when == NULL ? 0 : (time_t)g_date_time_to_unix(when);
}

void
bp_azure_redact(char *text)
{
    for (char *at = text; (at = strstr(at, "sig=")) != NULL;) {
        at += strlen("sig=");
        for (; *at != '\0' && *at != '&' && *at != ' ' && *at != '\'' && *at != '"'; at++) {
            *at = '*';
        }
    }
}

char *
bp_azure_base64(const void *bytes, size_t n)
{
    return g_base64_encode(bytes, n);
}

bool
bp_azure_parse_md5(const char *base64, uint8_t *md5)
{
    gsize n;
    if (base64 == NULL || strlen(base64) != 24) {
        return false;
    }
    g_autofree guchar *bytes = g_base64_decode(base64, &n);
    if (n != MD5_BYTES) {
        return false;
    }
    memcpy(md5, bytes, n);
    return true;
}

void
bp_azure_plain_etag(const char *etag, char *out)
{
    bp_http_etag(etag, out);
}
