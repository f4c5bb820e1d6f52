/* advise - a verdict from what was measured */
#include "04-measure-first/advise.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

struct asq_advise_limits asq_advise_limits_default(void)
{
    return (struct asq_advise_limits){
        /* The beat of every lesson: what is shorter nobody has measured as a
         * stall. It is the time of some hundred cached reads. */
        .short_ns = 1000000,
        /* Lessons 02 and 03: where nothing blocked, the stall was still about
         * 2 ms. What is not well above that cannot be made better. */
        .stall_ns = 5000000,
        /* Lessons 02 and 03: the same program differed by up to 1.4 times
         * from run to run. */
        .gain = 1.5,
        /* Lesson 02: eight threads waited for eight queries at once. */
        .few = 8,
        /* Lesson 03: handing a query over costs 10 to 90 us. To step over
         * 1,000 rows takes SQLite about as long. */
        .scan_steps = 1000,
        /* Lesson 04: a row that an index finds takes 13 steps of the virtual
         * machine, one that is stepped over 3. So up to ten for one an index
         * would gain a factor of two, which is not worth its upkeep. */
        .scan_per_row = 10,
        /* Lesson 04: a row that is read, sorted and returned takes 10 steps.
         * Twenty times as many were not for this row. */
        .sort_per_row = 200,
    };
}

static size_t count_up_to(const uint64_t *samples, size_t count, uint64_t value)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += samples[i] <= value;
    return found;
}

/* Returns which of the sorted samples it would be, from 1 to count. */
static size_t nearest_rank(size_t count, double percent)
{
    /* In this order a whole percent has no error: 7 % of 100 is 7. */
    double exact = percent * (double)count / 100;
    size_t rank;

    if (!(exact > 1)) /* true for what is no number, too */
        return 1;
    if (exact >= (double)count)
        return count;
    rank = (size_t)exact;
    return (double)rank < exact ? rank + 1 : rank;
}

/* Halves the range in which the answer lies, so that nothing is sorted or
 * copied: 64 times through the samples at most. */
