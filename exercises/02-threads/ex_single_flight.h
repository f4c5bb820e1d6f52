/* ex_single_flight - many ask, one loads
 *
 * Loading a user takes long. Whoever asks for a user that is being loaded
 * does not load it again, but waits and gets the same answer: they share a
 * flight. A flight is no cache: what it brought is forgotten when it ends.
 *
 * Any thread may enter ex_flights_get. Depends on pthreads only, through
 * libuv.
 */
#ifndef EX_SINGLE_FLIGHT_H
#define EX_SINGLE_FLIGHT_H

#include <stdint.h>
#include <uv.h>

struct ex_flight; /* one user that is being loaded; see ex_single_flight.c */

/* Loads a user. Runs on the thread of one of those who ask, without the lock.
 * Several may run at once, for different users. Returns 0 and the value, or
 * an error, of either sign, and no value. */
typedef int (*ex_load_cb)(void *data, int64_t user, int64_t *ret_value);

struct ex_flights {
    /* private: set by init */
    ex_load_cb load;
    void *data;
    uv_mutex_t lock;
    uv_cond_t ended; /* some flight has ended */
    /* private: guarded by lock */
    struct ex_flight *first; /* those that are under way; NULL: none */
};

/* Makes it ready. load is called with data, which is borrowed until destroy.
 * Returns 0 or a negative UV_E*; then nothing is owed. */
int ex_flights_init(struct ex_flights *flights, ex_load_cb load, void *data);

/* Frees what init made. Every get has returned by then. */
void ex_flights_destroy(struct ex_flights *flights);

/* Returns the answer to a load of this user that ended after the call began.
 * If the user is being loaded, waits for the end of that flight; if not,
 * loads on this thread. At most one load of a user runs at a time; nobody
 * waits for the load of another user. Whoever waits sleeps in uv_cond_wait
 * until it is woken: it does not look again and again.
 *
 * Returns 0 and the value; the error of load, to everybody who shared the
 * flight, and leaves *ret_value as it was; or UV_ENOMEM, likewise, when there
 * is no memory for a new flight. When the last who shared a flight has its
 * answer, nothing is left of it. */
int ex_flights_get(struct ex_flights *flights,
                   int64_t user,
                   int64_t *ret_value);

#endif
