/* alloc_wrap - the allocations of the code under test, which can fail
 *
 * Owns nothing: alloc.c has the countdown. Any thread enters.
 *
 * The linker turns each call of these functions in the files that are linked
 * into one of __wrap_malloc and so on, and gives the true function as
 * __real_malloc. What a library calls by itself is not changed: strdup of the
 * C library allocates without our malloc, so it is wrapped as well, and counts
 * once. Without --wrap nobody calls the former and the latter are missing,
 * which is why they are declared weak.
 */
#include "runner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#ifdef TEST_HAVE_WRAP

void *__real_malloc(size_t size) __attribute__((weak));
void *__real_calloc(size_t count, size_t size) __attribute__((weak));
void *__real_realloc(void *block, size_t size) __attribute__((weak));
void *__real_reallocarray(void *block, size_t count, size_t size)
    __attribute__((weak));
void *__real_aligned_alloc(size_t align, size_t size) __attribute__((weak));
int __real_posix_memalign(void **ret_block, size_t align, size_t size)
    __attribute__((weak));
char *__real_strdup(const char *text) __attribute__((weak));
char *__real_strndup(const char *text, size_t size) __attribute__((weak));
int __real_vasprintf(char **ret_text, const char *format, va_list arguments)
    __attribute__((weak, format(printf, 2, 0)));

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
int __wrap_posix_memalign(void **ret_block, size_t align, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_asprintf(char **ret_text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int __wrap_vasprintf(char **ret_text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

bool test__alloc_is_wrapped(void)
{
    return __real_malloc != NULL;
}

void *test__alloc_resize(void *block, size_t size)
{
    return test__alloc_is_wrapped() ? __real_realloc(block, size)
                                    : realloc(block, size);
}

static bool fails(void)
{
    return test__alloc_fails(TEST_ALLOC_MALLOC);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(block, count, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(align, size);
}

int __wrap_posix_memalign(void **ret_block, size_t align, size_t size)
{
    return fails() ? ENOMEM : __real_posix_memalign(ret_block, align, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

/* POSIX leaves *ret_text undefined where these two fail. */
int __wrap_vasprintf(char **ret_text, const char *format, va_list arguments)
{
    return fails() ? -1 : __real_vasprintf(ret_text, format, arguments);
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = __wrap_vasprintf(ret_text, format, arguments);
    va_end(arguments);
    return length;
}

#else

bool test__alloc_is_wrapped(void)
{
    return false;
}

void *test__alloc_resize(void *block, size_t size)
{
    return realloc(block, size);
}

#endif
