/* case_killed - what happens to a job whose worker is killed in the middle?
 *
 * A child claims a job, sends the mail, and is killed before it can say so. The
 * job is not lost: when the lease is over another worker gets it. But the mail
 * must not be sent twice. So each mail that is sent is noted in a table, under
 * the id of its job, in one transaction with the mail itself: here a mail is a
 * row. The clock of the parent is a minute ahead, so nobody waits.
 *
 * Run:      build/14-task-queue-case_killed
 * Expect:   two attempts, one mail
 */
#include "03-event-loop/conn_wait.h"
#include "09-lifetimes/tempdb.h"
#include "14-task-queue/queue_wait.h"
#include "common/elsewhere.h"
#include "common/paths.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The effect of a job, which must come once. */
static const char mail_sql[] =
    "INSERT INTO mails (job, attempt) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

struct worker {
    struct asq_conn conn;
    struct asq_queue queue;
    struct asq_queue_job job; /* its only lane */
    struct asq_request mail;
    struct asq_value values[2];
    bool is_child;
    int ended; /* jobs */
};

/* In this order, on the loop. */
static void take_job(struct asq_queue_job *job);
static void note_mail(struct asq_request *mail, int status);
static void note_end(struct asq_queue_job *job, int status);

static void take_job(struct asq_queue_job *job)
{
    struct asq_params params;
    struct worker *worker = job->data;

    (void)printf("%s: job %" PRId64 ", attempt %" PRId64 " of %" PRId64 "\n",
                 worker->is_child ? "the child" : "another", job->id,
                 job->attempt, job->max_attempts); /* (2) */
    worker->values[0] = asq_int64(job->id);
    worker->values[1] = asq_int64(job->attempt);
    params = (struct asq_params){.values = worker->values, .count = 2};
    if (asq_conn_run(&worker->conn, &worker->mail, mail_sql, &params,
                     note_mail) != 0)
        (void)asq_job_retry(job, 0, "no mail could be sent", note_end);
}

static void note_mail(struct asq_request *mail, int status)
{
    struct worker *worker = mail->data;

    if (status != 0) {
        (void)asq_job_retry(&worker->job, 0, "no mail was sent", note_end);
        return;
    }
    (void)printf("  %s\n", mail->result.changes > 0
                               ? "a mail is sent"
                               : "the mail was sent already"); /* (5) */
    (void)fflush(stdout);
    if (worker->is_child)
        (void)kill(getpid(), SIGKILL); /* (3) it does not return */
    (void)asq_job_done(&worker->job, note_end);
}

static void note_end(struct asq_queue_job *job, int status)
{
    struct worker *worker = job->data;

    (void)printf("  status %d, %s\n", status,
                 job->became == ASQ_QUEUE_DONE ? "done" : "not done");
    worker->ended++;
}

/* A minute ahead: the lease of the child is over. */
static uint64_t later_ms(void)
{
    return uv_hrtime() / 1000000 + 60000;
}

static void note_put(struct asq_put *put, int status)
{
    (void)printf("put: job %" PRId64 ", status %d\n", put->id, status);
}

/* The child puts a job and claims it; the parent comes later. Returns 0 if a
 * job was ended. */
static int work(const struct asq_profile *profile, bool is_child)
{
    static struct worker worker; /* one for each process */
    struct asq_put put;
    uv_loop_t loop;

    if (uv_loop_init(&loop) != 0)
        return 1;
    worker.is_child = is_child;
    worker.job.data = worker.mail.data = &worker;
    asq_conn_init(&worker.conn);
    asq_queue_init(&worker.queue);
    if (!is_child)
        worker.queue.now_ms = later_ms; /* (4) */
    asq_put_init(&put);
    if (asq_conn_open_wait(&worker.conn, &loop, profile) != 0 ||
        asq_queue_open_wait(&worker.queue, &loop, &worker.conn, "mails") != 0)
        return 1;
    if (is_child && asq_queue_put(&worker.queue, &put, note_put) != 0) /* (1) */
        return 1;
    if (asq_queue_work(&worker.queue, &worker.job, 1, take_job) != 0)
        return 1;
    (void)uv_run(&loop, UV_RUN_DEFAULT); /* until it is ended */
    asq_queue_close_wait(&worker.queue);
    asq_conn_close_wait(&worker.conn);
    asq_request_destroy(&worker.mail);
    asq_put_destroy(&put);
    (void)uv_loop_close(&loop); /* nothing is left on it */
    return worker.ended == 0;
}

/* Asks the file through a connection of its own. */
static int64_t ask(const char *path, const char *sql)
{
    char message[ASQ_MESSAGE_SIZE];
    int64_t number = -1;

    if (asq_ask_elsewhere(path, sql, &number, message, sizeof message) != 0)
        (void)fprintf(stderr, "%s\n", message);
    return number;
}

int main(void)
{
    struct asq_tempdb tempdb;
    struct asq_profile profile;
    int status = 1;
    pid_t child;

    if (asq_tempdb_open(&tempdb, ASQ_TEMPDB_FILE, asq_build_dir()) != 0) {
        (void)fprintf(stderr, "%s\n", tempdb.message);
        return 1;
    }
    profile = asq_tempdb_profile(&tempdb);
    (void)ask(tempdb.path, "CREATE TABLE mails (job INTEGER PRIMARY KEY,"
                           " attempt INT NOT NULL) STRICT");
    child = fork(); /* no thread has been started yet */
    if (child == 0)
        _exit(work(&profile, true));
    if (child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status))
        (void)printf("  killed; jobs that run: %" PRId64 "\n",
                     ask(tempdb.path, "SELECT count(*) FROM asq_running"));
    status = work(&profile, false);
    (void)printf("mails: %" PRId64 ", attempts: %" PRId64 "\n",
                 ask(tempdb.path, "SELECT count(*) FROM mails"),
                 ask(tempdb.path, "SELECT attempt FROM asq_jobs"));
    if (asq_tempdb_close(&tempdb) != 0)
        (void)fprintf(stderr, "%s\n", tempdb.message); /* it stays */
    return status;
}
