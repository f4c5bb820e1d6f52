/* case_killed - what does a program leave behind when it is killed?
 *
 * The trouble: nobody closed anything, and a file is left beside the database.
 * A child writes rows and acknowledges each one after its commit; then it is
 * killed. The cure is to open the database again, and nothing else: the file
 * beside it is not rubbish, it contains the last commits.
 *
 * Run:      build/09-lifetimes-case_killed
 * Expect:   a WAL is left, and no acknowledged row is lost
 */
#include "01-blocking/stmt.h"
#include "09-lifetimes/tempdb.h"
#include "common/elsewhere.h"
#include "common/paths.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ACKNOWLEDGED = 200,
    FRAME = 4096 + 24 /* a page and its head in the WAL */
};

/* The child: writes until it is killed, or the parent has gone. */
static void write_rows(const struct asq_profile *profile, int pipe_end)
{
    struct asq_db db;
    int rc = asq_db_open(&db, profile);

    if (rc == 0)
        rc = asq_db_run(&db, "CREATE TABLE t (id INTEGER PRIMARY KEY)", NULL,
                        NULL);
    while (rc == 0) {
        rc = asq_db_run(&db, "INSERT INTO t VALUES (NULL)", NULL, NULL);
        if (rc == 0 && write(pipe_end, "", 1) != 1) /* (1) committed first */
            break;
    }
    (void)fprintf(stderr, "the child: %s\n", asq_db_message(&db));
}

/* The parent: returns how many rows were acknowledged before the kill. */
static int kill_in_the_middle(pid_t child, int pipe_end)
{
    int count = 0;
    char byte;

    while (count < ACKNOWLEDGED && read(pipe_end, &byte, 1) == 1)
        count++;
    (void)kill(child, SIGKILL); /* (2) it fails only if the child has ended */
    while (read(pipe_end, &byte, 1) == 1)
        count++;                   /* acknowledged before the kill */
    (void)waitpid(child, NULL, 0); /* it is our own */
    return count;
}

/* (3) Opens the file as any program would, and counts. */
static int64_t count_rows(const char *path)
{
    char message[ASQ_MESSAGE_SIZE];
    int64_t rows = -1;

    if (asq_ask_elsewhere(path, "SELECT count(*) FROM t", &rows, message,
                          sizeof message) != 0)
        (void)fprintf(stderr, "%s\n", message);
    return rows;
}

static int64_t count_frames(const struct asq_tempdb *tempdb)
{
    char wal[ASQ_TEMPDB_PATH + 8];
    struct stat file;

    (void)snprintf(wal, sizeof wal, "%s-wal", tempdb->path); /* it fits */
    return stat(wal, &file) == 0 ? (int64_t)file.st_size / FRAME : 0;
}

int main(void)
{
    struct asq_tempdb tempdb;
    struct asq_profile profile;
    int ends[2], count;
    int64_t rows;
    pid_t child;

    if (asq_tempdb_open(&tempdb, ASQ_TEMPDB_FILE, asq_build_dir()) != 0) {
        (void)fprintf(stderr, "%s\n", tempdb.message);
        return 1;
    }
    profile = asq_tempdb_profile(&tempdb);
    child = pipe(ends) == 0 ? fork() : -1; /* no thread has been started yet */
    if (child == 0) {
        (void)close(ends[0]);
        write_rows(&profile, ends[1]);
        _exit(1);
    }
    if (child < 0) {
        (void)fprintf(stderr, "no process or pipe is left\n");
        return 1;
    }
    (void)close(ends[1]); /* so that read sees the end of the child */
    count = kill_in_the_middle(child, ends[0]);
    (void)close(ends[0]);
    (void)printf("killed after %d acknowledged rows\n", count);
    (void)printf("left behind: a WAL of %" PRId64 " frames\n",
                 count_frames(&tempdb));
    rows = count_rows(profile.path);
    (void)printf("opened again: %" PRId64 " rows; of those acknowledged, %s\n",
                 rows, rows >= count ? "none is lost" : "some are lost");
    (void)printf("closed in order: a WAL of %" PRId64 " frames\n",
                 count_frames(&tempdb));
    if (asq_tempdb_close(&tempdb) != 0)
        (void)fprintf(stderr, "%s\n", tempdb.message); /* it stays */
    return count < ACKNOWLEDGED || rows < count;
}
