/* Texts made from the tables of verbs and options. */
#ifndef UI_HELP_H
#define UI_HELP_H

#include "ui/cli.h"

/* "-o, --output FILE"; with a verb, --format lists that verb's formats. */
void help_option_head(struct strbuf *out, const struct verb *verb,
                      const struct option *o);

/* spillway(1) in troff. */
void manpage(struct strbuf *out);

/* Scripts for the shells. */
void completion_bash(struct strbuf *out);
void completion_zsh(struct strbuf *out);
void completion_fish(struct strbuf *out);

#endif
