/* transfer.h - sweeps of the learning rate at several sizes of a model, as they are drawn
 * (plots_transfer.c). */
#ifndef UB_SECTIONS_TRANSFER_H
#define UB_SECTIONS_TRANSFER_H

#include "report/frame/frame.h"

struct sweep {
    const struct ub_frame *frame;
    const struct ub_rows *rows;
    const char *axis; /* "model.width" */
    const char *what; /* "width" */
};

/* The median over seeds of the last loss, of those that did not diverge; NAN where all did. */
double transfer_loss(const struct sweep *sweep, double size, double rate);

#endif