uint64_t
asq_percentile_ns(const uint64_t *samples_ns, size_t count, double percent)
{
    size_t rank = nearest_rank(count, percent);
    uint64_t low = 0, high = UINT64_MAX;

    if (count == 0)
        return 0;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (count_up_to(samples_ns, count, middle) >= rank)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const char *asq_verdict_name(enum asq_verdict verdict)
{
    switch (verdict) {
    case ASQ_FIX_QUERY:
        return "fix the query first";
    case ASQ_STAY_SYNC:
        return "stay sync";
    case ASQ_HAND_OFF:
        return "hand off";
    case ASQ_EVENT_LOOP:
        return "event loop";
    case ASQ_UNDECIDED:
        break;
    }
    return "undecided";
}

/* Says whether something was measured. A throughput that is infinite, not a
 * number or nothing cannot be compared. */
static bool is_measured(const struct asq_advise_way *way)
{
    return way->samples_ns != NULL && way->count > 0 && way->per_s > 0 &&
           way->per_s <= 1e18;
}

static double gain_of(const struct asq_advise_way *way,
                      const struct asq_advise_way *blocking)
{
    return is_measured(way) ? way->per_s / blocking->per_s : 0;
}

static double per_row(uint64_t count, const struct asq_advise_plan *plan)
{
    return (double)count / (double)(plan->rows > 0 ? plan->rows : 1);
}

/* Looks for what no way of waiting makes better. */
static bool does_too_much(const struct asq_advise_plan *plan,
                          const struct asq_advise_limits *limits,
                          struct asq_advice *advice)
{
    double vm_least = (double)limits->scan_steps * limits->scan_per_row;

    /* The sentences fit. */
    if (plan->auto_index >= limits->scan_steps) {
        advice->reason = ASQ_BUILDS_INDEX;
        (void)snprintf(advice->why, sizeof advice->why,
                       "Each run puts %" PRIu64 " rows into an index that is "
                       "thrown away after it.",
                       plan->auto_index);
    } else if (plan->scan_steps >= limits->scan_steps &&
               per_row(plan->scan_steps, plan) > limits->scan_per_row) {
        advice->reason = ASQ_SCANS;
        (void)snprintf(advice->why, sizeof advice->why,
                       "It steps over %" PRIu64 " rows of a table or index to "
                       "return %" PRIu64 ".",
                       plan->scan_steps, plan->rows);
    } else if (plan->sorts > 0 && (double)plan->vm_steps >= vm_least &&
               per_row(plan->vm_steps, plan) > limits->sort_per_row) {
        advice->reason = ASQ_SORTS;
        (void)snprintf(advice->why, sizeof advice->why,
                       "It sorts, and takes %" PRIu64 " steps to return "
                       "%" PRIu64 " rows.",
                       plan->vm_steps, plan->rows);
    } else {
        return false;
    }
    advice->verdict = ASQ_FIX_QUERY;
    return true;
}

/* Both are better than blocking: which one? Threads leave the code as it is,
 * so few queries go there. Many would need a thread each: they go there only
 * if eight threads do twice as much as the loop. */
static enum asq_verdict choose(const struct asq_advise_samples *samples,
                               const struct asq_advise_limits *limits)
{
    double ratio = samples->loop.per_s / samples->threads.per_s;

    if (samples->in_flight <= 1)
        return ASQ_HAND_OFF;
    if (samples->in_flight <= limits->few)
        return ratio >= limits->gain ? ASQ_EVENT_LOOP : ASQ_HAND_OFF;
    return ratio * 2 < 1 ? ASQ_HAND_OFF : ASQ_EVENT_LOOP;
}

/* Says whether main stands still for half as long at most. */
static bool wakes(const struct asq_advise_way *way, uint64_t still_ns)
{
    return is_measured(way) && way->stall_ns <= still_ns / 2;
}

static const char *duration(char text[static 24], uint64_t ns)
{
    double us = (double)ns / 1e3;

    /* The largest is 18446744073.7 s. */
    if (us < 1e3)
        (void)snprintf(text, 24, "%.1f us", us);
    else if (us < 1e6)
        (void)snprintf(text, 24, "%.1f ms", us / 1e3);
    else
        (void)snprintf(text, 24, "%.1f s", us / 1e6);
    return text;
}

static void explain(const struct asq_advise_samples *samples,
                    struct asq_advice *advice)
{
    bool on_loop = advice->verdict == ASQ_EVENT_LOOP;
    const struct asq_advise_way *way =
        on_loop ? &samples->loop : &samples->threads;
    double gain = on_loop ? advice->loop_gain : advice->threads_gain;
    char still[24], stall[24];

    (void)duration(still, advice->still_ns);
    (void)duration(stall, way->stall_ns);
    /* The sentences fit, unless a gain has dozens of digits. */
    if (advice->reason == ASQ_STALL)
        (void)snprintf(advice->why, sizeof advice->why,
                       "Blocking, main stands still for %s; this way for %s.",
                       still, stall);
    else if (advice->reason == ASQ_THROUGHPUT)
        (void)snprintf(
            advice->why, sizeof advice->why,
            "With %u ready at once this answers %.2f times as many a "
            "second.",
            samples->in_flight, gain);
    else
        (void)snprintf(advice->why, sizeof advice->why,
                       "Main stands still for %s; threads answer %.2f as many, "
                       "the loop %.2f.",
                       still, advice->threads_gain, advice->loop_gain);
}

/* The plan is in order: which way of waiting is best? */
static void judge(const struct asq_advise_samples *samples,
                  const struct asq_advise_limits *limits,
                  struct asq_advice *advice)
{
    bool stalls = advice->still_ns > limits->stall_ns;
    /* One at a time cannot be answered faster by others: that is chance. And
     * what gains where all wait is short is that reads share a transaction,
     * which blocking code can do as well. */
    bool long_wait = advice->wait_ns > limits->short_ns;
    bool may_gain = samples->in_flight > 1 && long_wait;
    bool faster_threads = may_gain && advice->threads_gain >= limits->gain;
    bool faster_loop = may_gain && advice->loop_gain >= limits->gain;
    bool threads = faster_threads ||
                   (stalls && wakes(&samples->threads, advice->still_ns));
    bool loop =
        faster_loop || (stalls && wakes(&samples->loop, advice->still_ns));

    if (!threads && !loop) {
        advice->verdict = ASQ_STAY_SYNC;
        advice->reason = stalls || long_wait ? ASQ_NO_GAIN : ASQ_SHORT;
        return;
    }
    if (threads && loop)
        advice->verdict = choose(samples, limits);
    else
        advice->verdict = threads ? ASQ_HAND_OFF : ASQ_EVENT_LOOP;
    advice->reason =
        (advice->verdict == ASQ_HAND_OFF ? faster_threads : faster_loop)
            ? ASQ_THROUGHPUT
            : ASQ_STALL;
}

void asq_advise(const struct asq_advise_samples *samples,
                const struct asq_advise_plan *plan,
                const struct asq_advise_limits *limits,
                struct asq_advice *ret_advice)
{
    const struct asq_advise_way *blocking = &samples->blocking;
    struct asq_advise_limits defaults = asq_advise_limits_default();
    struct asq_advice advice = {.why = "Blocking calls were not measured."};
    uint64_t p99;

    if (limits == NULL)
        limits = &defaults;
    if (is_measured(blocking)) {
        /* One bad moment of the machine is in the stall, not in the p99. */
        p99 = asq_percentile_ns(blocking->samples_ns, blocking->count, 99);
        advice.still_ns = p99 < blocking->stall_ns ? p99 : blocking->stall_ns;
        advice.wait_ns =
            asq_percentile_ns(blocking->samples_ns, blocking->count, 50);
        advice.threads_gain = gain_of(&samples->threads, blocking);
        advice.loop_gain = gain_of(&samples->loop, blocking);
        if (!does_too_much(plan, limits, &advice)) {
            judge(samples, limits, &advice);
            explain(samples, &advice);
        }
    }
    *ret_advice = advice;
}
