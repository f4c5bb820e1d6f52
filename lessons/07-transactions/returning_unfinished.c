/* returning_unfinished - wrong: the statement is left where it gave the id
 *
 * An INSERT with RETURNING has written its row when it returns it, but it is
 * not finished: it must be stepped to its end, or reset. Until then COMMIT is
 * refused with SQLITE_BUSY.
 *
 * What it costs: the id was right and the profile went in, yet nothing of it is
 * in the file. A program that takes the error for a lock and tries COMMIT again
 * waits for a lock that nobody holds.
 *
 * Copy of: idea.c
 * Proof: prints a@example.org: status 5, cannot commit transaction
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
    user->values[1] = asq_text(user->bio);
    return asq_tx_run(tx, step, "INSERT INTO profiles VALUES (?1, ?2)", &params,
                      NULL); /* (4) the next step; no other follows it */
}

static int insert_user(struct asq_db *db, struct asq_request *request)
{
    struct user *user = request->data;
    struct asq_params params = {.values = user->values, .count = 1};
    const char *sql = "INSERT INTO users (email) VALUES (?1) RETURNING id";
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &stmt);

    if (rc == 0)
        rc = asq_stmt_bind(stmt, &params);
    if (rc == 0)
        rc = asq_stmt_step(stmt);
    if (rc == SQLITE_ROW)
        user->values[0] = asq_stmt_value(stmt, 0); /* the id is there: enough */
    return rc == SQLITE_ROW ? 0 : rc;
}

static int add_user(struct user *user)
{
    user->values[0] = asq_text(user->email);
    user->step.request.data = user;
    return asq_tx_call(&user->tx, &user->step, insert_user, add_profile);
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
    }
    rc = asq_conn_open_wait(&conn, uv_default_loop(), &profile);
    for (int i = 0; i < USERS && rc == 0; i++)
        rc = add_user(&users[i]);
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
