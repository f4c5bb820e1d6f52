/* pool_report - what a pool is doing, in figures and in one line
 *
 * Owns nothing. Loop thread. Depends on pool_line for the pool's clock.
 */
#include "10-pooling/pool_report.h"

#include "10-pooling/pool_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct asq_pool_stats asq_pool_statistics(const struct asq_pool *pool)
{
    struct asq_pool_stats stats = pool->stats;

    stats.opening = pool->opening_count;
    stats.waiting = pool->waiting_count + pool->run_count;
    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next) {
        stats.open += member->state != ASQ_MEMBER_OPENING &&
                      member->state != ASQ_MEMBER_CLOSING;
        stats.idle +=
            member->state == ASQ_MEMBER_SHARED && member->conn.pending == 0;
        stats.lent += member->state == ASQ_MEMBER_LENT;
        if (member->state == ASQ_MEMBER_SHARED)
            stats.pending += member->conn.pending;
    }
    return stats;
}

struct text {
    char *at;
    size_t left;
};

static void say(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct text *text, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if ((size_t)length >= text->left)
        length = text->left == 0 ? 0 : (int)text->left - 1;
    text->at += length;
    text->left -= (size_t)length;
}

static double seconds_since(const struct asq_pool *pool, uint64_t since_ns)
{
    return (double)(asq__pool_now(pool) - since_ns) / 1e9;
}

/* Runs have a clock of their own. */
static double seconds_of_run(const struct asq_pool *pool)
{
    const struct asq_request *oldest;

    if (pool->runs.first == NULL)
        return 0;
    oldest = ASQ_CONTAINER_OF(pool->runs.first, struct asq_request, work);
    return (double)(uv_hrtime() - oldest->submitted_ns) / 1e9;
}

static double longest_wait(const struct asq_pool *pool)
{
    double of_loan = 0, of_run = seconds_of_run(pool);

    if (pool->waiting.first != NULL)
        of_loan = seconds_since(pool, pool->waiting.first->since_ns);
    return of_loan > of_run ? of_loan : of_run;
}

static bool waits_too(const struct asq_pool *pool, const char *who)
{
    const struct asq_loan *loan = pool->waiting.first;

    while (loan != NULL &&
           (loan->who == NULL || who == NULL || strcmp(loan->who, who) != 0))
        loan = loan->next;
    return loan != NULL;
}

/* Says who has the connections. Returns whether each of them waits for one
 * more, so that perhaps nobody will give one back. */
static bool say_holders(const struct asq_pool *pool, struct text *text)
{
    bool all_wait = pool->held.first != NULL;

    for (const struct asq_loan *loan = pool->held.first; loan != NULL;
         loan = loan->next) {
        say(text, "%s%s for %.1f s", loan->before == NULL ? " (" : ", ",
            loan->who == NULL ? "unnamed" : loan->who,
            seconds_since(pool, loan->since_ns));
        all_wait = all_wait && waits_too(pool, loan->who);
    }
    if (pool->held.first != NULL)
        say(text, ")");
    return all_wait;
}

bool asq_pool_report(const struct asq_pool *pool, char *text, size_t size)
{
    struct asq_pool_stats stats = asq_pool_statistics(pool);
    struct text line = {text, size};
    bool all_wait;

    if (size > 0)
        text[0] = '\0';
    say(&line, "%u of %u open, %u lent", stats.open, pool->limit, stats.lent);
    all_wait = say_holders(pool, &line);
    if (stats.waiting > 0)
        say(&line, ", %zu waiting, the longest for %.1f s", stats.waiting,
            longest_wait(pool));
    if (all_wait)
        say(&line, "; each holder waits for one more");
    return stats.waiting > 0;
}
