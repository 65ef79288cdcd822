/* unibench completion: what shells need to complete command lines, from the option tables. */
#include "bench/observables/observables.h"
#include "bench/suite/suite.h"
#include "cli/cli.h"
#include "cli/list.h"
#include "systems/systems.h"

#include <ctype.h>
#include <string.h>

/* ---- what may stand where ----------------------------------------------------------------- */

enum place { NOTHING, FOLDERS, FILES, WORDS };

struct choice {
    enum place place;
    struct ub_text words; /* of WORDS, and beside FILES: separated by blanks */
};

static void add_word(struct ub_text *words, const char *word, size_t length)
{
    ub_text_add(words, "%s%.*s", words->length > 0 ? " " : "", (int)length, word);
}

static void add_names(struct ub_text *words, const struct ub_registry *registry)
{
    const void *entry;
    for (size_t i = 0; (entry = registry->entry(i)) != NULL; i++)
        add_word(words, ub_registry_name(entry), strlen(ub_registry_name(entry)));
}

static void add_suites(struct ub_text *words)
{
    size_t n;
    char **names = ub_suite_names(&n);
    for (size_t i = 0; i < n; i++) {
        add_word(words, names[i], strlen(names[i]));
        ub_free(names[i]);
    }
    ub_free(names);
}

/* "[a|b|c ...]": the words up to the first blank. */
static void add_alternatives(struct ub_text *words, const char *doc)
{
    while (*doc == '[' || *doc == '|') {
        doc++;
        const size_t length = strcspn(doc, "| ]\n");
        add_word(words, doc, length);
        doc += length;
    }
}

/* "[a|b [NAME]]\nc [d]": all first words. */
static void add_first_words(struct ub_text *words, const char *doc)
{
    for (const char *line = doc; line; line = *line ? line + 1 : NULL) {
        if (*line == '[')
            add_alternatives(words, line);
        else
            add_word(words, line, strcspn(line, " \n"));
        line += strcspn(line, "\n");
    }
}

/* What may follow `list KIND`, kind after kind; false beyond the last. */
static bool list_choice(size_t i, const char **kind, struct ub_text *words)
{
    enum { COLUMNS = 1, OTHERS };
    size_t n = 0;
    while (n < i && list_kinds[n].name)
        n++;
    const size_t other = i - n;
    *kind = list_kinds[n].name ? list_kinds[n].name : other == COLUMNS ? "columns" : "suites";
    if (list_kinds[n].name)
        add_names(words, list_kinds[n].registry);
    else if (other == COLUMNS)
        ub_text_add(words, "markdown csv");
    else if (other < OTHERS)
        add_suites(words);
    return other < OTHERS;
}

/* Of a command's arguments, by the first word of its args_doc: SUITE, STORE, BASE or RUN, a list of
 * alternatives, or an option (no arguments). */
static struct choice argument_of(const struct cli_command *command)
{
    struct choice out = {.place = NOTHING};
    const char *doc = command->argp->args_doc;
    if (!doc)
        return out;
    if (*doc == '[') {
        out.place = WORDS;
        add_first_words(&out.words, doc);
    } else if (strncmp(doc, "SUITE", 5) == 0) {
        out.place = FILES;
        add_suites(&out.words);
    } else if (isupper((unsigned char)*doc)) {
        out.place = FOLDERS;
    }
    return out;
}

/* Of an option's value, by the name of the value, or of the option where that is an axis. */
static struct choice value_of(const struct argp_option *option)
{
    struct choice out = {.place = NOTHING};
    const bool measure = strcmp(option->name, "measure") == 0;
    const struct ub_registry *registry =
        measure ? &ub_observable_registry : ub_system_registry(option->name);
    if (option->arg && registry) {
        out.place = WORDS;
        add_names(&out.words, registry);
    } else if (option->arg &&
               (strcmp(option->arg, "STORE") == 0 || strcmp(option->arg, "DIR") == 0)) {
        out.place = FOLDERS;
    } else if (option->arg && strncmp(option->arg, "FILE", 4) == 0) {
        out.place = FILES;
    }
    return out;
}

