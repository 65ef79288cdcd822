/* The page: page.html with style, scripts, libraries and data in their places. */
#include "report/explorer/assets.h"
#include "report/explorer/private.h"

#include <string.h>

/* ---- data ----------------------------------------------------------------------------------- */

static void add_systems(json_t *page, const struct study *study)
{
    json_t *systems = json_object(), *names = json_array(), *of = json_array();
    for (size_t s = 0; s < study->systems.count; s++)
        json_array_append_new(names, explorer_text(study->system_name[s]));
    for (size_t row = 0; row < study->store->count; row++)
        json_array_append_new(of, json_integer((json_int_t)study->system_of[row]));
    json_object_set_new(systems, "names", names);
    json_object_set_new(systems, "of", of);
    json_object_set_new(page, "systems", systems);
}

/* Runs of a suite have most parts of their commands in common. */
static void add_commands(json_t *page, const struct study *study)
{
    json_t *commands = json_object(), *of = json_array();
    struct texts *parts = explorer_texts_new();
    for (size_t row = 0; row < study->store->count; row++) {
        char *command = train_command(&study->store->runs[row].spec), *at = command, *next;
        json_t *places = json_array();
        for (; at; at = next) {
            next = strstr(at, " --");
            if (next) {
                *next = '\0';
                next += 3;
            }
            json_array_append_new(places, json_integer((json_int_t)explorer_texts_add(parts, at)));
        }
        json_array_append_new(of, places);
        ub_free(command);
    }
    json_object_set_new(commands, "parts", explorer_texts_finish(parts));
    json_object_set_new(commands, "of", of);
    json_object_set_new(page, "commands", commands);
}

static void add_heads(json_t *page, const struct ub_store *store)
{
    static const char *const provenance[] = {"unibench", "commit", "date"};
    json_t *ids = json_array();
    json_object_set_new(page, "store", explorer_text(store->path));
    for (size_t i = 0; i < sizeof provenance / sizeof *provenance; i++)
        json_object_set_new(
            page, provenance[i],
            explorer_text(store->count ? provenance_of(&store->runs[0], provenance[i]) : ""));
    for (size_t row = 0; row < store->count; row++)
        json_array_append_new(ids, explorer_text(store->runs[row].id));
    json_object_set_new(page, "ids", ids);
    char *notice = ub_store_notice(store);
    json_object_set_new(page, "notice", explorer_text(notice));
    ub_free(notice);
}

/* '<' stands in texts only: a browser reads no tag in it, and JSON the same text. */
static struct ub_text without_tags(const char *json)
{
    struct ub_text out = {0};
    for (const char *next; (next = strchr(json, '<')); json = next + 1) {
        ub_text_append(&out, json, (size_t)(next - json));
        ub_text_add(&out, "\\u003c");
    }
    ub_text_append(&out, json, strlen(json));
    return out;
}

struct ub_text explorer_json(const struct study *study, const struct digest *digest,
                             struct ub_error *err)
{
    struct ub_text out = {0};
    json_t *page = json_object();
    add_heads(page, study->store);
    add_systems(page, study);
    add_commands(page, study);
    json_object_set_new(page, "columns", explorer_columns(study, digest));
    json_object_set_new(page, "laws", explorer_laws(study));
    explorer_add_traces(page, study);
    char *text =
        json_dumps(page, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(EXPLORER_DIGITS));
    if (text)
        out = without_tags(text);
    else
        ub_fail(err, UB_INTERNAL, "%s: its data cannot be written as JSON", study->store->path);
    free(text);
    json_decref(page);
    return out;
}

/* ---- page ----------------------------------------------------------------------------------- */

/* Adds page.html with the file NAME in the place of each "{{NAME}}", and `data` of "{{data}}". */
static void add_page(struct ub_text *out, const struct ub_text *data)
{
    const struct explorer_asset *page = explorer_asset("page.html");
    const char *at = page->begin, *open, *close;
    while ((open = strstr(at, "{{")) && (close = strstr(open, "}}"))) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(close - open - 2), open + 2);
        ub_text_append(out, at, (size_t)(open - at));
        const struct explorer_asset *asset = explorer_asset(name);
        if (asset)
            ub_text_append(out, asset->begin, (size_t)(asset->end - asset->begin));
        else if (strcmp(name, "data") == 0)
            ub_text_append(out, data->data, data->length);
        at = close + 2;
    }
    ub_text_append(out, at, strlen(at));
}

bool explorer_write(const struct study *study, const struct digest *digest, const char *path,
                    struct ub_error *err)
{
    struct ub_text data = explorer_json(study, digest, err), page = {0};
    bool good = data.data != NULL;
    if (good) {
        add_page(&page, &data);
        good = ub_write_file(path, page.data, page.length, err);
    }
    ub_text_free(&data);
    ub_text_free(&page);
    return good;
}
