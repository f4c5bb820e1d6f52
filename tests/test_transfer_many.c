/* test_transfer_many - money is conserved, whatever happens to transfers
 *
 * Each transfer is a savepoint in a transaction that also writes its number
 * into a journal. So the journal says which transfers have happened, and must
 * be what was answered: with a thousand of them in flight on two connections,
 * with cancels and deadlines, and when the process is killed.
 */
#include "07-transactions/transfer.h"
#include "db_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ACCOUNTS = 20,
    CENTS = 1000, /* in each at the beginning */
    CONNS = 2,
    MANY = 1000,
    KILLS = 24,
    IN_FLIGHT = 8,
    ACKS_MAX = 40, /* then it is killed */
    PENDING = 1    /* no status */
};

static const char *const tables[] = {
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance_cents INTEGER "
    "NOT NULL) STRICT",
    "CREATE TABLE journal (n INTEGER PRIMARY KEY) STRICT",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
    "i < 20) INSERT INTO accounts SELECT i, 1000 FROM n"};

struct many;

/* A transaction: the journal's row, and the transfer inside. */
struct task {
    struct many *many;
    struct asq_tx tx;
    struct asq_tx_step step;
    struct asq_transfer_list list;
    struct asq_transfer transfer;
    struct asq_value number;
    int status;
    unsigned ends;
    bool safe; /* can only succeed */
};

struct many {
    uv_loop_t loop;
    struct asq_profile profile;
    struct asq_conn conns[CONNS];
    struct task *tasks;
    size_t count, ended;
    uint64_t random;
    int done, opened, closed;
    int acks; /* a descriptor, of a child only */
};

/* xorshift: the same seed, the same transfers */
static unsigned pick(struct many *m, unsigned limit)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (unsigned)(m->random % limit);
}

static void make_file(struct many *m)
{
    struct asq_db db;

    m->profile = asq_profile_default(test_path("a.db"));
    m->profile.busy_ms = 60000; /* a slow machine is no failure */
    m->random = test_seed() * UINT64_C(0x9e3779b97f4a7c15) + 1;
    open_with(&db, &m->profile);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        run(&db, tables[i]);
    close_db(&db);
}

/* What holds at any time. */
static void check_money(struct asq_db *db)
{
    CHECK_INT(ask(db, "SELECT sum(balance_cents) FROM accounts"),
              ACCOUNTS * CENTS);
    CHECK_INT(ask(db, "SELECT count(*) FROM accounts WHERE balance_cents < 0"),
              0);
    CHECK_INT(ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE "
                      "integrity_check <> 'ok'"),
              0);
}

static bool is_in_journal(struct asq_db *db, int64_t n)
{
    struct asq_value value = asq_int64(n);
    struct asq_params params = {.values = &value, .count = 1};
    struct asq_result result = {0};
    size_t rows;

    CHECK_INT(
        asq_db_run(db, "SELECT 1 FROM journal WHERE n = ?", &params, &result),
        0);
    rows = result.rows;
    asq_result_destroy(&result);
    return rows == 1;
}

/* Loop */

static void note_opened(struct asq_conn *conn, int status)
{
    struct many *m = conn->data;

    CHECK_INT(status, 0);
    m->opened++;
}

static void note_closed(struct asq_conn *conn)
{
    struct many *m = conn->data;

    CHECK_INT(conn->left_open.transactions, 0);
    m->closed++;
}

static void open_all(struct many *m)
{
    CHECK_INT(uv_loop_init(&m->loop), 0);
    for (int i = 0; i < CONNS; i++) {
        int before = m->opened;

        asq_conn_init(&m->conns[i]);
        m->conns[i].data = m;
        CHECK_INT(
            asq_conn_open(&m->conns[i], &m->loop, &m->profile, note_opened), 0);
        while (m->opened == before)
            (void)uv_run(&m->loop, UV_RUN_ONCE); /* it is open, or FAIL */
    }
}

/* A refused transfer takes the journal's row with it. */
static void note_list(struct asq_transfer_list *list, int status)
{
    struct task *task = list->data;

    if (status != 0)
        asq_tx_fail(&task->tx, status);
}

