# ub_explorer_assets(VARIABLE FILE...): a C source, its path in VARIABLE, that has these files of this
# folder as they are, by name (assets.h). The assembler reads them: as C they would take long.
function(ub_explorer_assets variable)
  set(declared "")
  set(rows "")
  set(n 0)
  foreach(file ${ARGN})
    set(path ${CMAKE_CURRENT_SOURCE_DIR}/explorer/${file})
    set(symbol ub_explorer_${n})
    list(APPEND paths ${path})
    string(APPEND declared "__asm__(\".pushsection .rodata\\n.globl ${symbol}, ${symbol}_end\\n${symbol}:\\n\"\n"
                           "        \".incbin \\\"${path}\\\"\\n${symbol}_end:\\n.byte 0\\n.popsection\");\n"
                           "extern const char ${symbol}[], ${symbol}_end[];\n")
    string(APPEND rows "    {\"${file}\", ${symbol}, ${symbol}_end},\n")
    math(EXPR n "${n} + 1")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/explorer_assets.c)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
"#include \"report/explorer/assets.h\"

${declared}
const struct explorer_asset explorer_assets[] = {
${rows}    {0},
};
")
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${paths}")
  set(${variable} ${source} PARENT_SCOPE)
endfunction()
