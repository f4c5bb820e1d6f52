/* case_wal_grows - readers that overlap, and a WAL that never starts over
 *
 * A store commits 4,000 times. All the while three readers run queries of some
 * milliseconds, one after another, so that at any moment somebody reads. Each
 * checkpoint may copy all that is there; but the WAL cannot start over at its
 * beginning while a reader uses it. With `readers` the store asks their pool
 * for a gap: new queries wait until those that run have ended.
 *
 * Run:      build/13-group-commit-case_wal_grows
 * Expect:   a WAL that grows with each commit; with gaps it stays short
 * See also: wal_keeper.h; case_consumer_pauses.c of lesson 12
 */
#include "03-event-loop/conn_wait.h"
#include "10-pooling/pool.h"
#include "13-group-commit/store.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    COMMITS = 4000,
    WAL_PAGES = 200,
    READERS = 3
};

static const char write_sql[] = "INSERT INTO rows VALUES (NULL)";
static const char read_sql[] = /* counts up to ?1 with the snapshot in use */
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < ?1) SELECT count(*) + (SELECT count(*) FROM rows) FROM n";

struct reader {
    struct asq_request request;
    struct app *app;
    struct asq_value length;
    struct asq_params params; /* the length */
    bool is_late;             /* it began before the last commit */
};

struct app {
    struct asq_stage stage;
    struct asq_store store;
    struct asq_pool pool;
    struct reader readers[READERS];
    int late; /* readers */
    struct asq_request write, checkpoint;
    int commits;
    int64_t log, copied; /* pages in the WAL; in the file as well */
};

/* Readers, in this order. */
static void start_reader(struct reader *reader);
static void take_count(struct asq_request *request, int status);
/* Commits, and what follows when no reader is late. */
static void write_row(struct app *app);
static void take_written(struct asq_request *write, int status);
static void copy_wal(struct app *app);
static void take_copied(struct asq_request *checkpoint, int status);

static void start_reader(struct reader *reader)
{
    asq_stage_must(&reader->app->stage,
                   asq_pool_run(&reader->app->pool, &reader->request, read_sql,
                                &reader->params, take_count)); /* (1) */
}

static void take_count(struct asq_request *request, int status)
{
    struct reader *reader = request->data;
    struct app *app = reader->app;

    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    if (app->commits <= COMMITS && !app->stage.failed)
        start_reader(reader); /* (2) and the others still read */
    if (reader->is_late && --app->late == 0)
        copy_wal(app);
    reader->is_late = false;
}

static void write_row(struct app *app)
{
    asq_stage_must(&app->stage, asq_conn_run(&app->store.conn, &app->write,
                                             write_sql, NULL, take_written));
}

static void take_written(struct asq_request *write, int status)
{
    struct app *app = write->data;

    if (status != 0)
        asq_stage_fail(&app->stage, write->message);
    if (++app->commits < COMMITS)
        write_row(app);
    for (int i = 0; i < READERS && app->commits == COMMITS; i++)
        app->readers[i].is_late = ++app->late > 0; /* (3) all of them */
}

/* (4) The snapshot of each reader has all commits, so all can be copied. */
static void copy_wal(struct app *app)
{
    asq_stage_must(&app->stage,
                   asq_conn_checkpoint(&app->store.conn, &app->checkpoint,
                                       SQLITE_CHECKPOINT_PASSIVE, take_copied));
}

static void take_copied(struct asq_request *checkpoint, int status)
{
    struct app *app = checkpoint->data;

    if (status != 0)
        asq_stage_fail(&app->stage, checkpoint->message);
    app->log = asq_result_int64(&checkpoint->result, 0, "log");
    app->copied = asq_result_int64(&checkpoint->result, 0, "checkpointed");
    write_row(app); /* (5) one more commit: does the WAL start over? */
}

/* ---- What is around it: the connections, what is printed ----------------- */

static void note_closed(struct asq_pool *pool)
{
    (void)pool; /* a part of app; the next way opens it again */
}

static void open_way(struct app *app, bool with_gaps)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    asq_store_init(&app->store);
    app->store.wal_pages = WAL_PAGES;
    app->store.readers = with_gaps ? &app->pool : NULL; /* (6) */
    if (asq_conn_open_wait(&app->store.conn, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, app->store.conn.message);
    profile.mode = ASQ_OPEN_READ;
    asq_pool_init(&app->pool);
    app->pool.depth = 1;
    asq_stage_must(&app->stage, asq_pool_open(&app->pool, &app->stage.loop,
                                              &profile, READERS));
}

static void run_way(struct app *app, const char *name, bool with_gaps)
{
    struct asq_store_stats stats;

    asq_stage_make(&app->stage, "PRAGMA journal_mode = WAL;"
                                "CREATE TABLE rows (id INTEGER PRIMARY KEY)");
    open_way(app, with_gaps);
    app->commits = 0;
    for (int i = 0; i < READERS; i++)
        start_reader(&app->readers[i]);
    write_row(app);
    asq_stage_turn(&app->stage); /* until all are answered */
    stats = asq_store_statistics(&app->store);
    printf("%s: %d commits, %zu checkpoints, gaps: %zu\n"
           "  the WAL had at most %zu pages\n"
           "  at last it has %" PRId64 ", of which %" PRId64
           " are in the file; after one more commit, %zu\n",
           name, COMMITS, stats.checkpoints, stats.gaps, stats.wal_longest,
           app->log, app->copied, stats.wal_pages);
    asq_pool_close(&app->pool, note_closed);
    asq_conn_close_wait(&app->store.conn);
    asq_stage_turn(&app->stage); /* until the pool is closed, too */
}

int main(int argc, char **argv)
{
    static struct app app = {
        .stage.options.program = "build/13-group-commit-case_wal_grows",
        .stage.options.about = "Readers that overlap, and the WAL.",
        .stage.options.requests = 1};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    app.write.data = app.checkpoint.data = &app;
    for (int i = 0; i < READERS; i++) {
        struct reader *reader = &app.readers[i];

        reader->app = &app;
        reader->request.data = reader;
        reader->length = asq_int64(5000 * (2 + 3 * i));
        reader->params.values = &reader->length;
        reader->params.count = 1;
    }
    run_way(&app, "without gaps", false);
    if (!app.stage.failed)
        run_way(&app, "with gaps", true);
    for (int i = 0; i < READERS; i++)
        asq_request_destroy(&app.readers[i].request);
    asq_request_destroy(&app.write);
    asq_request_destroy(&app.checkpoint);
    return asq_stage_close(&app.stage, 0);
}
