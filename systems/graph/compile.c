/* compile.c - from graph to program: checks what is bound, runs the passes, allocates. */
#include "systems/graph/program.h"

#include <cblas.h>
#include <string.h>

/* Measured on gradients and blocks of products of fully connected models, AVX2 and AVX-512. */
enum {
    L2_BYTES = 1 << 20,
    VALUES_AT_WORK = 4, /* chunk-wide activations that a chunk holds at work, about */
    LEAST_CHUNK = 128,
    LEAST_CHUNK_OF_THIN = 8,
    LEAST_NUMBERS = 512,          /* of a chunk, where nothing is multiplied */
    LEAST_CHUNK_FOR_TOTALS = 256, /* where totals outgrow L2: each chunk reads and writes them */
    GREATEST_CHUNK = 512
};

static int64_t between(int64_t low, int64_t x, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

int64_t ub_chunk_size(int64_t samples, struct ub_sample_sizes sample, int64_t totals)
{
    const int64_t l2 = L2_BYTES / (int64_t)sizeof(float);
    const int64_t widest = sample.widest > 0 ? sample.widest : 1;
    int64_t fit = l2 / VALUES_AT_WORK / widest;
    int64_t least = totals > l2 / 2 ? LEAST_CHUNK_FOR_TOTALS : LEAST_CHUNK;
    if (sample.rows > 0)
        least = (least + sample.rows - 1) / sample.rows;
    else
        least = between(least, LEAST_NUMBERS / widest, (int64_t)2 * LEAST_CHUNK);
    if (sample.thin && least < LEAST_CHUNK_OF_THIN)
        least = LEAST_CHUNK_OF_THIN;
    fit = between(least, fit, GREATEST_CHUNK);
    if (samples / UB_LANES < fit) /* work for every lane, while chunks are not too short */
        fit = between(least, (samples + UB_LANES - 1) / UB_LANES, fit);
    int64_t chunks = (samples + fit - 1) / fit;
    return chunks ? (samples + chunks - 1) / chunks : 1;
}

/* ---- binding ---- */

static int64_t members_of(const struct ub_graph *g, ub_node x, int64_t stride)
{
    struct ub_shape s = ub_shape_of(g, x);
    if (stride == 0)
        return 1;
    if (s.rank == 0)
        UB_ABORT("a scalar node %d has no batch axis", x);
    return s.dim[0];
}

static void bind_inputs(struct ub_compiler *c)
{
    struct ub_program *p = c->p;
    p->n_inputs = c->spec->n_inputs;
    p->inputs = ub_calloc((size_t)p->n_inputs + 1, sizeof *p->inputs);
    for (ub_node x = 0; x < c->n; x++)
        c->input_of[x] = -1;
    for (int i = 0; i < p->n_inputs; i++) {
        struct ub_program_input in = c->spec->inputs[i];
        struct ub_shape s = ub_shape_of(c->g, in.node);
        if (ub_vertex(c->g, in.node)->op != UB_OP_INPUT)
            UB_ABORT("node %d is bound but is not an input", in.node);
        if (in.kind != UB_SHARED && (s.rank < 1 || s.dim[0] != c->spec->chunk))
            UB_ABORT("input %d does not have the chunk as its leading axis", i);
        if (in.kind == UB_SAMPLES) {
            if (in.slot < 0 || in.slot >= UB_SLOTS)
                UB_ABORT("sample slot %d is not in 0..%d", in.slot, UB_SLOTS - 1);
            p->sample_size[in.slot] = ub_count(s) / s.dim[0];
        }
        p->inputs[i] = (struct ub_bound_input){.spec = in,
                                               .ref = {.space = UB_SPACE_NOWHERE},
                                               .count = ub_count(s),
                                               .members = members_of(c->g, in.node, in.stride)};
        if (in.node < c->n)
            c->input_of[in.node] = i;
    }
}

static void bind_outputs(struct ub_compiler *c)
{
    struct ub_program *p = c->p;
    p->n_outputs = c->spec->n_outputs;
    p->outputs = ub_calloc((size_t)p->n_outputs + 1, sizeof *p->outputs);
    for (int i = 0; i < p->n_outputs; i++) {
        struct ub_program_output out = c->spec->outputs[i];
        struct ub_shape s = ub_shape_of(c->g, out.node);
        if (out.kind == UB_EACH && (s.rank < 1 || s.dim[0] != c->spec->chunk))
            UB_ABORT("output %d does not have the chunk as its leading axis", i);
        const struct ub_part part = c->part[c->base[out.node]];
        p->outputs[i] = (struct ub_bound_output){.spec = out,
                                                 .count = ub_count(s),
                                                 .members = members_of(c->g, out.node, out.stride),
                                                 .late = part.late,
                                                 .once = !part.chunk && !part.summed};
        if (out.kind == UB_EACH && !part.chunk)
            UB_ABORT("output %d is laid out by sample but depends on none", i);
    }
}

static void check_inputs_bound(const struct ub_compiler *c)
{
    for (ub_node x = 0; x < c->n; x++)
        if (c->live[x] && ub_vertex(c->g, x)->op == UB_OP_INPUT && c->input_of[x] < 0)
            UB_ABORT("input node %d is needed but not bound", x);
}

/* ---- memory ---- */

static void *real_array(const struct ub_program *p, int64_t count)
{
    return ub_calloc((size_t)(count ? count : 1), p->kernels->real);
}

static bool has_tail(const struct ub_program *p)
{
    return p->samples % p->chunk != 0;
}

static void count_bytes(struct ub_program *p)
{
    const int64_t real = (int64_t)p->kernels->real;
    int64_t sample = 0, late = 0; /* numbers; late ones are bound anew before runs: copies */
    for (int i = 0; i < UB_SLOTS; i++)
        sample += p->sample_size[i];
    for (int i = 0; i < p->n_inputs; i++)
        if (p->inputs[i].spec.kind == UB_SAMPLES && p->inputs[i].spec.late)
            late += p->sample_size[p->inputs[i].spec.slot];
    const int64_t kept = p->kept_size * p->chunks;
    struct ub_program_facts *f = &p->facts;
    f->arena_bytes = p->arena_size * real;
    f->kept_bytes = kept * real;
    f->sample_bytes = (sample - late) * p->samples * real;
    f->shared_bytes = ub_workspace_shared(p) * real;
    f->thread_bytes = ub_workspace_thread(p) * real;
    f->own_bytes = ((p->staged ? p->once_size : 0) + (p->keep ? kept : 0) + p->chunk * p->chunks +
                    (has_tail(p) ? sample * p->chunk : 0) + late * p->samples) *
                   real;
    f->bytes = f->own_bytes + f->sample_bytes + f->shared_bytes + f->thread_bytes * p->threads;
}

static void allocate(struct ub_program *p)
{
    if (p->staged)
        p->once = real_array(p, p->once_size);
    if (p->keep) /* not set: a run writes it before it reads it, and its first touch is its start */
        p->kept = ub_alloc((size_t)(p->kept_size * p->chunks) * p->kernels->real);
    p->weights = real_array(p, p->chunk * p->chunks);
    p->kernels->fill(p->samples, p->weights, 1);
    for (int i = 0; i < UB_SLOTS; i++)
        if (p->sample_size[i] && has_tail(p))
            p->bound[i].tail = real_array(p, p->sample_size[i] * p->chunk);
    p->contexts = ub_calloc((size_t)p->threads, sizeof *p->contexts);
    for (int t = 0; t < p->threads; t++)
        p->contexts[t].member = t;
    if (!p->borrows)
        p->workspace = ub_workspace_new();
    ub_workspace_reserve(p->workspace, p);
}

static void free_steps(struct ub_steps *steps)
{
    for (int i = 0; i < steps->count; i++) {
        const struct ub_step *s = &steps->step[i];
        if (s->kind == UB_STEP_CONV)
            ub_dnnl_conv_free(s->conv.dnnl);
        if (s->kind == UB_STEP_GEMM)
            ub_split_product_free(s->gemm.split);
        if (s->kind != UB_STEP_BLOCK)
            continue;
        ub_free(s->block.code);
        ub_free(s->block.constants);
        ub_free(s->block.walks);
    }
    ub_free(steps->step);
}

void ub_program_free(struct ub_program *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->n_segments; i++)
        free_steps(&p->segments[i].steps);
    ub_free(p->segments);
    for (int i = 0; i < UB_SLOTS; i++) {
        ub_free(p->bound[i].own);
        ub_free(p->bound[i].tail);
    }
    if (p->staged)
        ub_free(p->once);
    if (p->keep)
        ub_free(p->kept);
    if (!p->borrows)
        ub_workspace_free(p->workspace);
    ub_free_transfers(p);
    for (int t = 0; p->contexts && t < p->threads; t++)
        ub_free(p->contexts[t].spent);
    ub_free(p->contexts);
    ub_free(p->inputs);
    ub_free(p->outputs);
    ub_free(p->weights);
    ub_free(p);
}

