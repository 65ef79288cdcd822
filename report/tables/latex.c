/* Tables for LaTeX. */
#include "report/tables/latex.h"

#include <math.h>
#include <string.h>

/* Of a row's cells; a column beside another takes GAP on each of its sides. Points. */
enum { GAP = 3 };

/* ---- how wide text is ----------------------------------------------------------------------- */

/* Of a letter of Latin Modern at 8 points, rather too much: what is too wide is overfull. */
static double letter_width(uint32_t code)
{
    static const char narrow[] = "iljtfrI.,:;!'|()[]- ", wide[] = "mwMW%@&";
    if (code >= 0x80)
        return 7;
    if (strchr(narrow, (int)code))
        return 3.6;
    if (strchr(wide, (int)code))
        return 7.6;
    return code >= 'A' && code <= 'Z' ? 6.4 : 4.7;
}

/* Of the whole text, and of the widest part of it that no line breaks. */
struct extent {
    double whole, part;
};

static struct extent extent_of(const char *text)
{
    struct extent e = {0, 0};
    double part = 0;
    size_t letters = 0; /* since a line could break */
    while (*text) {
        const char c = *text;
        const double w = letter_width(ub_utf8_next(&text));
        e.whole += w;
        part = c == ' ' ? 0 : part + w;
        letters = c == ' ' ? 0 : letters + 1;
        e.part = fmax(e.part, part);
        if (latex_breaks(c, *text, letters)) {
            part = 0;
            letters = 0;
        }
    }
    return e;
}

/* ---- columns of numbers --------------------------------------------------------------------- */

/* A decimal number: its digits before and after the point, its exponent's, and its signs. */
struct number {
    int whole, decimals, exponent;
    bool minus, exponent_minus;
};

static const char *skip_digits(const char *text, int *count)
{
    for (*count = 0; *text >= '0' && *text <= '9'; text++)
        ++*count;
    return text;
}

static bool read_number(const char *text, struct number *n)
{
    *n = (struct number){.minus = *text == '-'};
    text = skip_digits(text + n->minus, &n->whole);
    if (*text == '.')
        text = skip_digits(text + 1, &n->decimals);
    if (n->whole == 0)
        return false;
    if (*text == 'e') {
        n->exponent_minus = text[1] == '-';
        text += 1 + (text[1] == '-' || text[1] == '+');
        text += strspn(text, "0") > 0 && text[1] ? strspn(text, "0") : 0;
        text = skip_digits(text, &n->exponent);
        if (n->exponent == 0)
            return false;
    }
    return *text == '\0';
}

static bool is_none(const char *cell)
{
    return !*cell || strcmp(cell, "-") == 0;
}

struct column_shape {
    bool numbers;
    struct number most;
    double width;   /* of numbers; of text it is given */
    double natural; /* of text */
    double least;
};

static const char *cell_of(const struct table *t, size_t row, size_t column)
{
    return t->cell[row * t->columns + column];
}

static void include(struct number *most, const struct number *n)
{
    most->whole = n->whole > most->whole ? n->whole : most->whole;
    most->decimals = n->decimals > most->decimals ? n->decimals : most->decimals;
    most->exponent = n->exponent > most->exponent ? n->exponent : most->exponent;
    most->minus = most->minus || n->minus;
    most->exponent_minus = most->exponent_minus || n->exponent_minus;
}

static double number_width(const struct number *n)
{
    const double digit = 4.3, sign = 7;
    return digit * (n->whole + n->decimals) + (n->decimals ? 2.6 : 0) + (n->minus ? sign : 0) +
           (n->exponent ? 22 + 3.4 * n->exponent + (n->exponent_minus ? 6 : 0) : 0) + 2;
}

static struct column_shape shape_of(const struct table *t, size_t column)
{
    struct column_shape s = {.numbers = true};
    const struct extent head = extent_of(t->header[column]);
    size_t numbers = 0;
    s.natural = head.whole;
    s.least = head.part;
    for (size_t r = 0; r < table_rows(t); r++) {
        const char *cell = cell_of(t, r, column);
        const struct extent e = extent_of(cell);
        struct number n;
        s.natural = fmax(s.natural, e.whole);
        s.least = fmax(s.least, e.part);
        if (is_none(cell))
            continue;
        if (read_number(cell, &n)) {
            include(&s.most, &n);
            numbers++;
        } else {
            s.numbers = false;
        }
    }
    s.numbers = s.numbers && numbers > 0;
    if (s.numbers)
        s.width = s.natural = s.least = fmax(number_width(&s.most), head.part);
    return s;
}

