/* results - results.json, the file of Gradescope, and the state file
 *
 * Owns nothing that lasts. One thread enters.
 */
#include "grader/driver/results.h"
#include "common/json.h"
#include "grader/driver/files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* make tells which version of the course this is. */
static const char *version(void)
{
    const char *text = getenv("ASQ_COURSE");

    return text != NULL && text[0] != '\0' ? text : "unknown";
}

/* Adds a part to a message, apart from what is there. */
static void
add_part(char *text, size_t size, const char *name, const char *part)
{
    size_t used = strlen(text);

    if (part[0] != '\0') {
        (void)snprintf(text + used, size - used, "%s%s%s", used > 0 ? "; " : "",
                       name, part);
    }
}

char *results_message(const struct finding *finding, char *text, size_t size)
{
    text[0] = '\0';
    add_part(text, size, "while: ", finding->doing);
    add_part(text, size, "expected ", finding->expected);
    add_part(text, size, finding->expected[0] != '\0' ? "got " : "",
             finding->got);
    add_part(text, size, "usual cause: ", finding->cause);
    return text;
}

const char *results_build(const struct plan *plan, unsigned kind)
{
    for (int i = 0; i < PLAN_BUILDS; i++)
        if (kind != 0 && plan->builds[i].kind == kind)
            return plan->builds[i].name;
    return "";
}

static const char *verdict_of(const struct exercise *exercise,
                              const struct grader_test *test)
{
    if (test->done)
        return verdict_name(test->outcome.finding.verdict);
    if (exercise->finding.verdict != VERDICT_PASSED)
        return verdict_name(exercise->finding.verdict);
    return "not run";
}

/* Writes "key": "text", and what separates it from the one before. */
static void put_text(struct asq_json *json, const char *key, const char *text)
{
    asq_json_put(json, ", \"%s\": ", key);
    asq_json_text(json, text);
}

static void put_test(struct asq_json *json,
                     const struct plan *plan,
                     const struct exercise *exercise,
                     const struct grader_test *test,
                     int complete)
{
    const struct finding *finding = &test->outcome.finding;
    bool passed = complete && test->done && finding->verdict == VERDICT_PASSED;
    char message[4 * FINDING_TEXT];

    asq_json_put(json, "\n      {\"exercise\": ");
    asq_json_text(json, exercise->name);
    asq_json_put(json, ", \"test\": %d", test->number);
    put_text(json, "name", test->name);
    put_text(json, "title", test->title);
    asq_json_put(json, ", \"points\": %d, \"max\": %d",
                 passed ? test->points : 0, test->points);
    put_text(json, "verdict", verdict_of(exercise, test));
    put_text(json, "build", results_build(plan, test->outcome.build));
    put_text(json, "message",
             results_message(finding, message, sizeof message));
    put_text(json, "look_at", finding->where);
    asq_json_put(json, ", \"seed\": %llu, \"seconds\": ",
                 (unsigned long long)plan->seed);
    asq_json_number(json, test->outcome.seconds);
    asq_json_put(json, ", \"hidden\": %s}", test->hidden ? "true" : "false");
}

static void put_exercise(struct asq_json *json,
                         const struct plan *plan,
                         const struct exercise *exercise,
                         int complete)
{
    const struct finding *finding = &exercise->finding;
    char message[4 * FINDING_TEXT];

    asq_json_put(json, "\n    {\"exercise\": ");
    asq_json_text(json, exercise->name);
    asq_json_put(json, ", \"points\": %d, \"max\": %d",
                 complete ? exercise_points(exercise) : 0,
                 exercise_max(exercise));
    put_text(json, "verdict",
             finding->verdict != VERDICT_PASSED ? verdict_name(finding->verdict)
             : exercise->done                   ? "graded"
                                                : "not run");
    put_text(json, "message",
             results_message(finding, message, sizeof message));
    put_text(json, "look_at", finding->where);
    asq_json_put(json, ", \"warnings\": %d, \"tests\": [",
                 exercise->builds[0].outcome.warnings);
    for (size_t i = 0; i < exercise->test_count; i++) {
        asq_json_put(json, "%s", i > 0 ? "," : "");
        put_test(json, plan, exercise, &exercise->tests[i], complete);
    }
    asq_json_put(json, "]}");
}

static void sum(const struct plan *plan, int *ret_points, int *ret_max)
{
    *ret_points = 0;
    *ret_max = 0;
    for (size_t i = 0; i < plan->count; i++) {
        *ret_points += exercise_points(&plan->exercises[i]);
        *ret_max += exercise_max(&plan->exercises[i]);
    }
}

