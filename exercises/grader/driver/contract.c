/* contract - what an exercise's header declares, and the headers it includes
 */
#include "grader/driver/contract.h"
#include "grader/driver/files.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Takes comments out of C, in place. Quotes need no care: no header has a
 * comment's beginning in a text. */
static void strip_comments(char *text)
{
    char *to = text;

    while (*text != '\0') {
        if (strncmp(text, "/*", 2) == 0) {
            char *end = strstr(text + 2, "*/");

            text = end != NULL ? end + 2 : text + strlen(text);
            *to++ = ' ';
        } else if (strncmp(text, "//", 2) == 0) {
            text += strcspn(text, "\n");
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}

/* Reads a header and takes the comments out. Returns the size, or a negative
 * UV_E*. */
static long read_header(const char *path, char *text, size_t size)
{
    if (file_read(path, text, size) == 0)
        return UV_ENOENT;
    strip_comments(text);
    return (long)strlen(text);
}

/* Returns whether a header declares a function of that name: the name as a
 * whole word, and then a parenthesis. */
int contract_count(const char *text)
{
    int count = 0;

    for (const char *at = text; (at = strstr(at, "ex_")) != NULL;) {
        bool begins =
            at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');

        while (isalnum((unsigned char)*at) || *at == '_')
            at++;
        count += begins && *at == '(';
    }
    return count;
}

bool contract_declares(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        int begins =
            at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
        const char *after = at + length;

        if (begins && after[strspn(after, " \n")] == '(')
            return true;
    }
    return false;
}

/* Adds the headers of the modules that a header includes, and theirs. */
static void
add_headers(struct contract *contract, const char *lessons, const char *text)
{
    static const char include[] = "#include \"";
    char name[sizeof contract->seen[0]];
    char path[1024];

    for (const char *at = text; (at = strstr(at, include)) != NULL;) {
        char *to = contract->modules + contract->modules_size;
        bool seen = false;
        long size;

        at += strlen(include);
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\"\n"), at);
        for (size_t i = 0; i < contract->seen_count; i++)
            seen |= strcmp(contract->seen[i], name) == 0;
        if (seen || contract->seen_count == CONTRACT_HEADERS)
            continue;
        memcpy(contract->seen[contract->seen_count++], name, sizeof name);
        (void)snprintf(path, sizeof path, "%.700s/%s", lessons, name);
        size = read_header(path, to, CONTRACT_SIZE - contract->modules_size);
        if (size < 0)
            continue; /* not one of a module */
        contract->modules_size += (size_t)size;
        add_headers(contract, lessons, to);
    }
}

int contract_new(const char *header,
                 const char *lessons,
                 struct contract **ret_contract)
{
    struct contract *contract = calloc(1, sizeof *contract);
    int err = UV_ENOMEM;
    long size;

    if (contract == NULL)
        return err;
    contract->own = calloc(1, CONTRACT_SIZE);
    contract->modules = calloc(1, CONTRACT_SIZE);
    if (contract->own == NULL || contract->modules == NULL)
        goto out;
    size = read_header(header, contract->own, CONTRACT_SIZE);
    err = size < 0 ? (int)size : 0;
    if (err != 0)
        goto out;
    add_headers(contract, lessons, contract->own);
    *ret_contract = contract;
    contract = NULL;

out:
    contract_free(contract);
    return err;
}

void contract_free(struct contract *contract)
{
    if (contract == NULL)
        return;
    free(contract->own);
    free(contract->modules);
    free(contract);
}
