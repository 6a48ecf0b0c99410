/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts through the storage plugin under test.
 */
#ifndef BAKPLANE_TESTKIT_UPLOAD_H
#define BAKPLANE_TESTKIT_UPLOAD_H

#include "sdk/testkit/store.h"

#define BP_KIT_PARTS_MAX 8

/** An upload of equal parts and a shorter last one. */
struct bp_kit_upload {
    const struct bp_kit_store *store;
    const char *key;
    char *id;
    unsigned char *bytes;
    size_t n;
    size_t part; /**< bytes of all parts but the last */
    char *etags[BP_KIT_PARTS_MAX];
    unsigned n_parts;
    const char *if_match; /**< of part_complete; NULL = none */
};

/** Skips the check where there are no parts, or none small enough to try. */
void bp_kit_upload_need(const struct bp_kit_store *store);
/** Begins; content for n_parts parts is made.  Fails the check when there is no id. */
void bp_kit_upload_begin(const struct bp_kit_store *store, const char *key, unsigned n_parts,
                         struct bp_kit_upload *out);
/** The same with flags for part_begin. */
void bp_kit_upload_begin_as(const struct bp_kit_store *store, const char *key, unsigned n_parts,
                            uint32_t flags, struct bp_kit_upload *out);
/** Writes the part of this number (from 1), with content of its own unless `seed` is 0. */
bp_status bp_kit_upload_try_part(struct bp_kit_upload *upload, unsigned number, unsigned seed,
                                 struct bp_error *error);
void bp_kit_upload_part(struct bp_kit_upload *upload, unsigned number);
/** Puts together what was written. */
bp_status bp_kit_upload_try_complete(const struct bp_kit_upload *upload, uint32_t flags,
                                     struct bp_object_meta *out, struct bp_error *error);
bp_status bp_kit_upload_try_abort(const struct bp_kit_upload *upload,
                                  const struct bp_kit_store *store, struct bp_error *error);
/** How often uploads_list names it. */
size_t bp_kit_upload_listed(const struct bp_kit_upload *upload);

size_t bp_kit_upload_part_size(const struct bp_kit_upload *upload, unsigned number);

#endif
