#include "asq.h"

#include <stdio.h>

int main(void)
{
    struct asq_progress progress;

    asq_progress_start(&progress, "waiting"); /* seen after two seconds */
    (void)puts("press return");
    (void)getchar();
    asq_progress_stop(&progress);
    return 0;
}
