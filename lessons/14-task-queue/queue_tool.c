/* queue_tool - a queue that a script can use */
#include "14-task-queue/queue_tool.h"

#include "01-blocking/stmt.h"
#include "03-event-loop/conn_wait.h"
#include "13-group-commit/store.h"
#include "14-task-queue/queue_tool_put.h"
#include "14-task-queue/queue_tool_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the arguments say. */
struct wish {
    const char *program;
    const char *verb; /* --put, --work, --list, --who */
    const char *file;
    const char *queue; /* its name */
    const char *payload;
    char **command; /* ends with NULL */
    unsigned lanes;
    bool until_empty;
};

static const char usage[] =
    "usage: %s --put FILE [PAYLOAD]\n"
    "       %s --work FILE [--lanes N] [--until-empty] -- COMMAND ...\n"
    "       %s --list FILE\n"
    "       %s --who FILE\n"
    "\n"
    "  --queue NAME    another queue of the file than \"default\"\n"
    "  --lanes N       so many jobs at a time, 1 to 16: 1\n"
    "  --until-empty   end when every job is done or dead\n";

static bool is_verb(const char *text)
{
    return strcmp(text, "--put") == 0 || strcmp(text, "--work") == 0 ||
           strcmp(text, "--list") == 0 || strcmp(text, "--who") == 0;
}

bool asq_queue_tool_wants(int argc, char **argv)
{
    return argc > 1 && is_verb(argv[1]);
}

static int refuse(const struct wish *wish, const char *what, const char *value)
{
    (void)fprintf(stderr, "%s: %s%s\n", wish->program, what, value);
    return 2;
}

static int parse_lanes(struct wish *wish, const char *text)
{
    char *end = NULL;
    long lanes = strtol(text, &end, 10);

    if (end == text || *end != '\0' || lanes < 1 ||
        lanes > ASQ_QUEUE_TOOL_LANES)
        return refuse(wish, "--lanes is 1 to 16, not ", text);
    wish->lanes = (unsigned)lanes;
    return 0;
}

/* Takes the option at *at, with its value. */
static int parse_option(struct wish *wish, int argc, char **argv, int *at)
{
    const char *name = argv[*at];

    if (strcmp(name, "--until-empty") == 0) {
        wish->until_empty = true;
        return 0;
    }
    if (strcmp(name, "--queue") != 0 && strcmp(name, "--lanes") != 0)
        return refuse(wish, "there is no option ", name);
    if (++*at == argc)
        return refuse(wish, "a value is missing after ", name);
    if (strcmp(name, "--lanes") == 0)
        return parse_lanes(wish, argv[*at]);
    wish->queue = argv[*at];
    return 0;
}

static int check(const struct wish *wish)
{
    bool works = strcmp(wish->verb, "--work") == 0;

    if (wish->file == NULL)
        return refuse(wish, "a file is missing after ", wish->verb);
    if (works && (wish->command == NULL || wish->command[0] == NULL))
        return refuse(wish, "a command is missing: --work FILE -- COMMAND", "");
    if (!works && wish->command != NULL)
        return refuse(wish, "a command belongs to --work, not to ", wish->verb);
    if (wish->payload != NULL && strcmp(wish->verb, "--put") != 0)
        return refuse(wish, "this argument is one too many: ", wish->payload);
    return 0;
}

static int parse(struct wish *wish, int argc, char **argv)
{
    int rc = 0;

    for (int at = 2; at < argc && rc == 0; at++) {
        if (strcmp(argv[at], "--help") == 0) {
            printf(usage, wish->program, wish->program, wish->program,
                   wish->program);
            return -1;
        }
        if (strcmp(argv[at], "--") == 0) {
            wish->command = &argv[at + 1];
            break;
        }
        if (strncmp(argv[at], "--", 2) == 0)
            rc = parse_option(wish, argc, argv, &at);
        else if (wish->file == NULL)
            wish->file = argv[at];
        else if (wish->payload == NULL)
            wish->payload = argv[at];
        else
            rc = refuse(wish, "this argument is one too many: ", argv[at]);
    }
    return rc != 0 ? rc : check(wish);
}

