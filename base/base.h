/* base.h - what every unibench library stands on: errors, memory, text, options,
 * random streams, files, gzip, CSV and YAML. It knows nothing of learning.
 *
 *     struct ub_error err = {0};
 *     struct ub_call *call = ub_call_parse("mlp:widths=64x64,activation=tanh", "--model", &err);
 *     if (!call || !ub_call_check(call, mlp_options, "--model", &err))
 *         return ub_report(&err);            // prints "unibench: ..." and returns the exit code
 *     int64_t widths[16];
 *     size_t depth = ub_call_sizes(call, "widths", widths, 16);
 *     ub_call_free(call);
 *
 * Conventions. A function that can fail takes a `struct ub_error *` last, returns false or NULL
 * on failure and fills it; the caller owns what a `_new`, `_parse` or `_read` returns and frees
 * it with the matching `_free` (which accepts NULL). Strings are UTF-8; numbers are read and
 * written in the "C" locale, doubles as %.17g, so that text and value are one. */
#ifndef UB_BASE_H
#define UB_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- errors ---------------------------------------------------------------------------- */

/* The process's exit codes, too. */
enum ub_code {
    UB_OK = 0,
    UB_DRIFT = 1,        /* compare: drift found */
    UB_INPUT = 2,        /* bad input of any kind: text says where and what was expected */
    UB_INTERNAL = 3,     /* out of memory, a broken invariant */
    UB_INCOMPARABLE = 4, /* compare: nothing compared, missing baseline or missing runs */
    UB_INTERRUPTED = 130
};

struct ub_error {
    enum ub_code code;
    char text[1024]; /* one line: "file:line: what is wrong; what was expected" */
};

