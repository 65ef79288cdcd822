# ub_extended_program(NAME FOLDER): the program with FOLDER's entries in its registries, without an
# edit of the tree. A file KIND_NAME.c there, KIND one of those below, defines ub_KIND_NAME (TYPE). The
# registries are compiled once more, with the list of these (base/extensions.h), and the libraries' own
# are left out by the linker, for nothing of them is missing.
set(UB_EXTENSION_KINDS model loss init optimizer dataset observable law section)
set(UB_EXTENSION_TYPE_optimizer ub_optimizer_kind)
set(UB_EXTENSION_TYPE_dataset ub_dataset_source)
set(UB_EXTENDED_REGISTRIES systems/models/registry.c systems/losses/registry.c systems/inits.c
    systems/optimizers/registry.c datasets/registry.c bench/observables/registry.c
    report/laws/registry.c report/sections/registry.c)

function(ub_extended_program name folder)
  set(declared "")
  set(lists "")
  set(sources "")
  foreach(kind ${UB_EXTENSION_KINDS})
    set(entries "")
    set(type ub_${kind})
    if(UB_EXTENSION_TYPE_${kind})
      set(type ${UB_EXTENSION_TYPE_${kind}})
    endif()
    file(GLOB files CONFIGURE_DEPENDS ${folder}/${kind}_*.c)
    foreach(file ${files})
      get_filename_component(entry ${file} NAME_WE)
      string(APPEND declared "extern const struct ${type} ub_${entry};\n")
      string(APPEND entries " &ub_${entry},")
      list(APPEND sources ${file})
    endforeach()
    string(TOUPPER ${kind} kind)
    string(APPEND lists "#define UB_EXTRA_${kind}${entries}\n")
  endforeach()
  set(header ${CMAKE_CURRENT_BINARY_DIR}/${name}.h)
  file(CONFIGURE OUTPUT ${header} CONTENT "${declared}${lists}" @ONLY)
  file(GLOB commands CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c)
  list(TRANSFORM UB_EXTENDED_REGISTRIES PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE registries)
  add_executable(${name} ${commands} ${registries} ${sources})
  target_compile_definitions(${name} PRIVATE UB_EXTENSIONS="${header}")
  target_link_libraries(${name} PRIVATE ub_bench ub_report)
endfunction()