static bool has_letter(const struct argp_option *option)
{
    return option->key > 0 && option->key < 128 && isalnum(option->key);
}

static void command_names(struct ub_text *words)
{
    for (size_t i = 0; cli_commands[i]; i++)
        add_word(words, cli_commands[i]->name, strlen(cli_commands[i]->name));
}

/* Its options; never NULL, ended by one without a name. */
static const struct argp_option *options_of(const struct cli_command *command)
{
    static const struct argp_option none[] = {{0}};
    return command->argp->options ? command->argp->options : none;
}

/* ---- bash ------------------------------------------------------------------------------- */

static void bash_reply(struct ub_text *out, const struct choice *choice)
{
    if (choice->place == FOLDERS || choice->place == FILES)
        ub_text_add(out, "compopt -o filenames; ");
    ub_text_add(out, "COMPREPLY=(");
    if (choice->words.length > 0)
        ub_text_add(out, "$(compgen -W '%s' -- \"$cur\") ", choice->words.data);
    if (choice->place == FOLDERS || choice->place == FILES)
        ub_text_add(out, "$(compgen -%c -- \"$cur\")", choice->place == FOLDERS ? 'd' : 'f');
    ub_text_add(out, ")");
}

static void bash_value(struct ub_text *out, const char *command, const struct argp_option *option)
{
    struct choice choice = value_of(option);
    ub_text_add(out, "    '%s --%s'", command, option->name);
    if (has_letter(option))
        ub_text_add(out, " | '%s -%c'", command, option->key);
    ub_text_add(out, ") ");
    bash_reply(out, &choice);
    ub_text_add(out, "; return ;;\n");
    ub_text_free(&choice.words);
}

static void bash_options(struct ub_text *out, const struct cli_command *command)
{
    struct choice choice = {.place = WORDS};
    for (const struct argp_option *o = options_of(command); o->name; o++)
        ub_text_add(&choice.words, "--%s ", o->name);
    ub_text_add(&choice.words, "--help");
    ub_text_add(out, "    '%s -'*) ", command->name);
    bash_reply(out, &choice);
    ub_text_add(out, " ;;\n");
    ub_text_free(&choice.words);
    choice = argument_of(command);
    ub_text_add(out, "    '%s '*) ", command->name);
    bash_reply(out, &choice);
    ub_text_add(out, " ;;\n");
    ub_text_free(&choice.words);
}

static void bash_list(struct ub_text *out)
{
    struct choice choice = {.place = WORDS};
    const char *kind;
    for (size_t i = 0; list_choice(i, &kind, &choice.words); i++) {
        ub_text_add(out, "    '%s %s') ", cli_list.name, kind);
        bash_reply(out, &choice);
        ub_text_add(out, "; return ;;\n");
        ub_text_free(&choice.words);
    }
}

static void bash(struct ub_text *out)
{
    struct choice commands = {.place = WORDS};
    command_names(&commands.words);
    ub_text_add(out, "# bash completion of unibench\n"
                     "_unibench() {\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                     "    local command=${COMP_WORDS[1]}\n"
                     "    COMPREPLY=()\n"
                     "    if ((COMP_CWORD == 1)); then ");
    bash_reply(out, &commands);
    ub_text_add(out, "; return; fi\n    case \"$command $prev\" in\n");
    for (size_t i = 0; cli_commands[i]; i++)
        for (const struct argp_option *o = options_of(cli_commands[i]); o->name; o++)
            if (o->arg)
                bash_value(out, cli_commands[i]->name, o);
    bash_list(out);
    ub_text_add(out, "    esac\n    case \"$command $cur\" in\n");
    for (size_t i = 0; cli_commands[i]; i++)
        bash_options(out, cli_commands[i]);
    ub_text_add(out, "    esac\n}\ncomplete -F _unibench unibench\n");
    ub_text_free(&commands.words);
}

