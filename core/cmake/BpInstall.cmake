# SPDX-License-Identifier: Apache-2.0
#
# What is installed besides programs, plugins and the manual: the SDK with its pkg-config file and
# CMake package, and the prose. All of it can be moved as a whole; nothing holds the prefix.
#
# Three components: runtime (program, plugins, their manual, completions), sdk (what a plugin is
# built with) and doc.

include(CMakePackageConfigHelpers)

# The SDK. Helpers keep the path by which they include each other, in a folder of their own.
set(BP_SDK_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR}/bakplane-sdk)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/bakplane)

install(DIRECTORY sdk/include/bakplane DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk
  FILES_MATCHING PATTERN "*.h")
install(DIRECTORY sdk/lib DESTINATION ${BP_SDK_INCLUDEDIR}/sdk COMPONENT sdk
  FILES_MATCHING PATTERN "*.h")

# Whole projects, which build from what is installed here.
install(DIRECTORY sdk/examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT sdk
  PATTERN ".*" EXCLUDE)

set_target_properties(bp_sdk PROPERTIES OUTPUT_NAME bakplane-sdk EXPORT_NAME sdk)
target_include_directories(bp_sdk INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
  $<INSTALL_INTERFACE:${BP_SDK_INCLUDEDIR}>)
# Whoever links the SDK makes a plugin: it must be complete in itself, show only its entry and
# stay loaded.
target_link_options(bp_sdk INTERFACE
  $<INSTALL_INTERFACE:LINKER:-z,defs,-z,nodelete,--exclude-libs,ALL>)
install(TARGETS bp_sdk EXPORT bakplane-sdk
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
install(EXPORT bakplane-sdk NAMESPACE bakplane:: FILE bakplaneTargets.cmake
  DESTINATION ${package} COMPONENT sdk)

# Parts with libraries of their own behind them, for those who ask: components of the CMake package
# and pkg-config files beside the SDK's.
foreach(part IN ITEMS http xml)
  set_target_properties(bp_${part} PROPERTIES OUTPUT_NAME bakplane-${part} EXPORT_NAME ${part})
  install(TARGETS bp_${part} EXPORT bakplane-${part}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
  install(EXPORT bakplane-${part} NAMESPACE bakplane:: FILE bakplane-${part}.cmake
    DESTINATION ${package} COMPONENT sdk)
endforeach()
install(DIRECTORY sdk/http DESTINATION ${BP_SDK_INCLUDEDIR}/sdk COMPONENT sdk
  FILES_MATCHING PATTERN "*.h" PATTERN exchange.h EXCLUDE) # that one is its own

configure_package_config_file(core/cmake/bakplaneConfig.cmake.in
  ${PROJECT_BINARY_DIR}/bakplaneConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS BP_PLUGIN_SUBDIR)
# What was written for an older SDK builds with a newer one, also 0.x with 1.0 (docs/decisions.md).
write_basic_package_version_file(${PROJECT_BINARY_DIR}/bakplaneConfigVersion.cmake
  COMPATIBILITY AnyNewerVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/bakplaneConfig.cmake
  ${PROJECT_BINARY_DIR}/bakplaneConfigVersion.cmake
  DESTINATION ${package} COMPONENT sdk)

file(RELATIVE_PATH BP_PREFIX_FROM_PC
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(pc IN ITEMS sdk http xml)
  configure_file(core/cmake/bakplane-${pc}.pc.in ${PROJECT_BINARY_DIR}/bakplane-${pc}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/bakplane-${pc}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
endforeach()

# The prose keeps its folders, so that its links lead somewhere.
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc
  FILES_MATCHING PATTERN "*.md" PATTERN "openapi.json" PATTERN "alerts.yml"
  REGEX "/docs/examples/[^.]" PATTERN ".gitignore" EXCLUDE PATTERN "man" EXCLUDE)
# What clients are made from, where the prose says.
install(DIRECTORY core/grpc/proto DESTINATION ${CMAKE_INSTALL_DOCDIR}/core/grpc COMPONENT doc
  FILES_MATCHING PATTERN "*.proto")
