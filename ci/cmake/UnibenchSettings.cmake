# Language level, warnings and helpers that every target shares.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion)
# No value of ours depends on errno or floating-point traps; libm's vector forms need this said.
add_compile_options(-fno-math-errno -fno-trapping-math)
include_directories(${PROJECT_SOURCE_DIR})

option(UNIBENCH_WERROR "Treat warnings as errors" OFF)
if(UNIBENCH_WERROR)
  add_compile_options(-Werror)
endif()

# ub_library(NAME): a static library of all C files in this folder and its subfolders.
function(ub_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  add_library(${name} STATIC ${sources})
endfunction()
