/* unibench seal: what is in a store is what should be there. */
#include "cli/cli.h"

static const struct argp_option options[] = {
    {0},
};

struct arguments {
    struct ub_error *err;
    const char *store;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {{ARGP_KEY_ARG, &a->store}, {0, NULL}};
    return cli_parse_texts(key, text, texts, a->err);
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "STORE",
    .doc = "Accepts what a hand changed in STORE: renews the checksums of its files, and adds them "
           "to runs that have none. Every report of the store says from then on which runs were "
           "edited, and when."
           "\v"
           "Without it an edited run counts as damaged, and is left out. A store with a run that "
           "cannot be read is not sealed at all.\n\n"
           "Example: plant a falsehood, to see a verdict find it\n"
           "  unibench seal out/planted\n"
           "  unibench report out/planted\n",
};

/* Opened first, so that a folder that is no store stays as it is. */
static bool seal_runs(const struct arguments *a)
{
    struct ub_store *store = ub_store_open(a->store, a->err);
    if (!store)
        return false;
    ub_store_free(store);
    struct ub_sealing sealing = {0};
    const bool good =
        ub_store_lock(a->store, true, a->err) && ub_store_seal(a->store, &sealing, a->err);
    for (size_t i = 0; good && i < sealing.n_edited; i++)
        printf("edited: %s\n", sealing.edited[i]);
    if (good)
        printf("%s: sealed; %zu file%s edited, %zu without a checksum before\n", a->store,
               sealing.n_edited, sealing.n_edited == 1 ? "" : "s", sealing.n_added);
    for (size_t i = 0; i < sealing.n_edited; i++)
        ub_free(sealing.edited[i]);
    ub_free(sealing.edited);
    return good;
}

static int seal(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && !a.store)
        good = ub_fail(&err, UB_INPUT, "no store given; expected a folder of results");
    return good && seal_runs(&a) ? UB_OK : ub_report(&err);
}

const struct cli_command cli_seal = {
    .name = "seal",
    .summary = "accept what a hand changed in a store: renew its checksums, mark it",
    .argp = &argp,
    .run = seal,
};
