/* frames - where the threads of a test were when it ended */
#include "grader/driver/frames.h"

#include "grader/driver/records.h"
#include "grader/driver/words.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads "THREAD: OFFSET OFFSET ...", or "THREAD*: ..." of a busy one. */
static void read_stack(struct frames *frames, const char *record)
{
    struct frames_thread *thread = &frames->threads[frames->thread_count];
    char *at;

    thread->number = strtoul(record, &at, 10);
    thread->first = frames->place_count;
    thread->busy = *at == '*';
    at += thread->busy;
    if (at == record || *at != ':')
        return;
    frames->thread_count++;
    at++;
    while (thread->count < FRAMES_A_THREAD &&
           frames->place_count < SYMBOLS_AT_ONCE) {
        char *end;
        uint64_t offset = strtoull(at, &end, 16);

        if (end == at)
            break;
        frames->places[frames->place_count++].offset = offset;
        thread->count++;
        at = end;
    }
}

void frames_read(const struct test__run *run,
                 const struct explain_test *test,
                 struct frames *ret_frames)
{
    const char *record;
    size_t at = 0;

    memset(ret_frames, 0, sizeof *ret_frames);
    while (ret_frames->thread_count < FRAMES_THREADS &&
           (record = records_next(run, TEST__STACK, &at)) != NULL)
        read_stack(ret_frames, record);
    symbols_find(test->program, test->file, ret_frames->places,
                 ret_frames->place_count);
}

/* Where the grader stands in for a function, it is not what is called. */
static bool is_wrapper(const struct symbols_place *place)
{
    return strncmp(place->function, "__wrap_", 7) == 0;
}

/* Returns the thread's innermost place in the student's file, or NULL; with
 * any the innermost that has a line at all. */
static const struct symbols_place *
find_place(const struct frames *frames, size_t thread, int any)
{
    const struct symbols_place *place =
        &frames->places[frames->threads[thread].first];

    for (size_t i = 0; i < frames->threads[thread].count; i++)
        if (place[i].line > 0 &&
            (place[i].own || (any && !is_wrapper(&place[i]))))
            return &place[i];
    return NULL;
}

int frames_first_line(const struct frames *frames)
{
    const struct symbols_place *place =
        frames->thread_count > 0 ? find_place(frames, 0, 0) : NULL;

    return place != NULL ? place->line : 0;
}

bool frames_any_busy(const struct frames *frames)
{
    for (size_t i = 0; i < frames->thread_count; i++)
        if (frames->threads[i].busy)
            return true;
    return false;
}

/* Adds a line about all threads that are at the same place as the given one,
 * unless one before it was, or there is no room for it. */
static void say_place(const struct frames *frames,
                      const struct explain_test *test,
                      size_t thread,
                      int any,
                      struct finding *finding)
{
    const struct symbols_place *place = find_place(frames, thread, any);
    char numbers[FRAMES_THREADS * 8] = "";
    char text[FINDING_TEXT];
    size_t used = strlen(finding->more);
    bool busy = frames->threads[thread].busy;
    int count = 0;

    for (size_t i = 0; i < frames->thread_count; i++) {
        const struct symbols_place *other = find_place(frames, i, any);
        size_t at = strlen(numbers);

        if (other == NULL || other->line != place->line ||
            frames->threads[i].busy != busy ||
            strcmp(other->file, place->file) != 0)
            continue;
        if (i < thread)
            return;
        (void)snprintf(numbers + at, sizeof numbers - at, "%s%lu",
                       at > 0 ? ", " : "", frames->threads[i].number);
        count++;
    }
    (void)snprintf(
        text, sizeof text, "%s%s %s %s at %.180s:%d (%s)", used > 0 ? "\n" : "",
        count == 1 ? "thread" : "threads", numbers,
        busy ? (count == 1 ? "is busy" : "are busy")
             : (count == 1 ? "waits" : "wait"),
        place->own ? test->shown : place->file, place->line, place->function);
    if (used + strlen(text) < sizeof finding->more)
        memcpy(finding->more + used, text, strlen(text) + 1);
    if (place->own && finding->where[0] == '\0')
        words_where(finding, test->shown, place->line);
}

void frames_say(const struct frames *frames,
                const struct explain_test *test,
                int any,
                struct finding *finding)
{
    for (int others = 0; others <= any && finding->more[0] == '\0'; others++)
        for (size_t i = 0; i < frames->thread_count; i++)
            if (find_place(frames, i, others) != NULL)
                say_place(frames, test, i, others, finding);
}
