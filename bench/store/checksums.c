/* A folder's checksums: what its files were when they were written, and which edits of them were
 * accepted since. The file is one that sha256sum -c reads; its last line covers those before, so
 * that damage to it is noticed, too. */
#include "bench/store/private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char file_name[] = "checksums";
static const char head[] = "# unibench checksums 1\n";
static const char edit_prefix[] = "# edited: ";
static const char own_prefix[] = "# sha256 of the lines above: ";
static const uint64_t largest = (uint64_t)16 << 20;

void ub_checksums_clear(struct ub_checksums *c)
{
    for (size_t i = 0; i < c->count; i++)
        ub_free(c->entry[i].name);
    for (size_t i = 0; i < c->n_edits; i++)
        ub_free(c->edit[i]);
    ub_free(c->entry);
    ub_free(c->edit);
    *c = (struct ub_checksums){0};
}

static struct ub_checksum *find(const struct ub_checksums *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->entry[i].name, name) == 0)
            return &c->entry[i];
    return NULL;
}

static struct ub_checksum *find_or_add(struct ub_checksums *c, const char *name)
{
    struct ub_checksum *found = find(c, name);
    if (found)
        return found;
    c->entry = ub_realloc(c->entry, (c->count + 1) * sizeof *c->entry);
    c->entry[c->count] = (struct ub_checksum){.name = ub_strdup(name)};
    return &c->entry[c->count++];
}

static void add_edit(struct ub_checksums *c, const char *text)
{
    c->edit = ub_realloc(c->edit, (c->n_edits + 1) * sizeof *c->edit);
    c->edit[c->n_edits++] = ub_strdup(text);
}

void ub_checksums_note(struct ub_checksums *c, const char *date, const char *name)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%s %s", date, name);
    add_edit(c, text.data);
    ub_text_free(&text);
}

bool ub_checksums_set(struct ub_checksums *c, const char *folder, const char *name,
                      struct ub_error *err)
{
    char sum[UB_SHA256_TEXT], *path = ub_path(folder, name);
    const bool good = ub_store_regular(path, err) && ub_sha256_file(path, sum, err);
    ub_free(path);
    if (good)
        memcpy(find_or_add(c, name)->sha256, sum, sizeof sum);
    return good;
}

void ub_checksums_drop(struct ub_checksums *c, const char *name)
{
    struct ub_checksum *found = find(c, name);
    if (!found)
        return;
    ub_free(found->name);
    *found = c->entry[--c->count];
}

bool ub_store_regular(const char *path, struct ub_error *err)
{
    struct stat status;
    return stat(path, &status) != 0 || S_ISREG(status.st_mode) ||
           ub_fail(err, UB_INPUT, "%s: not a regular file; expected what a store writes", path);
}

/* ---- the file --------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct ub_checksum *)a)->name, ((const struct ub_checksum *)b)->name);
}

/* The file's bytes. */
static struct ub_text text_of(struct ub_checksums *c)
{
    struct ub_text text = {0};
    char own[UB_SHA256_TEXT];
    if (c->count)
        qsort(c->entry, c->count, sizeof *c->entry, compare_names);
    ub_text_add(&text, "%s", head);
    for (size_t i = 0; i < c->n_edits; i++)
        ub_text_add(&text, "%s%s\n", edit_prefix, c->edit[i]);
    for (size_t i = 0; i < c->count; i++)
        ub_text_add(&text, "%s  %s\n", c->entry[i].sha256, c->entry[i].name);
    ub_sha256(text.data, text.length, own);
    ub_text_add(&text, "%s%s\n", own_prefix, own);
    return text;
}

bool ub_checksums_write(const char *folder, struct ub_checksums *c, struct ub_error *err)
{
    struct ub_text text = text_of(c);
    char *path = ub_path(folder, file_name);
    const bool good = ub_write_file(path, text.data, text.length, err);
    ub_text_free(&text);
    ub_free(path);
    return good;
}

bool ub_checksums_present(const char *folder)
{
    char *path = ub_path(folder, file_name);
    const bool there = ub_exists(path);
    ub_free(path);
    return there;
}

