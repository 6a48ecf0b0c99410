# SPDX-License-Identifier: Apache-2.0
#
# bp_embed_folder(OUT HEADER SYMBOL FOLDER): a generated C file with the text of every file in a
# folder, as a table {path, text} that ends with {NULL, NULL}; HEADER declares SYMBOL and its type.
# A file "gitignore" becomes ".gitignore", which in our own tree would have its effect. The file
# runs itself in script mode when something changed.

if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB_RECURSE files RELATIVE ${BP_FOLDER} ${BP_FOLDER}/*)
  set(texts)
  set(rows)
  set(n 0)
  foreach(file IN LISTS files)
    file(READ ${BP_FOLDER}/${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "(^|/)gitignore$" "\\1.gitignore" path ${file})
    string(APPEND texts "static const unsigned char text_${n}[] = {${bytes}0};\n")
    string(APPEND rows "    {\"${path}\", (const char *)text_${n}},\n")
    math(EXPR n "${n} + 1")
  endforeach()
  file(WRITE ${BP_OUTPUT}
    "/* Made of ${BP_SYMBOL}'s folder by core/cmake/BpEmbed.cmake. */\n#include \"${BP_HEADER}\"\n\n"
    "${texts}\nconst bp_project_file ${BP_SYMBOL}[] = {\n${rows}    {0},\n};\n")
  return()
endif()

set(BP_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(bp_embed_folder out header symbol folder)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${folder}/*)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DBP_OUTPUT=${out} -DBP_HEADER=${header} -DBP_SYMBOL=${symbol}
      -DBP_FOLDER=${folder} -P ${BP_EMBED_SCRIPT}
    DEPENDS ${files} ${BP_EMBED_SCRIPT}
    COMMENT "${symbol}"
    VERBATIM)
endfunction()