/* ---- zsh -------------------------------------------------------------------------------- */

/* Within '...': no quote, nor what _arguments takes for its own. */
static void zsh_text(struct ub_text *out, const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            ub_text_add(out, "'\\''");
        else
            ub_text_add(out, "%s%c", strchr("[]:\\", *text) ? "\\" : "", *text);
}

static void zsh_action(struct ub_text *out, const struct choice *choice)
{
    if (choice->place == FILES && choice->words.length > 0)
        ub_text_add(out, "_alternative \"words:name:(%s)\" \"files:file:_files\"",
                    choice->words.data);
    else if (choice->words.length > 0)
        ub_text_add(out, "(%s)", choice->words.data);
    else if (choice->place == FOLDERS)
        ub_text_add(out, "_files -/");
    else if (choice->place == FILES)
        ub_text_add(out, "_files");
}

static void zsh_option(struct ub_text *out, const struct argp_option *option)
{
    struct choice choice = value_of(option);
    for (int letter = 0; letter < (has_letter(option) ? 2 : 1); letter++) {
        ub_text_add(out, " \\\n            '*");
        if (letter)
            ub_text_add(out, "-%c%s[", option->key, option->arg ? "+" : "");
        else
            ub_text_add(out, "--%s%s[", option->name, option->arg ? "=" : "");
        zsh_text(out, option->doc);
        ub_text_add(out, "]");
        if (option->arg) {
            ub_text_add(out, ":%s:", option->arg);
            zsh_action(out, &choice);
        }
        ub_text_add(out, "'");
    }
    ub_text_free(&choice.words);
}

/* Of the words that are left, the first is the command. */
static void zsh_list(struct ub_text *out)
{
    struct ub_text words = {0};
    const char *kind;
    ub_text_add(out,
                "    if [[ $command == %s ]] && ((CURRENT == 3)); then\n"
                "        case $words[2] in\n",
                cli_list.name);
    for (size_t i = 0; list_choice(i, &kind, &words); i++) {
        ub_text_add(out, "        %s) compadd %s ;;\n", kind, words.data ? words.data : "");
        ub_text_free(&words);
    }
    ub_text_add(out, "        esac\n"
                     "        return\n"
                     "    fi\n");
}

static void zsh(struct ub_text *out)
{
    ub_text_add(out, "#compdef unibench\n"
                     "_unibench() {\n"
                     "    if ((CURRENT == 2)); then\n"
                     "        local -a commands=(\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        ub_text_add(out, "            '%s:", cli_commands[i]->name);
        zsh_text(out, cli_commands[i]->summary);
        ub_text_add(out, "'\n");
    }
    ub_text_add(out, "        )\n"
                     "        _describe command commands\n"
                     "        return\n"
                     "    fi\n"
                     "    local command=$words[2]\n"
                     "    shift words\n"
                     "    ((CURRENT--))\n");
    zsh_list(out);
    ub_text_add(out, "    case $command in\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        ub_text_add(out, "        %s) _arguments", cli_commands[i]->name);
        for (const struct argp_option *o = options_of(cli_commands[i]); o->name; o++)
            zsh_option(out, o);
        struct choice choice = argument_of(cli_commands[i]);
        if (choice.place != NOTHING) {
            ub_text_add(out, " \\\n            '*:argument:");
            zsh_action(out, &choice);
            ub_text_add(out, "'");
        }
        ub_text_free(&choice.words);
        ub_text_add(out, " ;;\n");
    }
    ub_text_add(out, "    esac\n}\ncompdef _unibench unibench\n");
}

/* ---- fish ------------------------------------------------------------------------------- */

static void fish_text(struct ub_text *out, const char *text)
{
    for (; *text; text++)
        ub_text_add(out, "%s%c", strchr("'\\", *text) ? "\\" : "", *text);
}

static void fish_choice(struct ub_text *out, const struct choice *choice)
{
    if (choice->place == FOLDERS)
        ub_text_add(out, " -a '(__fish_complete_directories)'");
    if (choice->words.length > 0)
        ub_text_add(out, " -a '%s'", choice->words.data);
    if (choice->place != FILES)
        ub_text_add(out, " -f");
}

