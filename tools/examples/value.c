#include "asq.h"

#include <stdio.h>

int main(void)
{
    const struct asq_value whole = asq_int64(1), real = asq_double(1.0);

    (void)printf("1 and 1.0 are %s\n",
                 asq_value_equal(&whole, &real) ? "equal" : "different");
    return 0;
}
