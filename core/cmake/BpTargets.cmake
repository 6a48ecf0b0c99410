# SPDX-License-Identifier: Apache-2.0
#
# The helpers that the CMakeLists.txt of each folder is made of. All take SRCS and LIBS lists:
#
#   bp_add_library(bp_copy SRCS a.c b.c LIBS bp_plugin)       internal static library (SDK: sdk flags)
#   bp_add_program(bakplane SRCS main.c LIBS bp_verb)          program in bin/, installed (as part of
#                                                             the component runtime, or COMPONENT x)
#   bp_add_plugin(storage_local OUTPUT bakplane-storage-local SRCS … LIBS …)
#   bp_add_unit_test(test_key SRCS test_key.c LIBS bp_base)   Check program, ctest label "unit"
#   bp_add_pytest(test_create.py)                             labels "integration" and more
#   bp_add_protobuf_c(milvus_proto PROTOS a.proto …)          static library of generated code
#
# LIBS of a library are PUBLIC: whoever links it gets what it needs.

set(BP_PLUGIN_OUTPUT_DIR ${PROJECT_BINARY_DIR}/${BP_PLUGIN_SUBDIR})

# Add each folder that has a CMakeLists.txt.
function(bp_add_subdirectories)
  foreach(folder IN LISTS ARGN)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()

function(bp_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SDK" "" "SRCS;LIBS")
  add_library(${name} STATIC ${arg_SRCS} ${arg_UNPARSED_ARGUMENTS})
  if(arg_SDK)
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:bp_flags_sdk> PUBLIC ${arg_LIBS})
  else()
    target_link_libraries(${name} PRIVATE bp_flags PUBLIC PkgConfig::GLIB ${arg_LIBS})
    add_dependencies(${name} bp_build_header)
  endif()
endfunction()

function(bp_add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "COMPONENT" "SRCS;LIBS")
  if(NOT arg_COMPONENT)
    set(arg_COMPONENT runtime)
  endif()
  add_executable(${name} ${arg_SRCS})
  target_link_libraries(${name} PRIVATE bp_flags ${arg_LIBS} Threads::Threads)
  add_dependencies(${name} bp_build_header)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_BINDIR})
  install(TARGETS ${name}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${arg_COMPONENT})
endfunction()

