/* assets.h - the files of the page, as they are in the program; private to this folder. Their list
 * is in CMakeLists.txt. */
#ifndef UB_REPORT_EXPLORER_ASSETS_H
#define UB_REPORT_EXPLORER_ASSETS_H

struct explorer_asset {
    const char *name, *begin, *end; /* a NUL stands at the end */
};
extern const struct explorer_asset explorer_assets[]; /* ends with a NULL name; made by CMake */
const struct explorer_asset *explorer_asset(const char *name); /* or NULL */

#endif
