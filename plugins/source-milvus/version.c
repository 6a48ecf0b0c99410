/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of features, and the reading of build tags.  Vendors report odd versions: whoever can
 * ask the server (UNIMPLEMENTED, 404) does that rather than looking here.
 */
#include "version.h"

#include <glib.h>
#include <string.h>

#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

/* A tag without patch level means some release of that line: take its newest. */
#define ANY_PATCH 9999

static const struct milvus_version newest = {99, 0, 0};

static const struct {
    const char *text;
    const char *since_text;
    struct milvus_version since;
} table[MILVUS_FEATURE_COUNT] = {
    [MILVUS_CAN_DATABASES] = {"have databases", "2.2.9", {2, 2, 9}},
    [MILVUS_CAN_ARRAYS] = {"hold arrays", "2.3.2", {2, 3, 2}},
    [MILVUS_CAN_REINSERT] = {"import a key deleted and inserted again", "2.3.0", {2, 3, 0}},
    [MILVUS_CAN_FLUSH_DELETES] = {"flush deletes at once", "2.3.0", {2, 3, 0}},
    [MILVUS_CAN_L0] = {"hold L0 segments", "2.4.0", {2, 4, 0}},
    [MILVUS_CAN_IMPORT_ONE_PATH] = {"import without a delete path", "2.4.0", {2, 4, 0}},
    [MILVUS_CAN_IMPORT_REST] = {"import over REST", "2.4.0", {2, 4, 0}},
    [MILVUS_CAN_IMPORT_L0] = {"import L0 segments", "2.4.0", {2, 4, 0}},
    [MILVUS_CAN_DESCRIBE_DATABASE] = {"describe a database", "2.4.3", {2, 4, 3}},
    [MILVUS_CAN_NULLABLE] = {"hold nullable fields", "2.5.0", {2, 5, 0}},
    [MILVUS_CAN_FUNCTIONS] = {"have functions in schemas", "2.5.0", {2, 5, 0}},
    [MILVUS_CAN_ADD_FIELD] = {"add a field to a collection", "2.6.0", {2, 6, 0}},
    [MILVUS_CAN_STRUCT_FIELDS] = {"hold arrays of structs", "2.6.0", {2, 6, 0}},
    [MILVUS_CAN_STORAGE_V2] = {"read storage format 2", "2.6.0", {2, 6, 0}},
    [MILVUS_CAN_FUNCTION_UNCHECKED] = {"leave functions unchecked", "2.6.8", {2, 6, 8}},
};

/* Digits at *text, at most 9 of them; *text moves behind them. */
static bool
take_number(const char **text, uint32_t *out)
{
    size_t n = strspn(*text, "0123456789");
    if (n == 0 || n > 9) {
        return false;
    }
    char digits[10] = {0};
    memcpy(digits, *text, n);
    uint64_t value = 0;
    if (bp_parse_u64(digits, &value) != 0) {
        return false;
    }
    *out = (uint32_t)value;
    *text += n;
    return true;
}

/* MAJOR.MINOR[.PATCH] at the beginning of `text`. */
static bool
take_version(const char *text, struct milvus_version *out)
{
    struct milvus_version found = {0, 0, ANY_PATCH};
    if (!take_number(&text, &found.major) || *text != '.') {
        return false;
    }
    text++;
    if (!take_number(&text, &found.minor)) {
        return false;
    }
    if (text[0] == '.' && g_ascii_isdigit(text[1])) {
        text++;
        if (!take_number(&text, &found.patch)) {
            return false;
        }
    }
    *out = found;
    return true;
}

bool
milvus_version_parse(const char *text, struct milvus_version *out)
{
    *out = newest;
    if (text == NULL) {
        return false;
    }
    g_autofree char *lower = g_ascii_strdown(text, -1);
    if (take_version(lower + (lower[0] == 'v'), out)) {
        return true;
    }
    const char *at = strstr(lower, "milvus");
    if (at == NULL) {
        return false;
    }
    at += strlen("milvus");
    at += strspn(at, " _-");
    return take_version(at + (*at == 'v'), out);
}

int
milvus_version_compare(const struct milvus_version *a, const struct milvus_version *b)
{
    if (a->major != b->major) {
        return a->major < b->major ? -1 : 1;
    }
    if (a->minor != b->minor) {
        return a->minor < b->minor ? -1 : 1;
    }
    if (a->patch != b->patch) {
        return a->patch < b->patch ? -1 : 1;
    }
    return 0;
}

uint64_t
milvus_features(const struct milvus_version *version)
{
    uint64_t features = 0;
    for (size_t i = 0; i < MILVUS_FEATURE_COUNT; i++) {
        if (milvus_version_compare(version, &table[i].since) >= 0) {
            features |= UINT64_C(1) << i;
        }
    }
    return features;
}

const char *
milvus_feature_text(enum milvus_feature feature)
{
    return table[feature].text;
}

const char *
milvus_feature_since(enum milvus_feature feature)
{
    return table[feature].since_text;
}
