# SPDX-License-Identifier: Apache-2.0
#
# Compiler and linker flags as two interface targets: bp_flags for core and plugins (gnu11) and
# bp_flags_sdk for everything below sdk/ (C11, pedantic, conversions). Nothing here is global
# except what every object file must agree on: sanitizers, coverage, position independence.

include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Type of build" FORCE)
endif()

add_library(bp_flags_common INTERFACE)
target_compile_options(bp_flags_common INTERFACE
  -Wall -Wextra -Wshadow -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wvla
  -Wwrite-strings -Wundef -Wimplicit-fallthrough -Wpointer-arith
  -fstack-protector-strong
  $<$<CONFIG:Debug>:-O1>
  $<$<CONFIG:Debug>:-fno-omit-frame-pointer>
  $<$<BOOL:${BP_WERROR}>:-Werror>)
target_compile_definitions(bp_flags_common INTERFACE
  # Needs an optimising build, and would hide overflows from AddressSanitizer.
  $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
target_link_options(bp_flags_common INTERFACE -Wl,-z,relro,-z,now)
target_include_directories(bp_flags_common INTERFACE
  ${PROJECT_SOURCE_DIR} ${BP_SDK_INCLUDE})

add_library(bp_flags INTERFACE)
target_compile_options(bp_flags INTERFACE -std=gnu11)
target_compile_definitions(bp_flags INTERFACE
  # Empty, so that a file which defines it for itself does not redefine it.
  _GNU_SOURCE=)
target_include_directories(bp_flags INTERFACE ${PROJECT_BINARY_DIR}/include)
target_link_libraries(bp_flags INTERFACE bp_flags_common)

add_library(bp_flags_sdk INTERFACE)
target_compile_options(bp_flags_sdk INTERFACE -std=c11 -pedantic -Wconversion -Wcast-qual)
target_link_libraries(bp_flags_sdk INTERFACE bp_flags_common)

if(BP_SANITIZE)
  add_compile_options(-fsanitize=${BP_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BP_SANITIZE})
  if(BP_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

if(BP_COVERAGE)
  # Counters are updated by several threads at once.
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