struct ub_program_facts ub_program_facts(const struct ub_program *p)
{
    return p->facts;
}

/* ---- the passes ---- */

static struct ub_program *program_new(const struct ub_program_spec *spec)
{
    struct ub_program *p = ub_calloc(1, sizeof *p);
    p->kernels = ub_kernels_pick(spec->single);
    p->samples = spec->samples;
    p->chunk = spec->chunk > 0 ? spec->chunk : 1;
    p->chunks = (spec->samples + p->chunk - 1) / p->chunk;
    p->lanes = p->chunks < UB_LANES ? p->chunks : UB_LANES;
    p->team = spec->team;
    p->threads = ub_team_threads(spec->team);
    p->workspace = spec->workspace;
    p->borrows = spec->workspace != NULL;
    for (int i = 0; i < spec->n_inputs; i++)
        p->staged = p->staged || spec->inputs[i].late;
    p->keep = p->staged;
    return p;
}

static void compiler_open(struct ub_compiler *c)
{
    size_t n = (size_t)c->n;
    c->base = ub_calloc(n, sizeof *c->base);
    c->viewed = ub_calloc(n, sizeof *c->viewed);
    c->into = ub_calloc(n, sizeof *c->into);
    c->input_of = ub_calloc(n, sizeof *c->input_of);
    c->part = ub_calloc(n, sizeof *c->part);
    c->segment = ub_calloc(n, sizeof *c->segment);
    c->first_use = ub_alloc((n + 1) * sizeof *c->first_use);
    c->live = ub_calloc(n, sizeof *c->live);
    c->stored = ub_calloc(n, sizeof *c->stored);
    c->remade = ub_calloc(n, sizeof *c->remade);
    c->group = ub_calloc(n, sizeof *c->group);
    c->next = ub_calloc(n, sizeof *c->next);
    c->group_last = ub_calloc(n, sizeof *c->group_last);
    c->order = ub_calloc(n, sizeof *c->order);
    c->position = ub_calloc(n, sizeof *c->position);
    c->last_use = ub_calloc(n, sizeof *c->last_use);
    c->uses = ub_calloc(n, sizeof *c->uses);
    c->ref = ub_calloc(n, sizeof *c->ref);
    c->sum = ub_calloc(n, sizeof *c->sum);
    c->totals = ub_alloc(n * sizeof *c->totals);
}