/* Sets *err (unless it is set already: the first cause wins) and returns false. */
bool ub_fail(struct ub_error *err, enum ub_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints "unibench: TEXT" to standard error and returns err->code. */
int ub_report(const struct ub_error *err);

/* ---- memory ---------------------------------------------------------------------------- */

/* Out of memory ends the process with one line and exit code UB_INTERNAL (a worker process then
 * counts as one failed run). Sizes that come from outside are checked with ub_size_fits first. */
void *ub_alloc(size_t bytes); /* 64-byte aligned from 64 bytes on, else as malloc's; not set */
void *ub_calloc(size_t count, size_t size); /* the same, zeroed, overflow-checked */
void *ub_realloc(void *old, size_t bytes);  /* not for memory of ub_alloc/ub_calloc that
                                               must stay 64-byte aligned */
char *ub_strdup(const char *text);          /* not aligned */
void ub_free(void *pointer);                /* = free; frees what all four above return */

/* True if a*b*size bytes is below `limit` bytes without overflow. */
bool ub_size_fits(int64_t a, int64_t b, size_t size, uint64_t limit);

/* ---- processors ------------------------------------------------------------------------- */

int ub_available_cpus(void); /* that this process may run on */

/* ---- growing text ----------------------------------------------------------------------- */

struct ub_text {
    char *data; /* always NUL-terminated once written to; free with ub_text_free */
    size_t length, capacity;
};
void ub_text_add(struct ub_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void ub_text_append(struct ub_text *text, const char *data, size_t length); /* as they are */
void ub_text_free(struct ub_text *text);
/* `word` as a POSIX shell reads it back as one word, whatever is in it: quoted where it must be. */
void ub_text_add_shell(struct ub_text *text, const char *word);

/* ---- names ------------------------------------------------------------------------------ */

/* The entry of `names` (n strings) nearest to `given` in edit distance, NULL if none is near, or if
 * `given` is a number: the nearest number is no likelier what was meant than any other. */
const char *ub_suggest(const char *given, const char *const *names, size_t n);

/* FNV-1a 64-bit hash: stable over machines and versions; run ids are its 16 hex digits. */
uint64_t ub_hash(const void *data, size_t bytes);

bool ub_glob(const char *pattern, const char *text); /* fnmatch-style; NULL pattern matches all */

/* Strict number reading: the whole of `text`, C locale. A real is rounded to the nearest double;
 * one that would become infinite, or 0 without being 0, is refused. */
bool ub_read_real(const char *text, double *out);
/* Whether `text` is a number that is refused for its magnitude alone: 1e400, 1e-400. */
bool ub_real_beyond(const char *text);
bool ub_read_int(const char *text, int64_t *out);

/* The shortest decimal text that reads back as `value` (at most %.17g); "nan", "inf", "-inf". At
 * most 24 characters; gcc, which does not see that at -O1, reckons with 39. */
#define UB_REAL_TEXT 40
void ub_real_text(double value, char out[UB_REAL_TEXT]);

/* ---- options and calls ------------------------------------------------------------------ */

/* Everything a user names is a "call": NAME or NAME:key=value,key=value. Values never contain
 * a comma outside parentheses. One canonical text per call: keys sorted, defaults filled in
 * (but those of later options). */

enum ub_option_kind {
    UB_OPTION_INT,   /* 64-bit integer in [min, max] */
    UB_OPTION_REAL,  /* finite real in [min, max] */
    UB_OPTION_NAME,  /* one of `choices` (NULL-terminated) */
    UB_OPTION_SIZES, /* 64x64x32: positive integers, each in [min, max]; "none" = empty list */
    UB_OPTION_RATE,  /* real > 0, or edge(S), relative(R) with S, R > 0 */
    UB_OPTION_FLAG,  /* true or false (also yes/no, on/off, 1/0; canonical true/false) */
    UB_OPTION_TEXT   /* any text without comma */
};
/* Added to a kind, UB_OPTION_INT | UB_OPTION_LATER: the option came after runs were stored. At its
 * default it is no part of canonical texts: those runs, and their ids, stay as they were. */
enum { UB_OPTION_LATER = 16 };
/* Likewise: its value alone says which option it is ("tanh"), so that names for people leave out
 * the key. */
enum { UB_OPTION_PLAIN = 32 };

struct ub_option {
    const char *key;
    enum ub_option_kind kind;
    const char *fallback; /* default, as text; NULL = must be given */
    double min, max;      /* for INT, REAL, SIZES; both 0 = any (SIZES: any positive) */
    const char *const *choices;
    const char *help; /* one line, with units */
};
/* An options table ends with an entry whose key is NULL. */

enum ub_option_kind ub_option_kind(const struct ub_option *option); /* without these */
bool ub_option_is_later(const struct ub_option *option);
bool ub_option_is_plain(const struct ub_option *option);

struct ub_call {
    char *name;
    size_t count;
    char **keys, **values; /* sorted by key after ub_call_check */
};

/* `where` starts every message ("quick.yaml:12", "--model"). */
struct ub_call *ub_call_parse(const char *text, const char *where, struct ub_error *err);
void ub_call_free(struct ub_call *call);

/* Checks keys and values against `options` (suggesting a near key for an unknown one), fills in
 * defaults, normalises values (numbers to %.17g-shortest, flags to true/false), sorts keys. */
bool ub_call_check(struct ub_call *call, const struct ub_option *options, const char *where,
                   struct ub_error *err);

/* Adds to a call read from a canonical text the later options that it leaves out, at their
 * defaults. `options` may be NULL: none. */
void ub_call_fill_later(struct ub_call *call, const struct ub_option *options);

/* "name:a=1,b=2" of a checked call; caller frees with ub_free. `skip_defaults` (may be NULL):
 * the options table, to leave out values equal to their default: the short form for labels. */
char *ub_call_text(const struct ub_call *call, const struct ub_option *skip_defaults);

/* Getters for a checked call: the key must exist and have the matching kind (else abort). */
const char *ub_call_get(const struct ub_call *call, const char *key);
int64_t ub_call_int(const struct ub_call *call, const char *key);
double ub_call_real(const struct ub_call *call, const char *key);
bool ub_call_flag(const struct ub_call *call, const char *key);
size_t ub_call_sizes(const struct ub_call *call, const char *key, int64_t *out, size_t room);

enum ub_rate_kind { UB_RATE_ABSOLUTE, UB_RATE_EDGE, UB_RATE_RELATIVE };
struct ub_rate {
    enum ub_rate_kind kind;
    double value;
};
struct ub_rate ub_call_rate(const struct ub_call *call, const char *key);

/* ---- random streams --------------------------------------------------------------------- */

/* Counter-based (Philox4x32-10, Salmon et al. 2011, through Random123): a stream is named by
 * (seed, purpose), e.g. (0, "init"), (0, "data"), (0, "probes"); the i-th draw of a stream is
 * the same on every machine and whatever else is drawn. */
struct ub_random {
    uint64_t key, seed, counter;
    uint32_t block[4];
    int used; /* words of block used up */
    bool has_spare;
    double spare; /* second normal of a Box-Muller pair */
};
struct ub_random ub_random_stream(uint64_t seed, const char *purpose);
uint64_t ub_random_bits(struct ub_random *r);
double ub_random_uniform(struct ub_random *r);           /* [0, 1), 53 bits */
double ub_random_normal(struct ub_random *r);            /* N(0, 1) */
int64_t ub_random_below(struct ub_random *r, int64_t n); /* 0..n-1, unbiased */
void ub_random_permutation(struct ub_random *r, int64_t n, int64_t *out);

/* ---- files ------------------------------------------------------------------------------ */

char *ub_path(const char *folder, const char *name);          /* "folder/name"; caller frees */
bool ub_make_folders(const char *path, struct ub_error *err); /* mkdir -p */
bool ub_remove_tree(const char *path, struct ub_error *err);  /* rm -r; absent is fine */
bool ub_exists(const char *path);
/* A file or folder that comes with the program: share/unibench/NAME beside the folder that the
 * program is installed in, or, of one that is not installed, the source's. Caller frees. */
char *ub_share_path(const char *name, const char *in_source);

/* The whole file, NUL-terminated; gzip decompressed when it starts with gzip's magic. Fails on a
 * truncated or corrupt gzip stream and beyond `limit` bytes (decompressed). Caller frees. */
unsigned char *ub_read_file(const char *path, uint64_t limit, size_t *length, struct ub_error *err);

/* A text file's UTF-8, NUL-terminated: ub_read_file's, then ub_utf8's. Caller frees. */
char *ub_read_text(const char *path, uint64_t limit, size_t *length, struct ub_error *err);
/* Drops a byte order mark at the start of a NUL-terminated text and fails on UTF-16 and UTF-32, by
 * their marks or, of Latin letters, by their NUL bytes. `path` is for messages. */
bool ub_utf8(char *data, size_t *length, const char *path, struct ub_error *err);

/* The code point at *at, which moves behind it; U+FFFD, and one byte on, where the text is no UTF-8
 * (Unicode 15.0, table 3-7: neither overlong, nor a surrogate, nor beyond U+10FFFF). */
uint32_t ub_utf8_next(const char **at);
enum { UB_UTF8_BAD = 0xfffd };
/* Of an argument or a setting: `where` begins the message. */
bool ub_utf8_holds(const char *text, const char *where, struct ub_error *err);

/* Writes through a temporary name in the same folder, fsync, rename: whole or not at all.
 * A path that ends in ".gz" is compressed (level 6, no time stamp: same bytes in, same out). */
bool ub_write_file(const char *path, const void *data, size_t length, struct ub_error *err);

/* SHA-256 (FIPS 180-4, through nettle) as 64 lower-case hex digits. */
enum { UB_SHA256_TEXT = 65 };
void ub_sha256(const void *data, size_t length, char out[UB_SHA256_TEXT]);
/* Of a file's bytes as they are on disk: gzip stays packed. */
bool ub_sha256_file(const char *path, char out[UB_SHA256_TEXT], struct ub_error *err);
bool ub_is_sha256(const char *text);

/* ---- CSV (through libcsv) --------------------------------------------------------------- */

struct ub_csv {
    size_t rows, columns;
    char **header; /* `columns` names, none empty, none twice; NULL when read without a header */
    char **cells;  /* rows x columns, row-major; unquoted ones without spaces around */
    char *path;
    char *texts; /* what header and cells point into */
    int *lines;  /* file line of each row, for messages */
};

struct ub_csv_format {
    bool header;
    char delimiter; /* '\0': told from the text, see ub_csv_sniff */
};

/* Reads plain or gzipped CSV (RFC 4180): UTF-8 with or without byte order mark, lines ended by LF,
 * CR LF or CR, the last one or not; quoted fields may hold separators and ends of lines. Blank
 * lines are skipped; every row must have as many fields as the first. A first line "sep=;" names
 * the separator (Excel's convention), else ub_csv_sniff tells it. */
struct ub_csv *ub_csv_read(const char *path, bool header, struct ub_error *err);
/* The same of a text in memory; `path` is for messages. */
struct ub_csv *ub_csv_parse(const char *text, size_t length, const char *path,
                            const struct ub_csv_format *format, struct ub_error *err);
/* The separator: the one of comma, semicolon, tab and pipe that is in each of the first 100 records
 * equally often, outside of quotes; of several such, or where none is, the one most often in the
 * first record; comma where none of them is. '\0' when two are as likely. */
char ub_csv_sniff(const char *text, size_t length);
void ub_csv_free(struct ub_csv *csv);
int ub_csv_column(const struct ub_csv *csv, const char *name); /* -1 if absent */
const char *ub_csv_cell(const struct ub_csv *csv, size_t row, size_t column);
/* Appends one field, quoted when it must be (whichever separator a reader looks for), with the
 * comma before it unless at line start. */
void ub_csv_add(struct ub_text *text, const char *field);
void ub_csv_add_real(struct ub_text *text, double value); /* shortest; "" for NaN */
void ub_csv_end_row(struct ub_text *text);

/* ---- YAML (through libyaml) ------------------------------------------------------------- */

enum ub_yaml_kind { UB_YAML_SCALAR, UB_YAML_LIST, UB_YAML_MAP };
struct ub_yaml {
    enum ub_yaml_kind kind;
    int line;         /* 1-based */
    const char *path; /* file name, for messages */
    char *text;       /* scalar */
    size_t count;     /* list items or map entries */
    char **keys;      /* map: in file order, no duplicates (an error when read) */
    struct ub_yaml **items;
};
struct ub_yaml *ub_yaml_read(const char *path, struct ub_error *err);
struct ub_yaml *ub_yaml_parse(const char *text, const char *name, struct ub_error *err);
void ub_yaml_free(struct ub_yaml *node);
const struct ub_yaml *ub_yaml_find(const struct ub_yaml *map, const char *key); /* NULL: absent */
/* A YAML scalar or quoted string, written so that ub_yaml_parse gives `value` back. */
void ub_yaml_add_scalar(struct ub_text *text, const char *value);

#endif
