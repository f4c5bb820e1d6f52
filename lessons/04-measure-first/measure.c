/* measure - asks one query many times in one way */
#include "04-measure-first/measure.h"

#include "04-measure-first/measure_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

enum {
    FEW_ROUNDS = 3 /* fewer do not show how sure it is */
};

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
    /* Blocking, either all users ask once more or none does. */
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

const struct asq_params *asq__measure_next(struct asq_measure *measure)
{
    if (measure->params_count == 0)
        return NULL;
    return &measure->params[measure->turn++ % measure->params_count];
}

bool asq__measure_again(const struct asq_measure *measure,
                        struct asq_measured *measured,
                        unsigned count)
{
    if (measure->slow ||
        measured->asked >= measure->requests / measure->rounds ||
        uv_hrtime() - measured->begin_ns >=
            measure->budget_ns / measure->rounds)
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

static int run_one(struct asq_measure *measure,
                   struct asq_db *db,
                   struct asq_advise_plan *ret_plan,
                   uint64_t *ret_took_ns)
{
    uint64_t begin_ns = uv_hrtime();
    int rc = asq__measure_ask(measure, db, asq__measure_next(measure), ret_plan,
                              measure->message);
    uint64_t end_ns = uv_hrtime();

    *ret_took_ns = end_ns - begin_ns;
    if (rc == 0 && measure->on_query != NULL)
        measure->on_query(measure->data, 0, begin_ns, end_ns);
    return rc;
}

/* Decides what the time allows. All users of a round ask at least once. A query
 * that is not slow is asked in at least FEW_ROUNDS rounds, even if that takes
 * longer. */
static void fit_in(struct asq_measure *measure)
{
    uint64_t fit = measure->budget_ns / (measure->one_ns + 1);
    uint64_t rounds;

    if (fit < measure->in_flight)
        measure->in_flight = fit > 0 ? (unsigned)fit : 1;
    rounds = fit / measure->in_flight;
    if (rounds < FEW_ROUNDS)
        rounds = FEW_ROUNDS;
    if (measure->slow || measure->rounds == 0)
        measure->rounds = 1;
    else if (rounds < measure->rounds)
        measure->rounds = (unsigned)rounds;
    if (measure->on_first != NULL) /* threads and a conn, or all rounds */
        measure->on_first(measure->data, measure->one_ns,
                          measure->slow ? 2 * measure->one_ns
                                        : 3 * measure->budget_ns);
}

/* The first run, and one with the pages in memory unless the query is slow.
 * They decide how often it is asked. In later rounds one run warms up. */
static int run_first(struct asq_measure *measure, struct asq_db *db)
{
    bool decides = measure->one_ns == 0;
    uint64_t took_ns;
    int rc = decides ? asq__measure_look(measure, db) : 0;

    if (rc == 0)
        rc = run_one(measure, db, decides ? &measure->plan : NULL, &took_ns);
    if (rc != 0 || !decides)
        return rc;
    measure->one_ns = took_ns;
    measure->slow = took_ns * 2 > measure->budget_ns;
    if (!measure->slow)
        rc = run_one(measure, db, NULL, &measure->one_ns);
    if (rc == 0)
        fit_in(measure);
    return rc;
}

/* What the system has counted for this process, whose other threads sleep. */
struct usage {
    uint64_t wall_ns, processor_ns;
    uint64_t yielded, taken; /* how often it gave up the processor, and how
                                often it was taken away */
};

static struct usage read_usage(void)
{
    struct usage usage = {.wall_ns = uv_hrtime()};
    uv_rusage_t counted;
    struct timespec time;

    /* What cannot be read is 0 both times. */
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0)
        usage.processor_ns =
            (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
    if (uv_getrusage(&counted) == 0) {
        usage.yielded = counted.ru_nvcsw;
        usage.taken = counted.ru_nivcsw;
    }
    return usage;
}

/* Returns how long main was ready to run but did not. While it waits for a disk
 * it does not run either, so the time is divided by how often it slept and how
 * often the processor was taken away. */
static uint64_t lost_between(const struct usage *begin, const struct usage *end)
{
    uint64_t wall_ns = end->wall_ns - begin->wall_ns;
    uint64_t processor_ns = end->processor_ns - begin->processor_ns;
    double taken = (double)(end->taken - begin->taken);
    double all = taken + (double)(end->yielded - begin->yielded);

    if (processor_ns >= wall_ns || taken == 0)
        return 0;
    return (uint64_t)((double)(wall_ns - processor_ns) * taken / all);
}

/* Main asks for one user after another. It beats when all have had their turn.
 */
static int run_users(struct asq_measure *measure,
                     struct asq_db *db,
                     struct asq_measured *measured)
{
    struct usage begin = read_usage(), end;
    uint64_t took_ns;
    int rc = 0;

    asq__measure_start(measure, measured);
    do {
        for (unsigned i = 0; i < measure->in_flight && rc == 0; i++) {
            rc = run_one(measure, db, NULL, &took_ns);
            asq__measure_answered(measured, i, uv_hrtime());
        }
        asq__measure_beat(measured);
    } while (rc == 0 &&
             asq__measure_again(measure, measured, measure->in_flight));
    end = read_usage();
    measured->lost_ns = lost_between(&begin, &end);
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
    struct asq_db db;
    int rc = asq__measure_begin(measure, 1, ret_measured);

    if (rc != 0)
        return asq__measure_fail(measure, rc, "out of memory");
    rc = asq_db_open(&db, &measure->profile);
    if (rc != 0)
        return asq__measure_fail(measure, rc, asq_db_message(&db));
    asq__measure_watch(measure, &db);
    rc = run_first(measure, &db);
    if (rc == 0 && measure->slow)
        take_first(measure, ret_measured);
    else if (rc == 0)
        rc = run_users(measure, &db, ret_measured);
    (void)asq_db_close(&db); /* every statement was released */
    return rc;
}
