/* records - what a test has reported */
#include "grader/driver/records.h"

#include <string.h>

const char *records_next(const struct test__run *run, char kind, size_t *at)
{
    while (*at < run->report_size) {
        const char *record = run->report + *at;
        const char *end = memchr(record, '\0', run->report_size - *at);

        if (end == NULL)
            return NULL; /* cut off, or not one of ours */
        *at += (size_t)(end - record) + 1;
        if (record[0] == kind)
            return record + 1;
    }
    return NULL;
}

const char *records_first(const struct test__run *run, char kind)
{
    size_t at = 0;

    return records_next(run, kind, &at);
}
