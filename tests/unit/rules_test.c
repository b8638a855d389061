/* Rules: each on cases of its own (tests/rules), all on the labelled logs. */
#include "rules/rule.h"

#include "rules_case.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <sys/stat.h>

#define LABELLED SHARED_LOGS "/labelled"

struct judged { /* a log with everything that the rules said of it */
    struct analysis analysis;
    struct arena arena;
    struct findings findings;
};

static void judge(struct judged *j)
{
    analysis_build(&j->analysis);
    rules_run(&j->findings, &j->analysis, &j->arena);
}

static void judged_release(struct judged *j)
{
    analysis_release(&j->analysis);
    arena_release(&j->arena);
}

static const struct finding *find(const struct judged *j, const char *id)
{
    for (size_t i = 0; i < j->findings.n; i++)
        if (strcmp(j->findings.items[i].rule->id, id) == 0)
            return &j->findings.items[i];
    return NULL;
}

static bool not_judged(const struct judged *j, const char *id)
{
    for (size_t i = 0; i < j->findings.n_not_judged; i++)
        if (strcmp(j->findings.not_judged[i].rule->id, id) == 0)
            return true;
    return false;
}

/* What holds for every finding, whatever the log. */
static void check_promises(const struct judged *j, const char *where)
{
    const struct ledgers *l = &j->analysis.ledgers;
    int64_t sum = 0, last = INT64_MAX;

    for (size_t i = 0; i < j->findings.n; i++) {
        const struct finding *f = &j->findings.items[i];
        const char *id = f->rule->id;

        if (!f->title[0] || !f->cause[0] || !f->text[0])
            fail_msg("%s: %s has no title, cause or advice", where, id);
        if (f->n_evidence == 0)
            fail_msg("%s: %s has no evidence", where, id);
        if (f->low_ms < 0 || f->low_ms > f->expected_ms || f->expected_ms > f->high_ms)
            fail_msg("%s: %s saves %" PRId64 "/%" PRId64 "/%" PRId64, where, id,
                     f->low_ms, f->expected_ms, f->high_ms);
        if (f->has_saving != (f->basis != BASIS_NONE) ||
            f->has_saving != (f->n_claims > 0))
            fail_msg("%s: %s has a saving without a basis, or the reverse", where, id);
        if (f->expected_ms > last)
            fail_msg("%s: %s is out of order", where, id);
        if (f->fault && !f->note && f->severity == SEVERITY_NOTE)
            fail_msg("%s: the fault %s is a note", where, id);
        last = f->expected_ms;
        sum += f->expected_ms;
        for (size_t k = 0; k < f->n_claims; k++) {
            const struct claim *c = &f->claims[k];
            int64_t held = c->stage_ix == IX_NONE
                               ? l->wall_ms[c->entry]
                               : ledger_stage_ms(l, c->stage_ix, c->entry);

            if (c->expected_ms > held || c->high_ms > held)
                fail_msg("%s: %s claims %" PRId64 " of %" PRId64 " ms %s", where, id,
                         c->high_ms, held, wall_entry_name(c->entry));
        }
        for (size_t k = 0; k < f->settings.n; k++) /* what is in effect is not advised */
            if (sv_eq(conf_get(&j->analysis.app, NULL, f->settings.items[k].key.p).value,
                      f->settings.items[k].value) &&
                f->n_sqls == 0)
                fail_msg("%s: %s advises %s, which is so already", where, id,
                         f->settings.items[k].key.p);
    }
    if (sum > l->wall_total_ms)
        fail_msg("%s: %" PRId64 " ms promised of %" PRId64, where, sum, l->wall_total_ms);
}

/* --- cases ------------------------------------------------------------------------ */

static bool finding_on_stage(const struct judged *j, const struct finding *f,
                             int64_t stage_id)
{
    for (size_t i = 0; i < f->n_stages; i++)
        if (j->analysis.app.stages[f->stage_ixs[i]].stage_id == stage_id)
            return true;
    return false;
}

static bool chain_says(const struct finding *f, const char *words)
{
    for (size_t i = 0; i < f->n_chain; i++)
        if (strstr(f->chain[i].text, words))
            return true;
    return false;
}

