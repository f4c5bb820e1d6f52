/* barrier - looks into a student's object before it is linked
 *
 * What the assembler inside of a source defines is in the object as well. A
 * sanitizer defines nothing for others, but adds one constructor, and maybe a
 * destructor; a file that may be compiled otherwise for each of them is looked
 * at in each build.
 */
#include "grader/driver/compiler.h"

#include "grader/driver/contract.h"
#include "grader/driver/text.h"
#include "grader/driver/tool.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    SECONDS = 20,
    TEXT_SIZE = 1 << 20 /* of what a tool prints */
};

/* What is looked at, and what is known. */
struct look {
    const struct compiler_file *file;
    const struct contract *contract;
    bool sanitized;      /* it is of a build with a sanitizer */
    int own_sections[2]; /* the sanitizer's, of beginning and of end */
    struct finding *finding;
};

/* Refuses the object. */
static void refuse(struct look *look,
                   const char *verb,
                   const char *name,
                   const char *reason,
                   const char *cause)
{
    struct finding *finding = look->finding;

    finding->verdict = VERDICT_REFUSED;
    text_set(finding->got, sizeof finding->got, verb);
    text_add(finding->got, sizeof finding->got, name);
    text_add(finding->got, sizeof finding->got, reason);
    text_set(finding->cause, sizeof finding->cause, cause);
}

/* A name that the object defines for others. */
static void look_at_definition(struct look *look, const char *name, char type)
{
    bool function = type == 'T' || type == 'W';

    if (function && contract_declares(look->contract->own, name))
        return;
    if (strcmp(name, "main") == 0)
        refuse(look, "defines ", name, ", which is the grader's",
               "the tests have a main of their own; a program to try things "
               "needs another file");
    else if (type == 'i' || type == 'I')
        refuse(look, "defines ", name, " as an indirect function",
               "an exercise needs none");
    else if (function && strncmp(name, "ex_", 3) == 0)
        refuse(look, "defines ", name, ", which the contract does not know",
               "make it static: only the functions of the contract are seen "
               "from outside");
    else if (function)
        refuse(look, "defines ", name, ", which is not its own",
               "a function that only this file needs should be static; names "
               "of the C library, the tests and the modules are taken");
    else
        refuse(look, "defines the global variable ", name, "",
               "make it static, or better, part of the struct that the "
               "contract has");
}

/* A name that the object uses. */
static void look_at_use(struct look *look, const char *name)
{
    if (strncmp(name, "test_", 5) == 0)
        refuse(look, "uses ", name, ", which is the grader's",
               "an exercise does not know its tests");
    else if (strncmp(name, "asq_", 4) == 0 &&
             !contract_declares(look->contract->modules, name))
        refuse(look, "uses ", name, ", which its contract does not include",
               "the exercise is to be solved with the modules that its header "
               "includes");
}

/* Looks at a line of nm: "NAME TYPE VALUE SIZE", and where it is. */
static void look_at_symbol(struct look *look, const char *line)
{
    char name[TEXT_LINE];
    size_t length = strcspn(line, " ");
    char type = line[length] == ' ' ? line[length + 1] : '\0';
    const char *from = line;
    int at;

#if defined(__APPLE__)
    from += *from == '_';
#endif
    (void)snprintf(name, sizeof name, "%.*s",
                   (int)(length - (size_t)(from - line)), from);
    /* An object that only pretends cannot be linked without a sanitizer. */
    look->sanitized |= type == 'U' && (strcmp(name, "__asan_init") == 0 ||
                                       strcmp(name, "__tsan_init") == 0);
    if (type == 'U' || type == 'w' || type == 'v')
        look_at_use(look, name);
    else if (isupper((unsigned char)type) ? type != 'N'
                                          : type == 'i' || type == 'u')
        look_at_definition(look, name, type);
    at = text_line_of(line, look->file->file, NULL);
    if (look->finding->verdict == VERDICT_REFUSED && at > 0)
        (void)snprintf(look->finding->where, sizeof look->finding->where,
                       "%.180s:%d", look->file->shown, at);
}

