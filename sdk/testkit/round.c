/* SPDX-License-Identifier: Apache-2.0
 *
 * See round.h.
 */
#include "sdk/testkit/round.h"

#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/listing.h"

#include "sdk/lib/ban.h"

#define SIZE 100001

static bp_status
try_list(const struct bp_kit_store *store, const char *key, struct bp_error *error)
{
    struct bp_kit_listing listing = {0};
    struct bp_kit_list list = {.prefix = key, .max = 10};
    bp_status status = bp_kit_try_page(store, &list, NULL, &listing, error);
    bp_kit_listing_clear(&listing);
    return status;
}

static bp_status
try_use(const struct bp_kit_store *store, const char *key, const unsigned char *bytes,
        struct bp_error *error)
{
    struct bp_object_meta meta;
    unsigned char *found = NULL;
    size_t n = 0;
    struct bp_kit_put put = {.key = key, .bytes = bytes, .n = SIZE, .flags = BP_WRITE_DURABLE};
    struct bp_kit_get get = {.key = key, .length = BP_UNKNOWN};
    bp_status status = bp_kit_try_put(store, &put, &meta, error);
    status = status == BP_OK ? bp_kit_try_put(store, &put, &meta, error) : status;
    status = status == BP_OK ? bp_kit_try_stat(store, key, NULL, &meta, error) : status;
    status = status == BP_OK ? try_list(store, key, error) : status;
    if (status == BP_OK) {
        status = bp_kit_try_get(store, &get, &meta, &found, &n, error);
        if (status == BP_OK && (n != SIZE || memcmp(found, bytes, n) != 0)) {
            bp_kit_fail(store->kit, "%s is not read as it was written", key);
        }
        free(found);
    }
    return status;
}

bp_status
bp_kit_try_round(const struct bp_kit_store *store, const char *key, struct bp_error *error)
{
    struct bp_error removing;
    unsigned char *bytes = bp_kit_bytes(SIZE, 7);
    bp_status status = try_use(store, key, bytes, error);
    free(bytes);
    bp_status removed = bp_kit_try_remove(store, key, NULL, NULL, &removing);
    if (status == BP_OK && removed != BP_OK) {
        *error = removing;
        status = removed;
    }
    return status;
}

void
bp_kit_round(const struct bp_kit_store *store, const char *key)
{
    struct bp_error error;
    bp_status status = bp_kit_try_round(store, key, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error,
                  "writing, listing, reading and removing %s: %s", key, store->kit->step->call);
}

void
bp_kit_failing_round(const struct bp_kit_store *store, const char *key)
{
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_reader *reader = NULL;
    unsigned char *bytes = bp_kit_bytes(SIZE, 8);
    struct bp_kit_get get = {.key = key, .length = BP_UNKNOWN};
    bp_kit_expect_missing(store, key, "that was never written");
    bp_status status = bp_kit_try_read_open(store, &get, &meta, &reader, &error);
    bp_kit_expect(store->kit, status, BP_ERR_NOT_FOUND, &error, "read_open of a missing key");
    struct bp_writer *writer = bp_kit_write_open(store, key, SIZE, 0);
    bp_kit_write(store, writer, bytes, SIZE / 2);
    bp_kit_write_abort(store, writer);
    bp_kit_put(store, key, bytes, SIZE);
    status = bp_kit_try_read_open(store, &get, &meta, &reader, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "read_open of %s", key);
    bp_kit_read_close(store, reader);
    bp_kit_remove(store, key);
    free(bytes);
}