static void stop_somebody(struct many *m)
{
    struct task *task = &m->tasks[pick(m, (unsigned)m->count)];

    if (task->safe)
        return;
    if (pick(m, 2) == 0)
        asq_transfer_cancel(&task->list);
    else
        asq_tx_fail(&task->tx, UV_ECANCELED);
}

static void note_end(struct asq_tx *tx, int status)
{
    struct task *task = tx->data;
    struct many *m = task->many;

    CHECK_INT(task->ends, 0);
    CHECK_INT(tx->outcome_unknown, 0);
    task->ends++;
    task->status = status;
    m->ended++;
    m->done = m->ended == m->count;
    if (pick(m, 2) == 0)
        stop_somebody(m);
}

static void submit(struct task *task, size_t number)
{
    struct asq_params params = {.values = &task->number, .count = 1};

    task->number = asq_int64((int64_t)number);
    CHECK_INT(asq_tx_run(&task->tx, &task->step,
                         "INSERT INTO journal VALUES (?1)", &params, NULL),
              0);
    CHECK_INT(asq_transfer_start_inside(&task->list, &task->tx, note_list), 0);
}

static void choose(struct many *m, struct asq_transfer *ret_transfer)
{
    ret_transfer->from = 1 + pick(m, ACCOUNTS);
    ret_transfer->to =
        1 + (ret_transfer->from + pick(m, ACCOUNTS - 1)) % ACCOUNTS;
    ret_transfer->cents = 1 + pick(m, 600);
}

static void init_task(struct many *m, struct task *task, struct asq_conn *conn)
{
    task->many = m;
    task->status = PENDING;
    asq_tx_init(&task->tx, conn);
    task->tx.data = task;
    asq_tx_step_init(&task->step);
    asq_transfer_init(&task->list);
    task->list.data = task;
    task->list.transfers = &task->transfer;
    task->list.count = 1;
}

static void destroy_task(struct task *task)
{
    asq_transfer_destroy(&task->list);
    asq_tx_step_destroy(&task->step);
    asq_tx_destroy(&task->tx);
}

/* One in eight is safe: nobody stops it, and account 1, which nobody else
 * takes from, has what it takes. */
static void start_many(struct many *m)
{
    m->count = test_scaled(MANY);
    m->tasks = calloc(m->count, sizeof *m->tasks);
    CHECK(m->tasks != NULL);
    for (size_t i = 0; i < m->count; i++) {
        struct task *task = &m->tasks[i];

        init_task(m, task, &m->conns[i % CONNS]);
        task->tx.on_end = note_end;
        task->safe = i % 8 == 0;
        do {
            choose(m, &task->transfer);
        } while (task->transfer.from == 1 || task->transfer.to == 1);
        if (task->safe)
            task->transfer = (struct asq_transfer){1, task->transfer.to, 1};
        else if (pick(m, 3) == 0)
            task->tx.timeout_ms = 1 + pick(m, 60);
    }
    for (size_t i = 0; i < m->count; i++)
        submit(&m->tasks[i], i);
    for (unsigned i = 0; i < m->count / 10; i++)
        stop_somebody(m);
}

static void close_all(struct many *m)
{
    for (int i = 0; i < CONNS; i++)
        asq_conn_close(&m->conns[i], note_closed);
    test_close_loop(&m->loop);
    CHECK_INT(m->closed, CONNS);
}

static void money_is_conserved_with_cancels_and_deadlines(void *data)
{
    struct many *m = data;
    size_t made = 0, stopped = 0;
    struct asq_db db;

    make_file(m);
    open_all(m);
    start_many(m);
    test_run_until(&m->loop, &m->done);
    close_all(m);
    open_with(&db, &m->profile);
    check_money(&db);
    for (size_t i = 0; i < m->count; i++) {
        struct task *task = &m->tasks[i];

        CHECK_INT(task->ends, 1);
        CHECK_INT(is_in_journal(&db, (int64_t)i), task->status == 0);
        if (task->safe)
            CHECK_INT(task->status, 0);
        else
            CHECK(task->status == 0 || task->status == UV_EINVAL ||
                  task->status == UV_ECANCELED || task->status == UV_ETIMEDOUT);
        made += task->status == 0;
        stopped += task->status == UV_ECANCELED;
        destroy_task(task);
    }
    CHECK_INT(ask(&db, "SELECT count(*) FROM journal"), made);
    CHECK(stopped > 0);
    close_db(&db);
    free(m->tasks);
}

