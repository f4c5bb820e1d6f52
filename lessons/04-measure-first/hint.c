/* hint - which loop of a query costs most, and what would help */
#include "04-measure-first/hint.h"

#include "01-blocking/stmt.h"
#include "04-measure-first/measure_ask.h"
#include "04-measure-first/wants.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    TRIED_MAX = 64 << 20, /* bytes of a file that is copied into memory */
    HELPS = 4,            /* an index helps if it divides the steps by this */
    WATCHED = 100         /* steps between two calls of the watch: see db.h */
};

static const uint64_t PATIENCE_NS = 2000000000;

/* Returns the one number that a query returns, or other. */
static double number_of(struct asq_db *db, const char *sql, double other)
{
    struct asq_result result;
    double number = other;

    asq_result_init(&result);
    if (sql != NULL && asq_db_run(db, sql, NULL, &result) == 0 &&
        asq_result_at(&result, 0, 0).type == ASQ_INT64)
        number = (double)asq_result_at(&result, 0, 0).as.int64;
    asq_result_destroy(&result);
    return number;
}

/* Returns about how many rows the table of a line "SCAN name ..." has. */
static double size_of(struct asq_db *db, const char *line)
{
    const char *name = strchr(line, ' ') + 1;
    char *sql = sqlite3_mprintf("SELECT max(rowid) FROM \"%.*w\"",
                                (int)strcspn(name, " "), name);
    double rows = number_of(db, sql, 1000); /* or an alias, a view: a guess */

    sqlite3_free(sql);
    return rows > 1 ? rows : 1;
}

static bool begins_with(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* Returns how likely it is that the reason is about this line. */
static double weight_of(const char *line, enum asq_reason reason, double rows)
{
    bool scan = begins_with(line, "SCAN ");

    if (reason == ASQ_BUILDS_INDEX)
        return strstr(line, " AUTOMATIC ") != NULL ? rows : 0;
    if (reason == ASQ_SORTS)
        return strstr(line, "TEMP B-TREE") != NULL ? 1 : 0;
    if (reason == ASQ_SCANS)
        return scan ? rows : 0;
    return scan || begins_with(line, "SEARCH ") ? rows : 0;
}

/* Finds the line that costs most. Loops of one parent are nested: an inner one
 * runs for each row of those before it. How few rows a search finds is a guess.
 */
static void find_loop(struct asq_db *db,
                      const struct asq_result *plan,
                      enum asq_reason reason,
                      char *ret_loop)
{
    double most = 0, outer = 1;
    int64_t parent = -1;

    for (size_t i = 0; i < plan->rows; i++) {
        const char *line = asq_result_text(plan, i, "detail");
        double rows = 1, weight;

        if (line == NULL || strstr(line, "CONSTANT ROW") != NULL)
            continue;
        if (asq_result_int64(plan, i, "parent") != parent)
            outer = 1;
        parent = asq_result_int64(plan, i, "parent");
        if (begins_with(line, "SCAN "))
            rows = size_of(db, line);
        else if (begins_with(line, "SEARCH "))
            rows = size_of(db, line) / 10 + 1;
        weight = weight_of(line, reason, outer * rows);
        outer *= rows;
        if (weight > most) {
            most = weight;
            (void)snprintf(ret_loop, ASQ_HINT_TEXT, "%s", line); /* or cut */
        }
    }
}

/* Returns whether the text is in a line of the plan. */
static bool mentions(const struct asq_result *plan, const char *text)
{
    for (size_t i = 0; i < plan->rows; i++) {
        const char *line = asq_result_text(plan, i, "detail");

        if (line != NULL && strstr(line, text) != NULL)
            return true;
    }
    return false;
}

/* A copy in memory on which indexes are tried. */
struct trial {
    struct asq_measure measure; /* the same statement and values */
    struct asq_db copy;
    uint64_t end_ns;
    uint64_t most; /* steps: more do not help */
    uint64_t steps;
};

static int count_steps(void *data)
{
    struct trial *trial = data;

    trial->steps += WATCHED;
    return trial->steps > trial->most || uv_hrtime() > trial->end_ns;
}

static int is_over(void *data)
{
    return uv_hrtime() > ((struct trial *)data)->end_ns;
}

/* Returns the steps on the copy; UINT64_MAX: too many, or it failed. */
static uint64_t steps_of(struct trial *trial)
{
    struct asq_advise_plan plan = {0};
    char message[ASQ_MESSAGE_SIZE]; /* not shown */
    int rc;

    trial->steps = 0;
    (void)asq_db_watch(&trial->copy, count_steps, trial);
    rc = asq__measure_ask(&trial->measure, &trial->copy, trial->measure.params,
                          &plan, message);
    (void)asq_db_watch(&trial->copy, NULL, NULL);
    return rc == 0 ? plan.vm_steps : UINT64_MAX;
}

static int make_index(struct trial *trial, const char *name, const char *on)
{
    char *sql = sqlite3_mprintf("CREATE INDEX %s ON %s", name, on);
    int rc = SQLITE_NOMEM;

    (void)asq_db_watch(&trial->copy, is_over, trial);
    if (sql != NULL)
        rc = asq_db_run(&trial->copy, sql, NULL, NULL);
    (void)asq_db_watch(&trial->copy, NULL, NULL);
    sqlite3_free(sql);
    return rc;
}

/* Tries each index alone. Returns the best, or NULL; its steps are in most. */
static const char *try_each(struct trial *trial, const struct asq_wants *wants)
{
    const char *best = NULL;

    for (int i = 0; i < wants->count && uv_hrtime() < trial->end_ns; i++) {
        uint64_t steps;

        if (make_index(trial, "asq_try", wants->indexes[i]) != 0)
            continue;
        steps = steps_of(trial);
        (void)asq_db_run(&trial->copy, "DROP INDEX asq_try", NULL, NULL);
        if (steps < trial->most) {
            trial->most = steps;
            best = wants->indexes[i];
        }
    }
    return best;
}

/* Tries one index, and then a second with it, because a join may need two. */
static bool
try_indexes(struct trial *trial, const struct asq_wants *wants, char *ret_help)
{
    uint64_t before = trial->measure.plan.vm_steps;
    const char *one, *other = NULL;

    trial->most = before / HELPS;
    one = try_each(trial, wants);
    if (one == NULL) /* two that help only together are not found */
        return false;
    if (make_index(trial, "asq_kept", one) == 0) {
        trial->most = trial->most / 2;
        other = try_each(trial, wants);
        if (other == NULL)
            trial->most = trial->most * 2;
    }
    (void)snprintf(ret_help, ASQ_HINT_TEXT,
                   "An index ON %s%s%s makes it %" PRIu64 " steps, not %" PRIu64
                   " (tried in memory).",
                   one, other == NULL ? "" : " and one ON ",
                   other == NULL ? "" : other, trial->most, before);
    return true;
}

/* Copies the database into memory. Returns false if it is too large. */
static bool copy_into_memory(struct trial *trial, struct asq_db *db)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    sqlite3_backup *backup;
    double bytes = number_of(db, "PRAGMA page_count", 1e9) *
                   number_of(db, "PRAGMA page_size", 1e9);

    profile.statements = 0; /* so that each run is a first one, and counted */
    if (bytes > (double)TRIED_MAX || asq_db_open(&trial->copy, &profile) != 0)
        return false;
    backup = sqlite3_backup_init(asq_db_handle(&trial->copy), "main",
                                 asq_db_handle(db), "main");
    if (backup == NULL)
        return false;
    (void)sqlite3_backup_step(backup, -1); /* finish repeats its error */
    return sqlite3_backup_finish(backup) == SQLITE_OK;
}

