#include "bench/run/provenance.h"
#include "bench/run/blas_core.h"
#include "bench/run/build_info.h"
#include "systems/graph/kernels.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static void add(struct ub_provenance *p, const char *name, const char *text)
{
    p->pairs = ub_realloc(p->pairs, (p->count + 1) * sizeof *p->pairs);
    p->pairs[p->count++] = (struct ub_pair){.name = ub_strdup(name), .text = ub_strdup(text)};
}

static void add_count(struct ub_provenance *p, const char *name, long value)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%ld", value);
    add(p, name, text.data);
    ub_text_free(&text);
}

/* The value of the first "key<separator>value" line of a system file, trimmed of blanks and
 * quotes; "unknown" when there is none. */
static char *file_value(const char *path, const char *key, char separator)
{
    FILE *file = fopen(path, "re");
    char line[1024], *value = NULL;
    while (file && !value && fgets(line, sizeof line, file)) {
        char *at = strchr(line, separator);
        if (!at || strncmp(line, key, strlen(key)) != 0)
            continue;
        at += 1 + strspn(at + 1, " \t\"");
        at[strcspn(at, "\"\n")] = '\0';
        value = ub_strdup(at);
    }
    if (file)
        fclose(file);
    return value ? value : ub_strdup("unknown");
}

static void add_machine(struct ub_provenance *p)
{
    char *cpu = file_value("/proc/cpuinfo", "model name", ':');
    char *os = file_value("/etc/os-release", "PRETTY_NAME", '=');
    struct utsname host;
    add(p, "cpu", cpu);
    add_count(p, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
    add_count(p, "cpus-available", ub_available_cpus());
    add(p, "kernels", ub_kernel_isa());
    add(p, "system", os);
    if (uname(&host) == 0) {
        struct ub_text text = {0};
        ub_text_add(&text, "%s %s %s", host.sysname, host.release, host.machine);
        add(p, "host", text.data);
        ub_text_free(&text);
    }
    ub_free(cpu);
    ub_free(os);
}

/* What is set in the environment and changes how the libraries compute: no part of a run's id, as
 * the machine is not, but said with the run. */
static void add_environment(struct ub_provenance *p)
{
    static const char *const names[] = {"ONEDNN_MAX_CPU_ISA",
                                        "DNNL_MAX_CPU_ISA",
                                        "ONEDNN_CPU_ISA_HINTS",
                                        "DNNL_CPU_ISA_HINTS",
                                        "ONEDNN_DEFAULT_FPMATH_MODE",
                                        "DNNL_DEFAULT_FPMATH_MODE",
                                        "OPENBLAS_NUM_THREADS",
                                        "OMP_NUM_THREADS",
                                        "GLIBC_TUNABLES"};
    struct ub_text text = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            ub_text_add(&text, "%s%s=%s", text.length ? " " : "", names[i], value);
    }
    if (text.data)
        add(p, "environment", text.data);
    ub_text_free(&text);
}

static void add_products(struct ub_provenance *p)
{
    struct ub_text text = {0};
    ub_product_rule(&text);
    add(p, "products", text.data);
    ub_text_free(&text);
}

static void add_date(struct ub_provenance *p)
{
    time_t now = time(NULL);
    struct tm utc;
    char text[32];
    if (gmtime_r(&now, &utc) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc))
        add(p, "date", text);
}

struct ub_provenance ub_provenance_collect(int threads, int jobs)
{
    struct ub_provenance p = {0};
    add(&p, "unibench", ub_build_version);
    add(&p, "commit", *ub_build_commit ? ub_build_commit : "unknown");
    add(&p, "commit-changed", *ub_build_changed ? ub_build_changed : "unknown");
    add(&p, "compiler", ub_build_compiler);
    add(&p, "compiler-flags", ub_build_flags);
    add(&p, "openblas", openblas_get_config());
    add(&p, "openblas-core", openblas_get_corename());
    add(&p, "openblas-core-by", ub_blas_core_chooser());
    add_products(&p);
    add(&p, "zlib", zlibVersion());
    add_machine(&p);
    add_environment(&p);
    add_count(&p, "threads", threads);
    add_count(&p, "jobs", jobs);
    add_date(&p);
    return p;
}

void ub_provenance_clear(struct ub_provenance *p)
{
    for (size_t i = 0; i < p->count; i++) {
        ub_free(p->pairs[i].name);
        ub_free(p->pairs[i].text);
    }
    ub_free(p->pairs);
    *p = (struct ub_provenance){0};
}

const char *ub_provenance_find(const struct ub_provenance *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->pairs[i].name, name) == 0)
            return p->pairs[i].text;
    return NULL;
}
