# What `make install` and `make package` put where: the program, the suites and data that come with
# it, completions, man pages (by help2man, from --help; target man), and documents.
include(GNUInstallDirs)

install(TARGETS unibench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY bench/suites/ DESTINATION ${CMAKE_INSTALL_DATADIR}/unibench/suites FILES_MATCHING PATTERN *.yaml)
install(FILES datasets/data/digits.csv.gz datasets/data/README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/unibench/data)
install(DIRECTORY tests/extending/ DESTINATION ${CMAKE_INSTALL_DATADIR}/unibench/skeletons FILES_MATCHING PATTERN *.c)
install(FILES README.md CHANGELOG.md CITATION.cff LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES report/explorer/vendor/LICENSES DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME LICENSES.explorer)

# ---- completions ---------------------------------------------------------------------------------
set(completions ${PROJECT_BINARY_DIR}/completions)
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${completions}/unibench.${shell}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${completions}
    COMMAND unibench completion ${shell} > ${completions}/unibench.${shell}
    DEPENDS unibench VERBATIM)
endforeach()
add_custom_target(completions ALL DEPENDS ${completions}/unibench.bash ${completions}/unibench.zsh
                                          ${completions}/unibench.fish)
install(FILES ${completions}/unibench.bash RENAME unibench
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${completions}/unibench.zsh RENAME _unibench
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${completions}/unibench.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# ---- man pages -----------------------------------------------------------------------------------
# unibench(1) and one page a command, unibench-COMMAND(1). Not part of `all`: help2man is needed by
# those only who install or package.
set(man ${PROJECT_BINARY_DIR}/man)
add_custom_target(man
  COMMAND ${PROJECT_SOURCE_DIR}/ci/man $<TARGET_FILE:unibench> ${man}
  DEPENDS unibench VERBATIM)
install(DIRECTORY ${man}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL FILES_MATCHING PATTERN *.1)

# ---- packages ------------------------------------------------------------------------------------
set(CPACK_PACKAGE_NAME unibench)
set(CPACK_PACKAGE_VENDOR "the unibench developers")
set(CPACK_PACKAGE_CONTACT "the unibench developers <unibench@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION "Trains many small systems (model x loss x dataset x optimizer), measures what theory says\nabout each of them, and draws the verdict over all: tables, figures, reports.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS fonts-dejavu-core)
include(CPack)