/* Says what else may help, because no index was found by trying. */
static void say_otherwise(const struct asq_measure *measure,
                          const struct asq_result *plan,
                          const struct asq_wants *wants,
                          bool tried,
                          char *ret_help)
{
    char text[ASQ_HINT_TEXT - 100];
    const char *help = "No index on columns of one table helps.";
    bool untried = !tried && wants->count > 0;

    if (untried)
        (void)snprintf(text, sizeof text,
                       "Try an index ON %s (the file is too large to try it).",
                       wants->indexes[wants->count - 1]);
    if (untried)
        help = text;
    else if (wants->pattern && mentions(plan, "VIRTUAL TABLE"))
        help = "LIKE reads every row of an FTS5 table; MATCH asks its index.";
    else if (wants->pattern)
        help = "No index helps LIKE '%x%': FTS5 finds words with MATCH.";
    else if (mentions(plan, "RECURSIVE STEP"))
        help = "The recursion takes the steps: end it sooner, by a condition "
               "in its second part.";
    else if (measure->plan.sums)
        help = "It reads all that it adds up: keep the sum in a row that a "
               "trigger changes.";
    (void)snprintf(ret_help, ASQ_HINT_TEXT,
                   "%s If the work is intended, --as-it-is judges only the "
                   "waiting.",
                   help);
}

static void find_help(const struct asq_measure *measure,
                      struct asq_db *db,
                      const struct asq_result *plan,
                      char *ret_help)
{
    struct trial *trial = calloc(1, sizeof *trial);
    struct asq_wants *wants = calloc(1, sizeof *wants);
    bool tried;

    if (trial != NULL && wants != NULL) {
        asq_wants_find(asq_db_handle(db), measure->sql, wants);
        trial->measure = *measure;
        trial->end_ns = uv_hrtime() + PATIENCE_NS;
        tried = wants->count > 0 && copy_into_memory(trial, db);
        if (!tried || !try_indexes(trial, wants, ret_help))
            say_otherwise(measure, plan, wants, tried, ret_help);
        (void)asq_db_close(&trial->copy); /* every statement was released */
    }
    free(trial);
    free(wants);
}

void asq_hint_find(const struct asq_measure *measure,
                   enum asq_reason reason,
                   struct asq_hint *ret_hint)
{
    struct asq_result plan;
    struct asq_db db;
    char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", measure->sql);

    *ret_hint = (struct asq_hint){.loop = ""};
    asq_result_init(&plan);
    if (asq_db_open(&db, &measure->profile) == 0 && sql != NULL &&
        asq_db_run(&db, sql, measure->params, &plan) == 0) {
        find_loop(&db, &plan, reason, ret_hint->loop);
        find_help(measure, &db, &plan, ret_hint->help);
    }
    asq_result_destroy(&plan);
    sqlite3_free(sql);
    (void)asq_db_close(&db); /* every statement was released */
}
