/* What the detail screens share. */
#include "ui/detail.h"

void detail_line(struct page *p, struct report *r, const char *label, const char *text)
{
    const char *first = arena_printf(&r->arena, "%s%-10s%s ", page_mark(p, STYLE_DIM),
                                     label, page_mark(p, STYLE_PLAIN));

    if (text && *text)
        page_wrap(p, first, "           ", sv(text));
}

void detail_findings(struct page *p, struct report *r,
                     bool (*about)(const struct report *r, const struct finding *f,
                                   int64_t id),
                     int64_t id)
{
    for (size_t number = 1; number <= r->findings.n; number++) {
        if (!about(r, report_shown(r, number), id))
            continue;
        page_newline(p);
        render_finding(p, r, number, false);
    }
}

void detail_stages(struct page *p, struct report *r, const uint32_t *ixs, size_t n)
{
    static const struct table_column columns[] = {
        { "Stage", true, 0, 0 },     { "Status", false, 0, 0 },
        { "On path", true, 0, 0 },   { "Wall", true, 0, 2 },
        { "Task time", true, 0, 1 }, { "Tasks", true, 0, 0 },
        { "Failed", true, 0, 0 },    { "Input", true, 0, 0 },
        { "Shuf.read", true, 0, 0 }, { "Shuf.write", true, 0, 3 },
        { "Spill", true, 0, 0 },     { "Name", false, 12, 0 },
    };
    struct table t;

    table_init(&t, &r->arena, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < n; i++) {
        const struct stage *s = &r->a->app.stages[ixs[i]];
        int64_t path_ms = ledger_stage_wall_ms(&r->a->ledgers, ixs[i]);
        uint32_t ran_ix = r->a->lineage.source_ix[ixs[i]];
        bool wall = s->submitted_ms != APP_NONE && s->completed_ms != APP_NONE;
        bool ran = stage_ran(s);

        table_cell(&t, "%s", stage_label(&r->arena, s));
        if (s->status == STAGE_SKIPPED && ran_ix != IX_NONE && ran_ix != ixs[i])
            table_cell(&t, "ran as %s",
                       stage_label(&r->arena, &r->a->app.stages[ran_ix]));
        else
            table_cell(&t, "%s", stage_status_name(s->status));
        table_ms(&t, ran && path_ms > 0 ? path_ms : APP_NONE);
        table_ms(&t, wall ? sub_sat(s->completed_ms, s->submitted_ms) : APP_NONE);
        table_ms(&t, ran ? s->duration_ms : APP_NONE);
        table_count(&t, s->tasks);
        table_count(&t, s->failed_tasks ? s->failed_tasks : APP_NONE);
        table_bytes(&t, s->total[METRIC_INPUT_BYTES] ? s->total[METRIC_INPUT_BYTES]
                                                     : APP_NONE);
        table_bytes(&t,
                    stage_shuffle_read_bytes(s) ? stage_shuffle_read_bytes(s) : APP_NONE);
        table_bytes(&t, s->total[METRIC_SHUFFLE_WRITE_BYTES]
                            ? s->total[METRIC_SHUFFLE_WRITE_BYTES]
                            : APP_NONE);
        table_bytes(&t, s->total[METRIC_SPILL_DISK_BYTES]
                            ? s->total[METRIC_SPILL_DISK_BYTES]
                            : APP_NONE);
        table_text(&t, sv_first_line(s->name));
    }
    table_print(&t, p, 0);
    table_release(&t);
}
