/* alloc - the failing allocator: malloc, SQLite's and libuv's, by countdown
 *
 * Owns the countdown and the number of bytes that SQLite and libuv hold. Any
 * thread enters. All counters are relaxed atomics: they must not put threads
 * in an order that the code under test does not, or the thread sanitizer
 * would miss its races.
 *
 * alloc_wrap.c has malloc and its kin, which the linker puts in their place.
 */
#include "runner.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Stands before each block of SQLite and libuv. */
union header {
    size_t size; /* of the block, without the header */
    max_align_t align;
};

static atomic_int armed;       /* the kinds that count, or 0 */
static atomic_int keep_on;     /* those after the nth fail as well */
static atomic_int failed;      /* since test_alloc_fail_at */
static atomic_llong countdown; /* 1: the next one fails */
static atomic_llong held;      /* bytes */

/* Set by the test before it starts threads. */
static int installed;
static int noted; /* that malloc is not counted has been said */

bool test__alloc_fails(int kind)
{
    long long left;

    if ((atomic_load_explicit(&armed, memory_order_relaxed) & kind) == 0)
        return false;
    left = atomic_fetch_sub_explicit(&countdown, 1, memory_order_relaxed);
    if (left > 1 ||
        (left < 1 && !atomic_load_explicit(&keep_on, memory_order_relaxed)))
        return false;
    atomic_store_explicit(&failed, 1, memory_order_relaxed);
    errno = ENOMEM;
    return true;
}

static size_t size_of(const void *block)
{
    return ((const union header *)block - 1)->size;
}

static void give(void *block)
{
    if (block == NULL)
        return;
    atomic_fetch_sub_explicit(&held, (long long)size_of(block),
                              memory_order_relaxed);
    free((union header *)block - 1);
}

/* Allocates when block is NULL, otherwise resizes. */
static void *resize(int kind, void *block, size_t size)
{
    union header *header = block != NULL ? (union header *)block - 1 : NULL;
    size_t before = block != NULL ? size_of(block) : 0;

    if (size > SIZE_MAX - sizeof *header || test__alloc_fails(kind))
        return NULL;
    header = test__alloc_resize(header, sizeof *header + size);
    if (header == NULL)
        return NULL;
    header->size = size;
    atomic_fetch_add_explicit(&held, (long long)size - (long long)before,
                              memory_order_relaxed);
    return header + 1;
}

static void *sqlite_malloc(int size)
{
    return resize(TEST_ALLOC_SQLITE, NULL, (size_t)size);
}

static void *sqlite_realloc(void *block, int size)
{
    return resize(TEST_ALLOC_SQLITE, block, (size_t)size);
}

static int sqlite_size(void *block)
{
    return block != NULL ? (int)size_of(block) : 0;
}

static int sqlite_roundup(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_init(void *data)
{
    (void)data; /* there is nothing to start */
    return SQLITE_OK;
}

static void sqlite_shutdown(void *data)
{
    (void)data;
}

static void *uv_malloc(size_t size)
{
    return resize(TEST_ALLOC_UV, NULL, size);
}

static void *uv_resize(void *block, size_t size)
{
    return resize(TEST_ALLOC_UV, block, size);
}

static void *uv_zeroed(size_t count, size_t size)
{
    void *block;

    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    block = resize(TEST_ALLOC_UV, NULL, count * size);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

void test_alloc_install(void)
{
    static const sqlite3_mem_methods methods = {.xMalloc = sqlite_malloc,
                                                .xFree = give,
                                                .xRealloc = sqlite_realloc,
                                                .xSize = sqlite_size,
                                                .xRoundup = sqlite_roundup,
                                                .xInit = sqlite_init,
                                                .xShutdown = sqlite_shutdown};
    int err;

    if (installed)
        return;
    err = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    if (err != SQLITE_OK)
        FAIL("test_alloc_install comes too late: SQLite has allocated");
    err = uv_replace_allocator(uv_malloc, uv_resize, uv_zeroed, give);
    if (err != 0)
        FAIL("uv_replace_allocator: %s", uv_strerror(err));
    installed = 1;
}

/* Without --wrap the allocations of the code under test do not count. A test
 * that wants nothing else is not checked; another one goes on and says it. */
static int without_malloc(int kinds)
{
    static const char reason[] =
        "malloc fails only where the linker knows --wrap";

    if (kinds == TEST_ALLOC_MALLOC)
        test_skip("%s", reason);
    if (!noted) {
        noted = 1;
        test__note(reason);
    }
    return kinds & ~TEST_ALLOC_MALLOC;
}

void test_alloc_fail_at(int kinds, uint64_t nth, int keep)
{
    atomic_store_explicit(&armed, 0, memory_order_relaxed);
    atomic_store_explicit(&failed, 0, memory_order_relaxed);
    if (nth == 0)
        return;
    if ((kinds & ~TEST_ALLOC_MALLOC) != 0 && !installed)
        FAIL("test_alloc_fail_at without test_alloc_install");
    if ((kinds & TEST_ALLOC_MALLOC) != 0 && !test__alloc_is_wrapped())
        kinds = without_malloc(kinds);
    atomic_store_explicit(&keep_on, keep, memory_order_relaxed);
    atomic_store_explicit(&countdown, (long long)nth, memory_order_relaxed);
    atomic_store_explicit(&armed, kinds, memory_order_relaxed);
}

bool test_alloc_has_failed(void)
{
    return atomic_load_explicit(&failed, memory_order_relaxed);
}

int64_t test_alloc_held(void)
{
    return atomic_load_explicit(&held, memory_order_relaxed);
}
