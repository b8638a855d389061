/* Completion scripts of bash, zsh and fish, from the tables. They look at no log: what
 * is offered are verbs, options, their values, the ids of rules, and files. */
#include "ui/help.h"

/* "a|b" with `by` between. */
static void add_split(struct strbuf *out, const char *values, char by)
{
    for (const char *p = values; *p; p++)
        strbuf_addc(out, *p == '|' ? by : *p);
}

static void add_formats(struct strbuf *out, uint32_t formats, char by)
{
    bool first = true;

    for (int f = 1; f < FORMAT_COUNT; f++) {
        if (!(formats & 1u << f))
            continue;
        if (!first)
            strbuf_addc(out, by);
        strbuf_addz(out, format_name((enum format)f));
        first = false;
    }
}

static bool is_format(const struct option *o)
{
    return strcmp(o->name, "format") == 0;
}

static bool takes(size_t verb, const struct option *o)
{
    return (o->verbs & 1u << verb) != 0;
}

static void add_rule_ids(struct strbuf *out, char by)
{
    for (const struct rule *const *r = rules_all; *r; r++) {
        if (r != rules_all)
            strbuf_addc(out, by);
        strbuf_addz(out, (*r)->id);
    }
}

static void add_verb_names(struct strbuf *out, char by)
{
    for (size_t v = 0; v < VERB_COUNT; v++) {
        if (v)
            strbuf_addc(out, by);
        strbuf_addz(out, verbs_all[v].name);
    }
}

/* What an argument of the verb can be, "" for files. */
static void add_arguments(struct strbuf *out, size_t verb, char by)
{
    if (verb == VERB_RULES)
        add_rule_ids(out, by);
    else if (verb == VERB_HELP)
        add_verb_names(out, by);
    else if (verb == VERB_COMPLETION)
        add_split(out, "bash|zsh|fish", by);
}

/* --- bash
 * ----------------------------------------------------------------------------------- */

static void bash_values(struct strbuf *out)
{
    strbuf_addz(out, "    case $prev in\n");
    for (size_t i = 0; i < n_options; i++) {
        const struct option *o = &options_all[i];

        if (!o->arg || is_format(o))
            continue;
        strbuf_addz(out, "    ");
        if (o->letter)
            strbuf_printf(out, "-%c|", o->letter);
        strbuf_printf(out, "--%s) ", o->name);
        if (o->values) {
            strbuf_addz(out, "COMPREPLY=($(compgen -W '");
            add_split(out, o->values, ' ');
            strbuf_addz(out, "' -- \"$cur\")) ;;\n");
        } else if (strcmp(o->arg, "DIR") == 0) {
            strbuf_addz(
                out, "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\")) ;;\n");
        } else if (strcmp(o->arg, "FILE") == 0) {
            strbuf_addz(
                out, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n");
        } else {
            strbuf_addz(out, "COMPREPLY=() ;;\n");
        }
    }
    strbuf_addz(out, "    -f|--format)\n        case $verb in\n");
    for (size_t v = 0; v < VERB_COUNT; v++) {
        strbuf_printf(out, "        %s) words='", verbs_all[v].name);
        add_formats(out, verbs_all[v].formats, ' ');
        strbuf_addz(out, "' ;;\n");
    }
    strbuf_addz(out, "        esac\n"
                     "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
                     "    *) return 1 ;;\n"
                     "    esac\n");
}

void completion_bash(struct strbuf *out)
{
    strbuf_addz(out, "# bash completion of spillway; made by: spillway completion bash\n"
                     "_spillway_value()\n{\n    local words=\n");
    bash_values(out);
    strbuf_addz(
        out, "}\n\n"
             "_spillway()\n{\n"
             "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
             "    local verb=analyze i words= args=\n"
             "    COMPREPLY=()\n"
             "    [[ $cur == '=' ]] && cur=\n"
             "    [[ $prev == '=' ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
             "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
             "        case ${COMP_WORDS[i]} in\n        ");
    add_verb_names(out, '|');
    strbuf_addz(out, ") verb=${COMP_WORDS[i]}; break ;;\n"
                     "        esac\n"
                     "    done\n"
                     "    _spillway_value && return\n"
                     "    case $verb in\n");
    for (size_t v = 0; v < VERB_COUNT; v++) {
        strbuf_printf(out, "    %s) words='", verbs_all[v].name);
        for (size_t i = 0; i < n_options; i++) {
            if (takes(v, &options_all[i]))
                strbuf_printf(out, "--%s ", options_all[i].name);
        }
        strbuf_addz(out, "' args='");
        add_arguments(out, v, ' ');
        strbuf_addz(out, "' ;;\n");
    }
    strbuf_addz(out, "    esac\n"
                     "    if [[ $cur == -* ]]; then\n"
                     "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                     "    elif [[ $args ]]; then\n"
                     "        COMPREPLY=($(compgen -W \"$args\" -- \"$cur\"))\n"
                     "    else\n"
                     "        compopt -o filenames\n"
                     "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                     "        if ((COMP_CWORD == 1)); then\n"
                     "            COMPREPLY+=($(compgen -W '");
    add_verb_names(out, ' ');
    strbuf_addz(out, "' -- \"$cur\"))\n"
                     "        fi\n"
                     "    fi\n"
                     "}\n"
                     "complete -F _spillway spillway\n");
}

/* --- zsh
 * --------------------------------------------------------------------------------------
 */

/* Inside a quoted spec of _arguments: brackets, colons and quotes are special. */
static void zsh_text(struct strbuf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            strbuf_addz(out, "'\\''");
        else {
            if (strchr("[]:\\", *p))
                strbuf_addc(out, '\\');
            strbuf_addc(out, *p);
        }
    }
}

