# SPDX-License-Identifier: Apache-2.0
#
# What is installed besides programs and plugins, which bp_add_program and bp_add_plugin install.

install(DIRECTORY sdk/include/bakplane DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
