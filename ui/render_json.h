/* Parts of the JSON that stand alone too: what --stage, --sql and --job print. */
#ifndef UI_RENDER_JSON_H
#define UI_RENDER_JSON_H

#include "ui/json_writer.h"
#include "ui/report.h"

#define ANALYSIS_SCHEMA "spillway/analysis/1"

/* Each writes one object. */
void json_completeness(struct json_writer *w, const struct app *app);
void json_stage(struct json_writer *w, const struct analysis *a, uint32_t stage_ix);
void json_job(struct json_writer *w, const struct app *app, const struct job *job);
/* The arena takes what is needed on the way. */
void json_sql(struct json_writer *w, const struct app *app, const struct sql *sql,
              struct arena *arena);
void json_finding(struct json_writer *w, const struct app *app, const struct finding *f);
void json_setting(struct json_writer *w, const struct setting *s);

#endif
