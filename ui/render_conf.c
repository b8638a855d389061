/* Settings to change, in the form of spark-defaults.conf. */
#include "ui/report.h"

static bool has_setting(const struct finding *f, struct sv key)
{
    for (size_t i = 0; i < f->settings.n; i++)
        if (sv_eq(f->settings.items[i].key, key))
            return true;
    return false;
}

/* The first finding, by rank, that asks for the key: its value is the one that counts. */
static const struct finding *asks_for(const struct report *r, struct sv key)
{
    for (size_t i = 0; i < r->findings.n; i++)
        if (!r->findings.items[i].note && has_setting(&r->findings.items[i], key))
            return &r->findings.items[i];
    return NULL;
}

void render_conf(struct strbuf *out, struct report *r)
{
    struct arena *a = &r->arena;
    struct kvs settings = report_settings(r);

    strbuf_printf(out, "# %s %s, by spillway %s\n", text_clean(a, r->a->app.name, 0),
                  text_clean(a, r->a->app.id, 0), SPILLWAY_VERSION);
    if (!settings.n)
        strbuf_addz(out, "# no setting to change\n");
    else if (r->findings.saving_ms > 0)
        strbuf_printf(out,
                      "# %s; with all findings put right, those of code too, about %s "
                      "(%s to %s)\n",
                      text_ms(a, r->a->ledgers.wall_total_ms),
                      text_ms(a, r->findings.wall_ms.expected),
                      text_ms(a, r->findings.wall_ms.low),
                      text_ms(a, r->findings.wall_ms.high));
    for (size_t i = 0; i < settings.n; i++) {
        const struct kv *kv = &settings.items[i];
        const struct finding *f = asks_for(r, kv->key);

        if (f)
            strbuf_printf(out, "\n# %s: %s\n", f->rule->id, report_where(r, f, 40));
        strbuf_printf(out, "%s %s\n", text_clean(a, kv->key, 0),
                      text_clean(a, kv->value, 0));
    }
}
