/* store_private.h - what the store's own files share. */
#ifndef UB_STORE_PRIVATE_H
#define UB_STORE_PRIVATE_H

#include "bench/store.h"

#define UB_STORE_SCHEMA 1 /* of run.yaml, trace.csv.gz and manifest.csv */

/* `folder` is STORE/runs/ID. */
bool ub_run_read(const char *folder, const char *id, struct ub_run *run, struct ub_error *err);
bool ub_is_run_id(const char *name); /* 16 lower-case hex digits */

/* Keys and texts of a spec in canonical order, for run.yaml and manifest.csv. */
enum { UB_SPEC_FIELDS = 10 };
extern const char *const ub_spec_field_names[UB_SPEC_FIELDS];
void ub_spec_field(const struct ub_run_spec *spec, int field, struct ub_text *out);
bool ub_spec_set_field(struct ub_run_spec *spec, int field, const char *text);
void ub_spec_split_measures(struct ub_run_spec *spec, const char *joined); /* by ';' */

#endif
