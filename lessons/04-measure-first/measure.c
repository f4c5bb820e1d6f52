/* measure - one query, asked many times in one way */
#include "04-measure-first/measure.h"

#include "01-blocking/stmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

int asq__measure_fail(struct asq_measure *measure, int code, const char *text)
{
    /* Cut if it is too long. */
    (void)snprintf(measure->message, sizeof measure->message, "%s", text);
    return code;
}

int asq__measure_begin(const struct asq_measure *measure,
                       unsigned connections,
                       struct asq_measured *ret_measured)
{
    /* Blocking, all users ask once more or none. */
    size_t capacity = measure->requests + measure->in_flight;

    *ret_measured = (struct asq_measured){.connections = connections,
                                          .capacity = capacity,
                                          .begin_ns = uv_hrtime()};
    ret_measured->samples_ns =
        calloc(capacity, sizeof *ret_measured->samples_ns);
    ret_measured->ready_ns =
        calloc(measure->in_flight, sizeof *ret_measured->ready_ns);
    return ret_measured->samples_ns == NULL || ret_measured->ready_ns == NULL
               ? UV_ENOMEM
               : 0;
}

void asq__measure_start(const struct asq_measure *measure,
                        struct asq_measured *measured)
{
    uint64_t now_ns = uv_hrtime();

    measured->first_ns = now_ns - measured->begin_ns;
    measured->begin_ns = now_ns;
    measured->beat_ns = now_ns;
    measured->stall_ns = 0;
    measured->asked = measure->in_flight;
    for (unsigned i = 0; i < measure->in_flight; i++)
        measured->ready_ns[i] = now_ns;
}

void asq__measure_answered(struct asq_measured *measured,
                           unsigned user,
                           uint64_t end_ns)
{
    if (measured->count == measured->capacity)
        return; /* UNTESTED: nobody asks for more than there is room for */
    measured->samples_ns[measured->count++] = end_ns - measured->ready_ns[user];
    measured->ready_ns[user] = end_ns;
    if (end_ns - measured->begin_ns > measured->took_ns)
        measured->took_ns = end_ns - measured->begin_ns;
}

bool asq__measure_again(const struct asq_measure *measure,
                        struct asq_measured *measured,
                        unsigned count)
{
    if (measure->slow || measured->asked >= measure->requests ||
        uv_hrtime() - measured->begin_ns >= measure->budget_ns)
        return false;
    measured->asked += count;
    return true;
}

void asq__measure_beat(struct asq_measured *measured)
{
    uint64_t now_ns = uv_hrtime();

    if (now_ns - measured->beat_ns > measured->stall_ns)
        measured->stall_ns = now_ns - measured->beat_ns;
    measured->beat_ns = now_ns;
}

void asq_measured_destroy(struct asq_measured *measured)
{
    if (measured == NULL)
        return;
    free(measured->samples_ns);
    free(measured->ready_ns);
    *measured = (struct asq_measured){0};
}

struct asq_advise_way asq_measured_way(const struct asq_measured *measured)
{
    return (struct asq_advise_way){
        .samples_ns = measured->samples_ns,
        .count = measured->count,
        .per_s = 1e9 * (double)measured->count / (double)measured->took_ns,
        .stall_ns = measured->stall_ns,
    };
}

static uint64_t count_of(sqlite3_stmt *handle, int counter)
{
    return (uint64_t)sqlite3_stmt_status(handle, counter, 1);
}

/* Reads what SQLite has counted since the statement was made. */
static void read_plan(struct asq_db *db,
                      const struct asq_result *result,
                      struct asq_advise_plan *ret_plan)
{
    /* There is no other statement on this connection. */
    sqlite3_stmt *handle = sqlite3_next_stmt(asq_db_handle(db), NULL);

    *ret_plan = (struct asq_advise_plan){
        .scan_steps = count_of(handle, SQLITE_STMTSTATUS_FULLSCAN_STEP),
        .sorts = count_of(handle, SQLITE_STMTSTATUS_SORT),
        .auto_index = count_of(handle, SQLITE_STMTSTATUS_AUTOINDEX),
        .vm_steps = count_of(handle, SQLITE_STMTSTATUS_VM_STEP),
        .rows = result->columns > 0 ? result->rows : (uint64_t)result->changes,
    };
}

/* Looks for the first line of the query plan that says what is wrong with it.
 * What fails here is no error: the plan is for the reader only. */
