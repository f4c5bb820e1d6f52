/* ex_single_flight - many callers ask, one of them loads
 *
 * The first caller that asks for a user puts a flight in the list and loads;
 * the callers that find it there wait for its end.
 */
#include "ex_single_flight.h"

#include <stdbool.h>
#include <stdlib.h>

/* All fields are guarded by the lock of its flights. You may add some. */
struct ex_flight {
    struct ex_flight *next;
    int64_t user;
    unsigned callers; /* that share it and have not read the answer yet */
    bool ended;       /* status and value are set */
    int status;
    int64_t value;
};

int ex_flights_init(struct ex_flights *flights, ex_load_cb load, void *data)
{
    int err;

    *flights = (struct ex_flights){.load = load, .data = data};
    err = uv_mutex_init(&flights->lock);
    if (err != 0)
        return err;
    err = uv_cond_init(&flights->ended);
    if (err != 0)
        uv_mutex_destroy(&flights->lock);
    return err;
}

void ex_flights_destroy(struct ex_flights *flights)
{
    uv_cond_destroy(&flights->ended);
    uv_mutex_destroy(&flights->lock);
}

/* The helpers below are called with the lock held, and still hold it when they
 * return. */

/* Returns the flight of this user in the list, or NULL. */
static struct ex_flight *find(struct ex_flights *flights, int64_t user)
{
    struct ex_flight *flight = flights->first;

    while (flight != NULL && flight->user != user)
        flight = flight->next;
    return flight;
}

/* Puts a new flight in the list, with one caller. Returns NULL if there is no
 * memory. */
static struct ex_flight *put_in(struct ex_flights *flights, int64_t user)
{
    struct ex_flight *flight = calloc(1, sizeof *flight);

    if (flight == NULL)
        return NULL;
    flight->user = user;
    flight->callers = 1;
    flight->next = flights->first;
    flights->first = flight;
    return flight;
}

/* Takes a flight out of the list. Does not free it. */
static void take_out(struct ex_flights *flights, struct ex_flight *flight)
{
    struct ex_flight **place = &flights->first;

    while (*place != flight)
        place = &(*place)->next;
    *place = flight->next;
}

/* Sleeps until this flight has ended. Meanwhile the lock is released, and
 * other flights may end. */
static void wait_for(struct ex_flights *flights, struct ex_flight *flight)
{
    /* Your code. */
}

int ex_flights_get(struct ex_flights *flights, int64_t user, int64_t *ret_value)
{
    /* Your code. */
    return UV_ENOSYS;
}