static int look_at_symbols(struct look *look, const char *object, char *text)
{
#if defined(__linux__)
    const char *words[] = {"nm", "-P", "-l", object, NULL};
#else
    const char *words[] = {"nm", "-P", object, NULL};
#endif
    char line[TEXT_LINE];
    size_t size;
    size_t at = 0;

    if (tool_run(words, SECONDS, text, TEXT_SIZE) != 0)
        return UV_EIO;
    size = strlen(text);
    if (size + 1 >= TEXT_SIZE)
        return UV_E2BIG;
    while (look->finding->verdict == VERDICT_PASSED &&
           text_next(text, size, &at, line))
        look_at_symbol(look, line);
    return 0;
}

/* Code that runs before main or after it is in sections of these names, or of
 * these types, whatever their names. */
static bool runs_by_itself(const char *word)
{
    static const char *const names[] = {".init", ".fini", ".preinit_array",
                                        ".ctors", ".dtors"};
    static const char *const types[] = {"INIT_ARRAY", "FINI_ARRAY",
                                        "PREINIT_ARRAY"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(word, names[i], strlen(names[i])) == 0)
            return true;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(word, types[i]) == 0)
            return true;
    return false;
}

/* Returns whether a section is the sanitizer's own: the only one of its type,
 * with one entry, in front of all that a program can ask for. */
static bool is_sanitizers(struct look *look, const char *line)
{
    char name[32];
    char type[32];
    unsigned long long size;
    bool fini;

    if (!look->sanitized ||
        sscanf(line, " [%*d] %31s %31s %*x %*x %llx", name, type, &size) != 3 ||
        size != sizeof(void *))
        return false;
    fini = strcmp(type, "FINI_ARRAY") == 0;
    if (!fini && strcmp(type, "INIT_ARRAY") != 0)
        return false;
    return strncmp(name, fini ? ".fini_array." : ".init_array.", 12) == 0 &&
           strtoul(name + 12, NULL, 10) < 100 &&
           look->own_sections[fini]++ == 0;
}

/* Looks at the lines "[ 7] .init_array INIT_ARRAY ..." of readelf. */
static int look_at_sections(struct look *look, const char *object, char *text)
{
    const char *words[] = {"readelf", "-S", "-W", object, NULL};
    char line[TEXT_LINE];
    char copy[TEXT_LINE];
    size_t at = 0;
    size_t size;

    if (tool_run(words, SECONDS, text, TEXT_SIZE) != 0)
        return UV_EIO;
    size = strlen(text);
    if (size + 1 >= TEXT_SIZE)
        return UV_E2BIG;
    while (look->finding->verdict == VERDICT_PASSED &&
           text_next(text, size, &at, line)) {
        char *rest = NULL;
        bool suspect = false;

        memcpy(copy, line, sizeof copy);
        for (char *word = strtok_r(copy, " ", &rest); word != NULL;
             word = strtok_r(NULL, " ", &rest))
            suspect |= runs_by_itself(word);
        if (suspect && !is_sanitizers(look, line))
            refuse(look, "has code that runs before or after main", "", "",
                   "a function with the attribute constructor or destructor");
    }
    return 0;
}

int compiler_barrier(const char *object,
                     const char *header,
                     const char *lessons,
                     const struct compiler_file *file,
                     struct finding *ret_finding)
{
    struct look look = {.file = file, .finding = ret_finding};
    struct contract *contract = NULL;
    char *text = malloc(TEXT_SIZE);
    int err = text != NULL ? 0 : UV_ENOMEM;

    memset(ret_finding, 0, sizeof *ret_finding);
    if (err == 0)
        err = contract_new(header, lessons, &contract);
    if (err != 0)
        goto out;
    look.contract = contract;
    err = look_at_symbols(&look, object, text);
#if defined(__linux__)
    if (err == 0 && ret_finding->verdict == VERDICT_PASSED)
        err = look_at_sections(&look, object, text);
#endif

out:
    contract_free(contract);
    free(text);
    return err;
}
