/* From the time lost to what to change: the links between a finding's seconds and its
 * remedy, as far as the log tells them. */
#ifndef RULES_CHAIN_H
#define RULES_CHAIN_H

#include "rules/rule.h"

/* Enters the chain of every finding, which is settled already. Text lives in the list's
 * arena. A link that the log does not tell is left out. */
void chain_all(struct findings *out, const struct analysis *analysis,
               const struct shape *shapes);

/* "time", "task", "task time", "data", "operator", "columns", "setting" */
const char *chain_name(enum chain_kind kind);

#endif