/* The child */

static void next_of_child(struct task *task)
{
    struct many *m = task->many;

    choose(m, &task->transfer);
    submit(task, m->count++);
}

static void acknowledge(struct asq_tx *tx, int status)
{
    struct task *task = tx->data;

    if (status == 0 && write(task->many->acks, &task->number.as.int64,
                             sizeof(int64_t)) != sizeof(int64_t))
        _exit(3);
    next_of_child(task);
}

/* Transfers until it is killed. Numbers go on from first. */
_Noreturn static void be_child(struct many *m, int acks, size_t first)
{
    static struct task tasks[IN_FLIGHT];

    m->acks = acks;
    m->count = first;
    open_all(m);
    for (int i = 0; i < IN_FLIGHT; i++) {
        init_task(m, &tasks[i], &m->conns[i % CONNS]);
        tasks[i].tx.on_end = acknowledge;
        next_of_child(&tasks[i]);
    }
    for (;;)
        (void)uv_run(&m->loop, UV_RUN_DEFAULT); /* it never ends */
}

/* The parent */

/* A whole number, or the end. */
static bool hear(int acks, int64_t *ret_number)
{
    ssize_t n = read(acks, ret_number, sizeof *ret_number);

    CHECK(n == 0 || n == sizeof *ret_number); /* a pipe does not cut these */
    return n > 0;
}

/* Kills the child after some acknowledgements. Returns how many there were;
 * those that it could still write count like the others. */
static size_t kill_child(int acks, pid_t pid, unsigned after, int64_t *numbers)
{
    size_t count = 0;
    int status;

    while (count < after && hear(acks, &numbers[count]))
        count++;
    CHECK_INT(count, after);
    CHECK_INT(kill(pid, SIGKILL), 0);
    while (count < 65536 / sizeof *numbers && hear(acks, &numbers[count]))
        count++;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_INT(WTERMSIG(status), SIGKILL);
    return count;
}

/* No thread and no database of the parent is open when it forks. */
static size_t run_and_kill(struct many *m, size_t first, int64_t *numbers)
{
    unsigned after = 1 + pick(m, ACKS_MAX);
    int ends[2];
    size_t count;
    pid_t pid;

    CHECK_INT(pipe(ends), 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        be_child(m, ends[1], first);
    CHECK_INT(close(ends[1]), 0);
    count = kill_child(ends[0], pid, after, numbers);
    CHECK_INT(close(ends[0]), 0);
    return count;
}

static void money_is_conserved_when_the_process_is_killed(void *data)
{
    /* What a pipe holds, and what was heard before. */
    static int64_t numbers[65536 / sizeof(int64_t) + ACKS_MAX];
    struct many *m = data;
    size_t before = 0;

    make_file(m);
    for (size_t i = 0; i < KILLS; i++) {
        size_t count = run_and_kill(m, 1000000 * i, numbers);
        struct asq_db db;
        size_t rows;

        open_with(&db, &m->profile);
        check_money(&db);
        for (size_t k = 0; k < count; k++)
            CHECK(is_in_journal(&db, numbers[k]));
        rows = (size_t)ask(&db, "SELECT count(*) FROM journal");
        /* What was committed and not yet told may be there, too. */
        CHECK(rows >= before + count);
        CHECK(rows <= before + count + IN_FLIGHT);
        before = rows;
        close_db(&db);
    }
}

static const struct test_case cases[] = {
    {.name = "money_is_conserved_with_cancels_and_deadlines",
     .run = money_is_conserved_with_cancels_and_deadlines},
    {.name = "money_is_conserved_when_the_process_is_killed",
     .run = money_is_conserved_when_the_process_is_killed,
     .seconds = 60},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "transfer_many",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct many)};
