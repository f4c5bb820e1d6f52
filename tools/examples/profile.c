#include "asq.h"

#include <stdio.h>

int main(void)
{
    struct asq_profile profile = asq_profile_default("shop.db");

    (void)printf("%s: waits %u ms for a lock\n", profile.path, profile.busy_ms);
    return 0;
}
