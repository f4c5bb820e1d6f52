#include "asq.h"

#include <stdio.h>

int main(void)
{
    uint64_t before_ms = asq__queue_now_ms();

    (void)printf("the clock has gone %s\n",
                 asq__queue_now_ms() >= before_ms ? "forward" : "back");
    return 0;
}
