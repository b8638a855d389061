/* One stage, one SQL execution, one job, one finding on one screen. */
#ifndef UI_DETAIL_H
#define UI_DETAIL_H

#include "ui/report.h"

/* Each writes text, or that element's JSON object. ERR_USAGE where the log has no
 * such element; the text of the error says which ids there are. */
enum errc detail_stage(struct page *p, struct report *r, const struct cli *cli, bool json,
                       struct err *err) MUST_CHECK;
enum errc detail_sql(struct page *p, struct report *r, const struct cli *cli, bool json,
                     struct err *err) MUST_CHECK;
enum errc detail_job(struct page *p, struct report *r, const struct cli *cli, bool json,
                     struct err *err) MUST_CHECK;
/* All findings that are meant: one by its number, those of an id. */
enum errc detail_finding(struct page *p, struct report *r, const struct cli *cli,
                         bool json, struct err *err) MUST_CHECK;

/* Shared pieces. */

/* "Label   text", the label dim and padded; wraps. Nothing for empty text. */
void detail_line(struct page *p, struct report *r, const char *label, const char *text);
/* Findings that name the stage, execution or job; those of one attempt stand for all. */
void detail_findings(struct page *p, struct report *r,
                     bool (*about)(const struct report *r, const struct finding *f,
                                   int64_t id),
                     int64_t id);
/* One row per stage: status, tasks, times, bytes. */
void detail_stages(struct page *p, struct report *r, const uint32_t *ixs, size_t n);

#endif
