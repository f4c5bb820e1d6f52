/* claims - what a lesson says of the claims that it settles */
#include "common/claims.h"

#include "common/clock.h"
#include "common/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum {
    PROBE_MS = 10 /* longer than a scheduler lets one program run while others
                     wait, so that they show */
};

/* A run is disturbed when the program had less than this of a processor. At a
 * third, with six programs on two processors, a verdict was wrong. */
static const double least_share = 0.5;

void asq_claim_set(struct asq_claim *claim,
                   const char *id,
                   const char *verdict,
                   double measured,
                   const char *text,
                   ...)
{
    va_list args;

    claim->id = id;
    claim->verdict = verdict;
    claim->measured = measured;
    claim->low = claim->high = NAN;
    va_start(args, text);
    /* Cut if it is too long. */
    (void)vsnprintf(claim->text, sizeof claim->text, text, args);
    va_end(args);
}

void asq__claim_runs_keep(struct asq_claim_runs *runs,
                          double ratio,
                          double share)
{
    if (share < least_share)
        runs->disturbed++;
    else if (runs->calm < ASQ_CLAIM_RUNS)
        runs->ratios[runs->calm++] = ratio;
}

static double thread_ns(void)
{
    struct timespec time = {0};

    /* A system without this clock says that the processor was never free. */
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

void asq_claim_runs_add(struct asq_claim_runs *runs, double ratio)
{
    uint64_t begin_ns = asq_clock_now_ns();
    double processor_ns = thread_ns();

    pretend_to_work(PROBE_MS);
    processor_ns = thread_ns() - processor_ns;
    asq__claim_runs_keep(
        runs, ratio, processor_ns / (double)(asq_clock_now_ns() - begin_ns));
}

/* Returns the ratio that has so many below it, once they are sorted. */
static double pick(const struct asq_claim_runs *runs, unsigned place)
{
    double sorted[ASQ_CLAIM_RUNS];

    if (runs->calm == 0)
        return NAN;
    for (unsigned i = 0; i < runs->calm; i++) {
        unsigned at = i;

        for (; at > 0 && sorted[at - 1] > runs->ratios[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = runs->ratios[i];
    }
    return sorted[place];
}

double asq_claim_runs_median(const struct asq_claim_runs *runs)
{
    return pick(runs, runs->calm == 0 ? 0 : (runs->calm - 1) / 2);
}

double asq_claim_runs_low(const struct asq_claim_runs *runs)
{
    return pick(runs, 0);
}

double asq_claim_runs_high(const struct asq_claim_runs *runs)
{
    return pick(runs, runs->calm == 0 ? 0 : runs->calm - 1);
}

void asq_claim_timed(struct asq_claim *claim, const struct asq_claim_runs *runs)
{
    if (strcmp(claim->verdict, ASQ_CLAIM_TOO_BUSY) == 0)
        return;
    claim->low = asq_claim_runs_low(runs);
    claim->high = asq_claim_runs_high(runs);
    if (runs->calm <= runs->disturbed)
        asq_claim_busy(claim, runs->disturbed, runs->disturbed + runs->calm);
}

void asq_claim_busy(struct asq_claim *claim, unsigned disturbed, unsigned runs)
{
    if (disturbed == 0)
        return;
    asq_claim_set(claim, claim->id, ASQ_CLAIM_TOO_BUSY, NAN,
                  "Runs that other programs disturbed: %u of %u.\n"
                  "Measure again when the processor is free.",
                  disturbed, runs);
}

struct asq_claim_words asq_claim_count(long count, long all)
{
    struct asq_claim_words words;

    /* It fits, whatever the numbers are. */
    if (count == all)
        (void)snprintf(words.text, sizeof words.text, "all %ld", all);
    else if (count == 0)
        (void)snprintf(words.text, sizeof words.text, "none of the %ld", all);
    else
        (void)snprintf(words.text, sizeof words.text, "%ld of the %ld", count,
                       all);
    return words;
}

/* Prints the lines of a text, set in. */
static void print_lines(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        printf("    %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static int
write_claims(const struct asq_claim *claims, size_t count, const char *path)
{
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    asq_json_put(&json, "[");
    for (size_t i = 0; i < count; i++) {
        asq_json_put(&json, "%s  {\"claim\": ", i == 0 ? "\n" : ",\n");
        asq_json_text(&json, claims[i].id);
        asq_json_put(&json, ", \"verdict\": ");
        asq_json_text(&json, claims[i].verdict);
        asq_json_put(&json, ", \"measured\": ");
        asq_json_number(&json, claims[i].measured);
        asq_json_put(&json, ", \"low\": ");
        asq_json_number(&json, claims[i].low);
        asq_json_put(&json, ", \"high\": ");
        asq_json_number(&json, claims[i].high);
        asq_json_put(&json, ", \"text\": ");
        asq_json_text(&json, claims[i].text);
        asq_json_put(&json, "}");
    }
    asq_json_put(&json, "\n]\n");
    return asq_json_close(&json);
}

int asq_claims_report(const struct asq_claim *claims,
                      size_t count,
                      const struct asq_options *options)
{
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        printf("%s: %s\n", claims[i].id, claims[i].verdict);
        print_lines(claims[i].text);
    }
    if (options->json != NULL)
        rc = write_claims(claims, count, options->json);
    if (rc != 0)
        (void)fprintf(stderr, "%s: %s\n", options->json, uv_strerror(rc));
    return rc == 0 ? 0 : 1;
}