static void check_expect(const struct judged *j, const struct finding *f,
                         const char *path, const struct case_expect *e)
{
    const char *what = e->words[0], *value = e->n > 1 ? e->words[1] : "";

    if (strcmp(what, "severity") == 0) {
        if (strcmp(severity_name(f->severity), value) != 0)
            fail_msg("%s: a %s", path, severity_name(f->severity));
    } else if (strcmp(what, "stage") == 0) {
        if (!finding_on_stage(j, f, case_number(value)))
            fail_msg("%s: not on stage %s", path, value);
    } else if (strcmp(what, "setting") == 0) {
        struct sv set = kvs_get(&f->settings, value);

        if (!sv_is(set, e->words[2]))
            fail_msg("%s: sets %s to %.*s", path, value, SV_FMT(set));
    } else if (strcmp(what, "saves") == 0) {
        if (f->expected_ms < case_number(value) ||
            f->expected_ms > case_number(e->words[2]))
            fail_msg("%s: saves %" PRId64 " ms", path, f->expected_ms);
    } else if (strcmp(what, "says") == 0) {
        if (!strstr(f->title, value) && !strstr(f->cause, value) &&
            !strstr(f->text, value))
            fail_msg("%s: does not say \"%s\" but \"%s\", \"%s\"", path, value, f->cause,
                     f->text);
    } else if (strcmp(what, "chain") == 0) {
        if (!chain_says(f, value))
            fail_msg("%s: no link of %s's chain says \"%s\"", path, f->rule->id, value);
    } else if (strcmp(what, "not") == 0) {
        if (find(j, value))
            fail_msg("%s: also %s", path, value);
    } else {
        fail_msg("%s: expect %s?", path, what);
    }
}

static void run_case(const char *id, const char *path, const char *kind)
{
    struct judged j = { 0 };
    struct rules_case c;

    rules_case_load(&c, path, &j.analysis.app);
    judge(&j);
    check_promises(&j, path);
    const struct finding *f = find(&j, id);
    bool silent = not_judged(&j, id);

    if (strncmp(kind, "fires", 5) == 0) {
        if (!f)
            fail_msg("%s: %s is %s", path, id, silent ? "not judged" : "not found");
        for (size_t i = 0; i < c.n_expects; i++)
            check_expect(&j, f, path, &c.expects[i]);
    } else if (f) {
        fail_msg("%s: %s fires: %s", path, id, f->cause);
    } else if (silent != (strncmp(kind, "nodata", 6) == 0)) {
        fail_msg("%s: %s is %s", path, id, silent ? "not judged" : "judged");
    }
    rules_case_release(&c);
    judged_release(&j);
}

/* Runs the cases of one rule whose names begin with kind; how many there were. */
static size_t run_cases(const char *id, const char *kind)
{
    struct dirent **names = NULL;
    struct strbuf path = { 0 };
    size_t n = 0;

    strbuf_printf(&path, "tests/rules/%s", id);
    int count = scandir(path.p, &names, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        if (strncmp(names[i]->d_name, kind, strlen(kind)) == 0) {
            strbuf_reset(&path);
            strbuf_printf(&path, "tests/rules/%s/%s", id, names[i]->d_name);
            run_case(id, path.p, kind);
            n++;
        }
        free(names[i]);
    }
    free(names);
    strbuf_release(&path);
    return n;
}

/* Runs the cases of that kind of all rules; the first rule that has none, NULL. */
static const struct rule *first_without(const char *kind)
{
    const struct rule *without = NULL;

    for (const struct rule *const *r = rules_all; *r; r++)
        if (run_cases((*r)->id, kind) == 0 && !without &&
            (strcmp(kind, "nodata") != 0 || (*r)->no_data_why))
            without = *r;
    return without;
}

static void every_rule_fires_where_it_should(void **state)
{
    const struct rule *without = first_without("fires");

    (void)state;
    if (without)
        fail_msg("tests/rules/%s has no case in which it fires", without->id);
}

static void every_rule_is_quiet_where_it_should_be(void **state)
{
    const struct rule *without = first_without("quiet");

    (void)state;
    if (without)
        fail_msg("tests/rules/%s has no case in which it is quiet", without->id);
}

