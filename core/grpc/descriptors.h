/* SPDX-License-Identifier: Apache-2.0
 *
 * The .proto files of this folder as the build has compiled them: a FileDescriptorSet.
 */
#ifndef BP_CORE_GRPC_DESCRIPTORS_H
#define BP_CORE_GRPC_DESCRIPTORS_H

#include <stddef.h>

extern const unsigned char bp_grpc_descriptors[];
extern const size_t bp_grpc_n_descriptors;

#endif
