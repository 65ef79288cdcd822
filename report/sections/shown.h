/* shown.h - a group or a control of a law as tables and files show it (groups.c). */
#ifndef UB_SECTIONS_SHOWN_H
#define UB_SECTIONS_SHOWN_H

#include "report/sections/sections.h"

struct shown {
    const struct ub_rows *rows;
    const char *name;
    const struct ub_datum *datum;
    const char *meets;   /* "yes", "no", "unclear"; of controls: whether they are right */
    const char *control; /* "", "must hold", "must fail" */
    double q;
    bool exception;
};

struct shown shown_group(const struct ub_law_verdict *verdict, size_t group);
struct shown shown_control(const struct ub_law_verdict *verdict, size_t control, const char *name);
/* What its value is held against; NAN of sameness, where systems are held against each other. */
double shown_prediction(const struct ub_law_verdict *verdict, const struct shown *shown);

#endif