static void find_culprit(struct asq_measure *measure, struct asq_db *db)
{
    static const char *const signs[] = {"SCAN ", "AUTOMATIC ", "TEMP B-TREE"};
    char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", measure->sql);
    struct asq_result plan;

    asq_result_init(&plan);
    if (sql != NULL && asq_db_run(db, sql, &measure->params, &plan) == 0) {
        for (size_t i = 0; i < 3 * plan.rows; i++) {
            const char *line = asq_result_text(&plan, i % plan.rows, "detail");

            if (line == NULL || measure->culprit[0] != '\0' ||
                strstr(line, signs[i / plan.rows]) == NULL)
                continue;
            /* Cut if it is too long. */
            (void)snprintf(measure->culprit, sizeof measure->culprit, "%s",
                           line);
        }
    }
    asq_result_destroy(&plan);
    sqlite3_free(sql);
}

/* Refuses what might change the database or the connection. */
static int check_kind(struct asq_measure *measure, struct asq_db *db)
{
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, measure->sql, ASQ_WHOLE_TEXT, &stmt);

    if (rc != 0)
        return asq__measure_fail(measure, rc, asq_db_message(db));
    if (!measure->may_write && !asq_stmt_is_query(stmt))
        rc = asq__measure_fail(measure, SQLITE_READONLY,
                               "only a query is run on a database that is not "
                               "ours (SELECT, WITH, VALUES)");
    asq_stmt_release(stmt);
    return rc;
}

static int run_one(struct asq_measure *measure,
                   struct asq_db *db,
                   struct asq_result *result,
                   uint64_t *ret_took_ns)
{
    uint64_t begin_ns = uv_hrtime();
    int rc = asq_db_run(db, measure->sql, &measure->params, result);
    uint64_t end_ns = uv_hrtime();

    *ret_took_ns = end_ns - begin_ns;
    if (rc != 0)
        return asq__measure_fail(measure, rc, asq_db_message(db));
    if (measure->on_query != NULL)
        measure->on_query(measure->data, 0, begin_ns, end_ns);
    return 0;
}

/* The first run, and one with the pages in memory if that is not too slow:
 * they decide how often it is asked. */
static int run_first(struct asq_measure *measure,
                     struct asq_db *db,
                     struct asq_result *result)
{
    uint64_t fit;
    int rc = run_one(measure, db, result, &measure->one_ns);

    if (rc != 0)
        return rc;
    read_plan(db, result, &measure->plan);
    measure->slow = measure->one_ns * 2 > measure->budget_ns;
    if (!measure->slow)
        rc = run_one(measure, db, result, &measure->one_ns);
    fit = measure->budget_ns / (measure->one_ns + 1);
    if (fit < measure->in_flight)
        measure->in_flight = fit > 0 ? (unsigned)fit : 1;
    return rc;
}

/* Main asks for one user after the other. It beats when all have had their
 * turn. */
static int run_users(struct asq_measure *measure,
                     struct asq_db *db,
                     struct asq_result *result,
                     struct asq_measured *measured)
{
    uint64_t took_ns;
    int rc = 0;

    asq__measure_start(measure, measured);
    do {
        for (unsigned i = 0; i < measure->in_flight && rc == 0; i++) {
            rc = run_one(measure, db, result, &took_ns);
            asq__measure_answered(measured, i, uv_hrtime());
        }
        asq__measure_beat(measured);
    } while (rc == 0 &&
             asq__measure_again(measure, measured, measure->in_flight));
    return rc;
}

/* The first run of a slow query is its only one. */
static void take_first(const struct asq_measure *measure,
                       struct asq_measured *measured)
{
    uint64_t now_ns = uv_hrtime();

    measured->first_ns = now_ns - measured->begin_ns;
    measured->begin_ns = now_ns - measure->one_ns;
    measured->ready_ns[0] = measured->begin_ns;
    measured->stall_ns = measure->one_ns;
    asq__measure_answered(measured, 0, now_ns);
}

int asq_measure_blocking(struct asq_measure *measure,
                         struct asq_measured *ret_measured)
{
    struct asq_result result;
    struct asq_db db;
    int rc = asq__measure_begin(measure, 1, ret_measured);

    measure->culprit[0] = '\0';
    if (rc != 0)
        return asq__measure_fail(measure, rc, "out of memory");
    rc = asq_db_open(&db, &measure->profile);
    if (rc != 0)
        return asq__measure_fail(measure, rc, asq_db_message(&db));
    asq_result_init(&result);
    rc = check_kind(measure, &db);
    if (rc == 0)
        rc = run_first(measure, &db, &result);
    if (rc == 0 && measure->slow)
        take_first(measure, ret_measured);
    else if (rc == 0)
        rc = run_users(measure, &db, &result, ret_measured);
    if (rc == 0)
        find_culprit(measure, &db);
    asq_result_destroy(&result);
    (void)asq_db_close(&db); /* every statement was released */
    return rc;
}