static void fish_option(struct ub_text *out, const char *when, const struct argp_option *option)
{
    struct choice choice = value_of(option);
    ub_text_add(out, "%s -l %s", when, option->name);
    if (has_letter(option))
        ub_text_add(out, " -s %c", option->key);
    ub_text_add(out, " -d '");
    fish_text(out, option->doc);
    ub_text_add(out, "'");
    if (option->arg) {
        ub_text_add(out, " -r");
        fish_choice(out, &choice);
    }
    ub_text_add(out, "\n");
    ub_text_free(&choice.words);
}

static void fish_list(struct ub_text *out)
{
    struct ub_text words = {0};
    const char *kind;
    for (size_t i = 0; list_choice(i, &kind, &words); i++) {
        ub_text_add(out,
                    "complete -c unibench -n '__fish_seen_subcommand_from %s; and "
                    "__fish_seen_subcommand_from %s' -a '%s' -f\n",
                    cli_list.name, kind, words.data ? words.data : "");
        ub_text_free(&words);
    }
}

/* Its arguments; a list's kinds where none is given yet. */
static void fish_argument(struct ub_text *out, const struct cli_command *command)
{
    struct choice choice = argument_of(command);
    ub_text_add(out, "complete -c unibench -n '__fish_seen_subcommand_from %s", command->name);
    if (command == &cli_list)
        ub_text_add(out, "; and not __fish_seen_subcommand_from %s", choice.words.data);
    ub_text_add(out, "'");
    fish_choice(out, &choice);
    ub_text_add(out, "\n");
    ub_text_free(&choice.words);
}

static void fish(struct ub_text *out)
{
    ub_text_add(out, "# fish completion of unibench\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        ub_text_add(out, "complete -c unibench -n __fish_use_subcommand -f -a %s -d '",
                    cli_commands[i]->name);
        fish_text(out, cli_commands[i]->summary);
        ub_text_add(out, "'\n");
    }
    for (size_t i = 0; cli_commands[i]; i++) {
        struct ub_text when = {0};
        ub_text_add(&when, "complete -c unibench -n '__fish_seen_subcommand_from %s'",
                    cli_commands[i]->name);
        for (const struct argp_option *o = options_of(cli_commands[i]); o->name; o++)
            fish_option(out, when.data, o);
        fish_argument(out, cli_commands[i]);
        ub_text_free(&when);
    }
    fish_list(out);
}

/* ---- command ---------------------------------------------------------------------------- */

struct arguments {
    struct ub_error *err;
    const char *shell;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {{ARGP_KEY_ARG, &a->shell}, {0, NULL}};
    return cli_parse_texts(key, text, texts, a->err);
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "[bash|zsh|fish]",
    .doc = "Prints the shell's completion of unibench: of commands, options, names and files."
           "\v"
           "Examples:\n"
           "  source <(unibench completion bash)\n"
           "  unibench completion fish > ~/.config/fish/completions/unibench.fish\n",
};

static const struct {
    const char *name;
    void (*print)(struct ub_text *out);
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static int completion(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    if (!cli_parse(&argp, argc, argv, &a, &err))
        return ub_report(&err);
    for (size_t i = 0; a.shell && i < sizeof shells / sizeof *shells; i++)
        if (strcmp(a.shell, shells[i].name) == 0) {
            struct ub_text text = {0};
            shells[i].print(&text);
            cli_print(&text);
            return UB_OK;
        }
    ub_fail(&err, UB_INPUT, "%s%s%s; expected bash, zsh or fish",
            a.shell ? "no shell '" : "no shell", a.shell ? a.shell : " given", a.shell ? "'" : "");
    return ub_report(&err);
}

const struct cli_command cli_completion = {
    .name = "completion",
    .summary = "what bash, zsh or fish need to complete command lines",
    .argp = &argp,
    .run = completion,
};
