/* value - one typed cell, for parameters and for rows */
#include "01-blocking/value.h"

#include <string.h>

struct asq_value asq_null(void)
{
    return (struct asq_value){.type = ASQ_NULL};
}

struct asq_value asq_int64(int64_t number)
{
    return (struct asq_value){.type = ASQ_INT64, .as.int64 = number};
}

struct asq_value asq_double(double number)
{
    return (struct asq_value){.type = ASQ_DOUBLE, .as.real = number};
}

struct asq_value asq_text(const char *text)
{
    return asq_text_n(text, text == NULL ? 0 : strlen(text));
}

struct asq_value asq_text_n(const char *text, size_t size)
{
    if (text == NULL)
        return asq_null();
    return (struct asq_value){.type = ASQ_TEXT, .size = size, .as.text = text};
}

struct asq_value asq_blob(const void *blob, size_t size)
{
    if (blob == NULL)
        return asq_null();
    return (struct asq_value){.type = ASQ_BLOB, .size = size, .as.blob = blob};
}

bool asq_value_equal(const struct asq_value *a, const struct asq_value *b)
{
    if (a->type != b->type || a->size != b->size)
        return false;
    switch (a->type) {
    case ASQ_NULL:
        return true;
    case ASQ_INT64:
        return a->as.int64 == b->as.int64;
    case ASQ_DOUBLE:
        return memcmp(&a->as.real, &b->as.real, sizeof(double)) == 0;
    case ASQ_TEXT:
    case ASQ_BLOB:
        return a->size == 0 || memcmp(a->as.blob, b->as.blob, a->size) == 0;
    }
    return false;
}
