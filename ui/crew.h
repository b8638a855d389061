/* Many logs, looked at by a few threads: each takes the next log and leaves behind what
 * is left of it, a row for tables or its finished text. */
#ifndef UI_CREW_H
#define UI_CREW_H

#include "ui/report.h"

struct outcome {
    bool done;
    int code;
    struct sv path, error; /* error: text of a failure; p NULL: none */
    struct strbuf text;    /* the record, for formats that have one each */
    /* of those that could be read, for tables; text in `row` */
    struct arena row;
    struct sv name, id, version;
    struct sv findings,
        completeness; /* "skewed-join, spill +2"; completeness empty: whole */
    int64_t start_ms, wall_ms, saving_ms, core_ms;
    bool healthy, any;
    enum severity worst;
    struct outcome_finding {
        const struct rule *rule;
        int64_t saves_ms;
    } * list; /* above notes, each rule once, the most to save first */
    size_t n_list;
};

/* Makes the record of one log out of its report, where the format has one each. */
typedef void (*crew_render)(struct page *p, struct report *r, const struct cli *cli);

struct crew {
    const struct cli *cli;
    struct outcome *outcomes; /* in order of path */
    size_t n;
};

/* Looks at all logs of the set; those that fail are said on stderr, and the worst code is
 * returned. With `render`, records are put out in order while others are read, to
 * --output or stdout; rows are kept in any case. Release it in any case. */
int crew_run(struct crew *crew, const struct cli *cli, struct log_set *set,
             crew_render render) MUST_CHECK;
void crew_release(struct crew *crew);

/* Bytes of the folder, with its slash, that all paths share. */
size_t crew_folder(const struct outcome *const *rows, size_t n);
/* Outcomes that were read, in the caller's to free; *n how many. */
const struct outcome **crew_rows(const struct crew *crew, size_t *n);
/* "fine", "warning", "critical" */
const char *outcome_verdict(const struct outcome *o);
/* Saves something worth a change: 0 where it is healthy. */
int64_t outcome_saving_ms(const struct outcome *o);

#endif
