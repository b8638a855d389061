/* The man page: verbs, options and exit status by the tables, the rest by hand. */
#include "ui/help.h"

/* Text for troff: backslashes and hyphens escaped, no line may begin with a dot or
 * an apostrophe. */
static void roff(struct strbuf *out, const char *text)
{
    bool line_start = true;

    for (const char *p = text; *p; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            strbuf_addz(out, "\\&");
        line_start = *p == '\n';
        if (*p == '\\')
            strbuf_addz(out, "\\e");
        else if (*p == '-')
            strbuf_addz(out, "\\-");
        else
            strbuf_addc(out, *p);
    }
}

/* Paragraphs of a verb's text. */
static void roff_paragraphs(struct strbuf *out, const char *text)
{
    for (const char *p = text; *p;) {
        const char *end = strstr(p, "\n\n");
        size_t len = end ? (size_t)(end - p) : strlen(p);
        struct strbuf part = { 0 };

        strbuf_add(&part, (struct sv){ p, len });
        roff(out, part.p);
        strbuf_addz(out, end ? "\n.PP\n" : "\n");
        strbuf_release(&part);
        p += end ? len + 2 : len;
    }
}

static void synopsis(struct strbuf *out)
{
    strbuf_addz(out, ".SH SYNOPSIS\n.nf\n.B spillway \\fILOG\\fR\n");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        strbuf_printf(out, ".B spillway %s \\fR[\\fIOPTIONS\\fR] \\fI",
                      verbs_all[i].name);
        roff(out, verbs_all[i].args);
        strbuf_addz(out, "\\fR\n");
    }
    strbuf_addz(out, ".fi\n");
}

static void verbs(struct strbuf *out)
{
    strbuf_addz(out, ".SH VERBS\n");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        strbuf_printf(out, ".SS \"%s \\fI", verbs_all[i].name);
        roff(out, verbs_all[i].args);
        strbuf_addz(out, "\\fR\"\n");
        roff_paragraphs(out, verbs_all[i].about);
        strbuf_addz(out, ".PP\n.RS\n.nf\n");
        roff(out, verbs_all[i].example);
        strbuf_addz(out, "\n.fi\n.RE\n");
    }
}

static void options(struct strbuf *out)
{
    strbuf_addz(out, ".SH OPTIONS\nAn option may stand anywhere; \\-\\- ends them.\n");
    for (size_t i = 0; i < n_options; i++) {
        const struct option *o = &options_all[i];
        struct strbuf head = { 0 };
        bool first = true;

        help_option_head(&head, NULL, o);
        strbuf_addz(out, ".TP\n.B ");
        roff(out, head.p);
        strbuf_addc(out, '\n');
        roff(out, o->help);
        strbuf_addz(out, ".\n");
        for (size_t v = 0; v < VERB_COUNT && o->verbs != (1u << VERB_COUNT) - 1; v++) {
            if (!(o->verbs & 1u << v))
                continue;
            strbuf_printf(out, "%s%s", first ? "(" : ", ", verbs_all[v].name);
            first = false;
        }
        if (!first)
            strbuf_addz(out, ")\n");
        strbuf_release(&head);
    }
}

static void exit_status(struct strbuf *out)
{
    strbuf_addz(
        out, ".SH EXIT STATUS\nThe same for all verbs. With several logs the worst one "
             "counts, in the order 6, 4, 2, 7, 1, 3, 0.\n");
#define LINE(id, code, meaning)                                                          \
    strbuf_printf(out, ".TP\n.B %d\n", code);                                            \
    roff(out, meaning);                                                                  \
    strbuf_addz(out, ".\n");
    EXIT_CODES(LINE)
#undef LINE
}

static const char before[] =
    ".SH NAME\n"
    "spillway \\- say what an Apache Spark application did and what to change\n";

static const char description[] =
    ".SH DESCRIPTION\n"
    "Spillway reads the event log that Spark writes when\n"
    ".I spark.eventLog.enabled\n"
    "is true, finished or not, of any version from 1.3 to 4.x and of vendors that add "
    "events of\n"
    "their own. It accounts for every millisecond of the run, finds what could be "
    "faster, and "
    "says what\n"
    "to change, how much time that would save, and how to check it.\n"
    "Seconds are claimed only out of the account of the critical path, so findings never "
    "add up\n"
    "to more than the run.\n"
    ".PP\n"
    "Results go to standard output, everything else to standard error. Nothing is sent "
    "over a "
    "network.\n"
    "A result written with\n"
    ".B \\-\\-output\n"
    "appears whole or not at all.\n";

static const char after[] =
    ".SH OUTPUT\n"
    ".TP\n"
    ".B text\n"
    "For people: verdict, ledgers, up to five findings, facts, and the next command to "
    "type. A "
    "run with\n"
    "nothing worth changing gets two lines.\n"
    ".TP\n"
    ".B json\n"
    "One object for each application, schema\n"
    ".IR spillway/analysis/1 .\n"
    "Keys carry their unit; what the log does not hold is null. Keys are added, never "
    "renamed.\n"
    ".TP\n"
    ".B plain\n"
    "One record a line, fields separated by tabs, raw numbers. The first field says what "
    "it is:\n"
    "app, wall, core, finding, set, not\\-judged or gap.\n"
    ".TP\n"
    ".B md\n"
    "Markdown for a ticket or a pull request.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n"
    ".BR NO_COLOR ,\\  FORCE_COLOR ,\\  TERM\n"
    "Whether text is coloured, where\n"
    ".B \\-\\-color\n"
    "is auto.\n"
    ".TP\n"
    ".B COLUMNS\n"
    "Width of text; at most 120 are used unless\n"
    ".B \\-\\-width\n"
    "says more.\n"
    ".TP\n"
    ".BR LC_ALL ,\\  LC_CTYPE ,\\  LANG\n"
    "Where the locale is not UTF\\-8, text is ASCII.\n"
    ".TP\n"
    ".B SPILLWAY_ISA\n"
    "Instruction set of the scanner, for tests: portable, sse4.2, avx2 or avx512.\n"
    ".TP\n"
    ".B TMPDIR\n"
    "Where a zip from standard input is kept while it is read.\n"
    ".SH FILES\n"
    "None. Spillway keeps nothing and reads no configuration.\n"
    ".SH SEE ALSO\n"
    "The method behind the numbers is in docs/method.md, the rules in docs/rules.md, the "
    "JSON in\n"
    "docs/analysis\\-json.md of the sources.\n";

void manpage(struct strbuf *out)
{
    strbuf_addz(out, ".TH SPILLWAY 1 \"\" \"spillway " SPILLWAY_VERSION
                     "\" \"User Commands\"\n");
    strbuf_addz(out, before);
    synopsis(out);
    strbuf_addz(out, description);
    verbs(out);
    options(out);
    exit_status(out);
    strbuf_addz(out, after);
}
