/* queue_sql - the tables of the queues, and every statement on them
 *
 * The states are numbers here, as in enum asq_queue_state, because the planner
 * uses a partial index only for a condition that is written as in the index.
 */
#include "14-task-queue/queue_sql.h"

/* States: 0 ready, 1 delayed, 2 running, 3 done, 4 dead. puts above 1: the key
 * was put again.
 *
 * Each state has an index of its own, so a claim costs the same however many
 * jobs are delayed, running or finished. AUTOINCREMENT: an id that was used
 * again would let a late holder change the job of a stranger. A column that
 * the state has no use for keeps its last value. */
#define TABLES                                                                 \
    "CREATE TABLE IF NOT EXISTS asq_jobs ("                                    \
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"                                   \
    " queue TEXT NOT NULL,"                                                    \
    " state INT NOT NULL,"                                                     \
    " priority INT NOT NULL,"                                                  \
    " due_ms INT,"                                                             \
    " key TEXT,"                                                               \
    " payload BLOB,"                                                           \
    " max_attempts INT NOT NULL,"                                              \
    " puts INT NOT NULL DEFAULT 1,"                                            \
    " attempt INT NOT NULL DEFAULT 0,"                                         \
    " lease_ms INT,"                                                           \
    " boot TEXT,"                                                              \
    " worker TEXT,"                                                            \
    " started_ms INT,"                                                         \
    " ended_ms INT,"                                                           \
    " error TEXT) STRICT;"                                                     \
    "CREATE INDEX IF NOT EXISTS asq_jobs_ready"                                \
    " ON asq_jobs (queue, priority DESC, id) WHERE state = 0;"                 \
    "CREATE INDEX IF NOT EXISTS asq_jobs_delayed"                              \
    " ON asq_jobs (queue, due_ms) WHERE state = 1;"                            \
    "CREATE INDEX IF NOT EXISTS asq_jobs_running"                              \
    " ON asq_jobs (queue, boot, lease_ms) WHERE state = 2;"                    \
    "CREATE INDEX IF NOT EXISTS asq_jobs_ended"                                \
    " ON asq_jobs (queue, ended_ms) WHERE state >= 3;"                         \
    "CREATE UNIQUE INDEX IF NOT EXISTS asq_jobs_key"                           \
    " ON asq_jobs (queue, key) WHERE key IS NOT NULL AND state < 3;"           \
    "CREATE TABLE IF NOT EXISTS asq_paused ("                                  \
    " queue TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;"                          \
    "CREATE VIEW IF NOT EXISTS asq_running AS"                                 \
    " SELECT queue, id, attempt, max_attempts, worker,"                        \
    "  datetime(started_ms / 1000, 'unixepoch') AS since,"                     \
    "  CAST(strftime('%s', 'now') AS INTEGER) - started_ms / 1000 AS seconds"  \
    " FROM asq_jobs WHERE state = 2 ORDER BY started_ms;"

const char asq__queue_tables[] = TABLES;

/* The number of unfinished jobs of each queue, kept by triggers: counting them
 * with each put would make a full queue slow. A queue is counted with its first
 * put after the triggers were made. */
const char asq__queue_tables_bound[] = TABLES
    "CREATE TABLE IF NOT EXISTS asq_unfinished ("
    " queue TEXT PRIMARY KEY, jobs INT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER IF NOT EXISTS asq_jobs_put AFTER INSERT ON asq_jobs"
    " WHEN NEW.state < 3 BEGIN"
    " INSERT INTO asq_unfinished SELECT NEW.queue, (SELECT count(*) - 1"
    "  FROM asq_jobs WHERE queue = NEW.queue AND state < 3)"
    "  WHERE NOT EXISTS (SELECT 1 FROM asq_unfinished"
    "   WHERE queue = NEW.queue);"
    " UPDATE asq_unfinished SET jobs = jobs + 1 WHERE queue = NEW.queue; END;"
    "CREATE TRIGGER IF NOT EXISTS asq_jobs_end AFTER UPDATE OF state"
    " ON asq_jobs WHEN (OLD.state < 3) <> (NEW.state < 3) BEGIN"
    " UPDATE asq_unfinished SET jobs = jobs + (NEW.state < 3)"
    "  - (OLD.state < 3) WHERE queue = NEW.queue; END;"
    "CREATE TRIGGER IF NOT EXISTS asq_jobs_gone AFTER DELETE ON asq_jobs"
    " WHEN OLD.state < 3 BEGIN"
    " UPDATE asq_unfinished SET jobs = jobs - 1 WHERE queue = OLD.queue; END;";

#define COLUMNS                                                                \
    "INSERT INTO asq_jobs"                                                     \
    " (queue, state, priority, due_ms, key, payload, max_attempts)"

#define SAME_KEY                                                               \
    " ON CONFLICT (queue, key) WHERE key IS NOT NULL AND state < 3"            \
    " DO UPDATE SET puts = puts + 1 RETURNING id, puts"

const char asq__queue_put_plain[] =
    COLUMNS " VALUES (?1, 0, ?2, NULL, NULL, ?3, ?4)";

const char asq__queue_put_key[] =
    COLUMNS " VALUES (?1, ?5, ?2, ?6, ?7, ?3, ?4)" SAME_KEY;

/* Before the first put with a bound, nothing is counted. */
const char asq__queue_put_bound[] = COLUMNS
    " SELECT ?1, ?5, ?2, ?6, ?7, ?3, ?4"
    " WHERE coalesce((SELECT jobs FROM asq_unfinished WHERE queue = ?1), 0)"
    "  < ?8"
    " OR EXISTS (SELECT 1 FROM asq_jobs WHERE queue = ?1 AND key = ?7"
    "  AND key IS NOT NULL AND state < 3)" SAME_KEY;

#define NOT_PAUSED " NOT EXISTS (SELECT 1 FROM asq_paused WHERE queue = ?1)"

#define CLAIM                                                                  \
    "UPDATE asq_jobs SET state = 2, attempt = attempt + 1, lease_ms = ?3,"     \
    " boot = ?4, worker = ?5, started_ms = ?6 WHERE id IN ("

#define CLAIMED ") RETURNING id, attempt, max_attempts, priority, payload"

const char asq__queue_claim[] = CLAIM
    "SELECT id FROM asq_jobs WHERE queue = ?1 AND state = 0 AND" NOT_PAUSED
    " ORDER BY priority DESC, id LIMIT ?2" CLAIMED;

/* The first job of each priority is its oldest. */
const char asq__queue_claim_oldest[] =
    CLAIM "WITH RECURSIVE level (p) AS ("
          " SELECT max(priority) FROM asq_jobs WHERE queue = ?1 AND state = 0"
          " UNION ALL"
          " SELECT (SELECT max(priority) FROM asq_jobs"
          "  WHERE queue = ?1 AND state = 0 AND priority < p)"
          " FROM level WHERE p IS NOT NULL)"
          " SELECT min((SELECT min(id) FROM asq_jobs"
          "  WHERE queue = ?1 AND state = 0 AND priority = p))"
          " FROM level WHERE ?2 > 0 AND" NOT_PAUSED CLAIMED;

#define PIECE "500"

const char asq__queue_promote[] =
    "UPDATE asq_jobs SET state = 0 WHERE id IN ("
    " SELECT id FROM asq_jobs WHERE queue = ?1 AND state = 1 AND due_ms <= ?2"
    " ORDER BY due_ms LIMIT " PIECE ")";

#define RUNNING "SELECT id FROM asq_jobs WHERE queue = ?1 AND state = 2 AND "

/* One range of the index for each condition: for an OR the planner would read
 * all that are running. */
const char asq__queue_rescue[] =
    "UPDATE asq_jobs SET"
    " state = CASE WHEN attempt < max_attempts THEN 0 ELSE 4 END,"
    " ended_ms = ?4, error = 'its lease was over' WHERE id IN (" RUNNING
    "boot < ?2 UNION ALL " RUNNING "boot > ?2 UNION ALL " RUNNING
    "boot = ?2 AND lease_ms <= ?3 LIMIT " PIECE ")";

const char asq__queue_next[] =
    "SELECT EXISTS (SELECT 1 FROM asq_jobs WHERE queue = ?1 AND state = 0 "
    "AND" NOT_PAUSED "),"
    " (SELECT min(due_ms) FROM asq_jobs WHERE queue = ?1 AND state = 1),"
    " CASE WHEN EXISTS (" RUNNING "boot < ?2)"
    " OR EXISTS (" RUNNING "boot > ?2) THEN 0 ELSE"
    " (SELECT lease_ms FROM asq_jobs WHERE queue = ?1 AND state = 2"
    "  AND boot = ?2 AND worker <> ?3 ORDER BY lease_ms LIMIT 1) END";

const char asq__queue_beat[] =
    "UPDATE asq_jobs SET lease_ms = ?4"
    " WHERE queue = ?1 AND state = 2 AND boot = ?2 AND worker = ?3"
    " RETURNING id, attempt";

#define OURS " WHERE id = ?1 AND attempt = ?2 AND state = 2"

const char asq__queue_done[] =
    "UPDATE asq_jobs SET state = 3, ended_ms = ?3, error = NULL" OURS;

const char asq__queue_retry[] =
    "UPDATE asq_jobs SET state = CASE WHEN attempt >= max_attempts THEN 4"
    " WHEN ?5 IS NULL THEN 0 ELSE 1 END,"
    " ended_ms = ?3, error = ?4, due_ms = ?5" OURS " RETURNING state";

const char asq__queue_dead[] =
    "UPDATE asq_jobs SET state = 4, ended_ms = ?3, error = ?4" OURS;

/* Taking the attempt back would make the same token come again. */
#define GIVE_BACK                                                              \
    "UPDATE asq_jobs SET state = 0, max_attempts = max_attempts + 1"

const char asq__queue_give_back[] = GIVE_BACK OURS;

const char asq__queue_give_back_all[] =
    GIVE_BACK " WHERE queue = ?1 AND state = 2 AND boot = ?2 AND worker = ?3";

const char asq__queue_prune[] =
    "DELETE FROM asq_jobs WHERE id IN ("
    " SELECT id FROM asq_jobs WHERE queue = ?1 AND state >= 3"
    " AND ended_ms <= ?2 ORDER BY ended_ms LIMIT " PIECE ")";

const char asq__queue_pause[] =
    "INSERT INTO asq_paused VALUES (?1) ON CONFLICT DO NOTHING";

const char asq__queue_resume[] = "DELETE FROM asq_paused WHERE queue = ?1";

const char asq__queue_count[] =
    "SELECT count(*) FILTER (WHERE state = 0) AS ready,"
    " count(*) FILTER (WHERE state = 1) AS delayed,"
    " count(*) FILTER (WHERE state = 2) AS running,"
    " count(*) FILTER (WHERE state = 3) AS done,"
    " count(*) FILTER (WHERE state = 4) AS dead"
    " FROM asq_jobs WHERE queue = ?1";
