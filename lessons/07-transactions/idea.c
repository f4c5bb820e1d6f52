/* idea - a user and its profile: both are there, or neither
 *
 * Three users come at once, each is a block of two steps on one connection.
 * The profile needs the id that the first step has made. One client leaves
 * before it is asked for, and one profile is refused by the table.
 *
 * Run:      build/07-transactions-idea
 * Expect:   one user with a profile; of the others nothing is left
 * See also: deferred_upgrade.c, returning_unfinished.c; and the module with a
 *           few lines gone: two_begins_one_connection.c,
 *           rollback_unless_cancelled.c
 */
#include "04-measure-first/db_copy.h"
#include "07-transactions/tx.h"
#include "common/elsewhere.h"
#include "common/paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    USERS = 3,
    PATH_SIZE = 512
};

struct app {
    char path[PATH_SIZE];
    struct asq_conn conn;
};

struct user {
    struct app *app;
    struct asq_tx tx;
    struct asq_tx_step step; /* one after the other */
    const char *email, *bio;
    bool leaves;
    struct asq_value values[2];
};

/* Asks the file as others do. */
static int64_t ask_file(const struct app *app, const char *sql)
{
    char message[ASQ_MESSAGE_SIZE];
    int64_t number = 0;

    if (asq_ask_elsewhere(app->path, sql, &number, message, sizeof message))
        (void)fprintf(stderr, "%s\n", message);
    return number;
}

static int add_profile(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct user *user = tx->data;
    struct asq_params params = {.values = user->values, .count = 2};

    if (status != 0)
        return status; /* (3) undone, and so it is in the next line */
    if (user->leaves)
        return UV_ECANCELED;
    user->values[0] = asq_result_at(&step->request.result, 0, 0);
    user->values[1] = asq_text(user->bio);
    return asq_tx_run(tx, step, "INSERT INTO profiles VALUES (?1, ?2)", &params,
                      NULL); /* (4) the next step; nothing comes after it */
}

static int add_user(struct user *user)
{
    struct asq_params params = {.values = user->values, .count = 1};

    user->values[0] = asq_text(user->email);
    return asq_tx_run(&user->tx, &user->step, /* (1) opens the block */
                      "INSERT INTO users (email) VALUES (?1) RETURNING id",
                      &params, add_profile); /* (2) the id */
}

/* (5) Committed or rolled back; nobody had to ask for it. */
static void print_end(struct asq_tx *tx, int status)
{
    const struct user *user = tx->data;

    (void)printf("%s: status %d, %s\n", user->email, status,
                 status == 0 ? "committed" : tx->message);
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

static int run_users(struct app *app, struct user *users)
{
    struct asq_profile profile = asq_profile_default(app->path);
    int rc;

    asq_conn_init(&app->conn);
    for (int i = 0; i < USERS; i++) {
        users[i].app = app;
        asq_tx_init(&users[i].tx, &app->conn);
        users[i].tx.data = &users[i];
        users[i].tx.on_end = print_end;
        asq_tx_step_init(&users[i].step);
    }
    rc = asq_conn_open(&app->conn, uv_default_loop(), &profile, note_opened);
    if (rc != 0)
        return rc;
    for (int i = 0; i < USERS && rc == 0; i++)
        rc = add_user(&users[i]);
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until all is answered */
    asq_conn_close(&app->conn, note_closed);
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until it is closed */
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
    struct app app;
    int rc;

    (void)snprintf(app.path, sizeof app.path, "%s/tmp/tx-idea-%ld.db",
                   asq_build_dir(), (long)getpid());
    rc = asq_make_parents(app.path);
    (void)ask_file(&app,
                   "CREATE TABLE users (id INTEGER PRIMARY KEY,"
                   " email TEXT NOT NULL UNIQUE) STRICT;"
                   "CREATE TABLE profiles (user_id INTEGER PRIMARY KEY"
                   " REFERENCES users, bio TEXT CHECK (bio <> '')) STRICT");
    if (rc == 0)
        rc = run_users(&app, users);
    (void)printf("in the file: %" PRId64 " users, %" PRId64 " profiles\n",
                 ask_file(&app, "SELECT count(*) FROM users"),
                 ask_file(&app, "SELECT count(*) FROM profiles"));
    (void)asq_db_remove(app.path);          /* what cannot be removed stays */
    (void)uv_loop_close(uv_default_loop()); /* nothing is left on it */
    return rc == 0 ? 0 : 1;
}
