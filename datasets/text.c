/* Characters of a text file as tokens: windows of `context` bytes, each asked for its successors.
 * A byte order mark is dropped and CR LF or CR read as LF, as text is in C and Python: the same
 * words are the same tokens, whichever system saved them. The vocabulary is the distinct bytes, in
 * order. The last `validation` part of the text is the test set; no window reaches over the border.
 */
#include "base/option_units.h"
#include "datasets/source.h"

#include <string.h>

static const struct ub_option options[] = {
    {"file", UB_OPTION_TEXT, "tinyshakespeare.txt", 0, 0, NULL,
     "path, or a file of the data folder"},
    {"context", UB_OPTION_INT | UB_OPTION_OF_TOKENS, "64", 1, 65536, NULL,
     "characters of a window"},
    {"stride", UB_OPTION_INT | UB_OPTION_OF_TOKENS, "0", 0, 1e9, NULL,
     "from window to window; 0 = the context"},
    {"validation", UB_OPTION_REAL, "0.1", 0, 0.9, NULL, "part of the text kept for test"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct corpus {
    const unsigned char *bytes;
    int64_t context, stride;
    int32_t token[256];
};

/* Windows in bytes from..to; each needs one byte more than its context. */
static int64_t windows(const struct corpus *c, int64_t from, int64_t to)
{
    const int64_t over = to - from - c->context - 1;
    return over < 0 ? 0 : over / c->stride + 1;
}

static void cut(const struct ub_dataset *d, struct ub_split *split, const struct corpus *c,
                int64_t from)
{
    for (int64_t i = 0; i < split->count; i++)
        for (int64_t t = 0; t < c->context; t++) {
            const unsigned char *at = c->bytes + from + i * c->stride + t;
            split->inputs[i * c->context + t] = c->token[at[0]];
            ub_split_label_at(d, split, i, t, c->token[at[1]]);
        }
}

static int64_t number_bytes(struct corpus *c, size_t length)
{
    bool seen[256] = {false};
    int32_t count = 0;
    for (size_t i = 0; i < length; i++)
        seen[c->bytes[i]] = true;
    for (int k = 0; k < 256; k++)
        c->token[k] = seen[k] ? count++ : 0;
    return count;
}

/* CR LF and CR become LF, in place; the length then. */
static size_t join_lines(char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\r' && i + 1 < length && text[i + 1] == '\n')
            continue;
        text[n++] = text[i] == '\r' ? '\n' : text[i];
    }
    return n;
}

/* The path as given, or the file in the data folder or its subfolders of these names; else NULL. */
static char *find_file(const char *folder, const char *name)
{
    static const char *const places[] = {"", "text", "tinyshakespeare", NULL};
    if (ub_exists(name))
        return ub_strdup(name);
    const char *names[] = {name, strcmp(name, "tinyshakespeare.txt") == 0 ? "input.txt" : NULL,
                           NULL};
    for (int k = 0; folder && k < 2 && names[k]; k++) {
        char *place = ub_data_folder(folder, places, (const char *const[]){names[k], NULL});
        char *path = place ? ub_data_file(place, names[k]) : NULL;
        ub_free(place);
        if (path)
            return path;
    }
    return NULL;
}

static bool present(const struct ub_call *call, const char *folder)
{
    char *path = find_file(folder, ub_call_get(call, "file"));
    const bool there = path != NULL;
    ub_free(path);
    return there;
}

static bool files(const struct ub_call *call, const char *folder, struct ub_paths *out,
                  struct ub_error *err)
{
    const char *name = ub_call_get(call, "file");
    ub_paths_add(out, find_file(folder, name));
    return out->count > 0 || ub_data_missing(folder, "text", name, err);
}

static bool fill(struct ub_dataset *d, const struct ub_call *call, struct corpus *c, size_t length,
                 struct ub_error *err)
{
    c->context = ub_call_int(call, "context");
    c->stride = ub_call_int(call, "stride") > 0 ? ub_call_int(call, "stride") : c->context;
    const int64_t all = (int64_t)length;
    const int64_t border = all - (int64_t)(ub_call_real(call, "validation") * (double)all);
    const int64_t train = windows(c, 0, border), test = windows(c, border, all);
    if (train < 1)
        return ub_fail(err, UB_INPUT, "%s: %s: %lld bytes to train on; expected more than %lld",
                       call->name, ub_call_get(call, "file"), (long long)border,
                       (long long)c->context);
    d->task = UB_CLASSIFICATION;
    d->rank = 1;
    d->shape[0] = d->features = c->context;
    d->positions = c->context;
    d->tokens = d->outputs = number_bytes(c, length);
    if (!ub_split_new(d, train, call->name, &d->train, err) ||
        (test > 0 && !ub_split_new(d, test, call->name, &d->test, err)))
        return false;
    cut(d, &d->train, c, 0);
    cut(d, &d->test, c, border);
    return true;
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)seed;
    const char *name = ub_call_get(call, "file");
    char *path = find_file(folder, name);
    size_t length = 0;
    if (!path)
        return ub_data_missing(folder, "text", name, err);
    char *text = ub_data_text(path, UB_FILE_BYTES, &length, err);
    ub_free(path);
    if (!text)
        return false;
    struct corpus c = {.bytes = (const unsigned char *)text};
    const bool good = fill(d, call, &c, join_lines(text, length), err);
    ub_free(text);
    return good;
}

const struct ub_dataset_source ub_dataset_text = {
    .name = "text",
    .summary = "characters of a text file, each asked for the next",
    .citation = "Karpathy 2015, char-rnn; the file's own",
    .options = options,
    .needs_files = true,
    .present = present,
    .files = files,
    .load = load,
};
