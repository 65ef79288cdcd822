# ub_extended_program(NAME FOLDER): the program with FOLDER's entries in its registries, without an
# edit of the tree. ub_extended_objects(NAME FILE ...): such entries, and registries that have them. A
# file KIND_NAME.c, KIND one of those below, defines ub_KIND_NAME (TYPE). The registries are compiled
# once more, with the list of these (base/extensions.h), and the libraries' own are left out by the
# linker, for nothing of them is missing.
set(UB_EXTENSION_KINDS model loss init optimizer dataset observable law section)
set(UB_EXTENSION_TYPE_optimizer ub_optimizer_kind)
set(UB_EXTENSION_TYPE_dataset ub_dataset_source)
set(UB_EXTENDED_REGISTRIES systems/models/registry.c systems/losses/registry.c systems/inits.c
    systems/optimizers/registry.c datasets/registry.c bench/observables/registry.c
    report/laws/registry.c report/sections/registry.c)

function(ub_extended_objects name)
  set(declared "")
  set(lists "")
  foreach(kind ${UB_EXTENSION_KINDS})
    set(entries "")
    set(type ub_${kind})
    if(UB_EXTENSION_TYPE_${kind})
      set(type ${UB_EXTENSION_TYPE_${kind}})
    endif()
    foreach(file ${ARGN})
      get_filename_component(entry ${file} NAME_WE)
      if(entry MATCHES "^${kind}_")
        string(APPEND declared "extern const struct ${type} ub_${entry};\n")
        string(APPEND entries " &ub_${entry},")
      endif()
    endforeach()
    string(TOUPPER ${kind} kind)
    string(APPEND lists "#define UB_EXTRA_${kind}${entries}\n")
  endforeach()
  set(header ${CMAKE_CURRENT_BINARY_DIR}/${name}.h)
  file(CONFIGURE OUTPUT ${header} CONTENT "${declared}${lists}" @ONLY)
  list(TRANSFORM UB_EXTENDED_REGISTRIES PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE registries)
  add_library(${name} OBJECT ${registries} ${ARGN})
  target_compile_definitions(${name} PRIVATE UB_EXTENSIONS="${header}")
  target_link_libraries(${name} PRIVATE ub_bench ub_report)
endfunction()

function(ub_extended_program name folder)
  list(TRANSFORM UB_EXTENSION_KINDS REPLACE "(.+)" "${folder}/\\1_*.c" OUTPUT_VARIABLE patterns)
  file(GLOB files CONFIGURE_DEPENDS ${patterns})
  ub_extended_objects(${name}-entries ${files})
  add_executable(${name} $<TARGET_OBJECTS:unibench> $<TARGET_OBJECTS:${name}-entries>)
  target_link_libraries(${name} PRIVATE ub_bench ub_report)
endfunction()