static void zsh_option(struct strbuf *out, size_t verb, const struct option *o)
{
    if (o->letter)
        strbuf_printf(out, "            '(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name,
                      o->letter, o->arg ? "+" : "", o->name, o->arg ? "=" : "");
    else
        strbuf_printf(out, "            '--%s%s[", o->name, o->arg ? "=" : "");
    zsh_text(out, o->help);
    strbuf_addc(out, ']');
    if (o->arg) {
        strbuf_addc(out, ':');
        zsh_text(out, o->arg);
        strbuf_addc(out, ':');
        if (is_format(o) || o->values) {
            strbuf_addc(out, '(');
            if (is_format(o))
                add_formats(out, verbs_all[verb].formats, ' ');
            else
                add_split(out, o->values, ' ');
            strbuf_addc(out, ')');
        } else if (strcmp(o->arg, "FILE") == 0) {
            strbuf_addz(out, "_files");
        } else if (strcmp(o->arg, "DIR") == 0) {
            strbuf_addz(out, "_files -/");
        }
    }
    strbuf_addz(out, "' \\\n");
}

void completion_zsh(struct strbuf *out)
{
    strbuf_addz(out, "#compdef spillway\n# made by: spillway completion zsh\n\n"
                     "_spillway()\n{\n"
                     "    local -a verbs\n"
                     "    verbs=(\n");
    for (size_t v = 0; v < VERB_COUNT; v++) {
        strbuf_printf(out, "        '%s:", verbs_all[v].name);
        zsh_text(out, verbs_all[v].summary);
        strbuf_addz(out, "'\n");
    }
    strbuf_addz(out, "    )\n"
                     "    if ((CURRENT == 2)); then\n"
                     "        _describe verb verbs\n"
                     "        _files\n"
                     "        return\n"
                     "    fi\n"
                     "    local verb=$words[2]\n"
                     "    ((${+verbs[(r)$verb:*]})) || verb=analyze\n"
                     "    case $verb in\n");
    for (size_t v = 0; v < VERB_COUNT; v++) {
        struct strbuf args = { 0 };

        strbuf_printf(
            out,
            "    %s)\n        shift words; ((CURRENT--))\n        _arguments -S \\\n",
            verbs_all[v].name);
        for (size_t i = 0; i < n_options; i++) {
            if (takes(v, &options_all[i]))
                zsh_option(out, v, &options_all[i]);
        }
        add_arguments(&args, v, ' ');
        if (args.len)
            strbuf_printf(out, "            '*:argument:(%s)' ;;\n", args.p);
        else
            strbuf_addz(out, "            '*:log:_files' ;;\n");
        strbuf_release(&args);
    }
    strbuf_addz(
        out, "    esac\n"
             "}\n"
             "if [[ $funcstack[1] == _spillway ]]; then _spillway \"$@\"; else compdef "
             "_spillway spillway; fi\n");
}

/* --- fish
 * --------------------------------------------------------------------------------------
 */

static void fish_text(struct strbuf *out, const char *text)
{
    strbuf_addc(out, '\'');
    for (const char *p = text; *p; p++) {
        if (*p == '\'' || *p == '\\')
            strbuf_addc(out, '\\');
        strbuf_addc(out, *p);
    }
    strbuf_addc(out, '\'');
}

static void fish_option(struct strbuf *out, const struct option *o, uint32_t verbs,
                        uint32_t formats)
{
    strbuf_addz(out, "complete -c spillway -n '__fish_seen_subcommand_from");
    for (size_t v = 0; v < VERB_COUNT; v++) {
        if (verbs & 1u << v)
            strbuf_printf(out, " %s", verbs_all[v].name);
    }
    strbuf_printf(out, "' -l %s", o->name);
    if (o->letter)
        strbuf_printf(out, " -s %c", o->letter);
    if (o->values) {
        strbuf_addz(out, " -x -a '");
        if (is_format(o))
            add_formats(out, formats, ' ');
        else
            add_split(out, o->values, ' ');
        strbuf_addc(out, '\'');
    } else if (o->arg) {
        strbuf_addz(out, strcmp(o->arg, "FILE") == 0  ? " -r -F"
                         : strcmp(o->arg, "DIR") == 0 ? " -x -a '(__fish_complete_directories)'"
                                                      : " -x");
    }
    strbuf_addz(out, " -d ");
    fish_text(out, o->help);
    strbuf_addc(out, '\n');
}

void completion_fish(struct strbuf *out)
{
    strbuf_addz(out,
                "# fish completion of spillway; made by: spillway completion fish\n");
    for (size_t v = 0; v < VERB_COUNT; v++) {
        struct strbuf args = { 0 };

        strbuf_printf(out, "complete -c spillway -n __fish_use_subcommand -a %s -d ",
                      verbs_all[v].name);
        fish_text(out, verbs_all[v].summary);
        strbuf_addc(out, '\n');
        add_arguments(&args, v, ' ');
        if (args.len)
            strbuf_printf(
                out,
                "complete -c spillway -n '__fish_seen_subcommand_from %s' -f -a '%s'\n",
                verbs_all[v].name, args.p);
        strbuf_release(&args);
    }
    for (size_t i = 0; i < n_options; i++) {
        const struct option *o = &options_all[i];

        if (!is_format(o))
            fish_option(out, o, o->verbs, 0);
        for (size_t v = 0; v < VERB_COUNT && is_format(o); v++) {
            if (takes(v, o))
                fish_option(out, o, 1u << v, verbs_all[v].formats);
        }
    }
}
