/* remake.c - cheap arithmetic of the first stage that the late stage reads, where all that it is
 * made of is kept anyway: it is done again where it is read, in registers, rather than kept and
 * read from far memory for every product. The numbers are the same to the bit. */
#include "systems/graph/program.h"

static bool is_cheap(enum ub_op op)
{
    switch (op) {
    case UB_OP_NEG:
    case UB_OP_ABS:
    case UB_OP_SIGN:
    case UB_OP_ADD:
    case UB_OP_SUB:
    case UB_OP_MUL:
    case UB_OP_MAX:
    case UB_OP_GREATER:
    case UB_OP_EQUAL:
    case UB_OP_SELECT:
        return true;
    default:
        return false;
    }
}

/* What late readers do with a value. */
struct late_use {
    bool read, apart; /* apart: by other than pointwise arithmetic on it as it is */
};

static struct late_use *find_late_uses(const struct ub_compiler *c)
{
    struct late_use *uses = ub_calloc((size_t)c->n, sizeof *uses);
    for (int i = 0; i < c->spec->n_outputs; i++)
        uses[c->base[c->spec->outputs[i].node]].apart = true;
    for (ub_node x = 0; x < c->n; x++)
        for (int i = 0; c->live[x] && c->part[x].late && i < ub_vertex(c->g, x)->n_in; i++) {
            const struct ub_use use = ub_use_of(c, x, i);
            if (use.source == UB_NONE)
                continue;
            uses[use.source].read = true;
            if (use.view != UB_NONE || !ub_operator_row(ub_vertex(c->g, x)->op)->pointwise)
                uses[use.source].apart = true;
        }
    return uses;
}

/* Is all of it at hand in the late stage, with one value to be read for it at most? */
static bool can_be_remade(const struct ub_compiler *c, const struct late_use *uses, ub_node x)
{
    int values = 0;
    for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
        const struct ub_use use = ub_use_of(c, x, i);
        const ub_node s = use.source;
        if (s == UB_NONE || !c->part[s].chunk)
            continue;
        if (c->input_of[s] < 0 && (!uses[s].read || c->remade[s]))
            return false;
        values += use.view == UB_NONE;
    }
    return values <= 1;
}

void ub_compile_remake(struct ub_compiler *c)
{
    struct late_use *uses = find_late_uses(c);
    for (ub_node x = 0; x < c->n; x++) {
        const struct ub_part part = c->part[x];
        if (!c->live[x] || part.late || !part.chunk || !uses[x].read || uses[x].apart ||
            !is_cheap(ub_vertex(c->g, x)->op) || !can_be_remade(c, uses, x))
            continue;
        c->remade[x] = true;
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
            const ub_node s = ub_use_of(c, x, i).source;
            if (s != UB_NONE)
                c->stored[s] = true;
        }
    }
    ub_free(uses);
}

bool ub_is_remade(const struct ub_compiler *c, ub_node source, ub_node reader)
{
    return source != UB_NONE && c->remade[source] && c->part[reader].late;
}
