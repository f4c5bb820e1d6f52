/* samples - what the tests of 04-measure-first give to ex_percentile and
 * ex_verdict_of, and what they expect
 *
 * Samples are made in order and then shuffled, so every percentile is known.
 */
#ifndef EX_04_SAMPLES_H
#define EX_04_SAMPLES_H

#include "ex_verdict.h"

#include "grader/random.h"
#include "grader/test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    SAMPLES_MAX = 20001,
    SAMPLES_TEXT = 160
};

#define NEVER UINT64_MAX /* no answer came */
#define UNTOUCHED UINT64_C(0x5eed)

struct samples {
    struct test_random random;
    size_t count;
    uint64_t sorted[SAMPLES_MAX];
    uint64_t list[SAMPLES_MAX];
    uint64_t given[SAMPLES_MAX]; /* the list before the code got it */
};

static inline size_t rank_of(size_t count, unsigned percent)
{
    return (count * percent + 99) / 100;
}

/* Copies the sorted samples in a random order. */
static inline void samples_shuffle(struct samples *s)
{
    memcpy(s->list, s->sorted, s->count * sizeof s->list[0]);
    for (size_t i = s->count; i > 1; i--) {
        size_t j = (size_t)test_random_range(&s->random, 0, (int64_t)i - 1);
        uint64_t sample = s->list[j];

        s->list[j] = s->list[i - 1];
        s->list[i - 1] = sample;
    }
    memcpy(s->given, s->list, s->count * sizeof s->given[0]);
}

/* Makes samples, of which always `ties` are equal. */
static inline void samples_fill(
    struct samples *s, size_t count, size_t ties, uint64_t least, uint64_t gap)
{
    s->count = count;
    for (size_t i = 0; i < count; i++)
        s->sorted[i] = least + i / ties * gap;
    samples_shuffle(s);
}

/* Makes samples that are all fast below the p99, and got no answer beyond it.
 */
static inline struct ex_way
samples_way(struct samples *s, size_t count, uint64_t fast, uint64_t p99)
{
    size_t rank = rank_of(count, 99);

    s->count = count;
    for (size_t i = 0; i < count; i++)
        s->sorted[i] = i + 1 < rank ? fast : i + 1 == rank ? p99 : NEVER;
    samples_shuffle(s);
    return (struct ex_way){.samples_ns = s->list, .count = count};
}

static inline bool samples_have(const struct samples *s, uint64_t value)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->sorted[i] == value)
            return true;
    return false;
}

/* cause NULL: the usual cause depends on what is wrong with the answer. */
static inline void
expect_percentile(struct samples *s, unsigned percent, const char *cause)
{
    uint64_t expected = s->sorted[rank_of(s->count, percent) - 1];
    uint64_t got = UNTOUCHED;
    char text[SAMPLES_TEXT];
    int rc = ex_percentile(s->list, s->count, percent, &got);

    (void)snprintf(text, sizeof text, "p%u of %s is %llu, rank %zu", percent,
                   test_count(s->count, "sample", NULL),
                   (unsigned long long)expected, rank_of(s->count, percent));
    if (rc != 0 && cause != NULL)
        test_cause(cause);
    if (rc != 0)
        test_wrong(text, "ex_percentile returns %s", test_code(rc));
    memcpy(s->list, s->given, s->count * sizeof s->list[0]);
    if (got == expected)
        return;
    if (cause == NULL && !samples_have(s, got))
        cause =
            "a nearest-rank percentile is one of the samples, not a mean or "
            "a value between two of them";
    else if (cause == NULL && got > expected)
        cause = "the rank is too high: ranks count from 1, an array from 0";
    else if (cause == NULL)
        cause = "the rank is too low: a rank that is not whole is rounded up";
    test_cause(cause);
    test_wrong(text, "%llu", (unsigned long long)got);
}

static inline void
expect_refused(const uint64_t *samples, size_t count, unsigned percent)
{
    uint64_t got = UNTOUCHED;
    int rc = ex_percentile(samples, count, percent, &got);
    char text[SAMPLES_TEXT];

    (void)snprintf(text, sizeof text, "p%u of %s: %s", percent,
                   test_count(count, "sample", NULL), test_code(UV_EINVAL));
    if (rc != UV_EINVAL)
        test_wrong(text, "%s", test_code(rc));
    if (got != UNTOUCHED)
        test_wrong("*ret_ns stays as it was", "it was changed");
}

static inline const char *verdict_name(enum ex_verdict verdict)
{
    switch (verdict) {
    case EX_NO_DATA:
        return "EX_NO_DATA";
    case EX_STAY_SYNC:
        return "EX_STAY_SYNC";
    case EX_GO_ASYNC:
        return "EX_GO_ASYNC";
    }
    return "a value that is not a verdict";
}

static inline void expect_verdict(const char *what,
                                  const struct ex_way *blocking,
                                  const struct ex_way *other,
                                  uint64_t limit,
                                  enum ex_verdict verdict)
{
    enum ex_verdict got = ex_verdict_of(blocking, other, limit);
    char text[SAMPLES_TEXT];

    (void)snprintf(text, sizeof text, "%s: %s", what, verdict_name(verdict));
    if (got != verdict)
        test_wrong(text, "%s", verdict_name(got));
}

#endif
