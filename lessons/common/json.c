/* json - the part of JSON that reports and traces need
 *
 * Owns the open file and its name beside the final one. One thread at a time
 * may use it. Depends on paths for asq_make_parents.
 */
#include "common/json.h"

#include "common/paths.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NUMBER_MAX = 24
}; /* ".", a process id, ".tmp" and the NUL */

/* Keeps the first error. rc is negative if a call of stdio failed. */
static void keep(struct asq_json *json, int rc)
{
    if (rc < 0 && json->error == 0)
        json->error = errno != 0 ? -errno : -EIO;
}

/* Two processes may write the same path, so each has its own name beside it. */
static char *name_beside(const char *path)
{
    size_t room = strlen(path) + NUMBER_MAX;
    char *beside = malloc(room);

    if (beside != NULL) {
        /* There is room for every process id. */
        (void)snprintf(beside, room, "%s.%ld.tmp", path, (long)getpid());
    }
    return beside;
}

int asq_json_open(struct asq_json *json, const char *path)
{
    struct stat there;
    int rc;

    memset(json, 0, sizeof *json);
    json->path = path;
    rc = asq_make_parents(path);
    if (rc != 0)
        return rc;
    /* A rename onto /dev/stdout would replace the device by a file. */
    if (stat(path, &there) != 0 || S_ISREG(there.st_mode)) {
        json->beside = name_beside(path);
        if (json->beside == NULL)
            return -ENOMEM;
    }
    if (json->beside != NULL)
        (void)remove(json->beside); /* a killed process may have left it */
    json->out =
        json->beside != NULL ? fopen(json->beside, "wx") : fopen(path, "w");
    if (json->out == NULL) {
        rc = -errno;
        free(json->beside);
        return rc;
    }
    return 0;
}

int asq_json_try(const char *path)
{
    struct asq_json json;
    struct stat there;
    int rc;

    if (stat(path, &there) == 0 && S_ISDIR(there.st_mode))
        return -EISDIR;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return 0; /* opening a pipe would wait for its reader */
    rc = asq_json_open(&json, path);
    if (rc != 0)
        return rc;
    json.error = -ECANCELED; /* so that close removes it */
    (void)asq_json_close(&json);
    return 0;
}

void asq_json_put(struct asq_json *json, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep(json, vfprintf(json->out, format, args));
    va_end(args);
}

void asq_json_text(struct asq_json *json, const char *text)
{
    keep(json, fputc('"', json->out));
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20)
            asq_json_put(json, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            asq_json_put(json, "\\%c", c);
        else
            keep(json, fputc(c, json->out));
    }
    keep(json, fputc('"', json->out));
}

void asq_json_number(struct asq_json *json, double value)
{
    double positive = fabs(value);
    const char *sign = value < 0 ? "-" : "";

    if (!isfinite(value)) {
        asq_json_put(json, "null");
    } else if (positive >= 1e12) {
        /* A double of this size has hardly anything behind the point. */
        asq_json_put(json, "%.0f", value);
    } else {
        /* As integers: printf would write the locale's decimal sign. */
        uint64_t thousandths = (uint64_t)(positive * 1000 + 0.5);

        asq_json_put(json, "%s%" PRIu64 ".%03" PRIu64, sign, thousandths / 1000,
                     thousandths % 1000);
    }
}

int asq_json_close(struct asq_json *json)
{
    keep(json, fclose(json->out));
    if (json->beside != NULL) {
        if (json->error == 0)
            keep(json, rename(json->beside, json->path));
        if (json->error != 0) {
            /* Its own error does not matter: the first one is reported. */
            (void)unlink(json->beside);
        }
    }
    free(json->beside);
    return json->error;
}