static void every_rule_says_when_it_cannot_judge(void **state)
{
    const struct rule *without = first_without("nodata");

    (void)state;
    if (without)
        fail_msg("tests/rules/%s has no case without data", without->id);
}

static void every_case_belongs_to_a_rule(void **state)
{
    DIR *dir = opendir("tests/rules");
    struct dirent *e;

    (void)state;
    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.' && !strchr(e->d_name, '.') && !rule_by_id(sv(e->d_name)))
            fail_msg("tests/rules/%s is of no rule", e->d_name);
    closedir(dir);
}

/* --- the table ---------------------------------------------------------------------- */

static void descriptors_are_whole(void **state)
{
    (void)state;
    for (const struct rule *const *r = rules_all; *r; r++) {
        const struct rule *rule = *r;

        assert_ptr_equal(rule_by_id(sv(rule->id)), rule); /* ids are unique, too */
        if (!rule->title || !rule->what || !rule->advice || !rule->limits || !rule->check)
            fail_msg("%s lacks a text", rule->id);
        if (rule->n_params == 0)
            fail_msg("%s has no threshold", rule->id);
        for (size_t i = 0; i < rule->n_params; i++) {
            const struct rule_param *p = &rule->params[i];

            if (!p->name || !p->unit || !p->meaning || !p->source || !p->meaning[0] ||
                !p->source[0])
                fail_msg("%s: threshold %zu has no name, unit, meaning or source",
                         rule->id, i);
        }
    }
    assert_null(rule_by_id(SV("no-such-rule")));
}

static void names_of_severities_are_read_back(void **state)
{
    (void)state;
    for (enum severity s = SEVERITY_NOTE; s <= SEVERITY_CRITICAL; s++) {
        enum severity back = SEVERITY_NOTE;

        assert_true(severity_parse(sv(severity_name(s)), &back));
        assert_int_equal(back, s);
    }
    enum severity untouched = SEVERITY_CRITICAL;

    assert_false(severity_parse(SV("fatal"), &untouched));
    assert_int_equal(untouched, SEVERITY_CRITICAL);
}

/* docs/rules.md names every rule and every threshold as it is. */
static void docs_tell_the_thresholds(void **state)
{
    char *docs = slurp("docs/rules.md", NULL);

    (void)state;
    assert_non_null(docs);
    for (const struct rule *const *r = rules_all; *r; r++) {
        struct strbuf line = { 0 };

        strbuf_printf(&line, "### `%s`", (*r)->id);
        char *section = strstr(docs, line.p);

        if (!section)
            fail_msg("docs/rules.md does not have %s", (*r)->id);
        char *end = strstr(section + 4, "\n### ");

        for (size_t i = 0; i < (*r)->n_params; i++) {
            const struct rule_param *p = &(*r)->params[i];

            strbuf_reset(&line);
            strbuf_printf(&line, "| %s | %.15g | %s |", p->name, p->value, p->unit);
            char *at = strstr(section, line.p);

            if (!at || (end && at > end))
                fail_msg("docs/rules.md: %s should have the line \"%s\"", (*r)->id,
                         line.p);
        }
        strbuf_release(&line);
    }
    free(docs);
}

/* --- labelled logs
 * ---------------------------------------------------------------------- */

static bool in_list(const cJSON *ids, int64_t id)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, ids) if ((int64_t)item->valuedouble == id) return true;
    return false;
}

static bool touches(const struct judged *j, const struct finding *f, const cJSON *planted)
{
    const cJSON *stages = cJSON_GetObjectItem(planted, "stage_ids");
    const cJSON *sqls = cJSON_GetObjectItem(planted, "sql_execution_ids");

    if ((cJSON_GetArraySize(stages) == 0 && cJSON_GetArraySize(sqls) == 0) || f->app_wide)
        return true;
    for (size_t i = 0; i < f->n_stages; i++)
        if (in_list(stages, j->analysis.app.stages[f->stage_ixs[i]].stage_id))
            return true;
    for (size_t i = 0; i < f->n_sqls; i++)
        if (in_list(sqls, f->sql_ids[i]))
            return true;
    return false;
}