/* The last line is what it says of those before it. */
static bool is_whole(const char *text, size_t length)
{
    const size_t last = strlen(own_prefix) + UB_SHA256_TEXT; /* its newline for the NUL */
    char own[UB_SHA256_TEXT];
    if (length < strlen(head) + last || strlen(text) != length || text[length - 1] != '\n')
        return false;
    const char *line = text + length - last;
    ub_sha256(text, length - last, own);
    return strncmp(text, head, strlen(head)) == 0 && line[-1] == '\n' &&
           strncmp(line, own_prefix, strlen(own_prefix)) == 0 &&
           strncmp(line + strlen(own_prefix), own, strlen(own)) == 0;
}

static bool read_line(struct ub_checksums *c, char *line)
{
    if (strncmp(line, edit_prefix, strlen(edit_prefix)) == 0) {
        add_edit(c, line + strlen(edit_prefix));
        return true;
    }
    char *gap = strstr(line, "  ");
    if (!gap || !gap[2])
        return line[0] == '#';
    *gap = '\0';
    if (!ub_is_sha256(line))
        return false;
    memcpy(find_or_add(c, gap + 2)->sha256, line, UB_SHA256_TEXT);
    return true;
}

/* Whether these are the bytes that would be written: in order, with nothing else. */
static bool is_ours(struct ub_checksums *c, const char *bytes, size_t length)
{
    struct ub_text text = text_of(c);
    const bool ours = text.length == length && memcmp(text.data, bytes, length) == 0;
    ub_text_free(&text);
    return ours;
}

bool ub_checksums_read(const char *folder, struct ub_checksums *c, struct ub_error *err)
{
    *c = (struct ub_checksums){0};
    size_t length;
    char *path = ub_path(folder, file_name);
    char *text =
        ub_store_regular(path, err) ? (char *)ub_read_file(path, largest, &length, err) : NULL;
    char *whole = text ? ub_strdup(text) : NULL, *rest = NULL; /* reading cuts it up */
    bool good = text && (is_whole(text, length) ||
                         ub_fail(err, UB_INPUT, "%s: damaged: not as it was written", path));
    for (char *line = good ? strtok_r(text, "\n", &rest) : NULL; good && line;
         line = strtok_r(NULL, "\n", &rest))
        good = read_line(c, line) ||
               ub_fail(err, UB_INPUT, "%s: '%s'; expected a checksum and a name", path, line);
    if (good && !is_ours(c, whole, length))
        good = ub_fail(err, UB_INPUT, "%s: damaged: not as it was written", path);
    if (!good)
        ub_checksums_clear(c);
    ub_free(whole);
    ub_free(text);
    ub_free(path);
    return good;
}

/* ---- checking --------------------------------------------------------------------------- */

static bool check_entry(const char *folder, const struct ub_checksum *entry, struct ub_error *err)
{
    char sum[UB_SHA256_TEXT], *path = ub_path(folder, entry->name);
    const bool good =
        ub_store_regular(path, err) && ub_sha256_file(path, sum, err) &&
        (strcmp(sum, entry->sha256) == 0 ||
         ub_fail(err, UB_INPUT, "%s: not as it was written (its checksum differs)", path));
    ub_free(path);
    return good;
}

bool ub_checksums_hold(const struct ub_checksums *c, const char *folder, const char *name,
                       struct ub_error *err)
{
    const struct ub_checksum *entry = find(c, name);
    return !entry || check_entry(folder, entry, err);
}

bool ub_checksums_hold_all(const struct ub_checksums *c, const char *folder, struct ub_error *err)
{
    for (size_t i = 0; i < c->count; i++)
        if (!check_entry(folder, &c->entry[i], err))
            return false;
    return true;
}

const struct ub_checksum *ub_checksums_find(const struct ub_checksums *c, const char *name)
{
    return find(c, name);
}

/* ---- of a whole folder ------------------------------------------------------------------ */

bool ub_checksums_of_folder(const char *folder, struct ub_checksums *c, struct ub_error *err)
{
    DIR *entries = opendir(folder);
    if (!entries)
        return ub_fail(err, UB_INPUT, "%s: %s; expected a readable folder", folder,
                       strerror(errno));
    bool good = true;
    for (const struct dirent *entry; good && (entry = readdir(entries));) {
        struct stat status;
        char *path = ub_path(folder, entry->d_name);
        if (strcmp(entry->d_name, file_name) != 0 && stat(path, &status) == 0 &&
            S_ISREG(status.st_mode))
            good = ub_checksums_set(c, folder, entry->d_name, err);
        ub_free(path);
    }
    closedir(entries);
    return good;
}
