# SPDX-License-Identifier: Apache-2.0
#
# Every library that the build uses, in one place, as imported targets: PkgConfig::GLIB,
# PkgConfig::JANSSON and so on. What only a switched-off plugin needs is not looked for.

find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0>=2.74)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash>=0.8)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(LIBXML REQUIRED IMPORTED_TARGET libxml-2.0>=2.9)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)
pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET grpc)
find_program(BP_PROTOC_C protoc-c REQUIRED) # also for descriptors alone

if(BP_PLUGIN_STORAGE_S3)
  pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=3.0)
endif()

if(BP_PLUGIN_SOURCE_MILVUS)
  pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c>=1.4)
endif()

find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter) # makes pages of the documentation

if(BP_BUILD_TESTS)
  pkg_check_modules(CHECK REQUIRED IMPORTED_TARGET check)
  pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl) # a server for the tests
endif()
