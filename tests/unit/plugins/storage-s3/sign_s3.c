/* SPDX-License-Identifier: Apache-2.0
 *
 * Signs what it reads, for tests/integration/test_s3_sign.py, which compares with botocore.  A line
 * of input has, with tabs between: method, host, region, date, access key, secret key, payload
 * hash, and in hex: key, names and values of the query.  A line of output: path, query, signature.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/storage-s3/sign.h"

#define FIELDS 8 /* before the query */

static char *
from_hex(const char *hex)
{
    size_t n = strlen(hex) / 2;
    char *text = g_malloc0(n + 1);
    for (size_t i = 0; i < n; i++) {
        text[i] =
            (char)(g_ascii_xdigit_value(hex[2 * i]) * 16 + g_ascii_xdigit_value(hex[2 * i + 1]));
    }
    return text;
}

static void
sign_line(char **fields)
{
    g_autoptr(GString) path = g_string_new("/");
    g_autofree char *key = from_hex(fields[7]);
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) headers = g_ptr_array_new_with_free_func(g_free);
    for (char **field = fields + FIELDS; *field != NULL; field++) {
        g_ptr_array_add(pairs, from_hex(*field));
    }
    bp_s3_encode(path, key, true);
    g_autofree char *query = bp_s3_query(pairs);
    struct bp_s3_signing signing = {
        .dialect = &bp_s3_dialect_aws,
        .method = fields[0],
        .host = fields[1],
        .path = path->str,
        .query = query,
        .region = fields[2],
        .access_key = fields[4],
        .secret_key = fields[5],
        .payload = fields[6],
    };
    g_strlcpy(signing.stamp, fields[3], sizeof(signing.stamp));
    bp_s3_sign(&signing, headers, NULL);
    const char *authorization = g_ptr_array_index(headers, headers->len - 1);
    printf("%s\t%s\t%s\n", path->str, query, strstr(authorization, "Signature=") + 10);
}

int
main(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        g_auto(GStrv) fields = g_strsplit(line, "\t", -1);
        if (g_strv_length(fields) < FIELDS || g_strv_length(fields) % 2 != 0) {
            fprintf(stderr, "malformed line\n");
            return EXIT_FAILURE;
        }
        sign_line(fields);
    }
    free(line);
    return EXIT_SUCCESS;
}
