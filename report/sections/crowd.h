/* crowd.h - many lines in one panel: as they are where they are few, as the median and a band where
 * they would hide each other.
 *
 *     struct crowd c = {0};
 *     crowd_add(&c, ub_frame_series(frame, row, "loss", 0));
 *     crowd_draw(panel, &c, c.count > CROWD, (struct ub_style){.color = 2, .label = "cnn"});
 *     crowd_clear(&c); */
#ifndef UB_SECTIONS_CROWD_H
#define UB_SECTIONS_CROWD_H

#include "report/figure/figure.h"
#include "report/frame/frame.h"

enum { CROWD = 12 };               /* lines beyond which a panel should summarize */
extern const char crowd_caption[]; /* what a summary shows, for captions */

struct crowd {
    size_t count;
    struct ub_series *line;
    size_t fewest; /* points that make a line; 0: three */
    bool thin; /* of all lines at most 200 points are kept, not only of those beyond the 200th */
};
/* Takes the series over; ones of too few points are dropped, and false is returned. Of lines beyond
 * the 200th at most 200 points are kept: a summary needs no more. */
bool crowd_add(struct crowd *crowd, struct ub_series line);
/* One line a series; or their median and the band that holds 80% of them, in up to 64 stretches of
 * steps, each line by the median of its values there (or what is between its neighbors), with gaps
 * where more than a tenth of the lines ends or begins. */
void crowd_draw(struct ub_panel *panel, const struct crowd *crowd, bool summarize,
                struct ub_style style);
void crowd_clear(struct crowd *crowd);

#endif
