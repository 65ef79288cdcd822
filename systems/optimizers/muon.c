/* Muon: momentum, each matrix of it brought near its polar factor by Newton-Schulz steps:
 *
 *     m <- momentum m + g,   a = g + momentum m  (nesterov; else a = m)
 *     X = a/(|a|_F + 1e-7),  X <- 3.4445 X + (-4.7750 XX' + 2.0315 (XX')^2) X,  five times
 *     theta_l <- theta_l - lr (c_l X_l + decay theta_l)
 *
 * The quintic's coefficients trade exactness for speed: singular values end between 0.7 and 1.2.
 * X does not depend on the size of a, so an averaged momentum (1 - momentum) g is the same method.
 * c_l for a matrix of r rows (outputs) and k columns, by `scale`: tall sqrt(max(1, r/k)), as in the
 * author's code; none 1; spectral sqrt(r/k) (Bernstein and Newhouse 2024, arXiv:2409.20325); rms
 * 0.2 sqrt(max(r, k)), an Adam step's size (Liu et al. 2025, arXiv:2502.16982).
 *
 * A convolution's weight is a matrix of output channels x the rest. Vectors, and with
 * hidden-only=true the first and last layers, move by `others`: adam (beta 0.9 and 0.95, epsilon
 * 1e-10, as the author's code; learning rate adam-factor lr), sign -lr sign(a), or euclidean
 * -lr a/|a|.
 *
 * Edge. With momentum=0, decay=0 and others=sign or euclidean, steps are -lr u with u_l = c_l X_l,
 * in the norm max_l |theta_l|_2/c_l (vectors: largest entry or Euclidean). Whatever singular values
 * the iteration leaves, a quadratic descends where S |u|^2/<g, u> < 2/lr (optimizers.h); with exact
 * polar factors that is S/|g|_*. (Islamov et al. 2026, arXiv:2603.05002.) With momentum none is
 * known. */
#include "base/option_units.h"
#include "systems/optimizers/norm_family.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

static const char *const scales[] = {"tall", "none", "spectral", "rms", NULL};
static const char *const others[] = {"adam", "sign", "euclidean", NULL};

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate; edge(S), relative(R) at momentum=0"},
    {"momentum", UB_OPTION_REAL, "0.95", 0, 0.999999, NULL, "decay of the summed gradients"},
    {"nesterov", UB_OPTION_FLAG, "true", 0, 0, NULL, "the gradient to come is in the step"},
    {"iterations", UB_OPTION_INT, "5", 1, 100, NULL, "Newton-Schulz steps"},
    {"scale", UB_OPTION_NAME, "tall", 0, 0, scales, "factor on a matrix's steps by its shape"},
    {"others", UB_OPTION_NAME, "adam", 0, 0, others, "how vectors move"},
    {"hidden-only", UB_OPTION_FLAG, "false", 0, 0, NULL,
     "first and last layers move as vectors do"},
    {"adam-factor", UB_OPTION_REAL, "0.015", 0, 1e6, NULL,
     "learning rate of others=adam over that of matrices"},
    {"decay", UB_OPTION_REAL | UB_OPTION_OF_PER_RATE, "0", 0, 1e6, NULL, "weight decay"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static const double adam_beta1 = 0.9, adam_beta2 = 0.95, adam_epsilon = 1e-10;

/* ---- Newton-Schulz ---- */

/* X (rows x columns, rows <= columns) <- aX + (b XX' + c (XX')^2) X; room: rows (2 rows + columns).
 */
static void iterate(int64_t rows, int64_t columns, double *x, double *room)
{
    const blasint r = (blasint)rows, k = (blasint)columns;
    double *gram = room, *poly = gram + rows * rows, *next = poly + rows * rows;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, r, r, k, 1, x, k, x, k, 0, gram, r);
    memcpy(poly, gram, (size_t)(rows * rows) * sizeof *poly);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r, r, r, 2.0315, gram, r, gram, r,
                -4.7750, poly, r);
    memcpy(next, x, (size_t)(rows * columns) * sizeof *next);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r, k, r, 1, poly, r, x, k, 3.4445, next,
                k);
    memcpy(x, next, (size_t)(rows * columns) * sizeof *x);
}

static void transpose(int64_t rows, int64_t columns, const double *a, double *out)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            out[j * rows + i] = a[i * columns + j];
}

/* In place; the product XX' is taken on the shorter side. */
static void orthogonalize(int64_t rows, int64_t columns, int64_t iterations, double *x)
{
    const int64_t low = rows < columns ? rows : columns, high = rows < columns ? columns : rows;
    const double size = cblas_dnrm2((blasint)(rows * columns), x, 1) + 1e-7;
    double *flat = ub_calloc((size_t)(low * high), sizeof *flat);
    double *room = ub_calloc((size_t)(low * (2 * low + high)), sizeof *room);
    if (rows > columns)
        transpose(rows, columns, x, flat);
    else
        memcpy(flat, x, (size_t)(low * high) * sizeof *flat);
    cblas_dscal((blasint)(low * high), 1 / size, flat, 1);
    for (int64_t k = 0; k < iterations; k++)
        iterate(low, high, flat, room);
    if (rows > columns)
        transpose(low, high, flat, x);
    else
        memcpy(x, flat, (size_t)(low * high) * sizeof *flat);
    ub_free(flat);
    ub_free(room);
}

/* ---- steps ---- */

