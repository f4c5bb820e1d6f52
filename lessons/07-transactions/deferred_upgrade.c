/* deferred_upgrade - wrong: a block that will write begins by reading only
 *
 * A DEFERRED transaction reads one snapshot. When another connection commits
 * meanwhile, the snapshot is old, and nothing can be written on top of it: the
 * write fails at once, with SQLITE_BUSY_SNAPSHOT. There is nothing to wait for,
 * so a timeout of 5 seconds, or of 5 hours, does not help.
 *
 * What it costs: an error that comes only with others around. IMMEDIATE, the
 * default, avoids it; or the whole block is done again.
 *
 * Copy of: idea.c
 * Proof: prints a@example.org: status 517, database is locked
 */
#include "03-event-loop/conn_wait.h"
#include "04-measure-first/db_copy.h"
#include "07-transactions/tx.h"
#include "common/elsewhere.h"
#include "common/paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    USERS = 3
};

struct user {
    const char *path; /* of the file */
    struct asq_tx tx;
    struct asq_tx_step step; /* used for one step after the other */
    const char *email, *bio;
    bool leaves;
    struct asq_value values[2];
};

/* Asks the file through a connection of its own. */
static int64_t ask_file(const char *path, const char *sql)
{
    char message[ASQ_MESSAGE_SIZE];
    int64_t number = 0;

    if (asq_ask_elsewhere(path, sql, &number, message, sizeof message))
        (void)fprintf(stderr, "%s\n", message);
    return number;
}

static int add_profile(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct user *user = tx->data;
    struct asq_params params = {.values = user->values, .count = 2};

    if (status != 0)
        return status; /* (3) all is undone, and by the next line as well */
    if (user->leaves)
        return UV_ECANCELED;
    user->values[0] = asq_result_at(&step->request.result, 0, 0);
    user->values[1] = asq_text(user->bio);
    return asq_tx_run(tx, step, "INSERT INTO profiles VALUES (?1, ?2)", &params,
                      NULL); /* (4) the next step; no other follows it */
}

static int add_user(struct user *user)
{
    struct asq_params params = {.values = user->values, .count = 1};

    user->values[0] = asq_text(user->email);
    return asq_tx_run(&user->tx, &user->step, /* (1) opens the block */
                      "INSERT INTO users (email) VALUES (?1) RETURNING id",
                      &params, add_profile); /* (2) the id */
}

static int write_user(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct user *user = tx->data;

    (void)step;      /* none of its rows is needed */
    if (status == 0) /* meanwhile another connection commits */
        (void)ask_file(user->path, "INSERT INTO users (email) VALUES "
                                   "(random())");
    return status != 0 ? status : add_user(user);
}

static int look_first(struct user *user)
{
    user->tx.mode = ASQ_TX_DEFERRED;
    return asq_tx_run(&user->tx, &user->step, "SELECT count(*) FROM users",
                      NULL, write_user);
}

/* (5) It is committed or rolled back; the program did not have to ask. */
static void print_end(struct asq_tx *tx, int status)
{
    const struct user *user = tx->data;

    (void)printf("%s: status %d, %s\n", user->email, status,
                 status == 0 ? "committed" : tx->message);
}

/* Signs up all users at once. Returns 0 or why that cannot be. */
static int run_users(const char *path, struct user *users)
{
    struct asq_profile profile = asq_profile_default(path);
    struct asq_conn conn;
    int rc;

    asq_conn_init(&conn);
    for (int i = 0; i < USERS; i++) {
        asq_tx_init(&users[i].tx, &conn);
        users[i].tx.data = &users[i];
        users[i].tx.on_end = print_end;
        asq_tx_step_init(&users[i].step);
        users[i].path = path;
    }
    rc = asq_conn_open_wait(&conn, uv_default_loop(), &profile);
    for (int i = 0; i < USERS && rc == 0; i++)
        rc = look_first(&users[i]);
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until all is answered */
    asq_conn_close_wait(&conn);
    for (int i = 0; i < USERS; i++) {
        asq_tx_step_destroy(&users[i].step);
        asq_tx_destroy(&users[i].tx);
    }
    return rc;
}

int main(void)
{
    struct user users[USERS] = {
        {.email = "a@example.org", .bio = "collects lamps"},
        {.email = "b@example.org", .bio = "in a hurry", .leaves = true},
        {.email = "c@example.org", .bio = ""},
    };
    char path[512];
    int rc;

    (void)snprintf(path, sizeof path, "%s/tmp/tx-idea-%ld.db", asq_build_dir(),
                   (long)getpid());
    rc = asq_make_parents(path);
    (void)ask_file(path,
                   "CREATE TABLE users (id INTEGER PRIMARY KEY,"
                   " email TEXT NOT NULL UNIQUE) STRICT;"
                   "CREATE TABLE profiles (user_id INTEGER PRIMARY KEY"
                   " REFERENCES users, bio TEXT CHECK (bio <> '')) STRICT");
    if (rc == 0)
        rc = run_users(path, users);
    (void)printf("users in the file: %" PRId64 ", profiles: %" PRId64 "\n",
                 ask_file(path, "SELECT count(*) FROM users"),
                 ask_file(path, "SELECT count(*) FROM profiles"));
    (void)asq_db_remove(path);              /* what cannot be removed stays */
    (void)uv_loop_close(uv_default_loop()); /* nothing is left on it */
    return rc == 0 ? 0 : 1;
}