static bool names_fault(const cJSON *list, const char *id)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        const char *fault = cJSON_GetStringValue(cJSON_GetObjectItem(item, "fault"));

        if (fault && (strcmp(fault, id) == 0 || strcmp(fault, "*") == 0))
            return true;
    }
    return false;
}

static void check_labels(const struct judged *j, const cJSON *labels, const char *name)
{
    const cJSON *planted = cJSON_GetObjectItem(labels, "planted"), *p;
    const cJSON *must_not = cJSON_GetObjectItem(labels, "must_not");
    const cJSON *absent = cJSON_GetObjectItem(labels, "absent");

    cJSON_ArrayForEach(p, planted)
    {
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(p, "fault"));
        bool found = false;

        if (!rule_by_id(sv(id)))
            continue; /* not built yet */
        for (size_t i = 0; i < j->findings.n; i++)
            found |= strcmp(j->findings.items[i].rule->id, id) == 0 &&
                     touches(j, &j->findings.items[i], p);
        if (!found)
            fail_msg("%s: %s is not found", name, id);
    }
    for (size_t i = 0; i < j->findings.n; i++) {
        const struct finding *f = &j->findings.items[i];

        if (f->severity == SEVERITY_NOTE)
            continue;
        if (names_fault(must_not, f->rule->id) ||
            cJSON_GetObjectItem(absent, f->rule->id))
            fail_msg("%s: false alarm: %s", name, f->cause);
        if (!names_fault(planted, f->rule->id))
            fail_msg("%s: neither planted nor seen: %s: %s", name, f->rule->id, f->cause);
    }
}

/* Judges every log with labels in the folder; how many there were. */
static size_t check_labelled(const char *folder)
{
    struct dirent **names = NULL;
    struct strbuf path = { 0 };
    size_t n = 0;
    int count = scandir(folder, &names, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        strbuf_reset(&path);
        strbuf_printf(&path, "%s/%s/labels.json", folder, names[i]->d_name);
        char *text = slurp(path.p, NULL);

        if (text) {
            struct judged j = { 0 };
            cJSON *labels = cJSON_Parse(text);

            assert_non_null(labels);
            strbuf_reset(&path);
            strbuf_printf(&path, "%s/%s", folder, names[i]->d_name);
            must_load(&j.analysis.app, path.p);
            judge(&j);
            check_promises(&j, names[i]->d_name);
            check_labels(&j, labels, names[i]->d_name);
            cJSON_Delete(labels);
            judged_release(&j);
            free(text);
            n++;
        }
        free(names[i]);
    }
    free(names);
    strbuf_release(&path);
    return n;
}

static void labelled_logs_are_judged_as_labelled(void **state)
{
    (void)state;
    size_t n = check_labelled("tests/data/logs") + check_labelled(LABELLED);

    if (n == 0)
        skip();
}

/* Logs of real clusters: no label says what is right, but promises hold. */
static void real_logs_keep_the_promises(void **state)
{
    struct dirent **names = NULL;
    int count = scandir(SHARED_LOGS "/real", &names, NULL, alphasort);

    (void)state;
    if (count <= 0)
        skip();
    for (int i = 0; i < count; i++) {
        struct judged j = { 0 };
        struct err err = { 0 };
        struct strbuf path = { 0 };

        strbuf_printf(&path, SHARED_LOGS "/real/%s", names[i]->d_name);
        if (names[i]->d_name[0] != '.' &&
            try_load(&j.analysis.app, path.p, 0, 0, NULL, &err)) {
            judge(&j);
            check_promises(&j, path.p);
            judged_release(&j);
        }
        strbuf_release(&path);
        free(names[i]);
    }
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_whole),
        cmocka_unit_test(names_of_severities_are_read_back),
        cmocka_unit_test(docs_tell_the_thresholds),
        cmocka_unit_test(every_case_belongs_to_a_rule),
        cmocka_unit_test(every_rule_fires_where_it_should),
        cmocka_unit_test(every_rule_is_quiet_where_it_should_be),
        cmocka_unit_test(every_rule_says_when_it_cannot_judge),
        cmocka_unit_test(labelled_logs_are_judged_as_labelled),
        cmocka_unit_test(real_logs_keep_the_promises),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
