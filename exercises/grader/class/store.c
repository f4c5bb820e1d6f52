/* store - the folders of a run
 *
 * Owns the lock OUT.lock, which goes with the process. One thread enters. A run
 * writes in OUT.new and becomes OUT at its end, so OUT is whole at any time and
 * is what the last whole run left. What a stopped run has graded stays in
 * OUT.new, where the next one finds it.
 */
#include "class.h"
#include "common/paths.h"
#include "grader/driver/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
    SEED_MAX = 999999999,
    FILE_MAX = 4096 /* bytes of OUT/run */
};

static int say(const char *path, int error)
{
    (void)fprintf(stderr, "build/class: %s: %s\n", path, strerror(error));
    return 1;
}

/* Two runs at a time would remove each other's folders. */
static int lock(const struct class_settings *settings)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = class_format("%s.lock", settings->out);
    int rc = -asq_make_parents(path);
    int fd;

    if (rc == 0) {
        /* It stays open until the process ends. */
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        rc = fd < 0 || fcntl(fd, F_SETLK, &whole) != 0 ? errno : 0;
    }
    if (rc == EAGAIN || rc == EACCES)
        (void)fprintf(stderr,
                      "build/class: %s is in use by another run, or closed\n",
                      settings->out);
    else if (rc != 0)
        (void)say(path, rc);
    free(path);
    return rc != 0;
}

/* Returns the seed that a folder's results have, or 0. */
static long read_seed(const char *folder)
{
    char *path = class_format("%s/run", folder);
    struct class_text text = {0};
    long seed = 0;

    if (class_file_read(path, FILE_MAX, &text) != 0 ||
        sscanf(class_text_of(&text), "seed %ld", &seed) != 1 || seed < 1 ||
        seed > SEED_MAX)
        seed = 0;
    class_text_free(&text);
    free(path);
    return seed;
}

/* A seed that nobody has seen before: with one that was told, an answer could
 * be written for it. */
static long draw_seed(void)
{
    uint64_t number = 0;

    if (uv_random(NULL, NULL, &number, sizeof number, 0, NULL) != 0)
        number = uv_hrtime(); /* UNTESTED: the system has no randomness */
    return (long)(number % SEED_MAX) + 1;
}

/* One seed for the whole class, another one for each run: but a run that was
 * stopped goes on with its own, and --only joins the last one. */
static void choose_seed(struct class_settings *settings)
{
    if (settings->seed == 0 && !settings->again)
        settings->seed = read_seed(settings->run);
    if (settings->seed == 0 && settings->only != NULL)
        settings->seed = read_seed(settings->out);
    if (settings->seed == 0)
        settings->seed = draw_seed();
}

/* A folder of somebody else's is not replaced. Returns 0, or 1 after a line. */
static int check_out(const struct class_settings *settings)
{
    char *run = class_format("%s/run", settings->out);
    struct dirent **entry = NULL;
    int count = scandir(settings->out, &entry, NULL, NULL);
    bool is_others = count > 2 && access(run, F_OK) != 0;

    for (int i = 0; i < count; i++)
        free(entry[i]);
    free(entry);
    free(run);
    if (is_others)
        (void)fprintf(stderr,
                      "build/class: %s holds something else than grades: name "
                      "another folder with --out\n",
                      settings->out);
    return is_others;
}

/* They are written whole at the end of a run. */
static void remove_formats(const char *run)
{
    static const char *const folders[] = {"junit", "tap", "gradescope"};

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char *path = class_format("%s/%s", run, folders[i]);

        folder_remove(path);
        free(path);
    }
}

int class_store_open(struct class_settings *settings)
{
    char *old = class_format("%s.old", settings->out);
    char *reports = class_format("%s/reports/", settings->run);
    char *files = class_format("%s/files", settings->run);
    char *path = class_format("%s/run", settings->run);
    char *text = NULL;
    int rc = lock(settings);

    if (rc != 0)
        goto out;
    /* A run was ended between its two renames. */
    if (access(settings->out, F_OK) != 0 && access(old, F_OK) == 0 &&
        rename(old, settings->out) != 0)
        rc = say(old, errno);
    if (rc == 0)
        rc = check_out(settings);
    if (rc != 0)
        goto out;
    folder_remove(files); /* they are collected anew */
    remove_formats(settings->run);
    choose_seed(settings);
    text = class_format("seed %ld\n", settings->seed);
    if (rc == 0 && (asq_make_parents(reports) != 0 ||
                    class_file_write(path, text, strlen(text)) != 0))
        rc = say(settings->run, errno);

out:
    free(text);
    free(path);
    free(files);
    free(reports);
    free(old);
    return rc;
}

static bool is_of(const struct class_list *list, const char *file)
{
    const char *dot = strrchr(file, '.');
    size_t length = dot != NULL ? (size_t)(dot - file) : strlen(file);

    for (size_t i = 0; i < list->count; i++)
        if (strlen(list->submission[i].key) == length &&
            strncmp(list->submission[i].key, file, length) == 0)
            return true;
    return false;
}

/* A run that was stopped may have graded what is no longer there. */
static void remove_others(const struct class_settings *settings,
                          const struct class_list *list)
{
    char *folder = class_format("%s/reports", settings->run);
    struct dirent **entry = NULL;
    int count = scandir(folder, &entry, NULL, NULL);

    for (int i = 0; i < count; i++) {
        char *path = class_format("%s/%s", folder, entry[i]->d_name);

        if (!is_of(list, entry[i]->d_name))
            (void)unlink(path); /* not so for "." and ".." */
        free(path);
        free(entry[i]);
    }
    free(entry);
    free(folder);
}

/* Somebody has put a file beside the results: it stays there. */
static void keep_others(const struct class_settings *settings, const char *old)
{
    static const char *const ours[] = {
        ".",          "..",         "files",       "reports",      "junit",
        "tap",        "gradescope", "grades.csv",  "manifest.csv", "moodle.csv",
        "canvas.csv", "class.html", "summary.txt", "summary.json", "marks.csv",
        "traces",     "run"};
    struct dirent **entry = NULL;
    int count = scandir(old, &entry, NULL, NULL);

    for (int i = 0; i < count; i++) {
        char *from = class_format("%s/%s", old, entry[i]->d_name);
        char *to = class_format("%s/%s", settings->out, entry[i]->d_name);
        bool is_ours = false;

        for (size_t k = 0; k < sizeof ours / sizeof ours[0]; k++)
            is_ours |= strcmp(entry[i]->d_name, ours[k]) == 0;
        if (!is_ours && access(to, F_OK) != 0 && rename(from, to) != 0)
            (void)say(from, errno);
        free(to);
        free(from);
        free(entry[i]);
    }
    free(entry);
}

int class_store_publish(const struct class_settings *settings,
                        const struct class_list *list)
{
    char *old = class_format("%s.old", settings->out);
    int rc = 0;

    remove_others(settings, list);
    folder_remove(old);
    if (rename(settings->out, old) != 0 && errno != ENOENT)
        rc = say(settings->out, errno);
    else if (rename(settings->run, settings->out) != 0)
        rc = say(settings->run, errno);
    if (rc == 0)
        keep_others(settings, old);
    if (rc == 0)
        folder_remove(old); /* is tried again by the next run */
    free(old);
    return rc;
}