static double shape_factor(const struct ub_optimizer *o, const struct ub_ball_part *part)
{
    const char *scale = ub_call_get(o->call, "scale");
    const double r = (double)part->rows, k = (double)part->columns;
    if (strcmp(scale, "tall") == 0)
        return sqrt(fmax(1, r / k));
    if (strcmp(scale, "spectral") == 0)
        return sqrt(r / k);
    return strcmp(scale, "rms") == 0 ? 0.2 * sqrt(fmax(r, k)) : 1;
}

static bool is_matrix(const struct ub_optimizer *o, int64_t i)
{
    if (o->layout->params[i].rank < 2)
        return false;
    return !ub_call_flag(o->call, "hidden-only") || o->layout->params[i].role == UB_ROLE_HIDDEN;
}

/* The parts of the spectral norm, those that are not matrices with the shape of `others`. */
static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    (void)err;
    ub_norm_attach(o, "spectral");
    struct ub_norm_own *own = o->own;
    const bool sign = strcmp(ub_call_get(o->call, "others"), "sign") == 0;
    for (int64_t i = 0; i < own->ball->count; i++) {
        struct ub_ball_part *part = &own->ball->parts[i];
        if (is_matrix(o, i))
            part->radius = shape_factor(o, part);
        else
            part->shape = sign ? UB_BALL_MAX : UB_BALL_EUCLIDEAN;
    }
    return true;
}

/* u of one part, in place of what it is made from. */
static void direct(const struct ub_optimizer *o, const struct ub_ball_part *part, double *u)
{
    const int64_t n = part->rows * part->columns;
    if (part->shape == UB_BALL_SPECTRAL) {
        orthogonalize(part->rows, part->columns, ub_call_int(o->call, "iterations"), u);
        cblas_dscal((blasint)n, part->radius, u, 1);
        return;
    }
    const double size = cblas_dnrm2((blasint)n, u, 1);
    for (int64_t i = 0; i < n; i++)
        if (part->shape == UB_BALL_MAX)
            u[i] = (double)((u[i] > 0) - (u[i] < 0));
        else
            u[i] = size == 0 ? 0 : u[i] / size;
}

/* The state: m, then of adam first and second moments. */
static void adam(struct ub_optimizer *o, const struct ub_ball_part *part, const double *grad,
                 double *u)
{
    const double t = (double)o->steps + 1, factor = ub_call_real(o->call, "adam-factor");
    const double first = 1 / (1 - pow(adam_beta1, t)), second = 1 / (1 - pow(adam_beta2, t));
    double *m = o->state + o->size, *v = m + o->size;
    for (int64_t i = part->offset; i < part->offset + part->rows * part->columns; i++) {
        m[i] = adam_beta1 * m[i] + (1 - adam_beta1) * grad[i];
        v[i] = adam_beta2 * v[i] + (1 - adam_beta2) * grad[i] * grad[i];
        u[i] = factor * first * m[i] / (sqrt(second * v[i]) + adam_epsilon);
    }
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const struct ub_norm_own *own = o->own;
    const double momentum = ub_call_real(o->call, "momentum"),
                 decay = ub_call_real(o->call, "decay");
    const bool nesterov = ub_call_flag(o->call, "nesterov");
    const bool by_adam = strcmp(ub_call_get(o->call, "others"), "adam") == 0;
    double *m = o->state;
    for (int64_t i = 0; i < o->size; i++) {
        m[i] = momentum * m[i] + grad[i];
        own->d[i] = nesterov ? grad[i] + momentum * m[i] : m[i];
    }
    for (int64_t b = 0; b < own->ball->count; b++) {
        const struct ub_ball_part *part = &own->ball->parts[b];
        if (part->shape != UB_BALL_SPECTRAL && by_adam)
            adam(o, part, grad, own->d);
        else
            direct(o, part, own->d + part->offset);
    }
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= o->lr * (own->d[i] + decay * theta[i]);
}

/* ---- edge ---- */

/* By options alone: learning rates are resolved before the layout is known. */
static bool has_edge(const struct ub_optimizer *o)
{
    return ub_call_real(o->call, "momentum") == 0 && ub_call_real(o->call, "decay") == 0 &&
           strcmp(ub_call_get(o->call, "others"), "adam") != 0;
}

static const struct ub_ball *ball(const struct ub_optimizer *o, const double *grad, double *factor)
{
    if (!o->own || !has_edge(o))
        return NULL;
    const struct ub_norm_own *own = o->own;
    memcpy(own->d, grad, (size_t)o->size * sizeof *own->d);
    for (int64_t b = 0; b < own->ball->count; b++)
        direct(o, &own->ball->parts[b], own->d + own->ball->parts[b].offset);
    const double size = ub_ball_norm(own->ball, own->d);
    *factor = size * size / cblas_ddot((blasint)o->size, grad, 1, own->d, 1);
    return own->ball;
}

static double threshold(const struct ub_optimizer *o)
{
    return has_edge(o) ? ub_edge_plain(o) : NAN;
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    return has_edge(o) ? ub_edge_plain_rate(o, sharpness) : NAN;
}

const struct ub_optimizer_kind ub_optimizer_muon = {
    .name = "muon",
    .title = "Muon",
    .summary = "momentum whose matrices are orthogonalized by Newton-Schulz steps",
    .citation = "Jordan et al. 2024, Muon: an optimizer for hidden layers in neural networks",
    .options = options,
    .needs_problem = true,
    .state_vectors = 3,
    .step = step,
    .attach = attach,
    .detach = ub_norm_detach,
    .geometry = UB_IN_A_NORM,
    .ball = ball,
    .threshold = threshold,
    .rate_for = rate_for,
    .edge_formula = "2/lr on the generalized sharpness, at momentum=0, decay=0, others not adam",
    .edge_citation = "Islamov et al. 2026, arXiv:2603.05002",
};