static void compiler_close(struct ub_compiler *c)
{
    void *all[] = {c->base,  c->input_of, c->part,     c->segment,    c->live,     c->stored,
                   c->group, c->next,     c->order,    c->group_last, c->position, c->last_use,
                   c->uses,  c->ref,      c->sum,      c->totals,     c->remade,   c->viewed,
                   c->into,  c->use,      c->first_use};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ub_free(all[i]);
}

/* Pointwise values read outside their group, or as memory, must be stored. */
static void store_what_leaves_its_group(struct ub_compiler *c)
{
    for (ub_node x = 0; x < c->n; x++) {
        if (!c->live[x])
            continue;
        if (!ub_operator_row(ub_vertex(c->g, x)->op)->pointwise)
            c->stored[x] = true;
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
            ub_node source = ub_use_of(c, x, i).source;
            if (source != UB_NONE && c->group[source] != c->group[x] && !ub_is_remade(c, source, x))
                c->stored[source] = true;
        }
    }
}

/* Threads share out chunks, never a GEMM. Asked only where it changes something: in a forked
 * process (a worker) the call would start OpenBLAS's threads anew, one for each other CPU, which
 * spin for tens of milliseconds beside the run. */
static void hold_blas_to_one_thread(void)
{
    if (openblas_get_num_threads() != 1)
        openblas_set_num_threads(1);
}

