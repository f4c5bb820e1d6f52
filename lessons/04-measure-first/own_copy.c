/* own_copy - a copy of a database that is removed, whatever happens
 *
 * A signal handler has no argument of ours, so what it removes is global:
 * made whole before the handlers are set, changed after they are taken back.
 */
#include "04-measure-first/own_copy.h"

#include "04-measure-first/db_copy.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PARTS = 4,
    SIGNALS = 5
};

static const char *const parts[PARTS] = {"", "-wal", "-journal", "-shm"};
static const int signals[SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
static const char start[] = "measured-";

static struct {
    char *paths[PARTS]; /* NULL: there is no copy */
    struct sigaction before[SIGNALS];
} copy;

/* Runs on whatever thread the signal finds. unlink, sigaction and raise may be
 * called there. The process then ends as without us. */
static void remove_and_end(int number)
{
    struct sigaction end = {.sa_handler = SIG_DFL};

    for (int i = 0; i < PARTS; i++)
        (void)unlink(copy.paths[i]);     /* it need not be there */
    (void)sigaction(number, &end, NULL); /* a signal that exists */
    (void)raise(number);
}

static void set_handlers(void)
{
    struct sigaction action = {.sa_handler = remove_and_end};

    for (int i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], NULL, &copy.before[i]);
        /* A signal that is ignored (nohup, a shell's background) stays so. */
        if (copy.before[i].sa_handler == SIG_DFL)
            (void)sigaction(signals[i], &action, NULL);
    }
}

void asq_own_copy_remove(void)
{
    if (copy.paths[0] == NULL)
        return;
    (void)asq_db_remove(copy.paths[0]); /* what cannot be removed stays */
    for (int i = 0; i < SIGNALS; i++)
        (void)sigaction(signals[i], &copy.before[i], NULL);
    for (int i = 0; i < PARTS; i++) {
        free(copy.paths[i]);
        copy.paths[i] = NULL;
    }
}

static char *joined(const char *one, const char *other)
{
    char *text = malloc(strlen(one) + strlen(other) + 1);

    if (text != NULL)
        (void)strcat(strcpy(text, one), other);
    return text;
}

/* Returns the process that a name belongs to, or 0. */
static long process_of(const char *name)
{
    char *end;
    long process;

    if (strncmp(name, start, strlen(start)) != 0)
        return 0;
    process = strtol(name + strlen(start), &end, 10);
    return strncmp(end, ".db", 3) == 0 && process > 0 ? process : 0;
}

/* Removes the copies of processes that have ended. Another user's process
 * exists as well; what cannot be removed stays. */
static void remove_left(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        long process = process_of(entry->d_name);
        char *path = joined(folder, entry->d_name);

        if (path != NULL && process > 0 && kill((pid_t)process, 0) != 0 &&
            errno == ESRCH)
            (void)unlink(path);
        free(path);
    }
    if (dir != NULL)
        (void)closedir(dir);
}

static int name_parts(const char *folder)
{
    char name[64];
    char *first;
    int rc = 0;

    /* It fits. */
    (void)snprintf(name, sizeof name, "%s%ld.db", start, (long)getpid());
    first = joined(folder, name);
    for (int i = 0; i < PARTS; i++) {
        copy.paths[i] = first == NULL ? NULL : joined(first, parts[i]);
        if (copy.paths[i] == NULL)
            rc = -ENOMEM;
    }
    free(first);
    return rc;
}

int asq_own_copy_make(const char *from,
                      const char *folder,
                      const char **ret_path,
                      bool *ret_raw,
                      char *message,
                      size_t size)
{
    int rc = name_parts(folder);

    if (rc != 0) {
        (void)snprintf(message, size, "out of memory");
        for (int i = 0; i < PARTS; i++) {
            free(copy.paths[i]);
            copy.paths[i] = NULL;
        }
        return rc;
    }
    remove_left(folder);
    set_handlers();
    rc = asq_db_copy(from, copy.paths[0], ret_raw, message, size);
    *ret_path = copy.paths[0];
    if (rc != 0)
        asq_own_copy_remove();
    return rc;
}
