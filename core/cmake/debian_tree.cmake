# SPDX-License-Identifier: Apache-2.0
#
# Run by CPack on the tree of each Debian package before it is packed: what Debian wants otherwise
# than `cmake --install` leaves it.

file(GLOB trees LIST_DIRECTORIES true ${CPACK_TEMPORARY_DIRECTORY}/*)
foreach(tree IN LISTS trees)
  if(NOT IS_DIRECTORY ${tree}/usr)
    continue()
  endif()

  file(GLOB pages ${tree}/usr/share/man/man?/*.[1-9])
  foreach(page IN LISTS pages)
    execute_process(COMMAND gzip -9nf ${page} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()

  # Objects of the helpers carry debug information with paths of this machine.
  file(GLOB archives ${tree}/usr/lib/*.a)
  foreach(archive IN LISTS archives)
    execute_process(COMMAND strip --strip-debug ${archive} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()

  if(EXISTS ${tree}/usr/share/zsh/site-functions)
    file(RENAME ${tree}/usr/share/zsh/site-functions ${tree}/usr/share/zsh/vendor-completions)
  endif()

  set(package bakplane)
  if(tree MATCHES "/dev$")
    set(package bakplane-dev)
  endif()
  set(doc ${tree}/usr/share/doc/${package})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/debian_copyright.in ${doc}/copyright COPYONLY)

  # SOURCE_DATE_EPOCH counts, if it is set.
  string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
  file(WRITE ${doc}/changelog
    "${package} (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n"
    "  * See docs/changelog.md in /usr/share/doc/bakplane.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  execute_process(COMMAND gzip -9nf ${doc}/changelog COMMAND_ERROR_IS_FATAL ANY)
endforeach()