int results_write(const struct plan *plan,
                  const char *path,
                  int complete,
                  double seconds)
{
    struct asq_json json;
    int points;
    int max;
    int err = asq_json_open(&json, path);

    if (err != 0)
        return err;
    sum(plan, &points, &max);
    asq_json_put(&json, "{\"version\": 1");
    put_text(&json, "course", version());
    put_text(&json, "state", complete ? "complete" : "incomplete");
    asq_json_put(&json, ", \"seed\": %llu", (unsigned long long)plan->seed);
    put_text(&json, "sandbox", plan->sandbox ? "bubblewrap" : "none");
    asq_json_put(&json, ", \"seconds\": ");
    asq_json_number(&json, seconds);
    asq_json_put(&json, ", \"points\": %d, \"max\": %d,\n  \"exercises\": [",
                 complete ? points : 0, max);
    for (size_t i = 0; i < plan->count; i++) {
        asq_json_put(&json, "%s", i > 0 ? "," : "");
        put_exercise(&json, plan, &plan->exercises[i], complete);
    }
    asq_json_put(&json, "]}\n");
    return asq_json_close(&json);
}

int results_write_gradescope(const struct plan *plan,
                             const char *path,
                             int complete)
{
    struct asq_json json;
    int err = asq_json_open(&json, path);
    const char *between = "";

    if (err != 0)
        return err;
    asq_json_put(&json, "{\"stdout_visibility\": \"hidden\", \"tests\": [");
    for (size_t i = 0; i < plan->count; i++) {
        const struct exercise *exercise = &plan->exercises[i];

        for (size_t k = 0; k < exercise->test_count; k++) {
            const struct grader_test *test = &exercise->tests[k];
            const struct finding *finding =
                test->done ? &test->outcome.finding : &exercise->finding;
            int passed =
                complete && test->done && finding->verdict == VERDICT_PASSED;
            char text[4 * FINDING_TEXT];

            asq_json_put(&json, "%s\n  {\"score\": %d, \"max_score\": %d",
                         between, passed ? test->points : 0, test->points);
            (void)snprintf(text, sizeof text, "%s: %s", exercise->name,
                           test->title);
            put_text(&json, "name", text);
            put_text(&json, "output",
                     results_message(finding, text, sizeof text));
            put_text(&json, "visibility", test->hidden ? "hidden" : "visible");
            asq_json_put(&json, "}");
            between = ",";
        }
    }
    asq_json_put(&json, "]}\n");
    return asq_json_close(&json);
}

/* ---- The state file --------------------------------------------------------
 */

/* Returns the best points an exercise has had, by the lines of the old file,
 * or -1. */
static int read_best(const char *old, const char *name)
{
    char key[PLAN_NAME + 8];
    const char *at = old;
    int length = snprintf(key, sizeof key, "%s.best ", name);

    while (at != NULL && strncmp(at, key, (size_t)length) != 0) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL ? atoi(at + length) : -1;
}

/* Returns whether this plan has graded the exercise of a line whole, so that
 * the line is written anew. */
static bool replaces(const struct plan *plan, const char *line)
{
    for (size_t i = 0; i < plan->count; i++) {
        size_t length = strlen(plan->exercises[i].name);

        if (strncmp(line, plan->exercises[i].name, length) == 0 &&
            (strncmp(line + length, ".points ", 8) == 0 ||
             strncmp(line + length, ".best ", 6) == 0))
            return true;
    }
    return false;
}

static int write_state(const struct plan *plan, const char *old, FILE *out)
{
    int failed = 0;

    for (const char *line = old; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (length > 0 && !replaces(plan, line))
            failed |= fprintf(out, "%.*s\n", (int)length, line) < 0;
        line += length + (line[length] == '\n');
    }
    for (size_t i = 0; i < plan->count; i++) {
        const struct exercise *exercise = &plan->exercises[i];
        int points = exercise_points(exercise);
        int best = read_best(old, exercise->name);

        failed |=
            fprintf(out, "%s.points %d/%d\n%s.best %d/%d\n", exercise->name,
                    points, exercise_max(exercise), exercise->name,
                    points > best ? points : best, exercise_max(exercise)) < 0;
    }
    return failed ? UV_EIO : 0;
}

int results_keep(const struct plan *plan, const char *path)
{
    static char old[65536];
    char beside[PLAN_PATH + 8];
    FILE *out;
    int err;

    (void)file_read(path, old, sizeof old); /* none yet is empty */
    (void)snprintf(beside, sizeof beside, "%.500s.new", path);
    (void)remove(beside); /* left by a grader that was killed; or a link */
    out = fopen(beside, "wx");
    if (out == NULL)
        return uv_translate_sys_error(errno);
    err = write_state(plan, old, out);
    if (fclose(out) != 0 && err == 0)
        err = UV_EIO;
    if (err == 0 && rename(beside, path) != 0)
        err = uv_translate_sys_error(errno);
    if (err != 0)
        (void)remove(beside); /* the old one stays */
    return err;
}
