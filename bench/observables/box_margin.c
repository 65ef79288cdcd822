/* box_margin.c - see box_margin.h. */
#include "bench/observables/box_margin.h"
#include "base/base.h"

#include <glpk.h>
#include <math.h>

/* Columns w_1..w_p, then gamma; rows c_i . w - gamma >= 0. */
static void set_up(glp_prob *lp, int m, int p, const double *c)
{
    int *place = ub_calloc((size_t)p + 2, sizeof *place);
    double *value = ub_calloc((size_t)p + 2, sizeof *value);
    glp_set_obj_dir(lp, GLP_MAX);
    glp_add_cols(lp, p + 1);
    for (int j = 1; j <= p; j++)
        glp_set_col_bnds(lp, j, GLP_DB, -1, 1);
    glp_set_col_bnds(lp, p + 1, GLP_LO, 0, 0);
    glp_set_obj_coef(lp, p + 1, 1);
    glp_add_rows(lp, m);
    for (int i = 1; i <= m; i++) {
        int n = 0;
        for (int j = 1; j <= p; j++) {
            const double entry = c[(int64_t)(i - 1) * p + j - 1];
            if (fabs(entry) > 0) {
                place[++n] = j;
                value[n] = entry;
            }
        }
        place[++n] = p + 1;
        value[n] = -1;
        glp_set_mat_row(lp, i, n, place, value);
        glp_set_row_bnds(lp, i, GLP_LO, 0, 0);
    }
    ub_free(place);
    ub_free(value);
}

bool ub_box_margin(int64_t m, int64_t p, const double *c, double *gamma)
{
    glp_term_out(GLP_OFF);
    glp_prob *lp = glp_create_prob();
    glp_smcp settings;
    glp_init_smcp(&settings);
    settings.meth = GLP_DUALP;
    set_up(lp, (int)m, (int)p, c);
    glp_scale_prob(lp, GLP_SF_AUTO);
    const bool good = glp_simplex(lp, &settings) == 0 && glp_get_status(lp) == GLP_OPT;
    *gamma = glp_get_obj_val(lp);
    glp_delete_prob(lp);
    glp_free_env(); /* of this thread: no library state is left behind */
    return good;
}
