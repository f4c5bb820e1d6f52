/* test_json - tests of the JSON that reports and traces write */
#include "common/json.h"
#include "grader/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

enum {
    TEXT_MAX = 1024
};

struct fixture {
    struct asq_json json;
    char text[TEXT_MAX]; /* what the file holds */
};

static const char *read_file(struct fixture *f, const char *path)
{
    FILE *in = fopen(path, "r");
    size_t length;

    CHECK(in != NULL);
    length = fread(f->text, 1, sizeof f->text - 1, in);
    CHECK(feof(in) && !ferror(in));
    f->text[length] = '\0';
    CHECK_INT(fclose(in), 0);
    return f->text;
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    CHECK(out != NULL);
    CHECK(fputs(text, out) >= 0);
    CHECK_INT(fclose(out), 0);
}

static void texts_are_escaped(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("file.json");

    CHECK_INT(asq_json_open(&f->json, path), 0);
    asq_json_text(&f->json, "a\"b\\c/\n\t\x1f\x7f µ€");
    asq_json_text(&f->json, "");
    CHECK_INT(asq_json_close(&f->json), 0);
    CHECK_TEXT(read_file(f, path),
               "\"a\\\"b\\\\c/\\u000a\\u0009\\u001f\x7f µ€\"\"\"");
}

static void numbers_are_written_as_json(void *fixture)
{
    static const struct {
        double value;
        const char *text;
    } table[] = {
        {0, "0.000"},
        {-0.0, "0.000"},
        {1, "1.000"},
        {1.5, "1.500"},
        {-1.5, "-1.500"},
        {0.0004, "0.000"},
        {0.0006, "0.001"},
        {12345.678, "12345.678"},
        {999.9996, "1000.000"},
        {999999999999.999, "999999999999.999"},
        {1e12, "1000000000000"},
        {-1e20, "-100000000000000000000"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    struct fixture *f = fixture;
    const char *path = test_path("file.json");

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        CHECK_INT(asq_json_open(&f->json, path), 0);
        asq_json_number(&f->json, table[i].value);
        CHECK_INT(asq_json_close(&f->json), 0);
        CHECK_TEXT(read_file(f, path), table[i].text);
    }
}

/* The old file stands until close, whole; nothing is left beside it. */
static void file_appears_with_close(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("one/two/file.json");

    CHECK_INT(asq_json_open(&f->json, path), 0);
    asq_json_put(&f->json, "[%d]", 1);
    CHECK_INT(access(path, F_OK), -1);
    CHECK_INT(asq_json_close(&f->json), 0);
    CHECK_TEXT(read_file(f, path), "[1]");

    CHECK_INT(asq_json_open(&f->json, path), 0);
    asq_json_put(&f->json, "[%d]", 2);
    CHECK_TEXT(read_file(f, path), "[1]");
    CHECK_INT(asq_json_close(&f->json), 0);
    CHECK_TEXT(read_file(f, path), "[2]");

    /* An empty folder is all that is left. */
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(test_path("one/two")), 0);
}

static void no_place_for_the_file_is_told(void *fixture)
{
    struct fixture *f = fixture;
    const char *file = test_path("file");
    const char *below = test_path("file/below.json");
    const char *folder = test_path("folder/");

    write_file(file, "x");
    CHECK_INT(asq_json_open(&f->json, below), -ENOTDIR);
    CHECK_INT(asq_json_open(&f->json, folder), -EISDIR);
}

/* close finds a folder in the file's place. */
static void failed_rename_leaves_nothing(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("one/file.json");

    CHECK_INT(asq_json_open(&f->json, path), 0);
    asq_json_put(&f->json, "[]");
    CHECK_INT(mkdir(path, 0777), 0);
    CHECK_INT(asq_json_close(&f->json), -EISDIR);
    CHECK_INT(rmdir(path), 0);
    CHECK_INT(rmdir(test_path("one")), 0);
}

/* A device is written, not replaced; this one is always full. A link leads to
 * it, so that an error here cannot replace the machine's own. */
