/* verdicts - what ex_verdict_of must say about two ways
 *
 * All samples of a way are equal here.
 */
#ifndef EX_04_VERDICTS_H
#define EX_04_VERDICTS_H

#include "ex_verdict.h"
#include "samples.h"

#define MS 1000000
#define TWO_TO(bits) (UINT64_C(1) << (bits))

static const char tie[] = "the other way must save more than the limit: a tie "
                          "goes to the simpler way";
static const char stall[] = "a way costs its stall if that is longer than its "
                            "p99, and that holds for both ways";
static const char wraps[] = "a uint64_t wraps below 0 and above UINT64_MAX: "
                            "compare first, then subtract";
static const char holds[] = "an int, a double or an int64_t cannot hold every "
                            "uint64_t";

static const struct {
    const char *what;
    uint64_t ns[5]; /* p99 and stall, those of the other way, limit */
    enum ex_verdict verdict;
    const char *cause;
} due[] = {
    {"p99 blocking 40 ms, other way 5 ms, limit 10 ms",
     {40 * MS, MS, 5 * MS, MS, 10 * MS},
     EX_GO_ASYNC,
     tie},
    {"p99 blocking 12 ms, other way 4 ms, limit 10 ms",
     {12 * MS, MS, 4 * MS, MS, 10 * MS},
     EX_STAY_SYNC,
     tie},
    {"the limit is saved exactly",
     {15 * MS, MS, 5 * MS, MS, 10 * MS},
     EX_STAY_SYNC,
     tie},
    {"1 ns more than the limit is saved",
     {15 * MS + 1, MS, 5 * MS, MS, 10 * MS},
     EX_GO_ASYNC,
     holds},
    {"both cost the same, limit 0", {7, 1, 7, 1, 0}, EX_STAY_SYNC, tie},
    {"both cost nothing, limit 0", {0, 0, 0, 0, 0}, EX_STAY_SYNC, tie},
    {"1 ns and nothing, limit 0", {1, 0, 0, 0, 0}, EX_GO_ASYNC, tie},
    {"stall blocking 300 ns, other way 2 ns, limit 10 ns",
     {1, 300, 1, 2, 10},
     EX_GO_ASYNC,
     stall},
    {"stall blocking 300 ns, other way 295 ns, limit 10 ns",
     {300, 300, 1, 295, 10},
     EX_STAY_SYNC,
     stall},
    {"p99 blocking 300 ns, stall other way 30 ns, limit 10 ns",
     {300, 1, 1, 30, 10},
     EX_GO_ASYNC,
     stall},
    {"p99 blocking 20 ns, stall other way 300 ns, limit 10 ns",
     {20, 1, 1, 300, 10},
     EX_STAY_SYNC,
     stall},
    {"the other way is slower", {5, 1, 40, 1, 10}, EX_STAY_SYNC, wraps},
    {"no answer with the other way", {5, 1, NEVER, 1, 10}, EX_STAY_SYNC, wraps},
    {"no answer with either way", {NEVER, 1, NEVER, 1, 0}, EX_STAY_SYNC, wraps},
    {"no answer with blocking", {NEVER, 1, 5, 1, 10}, EX_GO_ASYNC, wraps},
    {"blocking stalls for ever", {1, NEVER, 1, 1, 10}, EX_GO_ASYNC, wraps},
    {"the limit is UINT64_MAX", {300, 1, 5, 1, NEVER}, EX_STAY_SYNC, wraps},
    {"the limit is UINT64_MAX - 25",
     {30, 1, 20, 1, NEVER - 25},
     EX_STAY_SYNC,
     wraps},
    {"UINT64_MAX is saved, and is the limit",
     {NEVER, 0, 0, 0, NEVER},
     EX_STAY_SYNC,
     tie},
    {"2^32 ns are saved, limit 9 ns",
     {TWO_TO(32), 0, 0, 0, 9},
     EX_GO_ASYNC,
     holds},
    {"2^63 ns are saved, limit 9 ns",
     {TWO_TO(63), 0, 0, 0, 9},
     EX_GO_ASYNC,
     holds},
    {"1 ns of 2^60 is saved, limit 0",
     {TWO_TO(60) + 1, 0, TWO_TO(60), 0, 0},
     EX_GO_ASYNC,
     holds},
    {"9 ns of 2^60 are saved, limit 9 ns",
     {TWO_TO(60) + 9, 0, TWO_TO(60), 0, 9},
     EX_STAY_SYNC,
     holds},
};

#endif
