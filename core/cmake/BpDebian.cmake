# SPDX-License-Identifier: Apache-2.0
#
# Debian packages, made by `cpack -G DEB` in the build folder: bakplane (the components runtime and
# doc) and bakplane-dev (sdk).

set(BP_MAINTAINER "The bakplane developers <maintainers@bakplane.invalid>" CACHE STRING
  "Who answers for the packages: NAME <ADDRESS>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bakplane)
set(CPACK_PACKAGE_CONTACT ${BP_MAINTAINER})
set(CPACK_PACKAGE_VENDOR bakplane)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/debian_tree.cmake)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_COMPONENTS_ALL runtime doc sdk)
set(CPACK_COMPONENT_RUNTIME_GROUP program)
set(CPACK_COMPONENT_DOC_GROUP program)
set(CPACK_COMPONENT_SDK_GROUP dev)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME bakplane)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION
  "bakplane backs up a Milvus to files or an object store and brings it back. It
calls a backup a success only when every byte has been proven to be there, and
a restore only when the rows have been counted. Storages and databases plug in
at run time.")

set(CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/debian/postinst)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME bakplane-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS ON)
# The program loads what is built here, and writes the first lines of it (bakplane plugin new).
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "bakplane (= ${PROJECT_VERSION}), libc6-dev")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "gcc | c-compiler, make, pkg-config")
# What bakplane-http and bakplane-xml are linked with.
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "cmake, libcurl4-openssl-dev, libxml2-dev")
set(CPACK_DEBIAN_DEV_DESCRIPTION
  "This package has what plugins are built with: the headers of the plugin
interface, a static library of helpers, files for pkg-config and CMake, the
conformance kit bakplane-plugin-test, and complete examples.")

include(CPack)
cpack_add_component_group(program)
cpack_add_component_group(dev)
