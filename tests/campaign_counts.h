/* campaign_counts - what a campaign has done, for its report
 *
 * tests/tools/campaign.sh runs tests again and again with new seeds, and adds
 * up what they note here. In other runs nothing is noted.
 */
#ifndef TESTS_CAMPAIGN_COUNTS_H
#define TESTS_CAMPAIGN_COUNTS_H

#include "grader/test.h"

#include <stdio.h>
#include <stdlib.h>

/* Adds to a count, "power cuts" for example. */
static inline void campaign_count(const char *what, uint64_t number)
{
    const char *path = getenv("ASQ_CAMPAIGN");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;

    if (file == NULL)
        return;
    CHECK(fprintf(file, "%llu %s\n", (unsigned long long)number, what) > 0);
    CHECK_INT(fclose(file), 0);
}

/* Numbers that follow from the seed. */
static inline unsigned campaign_draw(uint64_t *state, unsigned below)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(*state >> 33) % below;
}

#endif
