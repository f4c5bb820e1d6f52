/* checks - the assertions that say what they got and what they expected
 *
 * Owns nothing; any thread may enter. Nothing here allocates, so that a
 * failing allocator does not hide a failure.
 */
#include "runner.h"

#include <stdio.h>
#include <string.h>

/* Writes the text in quotes as C would spell it, so that blanks at the end and
 * unprintable bytes can be seen; or the word NULL without quotes. A text that
 * is too long is cut off and has no quote at the end. */
static const char *quote(const char *text, char *buffer, size_t size)
{
    size_t used = 1;

    if (text == NULL)
        return "NULL";
    buffer[0] = '"';
    for (; *text != '\0' && used + 6 < size; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '\n') {
            buffer[used++] = '\\';
            buffer[used++] = 'n';
        } else if (c < ' ' || c == 127) {
            used += (size_t)snprintf(buffer + used, 5, "\\x%02x", c);
        } else {
            buffer[used++] = *text;
        }
    }
    if (*text == '\0')
        buffer[used++] = '"';
    buffer[used] = '\0';
    return buffer;
}

void test_check_int(const char *file,
                    int line,
                    const char *expression,
                    int64_t got,
                    int64_t expected)
{
    if (got != expected) {
        test__tell(TEST__EXPECTED, "%s = %lld", expression,
                   (long long)expected);
        test__tell(TEST__GOT, "%s = %lld", expression, (long long)got);
        test_fail(file, line, "%s: got %lld, expected %lld", expression,
                  (long long)got, (long long)expected);
    }
}

void test_check_text(const char *file,
                     int line,
                     const char *expression,
                     const char *got,
                     const char *expected)
{
    char got_text[TEST__MESSAGE_SIZE / 3];
    char expected_text[TEST__MESSAGE_SIZE / 3];

    if (got == expected ||
        (got != NULL && expected != NULL && strcmp(got, expected) == 0))
        return;
    got = quote(got, got_text, sizeof got_text);
    expected = quote(expected, expected_text, sizeof expected_text);
    test__tell(TEST__EXPECTED, "%s = %s", expression, expected);
    test__tell(TEST__GOT, "%s = %s", expression, got);
    test_fail(file, line, "%s: got %s, expected %s", expression, got, expected);
}

void test_check_contains(const char *file,
                         int line,
                         const char *expression,
                         const char *got,
                         const char *part)
{
    char got_text[TEST__MESSAGE_SIZE / 3];

    if (got == NULL || strstr(got, part) == NULL) {
        got = quote(got, got_text, sizeof got_text);
        test__tell(TEST__EXPECTED, "%s contains \"%s\"", expression, part);
        test__tell(TEST__GOT, "%s = %s", expression, got);
        test_fail(file, line,
                  "%s: got %s, expected a text that contains \"%s\"",
                  expression, got, part);
    }
}

void test_check_range(const char *file,
                      int line,
                      const char *expression,
                      double got,
                      double least,
                      double most)
{
    if (!(got >= least && got <= most)) { /* written so that NaN fails */
        test__tell(TEST__EXPECTED, "%s from %g to %g", expression, least, most);
        test__tell(TEST__GOT, "%s = %g", expression, got);
        test_fail(file, line, "%s: got %g, expected %g to %g", expression, got,
                  least, most);
    }
}

unsigned test_scaled(unsigned n)
{
    if (TEST__THREAD_SANITIZER)
        n /= 10;
    else if (TEST__ADDRESS_SANITIZER)
        n /= 3;
    return n > 0 ? n : 1;
}
