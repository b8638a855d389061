/* Input that Spark could not cut: a task that read more of a file than one task is given.
 */
#ifndef RULES_PIECES_H
#define RULES_PIECES_H

#include "rules/rule.h"

/* True for a scan of files some task of which read half as much again as
 * FilePartition.maxSplitBytes allows, while slots had no task. */
bool input_is_whole(const struct rule_input *in, uint32_t stage_ix);

/* The bytes that the formula allows; 0: the stage is no scan of files, or the log does
 * not tell what it scanned. */
int64_t input_split_bytes(const struct app *app, const struct stage *s);

/* A finding for all such stages, the worst named. */
void pieces_check(const struct rule_input *in, struct findings *out);

#endif
