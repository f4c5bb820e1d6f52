#include "asq.h"

#include <stdio.h>

int main(void)
{
    const struct asq_value name = asq_text("answer"), number = asq_int64(42);
    struct asq_result result = {.columns = 1};
    int rc = asq_result_add(&result, &name);

    if (rc == 0)
        rc = asq_result_add(&result, &number);
    if (rc == 0)
        (void)printf("the answer is %d\n",
                     (int)asq_result_int64(&result, 0, "answer"));
    asq_result_destroy(&result);
    return rc != 0;
}
