/* build_info.h - what this program was built from; build_info.c is written by build_info.cmake
 * at every build, so that it names the commit that was compiled, not the one configured. */
#ifndef UB_BUILD_INFO_H
#define UB_BUILD_INFO_H

extern const char ub_build_version[];  /* "0.1.0" */
extern const char ub_build_commit[];   /* "" outside a git work tree */
extern const char ub_build_changed[];  /* "true": sources differ from the commit; "" unknown */
extern const char ub_build_compiler[]; /* "GNU 12.2.0" */
extern const char ub_build_flags[];

#endif
