# SPDX-License-Identifier: Apache-2.0
#
# bp_embed_descriptors(OUT HEADER SYMBOL PROTOS a.proto …): a generated C file with the
# FileDescriptorSet of the .proto files and all that they import, as bytes SYMBOL and their number,
# SYMBOL with bp_grpc_ replaced by bp_grpc_n_. The imports' folder is the current one's "proto". The
# file runs itself in script mode when something changed.

if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${BP_INPUT} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REPLACE "bp_grpc_" "bp_grpc_n_" number ${BP_SYMBOL})
  file(WRITE ${BP_OUTPUT}
    "/* Made of .proto files by core/cmake/BpDescriptors.cmake. */\n#include \"${BP_HEADER}\"\n\n"
    "const unsigned char ${BP_SYMBOL}[] = {${bytes}};\n"
    "const size_t ${number} = sizeof ${BP_SYMBOL};\n")
  return()
endif()

set(BP_DESCRIPTORS_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(bp_embed_descriptors out header symbol)
  cmake_parse_arguments(PARSE_ARGV 3 arg "" "" "PROTOS")
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/proto)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${folder}/*.proto)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${BP_PROTOC_C} --proto_path=${folder} --include_imports
      --descriptor_set_out=${out}.pb ${arg_PROTOS}
    COMMAND ${CMAKE_COMMAND} -DBP_INPUT=${out}.pb -DBP_OUTPUT=${out} -DBP_HEADER=${header}
      -DBP_SYMBOL=${symbol} -P ${BP_DESCRIPTORS_SCRIPT}
    DEPENDS ${files} ${BP_DESCRIPTORS_SCRIPT}
    COMMENT "${symbol}"
    VERBATIM)
endfunction()