/* ---- which columns, and how wide ------------------------------------------------------------ */

/* Columns `first` to `end`, behind column 0 where that is not the first. */
struct part {
    size_t first, end;
};

static double least_of(const struct column_shape *s, size_t column)
{
    return 2 * GAP + fmin(s[column].least, s[column].natural);
}

static size_t part_end(const struct table *t, const struct column_shape *s, size_t first,
                       double width)
{
    double used = first > 0 ? least_of(s, 0) : 0;
    size_t end = first;
    while (end < t->columns && (end == first || used + least_of(s, end) <= width))
        used += least_of(s, end++);
    return end;
}

static bool is_in(const struct part *p, size_t column)
{
    return column == 0 || (column >= p->first && column < p->end);
}

/* How high a row is, about: of its texts the one with the most lines. */
static double lines_of(const double *natural, const struct column_shape *s, size_t columns,
                       const struct part *p)
{
    double lines = 1;
    for (size_t c = 0; c < columns; c++)
        if (is_in(p, c) && !s[c].numbers)
            lines = fmax(lines, natural[c] / s[c].width);
    return lines;
}

static double height_of(const double *natural, const struct column_shape *s, const struct table *t,
                        const struct part *p)
{
    double height = 0;
    for (size_t r = 0; r < table_rows(t); r++)
        height += lines_of(natural + r * t->columns, s, t->columns, p);
    return height;
}

/* The text column that makes the table lowest when it gets so much more; none: columns. */
static size_t best_to_widen(const double *natural, struct column_shape *s, const struct table *t,
                            const struct part *p, double more)
{
    double least = INFINITY;
    size_t best = t->columns;
    for (size_t c = 0; c < t->columns; c++) {
        if (!is_in(p, c) || s[c].numbers || s[c].width >= s[c].natural)
            continue;
        s[c].width += more;
        const double height = height_of(natural, s, t, p);
        s[c].width -= more;
        if (height < least - 1e-9) {
            least = height;
            best = c;
        }
    }
    return best;
}

/* Text columns get their least, and what is left over goes, a little at a time, to where it makes
 * the table lowest. */
