/* columns.h - how a frame's columns come to be; private to this folder. */
#ifndef UB_FRAME_COLUMNS_H
#define UB_FRAME_COLUMNS_H

#include "report/frame/frame.h"

struct ub_trace_cache;
struct ub_trace_cache *ub_trace_cache_new(const struct ub_store *store, uint64_t budget);
void ub_trace_cache_free(struct ub_trace_cache *cache);
/* NULL when the run left none or it cannot be read. */
const struct ub_trace *ub_trace_cache_get(struct ub_trace_cache *cache, size_t run);
bool ub_trace_cache_has(struct ub_trace_cache *cache, size_t run, const char *observable);
/* The names of all that it has; they stay when the trace goes. */
size_t ub_trace_cache_names(struct ub_trace_cache *cache, size_t run, char *const **names);
/* Of a run whose trace is nowhere to be read: takes it over. */
void ub_trace_cache_put(struct ub_trace_cache *cache, size_t run, struct ub_trace *trace);
bool ub_trace_cache_good(const struct ub_trace_cache *cache, struct ub_error *err);

/* While a frame is filled: cells by row and column name. */
struct ub_cells;
struct ub_cells *ub_cells_new(size_t rows);
/* The cell's word, and its number where that is not what the word says (else NAN). */
void ub_cells_word(struct ub_cells *cells, size_t row, const char *column, const char *word,
                   double number);
void ub_cells_alias(struct ub_cells *cells, size_t row, const char *column, const char *word);
void ub_cells_fact(struct ub_cells *cells, size_t row, const char *column, double number);
/* Hands over the columns and frees the cells. */
struct ub_column *ub_cells_finish(struct ub_cells *cells, size_t *count);
void ub_columns_free(struct ub_column *column, size_t count);

#endif
