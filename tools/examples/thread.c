#include "asq.h"

#include <stdio.h>

static void run_thread(void *data)
{
    int *number = data;

    asq_thread_set_name("example");
    *number *= 7;
}

int main(void)
{
    uv_thread_t thread;
    int number = 6;

    if (asq_thread_start(&thread, run_thread, &number) != 0 ||
        uv_thread_join(&thread) != 0)
        return 1;
    (void)printf("6 * 7 = %d\n", number);
    return 0;
}
