# SPDX-License-Identifier: Apache-2.0
#
# <bp_build.h>: what a program knows about its own build. Written again at every build, since the
# git revision moves without a configure run, but only touched when its text changes. The file
# runs itself in script mode for that.

if(CMAKE_SCRIPT_MODE_FILE)
  set(BP_REVISION "unknown")
  execute_process(
    COMMAND git -C ${BP_SOURCE_DIR} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET RESULT_VARIABLE result)
  if(result EQUAL 0)
    set(BP_REVISION ${revision})
  endif()
  configure_file(${CMAKE_CURRENT_LIST_DIR}/bp_build.h.in ${BP_OUTPUT} @ONLY)
  return()
endif()

set(BP_PLUGIN_SUBDIR ${CMAKE_INSTALL_LIBDIR}/bakplane/plugins)
file(RELATIVE_PATH BP_PLUGIN_DIR_FROM_PROGRAM
  ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR}/bakplane/plugins)

add_custom_target(bp_build_header
  COMMAND ${CMAKE_COMMAND}
    -DBP_SOURCE_DIR=${PROJECT_SOURCE_DIR}
    -DBP_OUTPUT=${PROJECT_BINARY_DIR}/include/bp_build.h
    -DBP_VERSION=${PROJECT_VERSION}
    -DBP_PLUGIN_DIR=${CMAKE_INSTALL_FULL_LIBDIR}/bakplane/plugins
    -DBP_PLUGIN_DIR_FROM_PROGRAM=${BP_PLUGIN_DIR_FROM_PROGRAM}
    -DBP_FAULTS=$<BOOL:${BP_FAULTS}>
    -P ${CMAKE_CURRENT_LIST_FILE}
  BYPRODUCTS ${PROJECT_BINARY_DIR}/include/bp_build.h
  COMMENT "bp_build.h"
  VERBATIM)