static void set_widths(struct column_shape *s, const struct table *t, const struct part *p,
                       double width)
{
    const double more = 4;
    double rest = width, *natural = ub_calloc(t->cells + 1, sizeof *natural);
    for (size_t i = 0; i < t->cells; i++)
        natural[i] = extent_of(t->cell[i]).whole;
    for (size_t c = 0; c < t->columns; c++) {
        if (!is_in(p, c))
            continue;
        rest -= least_of(s, c);
        s[c].width = s[c].numbers ? s[c].width : fmin(s[c].least, s[c].natural);
    }
    for (; rest >= more; rest -= more) {
        const size_t c = best_to_widen(natural, s, t, p, more);
        if (c == t->columns)
            break;
        s[c].width += more;
    }
    ub_free(natural);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void add_format(struct ub_text *out, const struct table *t, const struct column_shape *s,
                       size_t column)
{
    const struct number *n = &s[column].most;
    if (!s[column].numbers) {
        ub_text_add(out, ">{\\%s\\arraybackslash\\hspace{0pt}}p{%.1fpt}",
                    t->align[column] == 'r' ? "raggedleft" : "raggedright", s[column].width);
        return;
    }
    ub_text_add(out, "S[table-format=%s%d.%d", n->minus ? "-" : "", n->whole, n->decimals);
    if (n->exponent)
        ub_text_add(out, "e%s%d", n->exponent_minus ? "-" : "", n->exponent);
    ub_text_add(out, "]");
}

/* Above numbers a head is a little table, a word a line where it is wider than they are. */
static void add_head(struct ub_text *out, const char *head, const struct column_shape *s)
{
    if (!s->numbers) {
        latex_add(out, head);
        return;
    }
    ub_text_add(out, "{\\begin{tabular}[b]{@{}r@{}}");
    double line = 0;
    while (*head) {
        char word[256];
        const size_t n = strcspn(head, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, head);
        const double w = extent_of(word).whole;
        const bool fits = line > 0 && line + 3 + w <= s->width;
        ub_text_add(out, "%s", line == 0 ? "" : fits ? " " : "\\\\");
        latex_add(out, word);
        line = fits ? line + 3 + w : w;
        head += n + strspn(head + n, " ");
    }
    ub_text_add(out, "\\end{tabular}}");
}

/* siunitx reads 1e-5, not 1e-05. */
static void add_number(struct ub_text *out, const char *cell)
{
    const char *e = strchr(cell, 'e');
    if (is_none(cell)) {
        ub_text_add(out, "{%s}", *cell ? "--" : "");
        return;
    }
    ub_text_append(out, cell, e ? (size_t)(e - cell) : strlen(cell));
    if (!e)
        return;
    const bool minus = *++e == '-';
    e += *e == '-' || *e == '+';
    while (*e == '0' && e[1])
        e++;
    ub_text_add(out, "e%s%s", minus ? "-" : "", e);
}

static void add_row(struct ub_text *out, const struct table *t, const struct column_shape *s,
                    const struct part *p, char *const *cells, bool head)
{
    bool first = true;
    for (size_t c = 0; c < t->columns; c++) {
        if (!is_in(p, c))
            continue;
        ub_text_add(out, first ? "  " : " & ");
        first = false;
        if (head)
            add_head(out, cells[c], &s[c]);
        else if (s[c].numbers)
            add_number(out, cells[c]);
        else if (strcmp(cells[c], "-") == 0)
            ub_text_add(out, "--");
        else
            latex_add(out, cells[c]);
    }
    ub_text_add(out, head ? " \\\\\n" : " \\\\ \\addlinespace[1.5pt]\n");
}

static void add_caption(struct ub_text *out, const struct latex_table *what, const char *more,
                        bool counted)
{
    if (!what->caption)
        return;
    ub_text_add(out, counted ? "  \\caption{" : "  \\caption[]{");
    latex_add_markdown(out, what->caption);
    ub_text_add(out, "%s}", more);
    if (counted && what->label)
        ub_text_add(out, "\\label{tab:%s}", what->label);
    ub_text_add(out, "\\\\\n");
}

static void add_part(struct ub_text *out, const struct table *t, const struct latex_table *what,
                     struct column_shape *s, const struct part *p, double width)
{
    set_widths(s, t, p, width);
    ub_text_add(out, "\\begin{longtable}{@{}");
    for (size_t c = 0; c < t->columns; c++)
        if (is_in(p, c))
            add_format(out, t, s, c);
    ub_text_add(out, "@{}}\n");
    add_caption(out, what, p->first == 0 ? "" : " (continued)", p->first == 0);
    ub_text_add(out, "  \\toprule\n");
    add_row(out, t, s, p, t->header, true);
    ub_text_add(out, "  \\midrule\n  \\endfirsthead\n");
    add_caption(out, what, " (continued)", false);
    ub_text_add(out, "  \\toprule\n");
    add_row(out, t, s, p, t->header, true);
    ub_text_add(out, "  \\midrule\n  \\endhead\n");
    ub_text_add(out, "  \\bottomrule\n  \\endfoot\n  \\bottomrule\n  \\endlastfoot\n");
    for (size_t r = 0; r < table_rows(t); r++)
        add_row(out, t, s, p, t->cell + r * t->columns, false);
    ub_text_add(out, "\\end{longtable}\n");
}

static void add_note(struct ub_text *out, const char *note)
{
    ub_text_add(out, "\\par\\nopagebreak\\noindent ");
    latex_add_markdown(out, note);
    ub_text_add(out, "\\par\n");
}

void table_latex(const struct table *t, const struct latex_table *what, struct ub_text *out)
{
    const double width = what->width > 0 ? what->width : LATEX_WIDTH;
    struct column_shape *s = ub_calloc(t->columns + 1, sizeof *s);
    for (size_t c = 0; c < t->columns; c++)
        s[c] = shape_of(t, c);
    ub_text_add(out,
                "%% \\usepackage[T1]{fontenc}\\usepackage[utf8]{inputenc}\n"
                "%% \\usepackage{array,booktabs,longtable,siunitx,textcomp}\n"
                "\\begingroup\\footnotesize\\setlength{\\tabcolsep}{%dpt}%%\n",
                GAP);
    for (size_t first = 0; first < t->columns;) {
        const struct part p = {first, part_end(t, s, first, width)};
        add_part(out, t, what, s, &p, width);
        first = p.end;
    }
    if (what->note)
        add_note(out, what->note);
    ub_text_add(out, "\\endgroup\n");
    ub_free(s);
}
