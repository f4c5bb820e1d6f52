#include "asq.h"

#include <stdio.h>

int main(void)
{
    const uint64_t samples_ns[] = {900, 100, 300, 200};

    (void)printf("half of them took at most %d ns\n",
                 (int)asq_percentile_ns(samples_ns, 4, 50));
    return 0;
}