/* Printing what is in the file */

static const char list_sql[] =
    "SELECT id, queue, CASE state WHEN 0 THEN 'ready' WHEN 1 THEN 'delayed'"
    " WHEN 2 THEN 'running' ELSE 'dead' END, attempt || '/' || max_attempts,"
    " coalesce(CASE state WHEN 1 THEN 'until ' ||"
    "  datetime(due_ms / 1000, 'unixepoch') WHEN 2 THEN worker || ' since ' ||"
    "  datetime(started_ms / 1000, 'unixepoch') ELSE error END, '')"
    " FROM asq_jobs WHERE state <> 3 ORDER BY state = 4, id";

static const char who_sql[] =
    "SELECT worker, queue, id, attempt || '/' || max_attempts, since,"
    " seconds || ' s' FROM asq_running";

static int print_rows(const struct wish *wish, const char *sql)
{
    struct asq_profile profile = asq_profile_default(wish->file);
    struct asq_result rows = {0};
    struct asq_db db;
    int rc;

    profile.mode = ASQ_OPEN_READ;
    rc = asq_db_open(&db, &profile);
    if (rc == 0)
        rc = asq_db_run(&db, sql, NULL, &rows);
    if (rc != 0)
        (void)fprintf(stderr, "%s: %s\n", wish->program, asq_db_message(&db));
    for (size_t row = 0; row < rows.rows && rc == 0; row++) {
        for (int column = 0; column < rows.columns; column++) {
            struct asq_value value = asq_result_at(&rows, row, column);

            if (value.type == ASQ_INT64)
                printf("%lld", (long long)value.as.int64);
            else
                printf("%.*s", (int)value.size, value.as.text);
            printf(column + 1 < rows.columns ? "\t" : "\n");
        }
    }
    asq_result_destroy(&rows);
    (void)asq_db_close(&db); /* no statement is open */
    return rc == 0 ? 0 : 1;
}

/* What needs a store: putting and working */

static int
put_or_work(const struct wish *wish, uv_loop_t *loop, struct asq_store *store)
{
    struct asq_queue_work_order work = {.program = wish->program,
                                        .queue = wish->queue,
                                        .command = wish->command,
                                        .lanes = wish->lanes,
                                        .until_empty = wish->until_empty};

    if (strcmp(wish->verb, "--work") == 0)
        return asq__queue_tool_work(loop, &store->conn, &work);
    return asq__queue_tool_put(wish->program, loop, &store->conn, wish->queue,
                               wish->payload);
}

static int open_and_do(const struct wish *wish)
{
    struct asq_profile profile = asq_profile_default(wish->file);
    struct asq_store store;
    uv_loop_t loop;
    int rc = uv_loop_init(&loop);

    if (rc != 0) {
        (void)fprintf(stderr, "%s: no loop: %s\n", wish->program,
                      uv_strerror(rc));
        return 1;
    }
    asq_store_init(&store);
    rc = asq_conn_open_wait(&store.conn, &loop, &profile);
    if (rc != 0)
        (void)fprintf(stderr, "%s: %s\n", wish->program, store.conn.message);
    else
        rc = put_or_work(wish, &loop, &store);
    asq_conn_close_wait(&store.conn);
    (void)uv_loop_close(&loop); /* nothing is left on it */
    return rc == 0 ? 0 : 1;
}

int asq_queue_tool(int argc, char **argv)
{
    struct wish wish = {
        .program = argv[0], .verb = argv[1], .queue = "default", .lanes = 1};
    int rc = parse(&wish, argc, argv);

    if (rc < 0)
        return 0; /* --help */
    if (rc != 0)
        return rc;
    if (strcmp(wish.verb, "--list") == 0)
        return print_rows(&wish, list_sql);
    if (strcmp(wish.verb, "--who") == 0)
        return print_rows(&wish, who_sql);
    return open_and_do(&wish);
}
