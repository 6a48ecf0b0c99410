/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates and version tags.  The C library knows months by the locale, which a plugin does not
 * choose.
 */
#define _DEFAULT_SOURCE /* timegm */

#include "sdk/http/text.h"

#include <string.h>
#include <time.h>

#include "sdk/lib/ban.h"

#define NS_PER_S INT64_C(1000000000)

static const char form[] = "Mon, 02 Jan 2006 15:04:05 GMT";
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The number that `n` digits at `text` spell, or -1. */
static int
digits(const char *text, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

int64_t
bp_http_date(const char *text)
{
    struct tm tm = {.tm_mon = -1};
    if (text == NULL || strlen(text) != sizeof(form) - 1 || strcmp(text + 25, " GMT") != 0) {
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
    return (int64_t)timegm(&tm) * NS_PER_S;
}

void
bp_http_etag(const char *text, char out[BP_HTTP_ETAG])
{
    out[0] = '\0';
    if (text == NULL) {
        return;
    }
    text += strncmp(text, "W/", 2) == 0 ? 2 : 0;
    text += *text == '"' ? 1 : 0;
    size_t n = strcspn(text, "\"");
    if (n < BP_HTTP_ETAG - 1) { /* one that fills it counts as cut */
        memcpy(out, text, n);
        out[n] = '\0';
    }
}
