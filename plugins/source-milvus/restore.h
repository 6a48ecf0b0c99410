/* SPDX-License-Identifier: Apache-2.0
 *
 * The restore part of struct bp_source_ops.
 */
#ifndef BAKPLANE_MILVUS_RESTORE_H
#define BAKPLANE_MILVUS_RESTORE_H

#include <bakplane/source.h>

bp_status milvus_restore_begin(struct bp_source *source, const struct bp_op *op,
                               const struct bp_restore_args *args, struct bp_restore_info *info,
                               struct bp_restore **out, struct bp_error *error);
bp_status milvus_target_prepare(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                                const struct bp_note_sink *notes,
                                const struct bp_text_sink *identity, struct bp_error *error);
bp_status milvus_target_place(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                              const struct bp_place_sink *sink, struct bp_error *error);
bp_status milvus_target_step(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                             const struct bp_job_sink *sink, struct bp_step_state *out,
                             struct bp_error *error);
bp_status milvus_job_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                          const char *token, struct bp_job_state *out, struct bp_error *error);
bp_status milvus_target_prove(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                              struct bp_proof *out, struct bp_error *error);
bp_status milvus_target_finish(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                               const struct bp_note_sink *notes, struct bp_error *error);
bp_status milvus_restore_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                             struct bp_error *error);

#endif