function(bp_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_INSTALL" "OUTPUT" "SRCS;LIBS")
  set(map ${PROJECT_SOURCE_DIR}/core/cmake/plugin.map)
  add_library(${name} MODULE ${arg_SRCS})
  target_link_libraries(${name} PRIVATE bp_flags ${arg_LIBS} Threads::Threads)
  add_dependencies(${name} bp_build_header)
  target_link_options(${name} PRIVATE
    -Wl,-z,defs -Wl,-z,nodelete -Wl,--exclude-libs,ALL -Wl,--version-script=${map})
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    OUTPUT_NAME ${arg_OUTPUT}
    LINK_DEPENDS ${map}
    LIBRARY_OUTPUT_DIRECTORY ${BP_PLUGIN_OUTPUT_DIR})
  if(arg_NO_INSTALL)
    # A plugin for tests: kept apart from those that ship.
    set_target_properties(${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/plugins)
  else()
    install(TARGETS ${name} LIBRARY DESTINATION ${BP_PLUGIN_SUBDIR} COMPONENT runtime)
    set_property(GLOBAL APPEND PROPERTY BP_INSTALLED_PLUGINS ${name})
  endif()
endfunction()

# Generated code is not ours to format or to warn about.
function(bp_add_protobuf_c name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PROTOS")
  set(out ${CMAKE_CURRENT_BINARY_DIR}/proto)
  file(MAKE_DIRECTORY ${out})
  set(sources)
  foreach(proto IN LISTS arg_PROTOS)
    get_filename_component(path ${proto} ABSOLUTE)
    get_filename_component(folder ${path} DIRECTORY)
    get_filename_component(stem ${path} NAME_WE)
    add_custom_command(
      OUTPUT ${out}/${stem}.pb-c.c ${out}/${stem}.pb-c.h
      COMMAND ${BP_PROTOC_C} --proto_path=${folder} --c_out=${out} ${path}
      DEPENDS ${path}
      COMMENT "protoc-c ${stem}.proto"
      VERBATIM)
    list(APPEND sources ${out}/${stem}.pb-c.c ${out}/${stem}.pb-c.h)
  endforeach()
  add_library(${name} STATIC ${sources})
  target_compile_options(${name} PRIVATE -w)
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_link_libraries(${name} PUBLIC PkgConfig::PROTOBUF_C)
endfunction()

# The environment of every test run: a mistake that GLib notices aborts, fresh memory is not
# zero, local time is not UTC, and scratch files have a place of their own. GLib's slices would pass
# memory from thread to thread unseen by the sanitizers. ASan's own record of thread-local storage
# goes wrong when libraries come and go (gRPC's, with a plugin): the search for leaks then reads
# address 0x318 and dies. Without that record it takes such storage for reachable.
function(bp_test_environment test)
  set(scratch ${PROJECT_BINARY_DIR}/tests/scratch/${test})
  file(MAKE_DIRECTORY ${scratch})
  set(supp ${PROJECT_SOURCE_DIR}/tests/ci)
  set(environment
    G_DEBUG=fatal-criticals
    G_SLICE=always-malloc
    MALLOC_PERTURB_=165
    LC_ALL=C.UTF-8
    TZ=BPT-5:45
    CK_DEFAULT_TIMEOUT=60 # a hung test ends; a loaded machine is no failure
    TMPDIR=${scratch}
    ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:intercept_tls_get_addr=0
    LSAN_OPTIONS=suppressions=${supp}/lsan.supp:print_suppressions=0
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=suppressions=${supp}/tsan.supp:halt_on_error=1:second_deadlock_stack=1
    BAKPLANE_SOURCE_DIR=${PROJECT_SOURCE_DIR}
    BAKPLANE_BUILD_DIR=${PROJECT_BINARY_DIR}
    BAKPLANE_BIN=${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_BINDIR}/bakplane
    BAKPLANE_PLUGIN_DIR=${BP_PLUGIN_OUTPUT_DIR}
    BAKPLANE_TEST_PLUGIN_DIR=${PROJECT_BINARY_DIR}/tests/plugins)
  if(BP_SANITIZE)
    list(APPEND environment CK_FORK=no)
  endif()
  set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT ${environment} ${ARGN})
endfunction()

function(bp_add_unit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;LIBS;DEPENDS")
  if(NOT BP_BUILD_TESTS)
    return()
  endif()
  add_executable(${name} ${arg_SRCS} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE
    bp_flags ${arg_LIBS} PkgConfig::CHECK PkgConfig::GLIB Threads::Threads)
  add_dependencies(${name} bp_build_header ${arg_DEPENDS})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/unit)
  add_test(NAME unit.${name} COMMAND ${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
  bp_test_environment(unit.${name})
endfunction()

# Python against real servers, one file after the other. Labels follow from the name:
# test_smoke*.py is also "smoke" (run under sanitizers), test_slow*.py is only "slow".
function(bp_add_pytest file)
  get_filename_component(stem ${file} NAME_WE)
  string(REGEX REPLACE "^test_" "" name ${stem})
  set(labels integration)
  if(name MATCHES "^slow")
    set(labels slow)
  elseif(name MATCHES "^smoke")
    list(APPEND labels smoke)
  endif()
  add_test(NAME integration.${name}
    COMMAND Python3::Interpreter -m services pytest -ra -p no:cacheprovider ${file}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(integration.${name} PROPERTIES
    LABELS "${labels}" RUN_SERIAL TRUE TIMEOUT 3000) # it takes six minutes at most here
  bp_test_environment(integration.${name}
    PYTHONPATH=${PROJECT_SOURCE_DIR}/tests PYTHONDONTWRITEBYTECODE=1)
endfunction()
