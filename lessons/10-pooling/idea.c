/* idea - a limit, a line of those that wait, and the oldest is served first
 *
 * Two connections and four callers, numbered from 1. SQLite is called directly
 * and the event loop is two lines of main, because what a pool decides needs
 * neither threads nor a real loop.
 *
 * Run:      build/10-pooling-idea
 * Expect:   the callers are served in the order in which they came, two
 *           connections are opened, and 3 finds nothing that 1 left half done
 * See also: newcomer_comes_first.c, semaphore_counts_callers.c,
 *           borrower_cleans_up.c
 */
#include "01-blocking/stmt.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    LIMIT = 2,
    CALLERS = 4
};

struct app {
    struct asq_stage stage; /* for its file */
    struct asq_db dbs[LIMIT];
    int opened;
    struct asq_db *idle[LIMIT];
    int idle_count;
    struct asq_db *lent[CALLERS + 1]; /* to each caller, or NULL */
    int line[CALLERS];                /* callers that wait, oldest first */
    int joined, left;                 /* the line, so far */
    int served[CALLERS];              /* callers whose callback is due */
    int served_count, told_count;
};

static void lend(struct app *app, int caller, struct asq_db *db)
{
    (void)printf("%d gets a connection\n", caller);
    app->lent[caller] = db;
    app->served[app->served_count++] = caller; /* (1) */
}

static void take(struct app *app, int caller)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    if (app->idle_count > 0) {
        lend(app, caller, app->idle[--app->idle_count]);
    } else if (app->opened < LIMIT) { /* (2) */
        if (asq_db_open(&app->dbs[app->opened], &profile) != 0)
            asq_stage_fail(&app->stage, "the file cannot be opened");
        lend(app, caller, &app->dbs[app->opened++]);
    } else {
        (void)printf("%d waits\n", caller);
        app->line[app->joined++] = caller; /* (3) */
    }
}

static int64_t run(struct app *app, int caller, const char *sql)
{
    struct asq_result result = {0};
    int64_t count;

    if (asq_db_run(app->lent[caller], sql, NULL, &result) != 0)
        asq_stage_fail(&app->stage, asq_db_message(app->lent[caller]));
    count = asq_result_int64(&result, 0, "count");
    asq_result_destroy(&result);
    return count;
}

static void give_back(struct app *app, int caller)
{
    struct asq_db *db = app->lent[caller];

    (void)printf("%d gives it back\n", caller);
    if (asq_db_in_transaction(db))
        (void)run(app, caller, "ROLLBACK"); /* (4) */
    app->lent[caller] = NULL;
    if (app->left < app->joined)
        lend(app, app->line[app->left++], db); /* (5) */
    else
        app->idle[app->idle_count++] = db;
}

/* The callback. In that of 2, 1 acts: it forgets its COMMIT, and 4 comes just
 * when 1 goes. */
static void use(struct app *app, int caller)
{
    if (caller == 2) { /* 2 keeps its own */
        (void)run(app, 1, "BEGIN");
        (void)run(app, 1, "INSERT INTO notes VALUES (1)");
        give_back(app, 1);
        take(app, 4);
    } else if (caller == 3) {
        (void)printf("3 counts the notes: %d\n",
                     (int)run(app, 3, "SELECT count(*) AS count FROM notes"));
    }
    if (caller > 2)
        give_back(app, caller);
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {.options = {.program = "build/10-pooling-idea"}}};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_make(&app.stage, "CREATE TABLE notes (caller INTEGER) STRICT");
    for (int caller = 1; caller <= 3 && !app.stage.failed; caller++)
        take(&app, caller);
    while (app.told_count < app.served_count && !app.stage.failed)
        use(&app, app.served[app.told_count++]); /* (6) */
    printf("%d callers, %d connections, served:", CALLERS, app.opened);
    for (int i = 0; i < app.told_count; i++)
        printf(" %d", app.served[i]);
    printf("\n");
    while (app.opened > 0)
        (void)asq_db_close(&app.dbs[--app.opened]); /* no statement is out */
    return asq_stage_close(&app.stage, 0);
}
