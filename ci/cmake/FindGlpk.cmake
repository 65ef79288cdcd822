# GLPK carries no pkg-config file.
find_path(GLPK_INCLUDE_DIR glpk.h)
find_library(GLPK_LIBRARY glpk)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Glpk REQUIRED_VARS GLPK_LIBRARY GLPK_INCLUDE_DIR)
if(Glpk_FOUND AND NOT TARGET Glpk::Glpk)
  add_library(Glpk::Glpk UNKNOWN IMPORTED)
  set_target_properties(Glpk::Glpk PROPERTIES IMPORTED_LOCATION ${GLPK_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${GLPK_INCLUDE_DIR})
endif()
