/* --why FINDING: what it rests on, step by step, down to the entries of the account that
 * pay for it. */
#include "ui/detail.h"
#include "rules/chain.h"
#include "ui/render_json.h"

#include <inttypes.h>

/* By its number on the first screen, or its id. */
static bool is_meant(struct report *r, size_t number, const char *why)
{
    int64_t wanted;

    if (sv_i64(sv(why), &wanted))
        return wanted >= 0 && (uint64_t)wanted == number;
    return strcmp(report_shown(r, number)->rule->id, why) == 0;
}

static void write_numbers(struct page *p, struct report *r, const struct finding *f)
{
    static const struct table_column columns[] = { { .title = "Found" },
                                                   { .title = "", .right = true } };
    struct table t;

    if (!f->n_evidence)
        return;
    page_newline(p);
    table_init(&t, &r->arena, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < f->n_evidence; i++) {
        table_cell(&t, "%s", f->evidence[i].key);
        table_cell(&t, "%s", evidence_text(&r->arena, &f->evidence[i]));
    }
    table_print(&t, p, 2);
    table_release(&t);
}

static void write_chain(struct page *p, struct report *r, const struct finding *f)
{
    if (!f->n_chain)
        return;
    page_newline(p);
    page_wrap(p, "", "", SV("From the time to its cause"));
    for (size_t i = 0; i < f->n_chain; i++)
        page_wrapf(p, "  ", "             ", "%-9s  %s", chain_name(f->chain[i].kind),
                   text_clean(&r->arena, sv(f->chain[i].text), 0));
}

static void write_thresholds(struct page *p, struct report *r, const struct finding *f)
{
    static const struct table_column columns[] = { { .title = "Threshold" },
                                                   { .title = "", .right = true },
                                                   { .title = "What it is",
                                                     .shrink_to = 30 } };
    struct table t;

    if (!f->rule->n_params)
        return;
    page_newline(p);
    table_init(&t, &r->arena, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < f->rule->n_params; i++) {
        const struct rule_param *x = &f->rule->params[i];

        table_cell(&t, "%s", x->name);
        table_cell(&t, "%.6g%s%s", x->value, *x->unit ? " " : "", x->unit);
        table_text(&t, sv(x->meaning));
    }
    table_print(&t, p, 2);
    table_release(&t);
}

static void write_claims(struct page *p, struct report *r, const struct finding *f)
{
    static const struct table_column columns[] = {
        { .title = "Paid by" },
        { .title = "" },
        { .title = "Holds", .right = true },
        { .title = "Claimed", .right = true },
        { .title = "From", .right = true },
        { .title = "To", .right = true },
    };
    const struct ledgers *l = &r->a->ledgers;
    struct arena *a = &r->arena;
    int64_t sum = 0;
    struct table t;

    page_newline(p);
    if (!f->n_claims) {
        page_wrap(p, "", "", SV("It claims no time."));
        return;
    }
    table_init(&t, a, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < f->n_claims; i++) {
        const struct claim *c = &f->claims[i];
        bool app = c->stage_ix == IX_NONE;

        if (c->high_ms <= 0)
            continue;
        sum = add_sat(sum, c->expected_ms);
        table_cell(&t, "%s",
                   app ? "application"
                       : arena_printf(a, "stage %s",
                                      stage_label(a, &r->a->app.stages[c->stage_ix])));
        table_cell(&t, "%s", wall_entry_name(c->entry));
        table_ms(&t,
                 app ? l->wall_ms[c->entry] : ledger_stage_ms(l, c->stage_ix, c->entry));
        table_ms(&t, c->expected_ms);
        table_ms(&t, c->low_ms);
        table_ms(&t, c->high_ms);
    }
    table_print(&t, p, 2);
    table_release(&t);
    if (f->basis == BASIS_REPLAY)
        page_wrapf(
            p, "", "",
            "%s claimed in all. Played again without what is claimed, the run is %s "
            "shorter.",
            text_ms(a, sum), f->expected_ms > 0 ? text_ms(a, f->expected_ms) : "not");
    if (f->follows)
        page_wrapf(p, "", "", "Most of what it could save is claimed by %s already.",
                   f->follows->id);
}

static void write_settings(struct page *p, struct report *r, const struct finding *f)
{
    static const struct table_column columns[] = {
        { .title = "Setting", .shrink_to = 30 },
        { .title = "Now", .right = true },
        { .title = "Source" },
        { .title = "Change to", .right = true },
    };
    const struct app *app = &r->a->app;
    uint32_t ix = f->n_sqls ? app_sql_ix(app, f->sql_ids[0]) : IX_NONE;
    struct table t;

    if (!f->settings.n)
        return;
    page_newline(p);
    table_init(&t, &r->arena, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < f->settings.n; i++) {
        const struct kv *kv = &f->settings.items[i];
        struct setting now =
            conf_get(app, ix == IX_NONE ? NULL : &app->sqls[ix], kv->key.p);

        table_text(&t, kv->key);
        table_text(&t, now.value.p ? now.value : SV("-"));
        table_cell(&t, "%s", conf_source_name(now.source));
        table_text(&t, kv->value);
    }
    table_print(&t, p, 2);
    table_release(&t);
}

static void write_one(struct page *p, struct report *r, size_t number)
{
    const struct finding *f = report_shown(r, number);

    render_finding(p, r, number, false);
    write_chain(p, r, f);
    write_numbers(p, r, f);
    write_thresholds(p, r, f);
    write_claims(p, r, f);
    write_settings(p, r, f);
    page_newline(p);
    if (f->risk)
        page_wrapf(p, "", "", "Risk: %s", f->risk);
    page_wrapf(
        p, "", "", "Sure: confidence %s, time %s. %s", confidence_name(f->confidence),
        f->basis == BASIS_NONE ? "not claimed" : basis_name(f->basis), f->rule->limits);
}

static const char *findings_there_are(struct report *r)
{
    struct strbuf text = { 0 };
    const char *kept;

    if (!r->findings.n)
        return "the log has no findings";
    strbuf_addz(&text, "the log has ");
    for (size_t i = 1; i <= r->findings.n && i <= 12; i++)
        strbuf_printf(&text, "%s%zu %s", i > 1 ? ", " : "", i,
                      report_shown(r, i)->rule->id);
    kept = arena_sv(&r->arena, strbuf_sv(&text)).p;
    strbuf_release(&text);
    return kept;
}

enum errc detail_finding(struct page *p, struct report *r, const struct cli *cli,
                         bool json, struct err *err)
{
    const struct finding *first = NULL;
    struct json_writer w = { .out = &p->text };

    for (size_t number = 1; number <= r->findings.n; number++) {
        if (!is_meant(r, number, cli->why))
            continue;
        if (json) {
            json_finding(&w, &r->a->app, report_shown(r, number));
            page_newline(p);
            w = (struct json_writer){ .out = &p->text };
        } else {
            if (first)
                page_newline(p);
            write_one(p, r, number);
        }
        if (!first)
            first = report_shown(r, number);
    }
    if (!first)
        return err_set(err, ERR_USAGE, "no finding %s: %s", cli->why,
                       findings_there_are(r));
    if (!json && first->n_stages && !sv_is(r->path, "-"))
        page_add(p,
                 "\n%sNext:%s spillway analyze %s --stage %s   |   spillway rules %s\n",
                 page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN),
                 text_shell(&r->arena, r->path),
                 stage_label(&r->arena, &r->a->app.stages[first->stage_ixs[0]]),
                 first->rule->id);
    return ERR_OK;
}
