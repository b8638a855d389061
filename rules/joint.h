/* What findings save as the replay has it: each alone, and all together. */
#ifndef RULES_JOINT_H
#define RULES_JOINT_H

#include "rules/rule.h"

/* Holds the claims of each finding against a replay with it put right: what does not make
 * the run shorter is not saved. Then all of them together, but for
 * those that are notes by nature: they are effects of others, or other ways to the same
 * end. A log in which nothing can be replayed keeps its claims. */
void joint_replay(struct findings *out, const struct analysis *analysis);

#endif
