/* rival - a writer that commits all the time, beside those who read */
#include "rival.h"

#include <stdio.h>

static int commit(struct rival *rival)
{
    (void)sqlite3_step(rival->stmt); /* its error is reset's */
    return sqlite3_reset(rival->stmt);
}

static void commit_until_enough(void *data)
{
    struct rival *rival = data;

    rival->rc = commit(rival);
    uv_sem_post(&rival->committed); /* or it has failed */
    while (rival->rc == SQLITE_OK && !atomic_load(&rival->enough))
        rival->rc = commit(rival);
}

static void release(struct rival *rival)
{
    (void)sqlite3_finalize(rival->stmt); /* it was reset */
    (void)sqlite3_close(rival->db);      /* no statement is open */
}

static int
fail(struct rival *rival, const char *what, char message[BENCH_MESSAGE_MAX])
{
    (void)snprintf(message, BENCH_MESSAGE_MAX, "the writer beside it: %s",
                   what);
    release(rival);
    return -1;
}

int rival_start(struct rival *rival,
                const char *path,
                char message[static BENCH_MESSAGE_MAX])
{
    int rc;

    *rival = (struct rival){.rc = SQLITE_OK};
    rc = sqlite3_open(path, &rival->db);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(rival->db, "PRAGMA synchronous = NORMAL", NULL, NULL,
                          NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(rival->db,
                                "UPDATE items SET data = data WHERE id = 1", -1,
                                &rival->stmt, NULL);
    if (rc != SQLITE_OK)
        return fail(rival, sqlite3_errmsg(rival->db), message);
    rc = uv_sem_init(&rival->committed, 0);
    if (rc != 0)
        return fail(rival, uv_strerror(rc), message);
    rc = uv_thread_create(&rival->thread, commit_until_enough, rival);
    if (rc == 0)
        uv_sem_wait(&rival->committed);
    uv_sem_destroy(&rival->committed); /* nobody uses it any more */
    return rc == 0 ? 0 : fail(rival, uv_strerror(rc), message);
}

int rival_stop(struct rival *rival, char message[static BENCH_MESSAGE_MAX])
{
    atomic_store(&rival->enough, true);
    (void)uv_thread_join(&rival->thread); /* it has ended */
    if (rival->rc != SQLITE_OK)
        return fail(rival, sqlite3_errstr(rival->rc), message);
    release(rival);
    return 0;
}
