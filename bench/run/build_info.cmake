# Writes OUTPUT (build_info.c); run by every build, rewrites the file only when its text changes.
# Takes SOURCE, OUTPUT, VERSION, COMPILER and FLAGS.
set(commit "")
set(changed "")
find_program(git git)
if(git)
  execute_process(COMMAND ${git} -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE commit
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(commit)
  # Only what is compiled: notes and results do not change the program.
  execute_process(COMMAND ${git} -C ${SOURCE} status --porcelain -- CMakeLists.txt base datasets
                          systems bench report ci/cmake
                  OUTPUT_VARIABLE differences OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(differences)
    set(changed true)
  else()
    set(changed false)
  endif()
endif()

function(add_text name value)
  string(REPLACE "\\" "\\\\" value "${value}")
  string(REPLACE "\"" "\\\"" value "${value}")
  string(APPEND text "const char ${name}[] = \"${value}\";\n")
  set(text "${text}" PARENT_SCOPE)
endfunction()

set(text "#include \"bench/run/build_info.h\"\n\n")
add_text(ub_build_version "${VERSION}")
add_text(ub_build_commit "${commit}")
add_text(ub_build_changed "${changed}")
add_text(ub_build_compiler "${COMPILER}")
add_text(ub_build_flags "${FLAGS}")

if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT "${old}" STREQUAL "${text}")
  file(WRITE ${OUTPUT} "${text}")
endif()
