/* SPDX-License-Identifier: Apache-2.0
 *
 * Text forms.  Names of days and months are spelled here: those of the C library follow the locale.
 */
#include "plugins/storage-azure/text.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "sdk/lib/parse.h"

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

/* The number that `n` digits at `text` spell, or -1. */
static int
digits(const char *text, size_t n)
{
    char copy[8] = "";
    uint64_t value;
    memcpy(copy, text, MIN(n, sizeof(copy) - 1));
    return bp_parse_u64(copy, &value) == 0 ? (int)value : -1;
}

int64_t
bp_azure_parse_http_date(const char *text)
{
    struct tm tm = {.tm_mon = -1};
    if (text == NULL || strlen(text) < strlen("Mon, 02 Jan 2006 15:04:05")) {
        return 0;
    }
    for (int i = 0; i < 12; i++) {
        if (strncmp(text + 8, months[i], 3) == 0) {
            tm.tm_mon = i;
        }
    }
    tm.tm_mday = digits(text + 5, 2);
    tm.tm_year = digits(text + 12, 4) - 1900;
    tm.tm_hour = digits(text + 17, 2);
    tm.tm_min = digits(text + 20, 2);
    tm.tm_sec = digits(text + 23, 2);
    if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_year < 70 || tm.tm_hour < 0 || tm.tm_min < 0 ||
        tm.tm_sec < 0) {
        return 0;
    }
    return (int64_t)timegm(&tm) * 1000000000;
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
    const char *start = etag == NULL ? "" : etag;
    if (strncmp(start, "W/", 2) == 0) {
        start += 2;
    }
    size_t len = strlen(start);
    if (len >= 2 && start[0] == '"' && start[len - 1] == '"') {
        start++;
        len -= 2;
    }
    (void)snprintf(out, 128, "%.*s", (int)MIN(len, 127), start);
}
