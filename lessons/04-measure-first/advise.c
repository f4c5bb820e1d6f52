/* advise - a verdict from measured figures */
#include "04-measure-first/advise.h"

#include "04-measure-first/advise_query.h"
#include "04-measure-first/advise_round.h"

#include <stdio.h>

struct asq_advise_limits asq_advise_limits_default(void)
{
    return (struct asq_advise_limits){
        /* The beat of every lesson: a shorter wait never shows as a stall. It
         * is the time of a few hundred cached reads. */
        .short_ns = 1000000,
        /* Lessons 02 and 03: where nothing blocked, the stall was still about
         * 2 ms. A stall that is not well above that cannot become shorter. */
        .stall_ns = 5000000,
        /* Lessons 02 and 03: the same program differed by up to 1.4 times
         * from run to run. */
        .gain = 1.5,
        /* With a tenth less of the processor a gain may not show. */
        .lost = 0.1,
        /* Lesson 02: eight threads waited for eight queries at once. */
        .few = 8,
        /* Lesson 03: with one read in flight, the hop to a worker and back
         * took about 20 us. To step over 1,000 rows takes SQLite as long. */
        .scan_steps = 1000,
        /* Lesson 04: a row that an index finds takes 13 steps of SQLite's
         * machine, a row that is stepped over takes 3. So with ten rows read
         * for one returned an index would gain a factor of two, which is not
         * worth its upkeep. */
        .scan_per_row = 10,
        /* Ten for each of the 1,000 rows above. */
        .steps = 10000,
        /* About 1 ms: nobody notices a shorter sum. */
        .sum_steps = 100000,
        /* Lesson 04: a row that is read, sorted and returned takes 10 steps.
         * Twenty times as many were not spent on this row. */
        .steps_per_row = 200,
        /* A column is read in one step; an expression takes some. */
        .steps_per_cell = 4,
    };
}

static size_t count_up_to(const uint64_t *samples, size_t count, uint64_t value)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += samples[i] <= value;
    return found;
}

/* Returns the place of the percentile among the sorted samples, from 1 to
 * count. */
static size_t nearest_rank(size_t count, double percent)
{
    /* In this order a whole percent has no error: 7 % of 100 is 7. */
    double exact = percent * (double)count / 100;
    size_t rank;

    if (!(exact > 1)) /* also true for what is not a number */
        return 1;
    if (exact >= (double)count)
        return count;
    rank = (size_t)exact;
    return (double)rank < exact ? rank + 1 : rank;
}

/* Halves the range that holds the answer, so that nothing is sorted or copied.
 * It goes through the samples 64 times at most. */
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
    case ASQ_TOO_BUSY:
        return "the machine is too busy to tell";
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

static void explain(const struct asq__figures *figures,
                    struct asq_advice *advice)
{
    bool on_loop = advice->verdict == ASQ_EVENT_LOOP;
    char still[24], stall[24];

    (void)duration(still, figures->ns[ASQ__STILL]);
    (void)duration(stall,
                   figures->ns[on_loop ? ASQ__LOOP_STALL : ASQ__THREADS_STALL]);
    /* The sentences fit, unless a gain has dozens of digits. */
    if (advice->reason == ASQ_STALL)
        (void)snprintf(advice->why, sizeof advice->why,
                       "Blocking, main stands still for %s (p99); this way "
                       "for %s.",
                       still, stall);
    else if (advice->reason == ASQ_THROUGHPUT)
        (void)snprintf(
            advice->why, sizeof advice->why,
            "With %u ready at once this answers %.2f times as many a "
            "second.",
            figures->in_flight,
            figures->gain[on_loop ? ASQ__LOOP : ASQ__THREADS]);
    else
        (void)snprintf(advice->why, sizeof advice->why,
                       "Main stands still for %s (p99); throughput: threads "
                       "%.2f, the loop %.2f.",
                       still, figures->gain[ASQ__THREADS],
                       figures->gain[ASQ__LOOP]);
}

/* Says that there is no verdict, and in how many rounds. */
static void
give_up(struct asq_advice *advice, enum asq_reason reason, unsigned rounds)
{
    const char *named = asq_verdict_name(advice->verdict);

    if (reason == ASQ_DISTURBED)
        (void)snprintf(advice->why, sizeof advice->why,
                       "Other programs had the processor, and that decided. "
                       "Ask again when it is free.");
    else
        (void)snprintf(advice->why, sizeof advice->why,
                       "The rounds do not agree: \"%s\" came out in %u.", named,
                       advice->agreed);
    (void)snprintf(advice->sure, sizeof advice->sure, "%u of %u round%s %s",
                   reason == ASQ_DISTURBED ? advice->disturbed : advice->agreed,
                   rounds, rounds == 1 ? "" : "s",
                   reason == ASQ_DISTURBED ? "disturbed" : "agree");
    advice->verdict = ASQ_TOO_BUSY;
    advice->reason = reason;
}

static void say_how_sure(struct asq_advice *advice)
{
    if (advice->rounds == 1)
        (void)snprintf(advice->sure, sizeof advice->sure,
                       "asked in one round only: nothing to compare it with");
    else
        (void)snprintf(advice->sure, sizeof advice->sure, "%s: %u of %u rounds",
                       5 * advice->agreed >= 4 * advice->rounds
                           ? "sure"
                           : "near the limit",
                       advice->agreed, advice->rounds);
}

/* Judges the rounds that count. */
static void judge_rounds(const struct asq__figures *figures,
                         const struct asq_advise_limits *limits,
                         struct asq_advice *advice)
{
    struct asq__figures middle = asq__medians(figures, advice->rounds);
    struct asq__decision decision = asq__judge(&middle, limits);

    advice->verdict = decision.verdict;
    advice->reason = decision.reason;
    advice->wait_ns = middle.ns[ASQ__WAIT];
    advice->still_ns = middle.ns[ASQ__STILL];
    advice->threads_gain = middle.gain[ASQ__THREADS];
    advice->loop_gain = middle.gain[ASQ__LOOP];
    for (unsigned i = 0; i < advice->rounds; i++)
        advice->agreed +=
            asq__judge(&figures[i], limits).verdict == decision.verdict;
    explain(&middle, advice);
    say_how_sure(advice);
}

void asq_advise(const struct asq_advise_samples *rounds,
                size_t count,
                const struct asq_advise_plan *plan,
                const struct asq_advise_limits *limits,
                struct asq_advice *ret_advice)
{
    struct asq_advise_limits defaults = asq_advise_limits_default();
    struct asq_advice advice = {.why = "Blocking calls were not measured.",
                                .sure = "nothing was measured"};
    struct asq__figures calm[ASQ_ADVISE_ROUNDS];
    unsigned measured = 0;

    if (limits == NULL)
        limits = &defaults;
    for (size_t i = 0; i < count && measured < ASQ_ADVISE_ROUNDS; i++) {
        if (!asq__is_measured(&rounds[i].blocking))
            continue;
        if (asq_advise_disturbed(&rounds[i], limits))
            advice.disturbed++;
        else
            calm[advice.rounds++] = asq__figures_of(&rounds[i]);
        measured++;
    }
    if (measured > 0 && advice.rounds > 0)
        judge_rounds(calm, limits, &advice);
    if (measured > 0 && !asq__advise_query(plan, limits, &advice)) {
        if (advice.disturbed >= advice.rounds)
            give_up(&advice, ASQ_DISTURBED, measured);
        else if (2 * advice.agreed <= advice.rounds)
            give_up(&advice, ASQ_DIFFERS, advice.rounds);
    }
    *ret_advice = advice;
}
