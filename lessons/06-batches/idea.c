/* idea - many rows: one hop, one commit, and what changed is counted
 *
 * Eight items are inserted, one of them without data; then the items of four
 * ids get a new status, but two of these ids do not exist. Each time one
 * function on the worker runs all the rows. SQLite itself counts the commits.
 *
 * Run:      build/06-batches-idea
 * Expect:   8 of 8 rows are changed in one commit, and 2 of 4 in another
 * See also: one_commit_a_row.c, length_of_ids.c
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    JOBS = 3,
    COLUMNS = 2 /* of a row */
};

struct job {
    struct asq_request request;
    const char *sql;
    struct asq_value values[8 * COLUMNS]; /* row after row */
    size_t rows, columns;
    int64_t changed; /* the worker's until the answer; so is commits */
    int commits;
};

static int count_commit(void *data)
{
    struct job *job = data;

    job->commits++;
    return 0; /* and let it commit */
}

/* On the worker: (1) one hop for all rows. */
static int run_rows(struct asq_db *db, struct asq_request *request)
{
    struct job *job = request->data;
    struct asq_params row = {.values = job->values, .count = job->columns};
    int rc;

    (void)sqlite3_commit_hook(asq_db_handle(db), count_commit, job);
    rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL); /* (2) */
    for (size_t i = 0; i < job->rows && rc == 0; i++) {
        rc = asq_db_run(db, job->sql, &row, &request->result); /* (3) */
        job->changed += request->result.changes;               /* (4) */
        row.values += job->columns;
    }
    if (rc == 0)
        rc = asq_db_run(db, "COMMIT", NULL, NULL); /* (5) */
    if (rc != 0 && asq_db_in_transaction(db))
        (void)asq_db_run(db, "ROLLBACK", NULL, NULL); /* rc says why */
    return rc;
}

static void print(struct asq_request *request, int status)
{
    const struct job *job = request->data;

    if (status != 0)
        (void)fprintf(stderr, "%s\n", request->message);
    else
        (void)printf("%.6s: %zu given, %" PRId64 " changed, commits: %d\n",
                     job->sql, job->rows, job->changed, job->commits);
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        (void)fprintf(stderr, "%s\n", conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* on the stack of main */
}

int main(void)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct job jobs[JOBS] = {
        {.sql = "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT,"
                " status TEXT, data TEXT NOT NULL) STRICT",
         .rows = 1},
        {.sql = "INSERT INTO items (name, data)"
                " VALUES (?1, coalesce(?2, '{}'))", /* (6) */
         .rows = 8,
         .columns = COLUMNS},
        {.sql = "UPDATE items SET status = ?1 WHERE id = ?2",
         .rows = 4,
         .columns = COLUMNS},
    };
    struct asq_conn conn;
    int rc, failed = 0;

    for (int i = 0; i < 8; i++) {
        jobs[1].values[COLUMNS * i] = asq_text("a lamp");
        jobs[1].values[COLUMNS * i + 1] = asq_text(i == 5 ? NULL : "{\"n\":1}");
    }
    for (int i = 0; i < 4; i++) {
        jobs[2].values[COLUMNS * i] = asq_text("sold");
        jobs[2].values[COLUMNS * i + 1] = asq_int64(3 * (i + 1)); /* to 12 */
    }
    asq_conn_init(&conn);
    rc = asq_conn_open(&conn, uv_default_loop(), &profile, note_opened);
    for (int i = 0; i < JOBS && rc == 0; i++) {
        asq_request_init(&jobs[i].request);
        jobs[i].request.data = &jobs[i];
        rc = asq_conn_call(&conn, &jobs[i].request, run_rows, print);
    }
    if (rc != 0) {
        (void)fprintf(stderr, "%s\n", uv_strerror(rc));
        return 1;
    }
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until all is answered */
    asq_conn_close(&conn, note_closed);
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until it is closed */
    for (int i = 0; i < JOBS; i++) {
        failed |= jobs[i].request.status != 0;
        asq_request_destroy(&jobs[i].request);
    }
    (void)uv_loop_close(uv_default_loop()); /* nothing is left on it */
    return failed;
}
