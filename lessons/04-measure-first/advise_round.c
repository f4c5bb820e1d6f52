/* advise_round - the figures of one round, and the verdict of these alone */
#include "04-measure-first/advise_round.h"

bool asq__is_measured(const struct asq_advise_way *way)
{
    return way->samples_ns != NULL && way->count > 0 && way->per_s > 0 &&
           way->per_s <= 1e18;
}

static double gain_of(const struct asq_advise_way *way,
                      const struct asq_advise_way *blocking)
{
    return asq__is_measured(way) ? way->per_s / blocking->per_s : 0;
}

struct asq__figures asq__figures_of(const struct asq_advise_samples *round)
{
    const struct asq_advise_way *blocking = &round->blocking;
    /* One bad moment of the machine shows in the stall, not in the p99. */
    uint64_t p99 = asq_percentile_ns(blocking->samples_ns, blocking->count, 99);

    return (struct asq__figures){
        .ns = {[ASQ__WAIT] =
                   asq_percentile_ns(blocking->samples_ns, blocking->count, 50),
               [ASQ__STILL] =
                   p99 < blocking->stall_ns ? p99 : blocking->stall_ns,
               [ASQ__THREADS_STALL] = round->threads.stall_ns,
               [ASQ__LOOP_STALL] = round->loop.stall_ns},
        .gain = {[ASQ__THREADS] = gain_of(&round->threads, blocking),
                 [ASQ__LOOP] = gain_of(&round->loop, blocking)},
        .in_flight = round->in_flight,
    };
}

/* Returns by how much the long waits exceed the median, added up. Users that
 * wait at the same moment wait for the same reason and count once. */
static double long_waits(const struct asq_advise_samples *round,
                         const struct asq__figures *figures,
                         const struct asq_advise_limits *limits)
{
    const struct asq_advise_way *blocking = &round->blocking;
    uint64_t least = figures->ns[ASQ__WAIT] + limits->short_ns;
    double sum = 0;

    for (size_t i = 0; i < blocking->count; i++)
        if (blocking->samples_ns[i] > least)
            sum += (double)(blocking->samples_ns[i] - figures->ns[ASQ__WAIT]);
    return sum / (round->in_flight > 0 ? round->in_flight : 1);
}

/* Returns what the round would have shown without other programs. */
static struct asq__figures
without_others(const struct asq_advise_samples *round,
               struct asq__figures figures,
               const struct asq_advise_limits *limits)
{
    double lost = (double)round->lost_ns;
    double share =
        lost < (double)round->took_ns ? 1 - lost / (double)round->took_ns : 0;

    /* Half of it is enough to explain them: a sample that had to wait for the
     * processor also waits longer in its queue, which hides the other half. */
    if (2 * lost >= long_waits(round, &figures, limits) &&
        figures.ns[ASQ__STILL] > figures.ns[ASQ__WAIT])
        figures.ns[ASQ__STILL] = figures.ns[ASQ__WAIT];
    figures.ns[ASQ__STILL] = (uint64_t)((double)figures.ns[ASQ__STILL] * share);
    figures.ns[ASQ__WAIT] = (uint64_t)((double)figures.ns[ASQ__WAIT] * share);
    figures.gain[ASQ__THREADS] *= share;
    figures.gain[ASQ__LOOP] *= share;
    return figures;
}

/* Chooses when both are better than blocking. Threads leave the code as it is,
 * so few queries go there. Many queries would need a thread each: they go there
 * only if eight threads do more than twice as much as the loop. */
static enum asq_verdict choose(const struct asq__figures *figures,
                               const struct asq_advise_limits *limits)
{
    double ratio = figures->gain[ASQ__LOOP] / figures->gain[ASQ__THREADS];

    if (figures->in_flight <= 1)
        return ASQ_HAND_OFF;
    if (figures->in_flight <= limits->few)
        return ratio >= limits->gain ? ASQ_EVENT_LOOP : ASQ_HAND_OFF;
    return ratio * 2 < 1 ? ASQ_HAND_OFF : ASQ_EVENT_LOOP;
}

struct asq__decision asq__judge(const struct asq__figures *figures,
                                const struct asq_advise_limits *limits)
{
    bool stalls = figures->ns[ASQ__STILL] > limits->stall_ns;
    /* With one query at a time a gain is chance. And where every wait is short,
     * a gain comes from reads that share a transaction, which blocking code can
     * do as well. */
    bool long_wait = figures->ns[ASQ__WAIT] > limits->short_ns;
    bool may_gain = figures->in_flight > 1 && long_wait;
    bool faster_threads =
        may_gain && figures->gain[ASQ__THREADS] >= limits->gain;
    bool faster_loop = may_gain && figures->gain[ASQ__LOOP] >= limits->gain;
    /* Does main stand still for half as long at most? */
    bool wakes_threads =
        stalls && figures->gain[ASQ__THREADS] > 0 &&
        figures->ns[ASQ__THREADS_STALL] <= figures->ns[ASQ__STILL] / 2;
    bool wakes_loop =
        stalls && figures->gain[ASQ__LOOP] > 0 &&
        figures->ns[ASQ__LOOP_STALL] <= figures->ns[ASQ__STILL] / 2;
    bool threads = faster_threads || wakes_threads;
    bool loop = faster_loop || wakes_loop;
    enum asq_verdict verdict;

    if (!threads && !loop)
        return (struct asq__decision){
            ASQ_STAY_SYNC, stalls || long_wait ? ASQ_NO_GAIN : ASQ_SHORT};
    if (threads && loop)
        verdict = choose(figures, limits);
    else
        verdict = threads ? ASQ_HAND_OFF : ASQ_EVENT_LOOP;
    return (struct asq__decision){
        verdict, (verdict == ASQ_HAND_OFF ? faster_threads : faster_loop)
                     ? ASQ_THROUGHPUT
                     : ASQ_STALL};
}

bool asq_advise_disturbed(const struct asq_advise_samples *round,
                          const struct asq_advise_limits *limits)
{
    struct asq_advise_limits defaults = asq_advise_limits_default();
    struct asq__figures measured, alone;
    struct asq__decision one, other;

    if (limits == NULL)
        limits = &defaults;
    if (!asq__is_measured(&round->blocking) || round->lost_ns == 0)
        return false;
    measured = asq__figures_of(round);
    alone = without_others(round, measured, limits);
    one = asq__judge(&measured, limits);
    other = asq__judge(&alone, limits);
    /* The other ways had to share the processor too. */
    return one.verdict != other.verdict ||
           (one.reason == ASQ_NO_GAIN &&
            (double)round->lost_ns > limits->lost * (double)round->took_ns);
}

/* Returns the smallest gain that half of them do not exceed. */
static double
middle_gain(const struct asq__figures *figures, size_t count, int which)
{
    double sorted[ASQ_ADVISE_ROUNDS] = {0};

    for (size_t i = 0; i < count; i++) {
        size_t place = i;

        for (; place > 0 && sorted[place - 1] > figures[i].gain[which]; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = figures[i].gain[which];
    }
    return sorted[(count - 1) / 2];
}

struct asq__figures asq__medians(const struct asq__figures *figures,
                                 size_t count)
{
    struct asq__figures middle = figures[0];
    uint64_t ns[ASQ_ADVISE_ROUNDS];

    for (int which = 0; which < ASQ__TIMES; which++) {
        for (size_t i = 0; i < count; i++)
            ns[i] = figures[i].ns[which];
        middle.ns[which] = asq_percentile_ns(ns, count, 50);
    }
    for (int which = 0; which < ASQ__GAINS; which++)
        middle.gain[which] = middle_gain(figures, count, which);
    return middle;
}