static struct ub_program *compile(const struct ub_graph *g, const struct ub_program_spec *spec)
{
    struct ub_compiler c = {.g = g, .spec = spec, .p = program_new(spec), .n = g->count};
    compiler_open(&c);
    bind_inputs(&c);
    ub_compile_segments(&c);
    bind_outputs(&c);
    ub_compile_views(&c);
    ub_compile_demand(&c);
    check_inputs_bound(&c);
    ub_compile_wait(&c);
    ub_compile_fuse(&c);
    ub_compile_remake(&c);
    store_what_leaves_its_group(&c);
    ub_compile_into(&c);
    ub_compile_place(&c);
    ub_compile_lower(&c);
    ub_plan_transfers(c.p);
    count_bytes(c.p);
    if (!spec->dry)
        allocate(c.p);
    compiler_close(&c);
    return c.p;
}

/* Inputs, outputs, and what outputs are made of. */
static bool *find_needed(const struct ub_graph *g, const struct ub_program_spec *spec)
{
    bool *needed = ub_calloc((size_t)g->count, sizeof *needed);
    for (int i = 0; i < spec->n_outputs; i++) {
        ub_shape_of(g, spec->outputs[i].node); /* which aborts if there is none */
        needed[spec->outputs[i].node] = true;
    }
    for (ub_node x = g->count - 1; x >= 0; x--)
        for (int i = 0; needed[x] && i < ub_vertex(g, x)->n_in; i++)
            needed[ub_vertex(g, x)->in[i]] = true;
    for (int i = 0; i < spec->n_inputs; i++) {
        ub_shape_of(g, spec->inputs[i].node);
        needed[spec->inputs[i].node] = true;
    }
    return needed;
}

/* Passes walk all nodes, and half of a recurrent network's are of ways that were not taken. */
struct ub_program *ub_program_compile(const struct ub_graph *g, const struct ub_program_spec *spec)
{
    hold_blas_to_one_thread();
    bool *needed = find_needed(g, spec);
    ub_node *image = ub_alloc((size_t)g->count * sizeof *image);
    struct ub_graph *pruned = ub_graph_pruned(g, needed, image);
    struct ub_program_input *inputs = ub_alloc((size_t)spec->n_inputs * sizeof *inputs);
    struct ub_program_output *outputs = ub_alloc((size_t)spec->n_outputs * sizeof *outputs);
    for (int i = 0; i < spec->n_inputs; i++) {
        inputs[i] = spec->inputs[i];
        inputs[i].node = image[inputs[i].node];
    }
    for (int i = 0; i < spec->n_outputs; i++) {
        outputs[i] = spec->outputs[i];
        outputs[i].node = image[outputs[i].node];
    }
    struct ub_program_spec own = *spec;
    own.inputs = inputs;
    own.outputs = outputs;
    struct ub_program *p = compile(pruned, &own);
    ub_graph_free(pruned);
    ub_free(needed);
    ub_free(image);
    ub_free(inputs);
    ub_free(outputs);
    return p;
}
