/* killed - a process that orders, relays and receives, and is killed at a step
 *
 * The process is a child, made by fork, that opens connections of its own;
 * while it runs, the test has none open. What it was about to do comes through
 * a pipe.
 */
#ifndef KILLED_H
#define KILLED_H

#include "relaying.h"

#include <errno.h>
#include <sys/wait.h>

enum {
    ORDERS = 4,
    RELAYS_MAX = 60
};

/* An order, and the message about it. The third one is rolled back. */
static inline int take_orders(struct fixture *f)
{
    static const char *const recipients[ORDERS] = {"Ann", "Ben", "Cem", "Ann"};

    for (int i = 0; i < ORDERS; i++) {
        char goods[32];
        struct ex_message message = {.recipient = recipients[i],
                                     .payload = goods};
        int64_t id;

        message.size = (size_t)snprintf(goods, sizeof goods, "order %d", i + 1);
        if (sqlite3_exec(f->shop, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
            ex_run(f->shop,
                   "INSERT INTO orders (recipient, goods)"
                   " VALUES (:recipient, :payload)",
                   &message, NULL) != 0 ||
            ex_outbox_put(f->shop, &message, &id) != 0 ||
            sqlite3_exec(f->shop, i == 2 ? "ROLLBACK" : "COMMIT", NULL, NULL,
                         NULL) != SQLITE_OK)
            return 1;
    }
    return 0;
}

static inline int deliver_to_warehouse(struct ex_relay *relay,
                                       const struct ex_message *message)
{
    struct fixture *f = relay->data;
    int rc;

    if (is_fault(f, KILLED))
        (void)fails_here(f, "before a delivery", NULL, NULL);
    rc = ex_receive(f->warehouse, message);
    if (is_fault(f, KILLED))
        (void)fails_here(f, "after a delivery", NULL, NULL);
    return rc;
}

/* Whatever comes to Ben kills the process. */
static inline int kill_at_ben(struct ex_relay *relay,
                              const struct ex_message *message)
{
    (void)relay;
    if (strcmp(message->recipient, "Ben") == 0)
        (void)raise(SIGKILL);
    return 0;
}

/* Delivers what is there, until all are sent or dead. Time goes on. */
static inline int relay_in_time(struct fixture *f)
{
    for (int i = 0; i < RELAYS_MAX; i++) {
        int rc = ex_relay_next(&f->relay);

        if (rc == 0)
            continue;
        if (rc != UV_ENOENT)
            return rc;
        if (raw_ask(f->others, "SELECT count(*) FROM outbox WHERE state = 0") ==
            0)
            return 0;
        f->relay.now_ms += LEASE + PAUSE;
    }
    return -1;
}

/* In the child. */
static inline int order_and_relay(struct fixture *f)
{
    int rc = take_orders(f);

    return rc != 0 ? rc : relay_in_time(f);
}

/* Runs in a child, with connections of its own, until it is killed at the nth
 * step from its start. Returns whether it was; f->what then says where. */
static inline bool
run_killed(struct fixture *f, int nth, int (*run)(struct fixture *f))
{
    static const struct fault kill = {.what = "the process is killed",
                                      .kind = KILLED};
    int ends[2], status = 0;
    ssize_t size;
    pid_t pid;

    CHECK_INT(pipe(ends), 0);
    f->fault = &kill;
    f->countdown = nth;
    f->told = ends[1];
    f->what[0] = '\0';
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        open_all(f);
        (void)run(f); /* the test looks at the tables */
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0)
        CHECK_INT(errno, EINTR);
    (void)close(ends[1]); /* it was not written to here */
    size = read(ends[0], f->what, sizeof f->what - 1);
    f->what[size > 0 ? size : 0] = '\0';
    (void)close(ends[0]); /* it is empty now */
    f->fault = NULL;
    f->countdown = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return false;
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        FAIL("the code ended the process itself, with status %d", status);
    return true;
}

/* Each order has one parcel, and no parcel is without an order. */
static inline void expect_parcels(struct fixture *f, const char *when)
{
    char orders[TEXT_SIZE], parcels[TEXT_SIZE], want[2 * TEXT_SIZE];

    read_text(f->others,
              "SELECT ifnull(group_concat(recipient || ' ' ||"
              " CAST(goods AS TEXT), ', '), 'no parcel')"
              " FROM (SELECT * FROM orders ORDER BY recipient, number)",
              orders);
    read_text(f->outside,
              "SELECT ifnull(group_concat(recipient || ' ' ||"
              " CAST(payload AS TEXT), ', '), 'no parcel')"
              " FROM (SELECT * FROM parcels ORDER BY recipient, number)",
              parcels);
    (void)snprintf(want, sizeof want, "%s: a parcel for each order: %s", when,
                   orders);
    if (strcmp(orders, parcels) != 0)
        test_wrong(want, "%s", parcels);
}

#endif
