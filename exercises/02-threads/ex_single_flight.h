/* ex_single_flight - many callers ask, one of them loads
 *
 * Loading a user takes a long time. A caller that asks for a user already being
 * loaded does not load it again: it waits and gets the same answer. Callers
 * that share a load share a flight. A flight is not a cache: once it has ended,
 * its answer is forgotten.
 *
 * Any thread may call ex_flights_get. Depends on pthreads only, through libuv.
 */
#ifndef EX_SINGLE_FLIGHT_H
#define EX_SINGLE_FLIGHT_H

#include <stdint.h>
#include <uv.h>

struct ex_flight; /* one user that is being loaded; see ex_single_flight.c */

/* Loads a user. Runs on the thread of one of the callers, which does not hold
 * the lock. Several loads may run at once, for different users. Returns 0 and
 * writes the value, or returns an error code, above or below 0, and writes
 * nothing. */
typedef int (*ex_load_cb)(void *data, int64_t user, int64_t *ret_value);

struct ex_flights {
    /* private: set by init */
    ex_load_cb load;
    void *data;
    uv_mutex_t lock;
    uv_cond_t ended; /* one of the flights has ended */
    /* private: guarded by lock */
    struct ex_flight *first; /* the flights that have not ended, or NULL */
};

/* Prepares for the first ex_flights_get. load is called with data, which is
 * borrowed until destroy. Returns 0 or a negative UV_E*; then there is nothing
 * to destroy. */
int ex_flights_init(struct ex_flights *flights, ex_load_cb load, void *data);

/* Frees what init made. Every ex_flights_get must have returned. */
void ex_flights_destroy(struct ex_flights *flights);

/* Gets the answer of a load of this user that ended after this call began. If
 * the user is being loaded, waits for the end of that flight; otherwise loads
 * on this thread. At most one load of a user runs at a time, and no caller
 * waits for the load of another user. A caller that waits sleeps in
 * uv_cond_wait until it is woken: it does not look again and again.
 *
 * Returns 0 and writes the value. Otherwise *ret_value stays as it was and the
 * result is the error of load, which every caller of the flight gets, or
 * UV_ENOMEM if there is no memory for a new flight. When the last caller of a
 * flight has its answer, the flight is freed. */
int ex_flights_get(struct ex_flights *flights,
                   int64_t user,
                   int64_t *ret_value);

#endif