static void full_disk_is_told(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("full");
    struct stat there;

    if (stat("/dev/full", &there) != 0 || !S_ISCHR(there.st_mode)) {
        test_skip("the system has no /dev/full");
    }
    CHECK_INT(symlink("/dev/full", path), 0);
    CHECK_INT(asq_json_open(&f->json, path), 0);
    for (int i = 0; i < 20000; i++) {
        asq_json_put(&f->json, "%d,", i);
    }
    CHECK_INT(asq_json_close(&f->json), -ENOSPC);
    CHECK_INT(asq_json_open(&f->json, path), 0);
    asq_json_put(&f->json, "[]"); /* waits in the buffer until close */
    CHECK_INT(asq_json_close(&f->json), -ENOSPC);
    CHECK_INT(lstat(path, &there), 0);
    CHECK(S_ISLNK(there.st_mode));
}

static void trying_tells_and_leaves_nothing(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("tried/file.json");
    const char *kept = test_path("kept.json");

    CHECK_INT(asq_json_try(path), 0);
    CHECK_INT(access(path, F_OK), -1);
    CHECK_INT(rmdir(test_path("tried")), 0); /* so it is empty */
    CHECK_INT(asq_json_open(&f->json, kept), 0);
    asq_json_put(&f->json, "[]");
    CHECK_INT(asq_json_close(&f->json), 0);
    CHECK_INT(asq_json_try(kept), 0);
    CHECK_TEXT(read_file(f, kept), "[]");
    CHECK_INT(unlink(kept), 0);
    CHECK_INT(asq_json_try(test_path(".")), -EISDIR);
    CHECK_INT(mkfifo(kept, 0600), 0);
    CHECK_INT(asq_json_try(kept), 0);
    CHECK_INT(asq_json_try(test_path("kept.json/file.json")), -ENOTDIR);
    CHECK_INT(unlink(kept), 0);
}

static void failed_format_is_told(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("file.json");

    CHECK_INT(asq_json_open(&f->json, path), 0);
    /* No locale is set, so that the euro sign has no bytes. */
    asq_json_put(&f->json, "%lc", (wint_t)0x20ac);
    asq_json_put(&f->json, "[]");
    CHECK_INT(asq_json_close(&f->json), -EILSEQ);
    CHECK_INT(access(path, F_OK), -1);
}

static void failed_allocation_is_told(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("one/file.json");
    int failures = 0;
    int rc;

    test_alloc_install();
    do {
        test_alloc_fail_at(TEST_ALLOC_MALLOC, (uint64_t)failures + 1, 0);
        rc = asq_json_open(&f->json, path);
        CHECK_INT(rc, test_alloc_has_failed() ? -ENOMEM : 0);
        CHECK_INT(access(path, F_OK), -1);
        failures += rc != 0;
    } while (rc != 0);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 0, 0);
    CHECK(failures == 2 || failures == 0); /* none where it cannot fail */
    CHECK_INT(asq_json_close(&f->json), 0);
    CHECK_TEXT(read_file(f, path), "");
    CHECK_INT(unlink(path), 0);
}

static const struct test_case cases[] = {
    {.name = "texts_are_escaped", .run = texts_are_escaped},
    {.name = "numbers_are_written_as_json", .run = numbers_are_written_as_json},
    {.name = "file_appears_with_close", .run = file_appears_with_close},
    {.name = "no_place_for_the_file_is_told",
     .run = no_place_for_the_file_is_told},
    {.name = "failed_rename_leaves_nothing",
     .run = failed_rename_leaves_nothing},
    {.name = "full_disk_is_told", .run = full_disk_is_told},
    {.name = "trying_tells_and_leaves_nothing",
     .run = trying_tells_and_leaves_nothing},
    {.name = "failed_format_is_told", .run = failed_format_is_told},
    {.name = "failed_allocation_is_told", .run = failed_allocation_is_told},
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "json", .cases = cases, .fixture_size = sizeof(struct fixture)};
