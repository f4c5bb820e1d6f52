/* claims - what a lesson says of the claims that it settles */
#include "common/claims.h"

#include "common/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

void asq_claim_set(struct asq_claim *claim,
                   const char *id,
                   const char *verdict,
                   double measured,
                   const char *text,
                   ...)
{
    va_list args;

    claim->id = id;
    claim->verdict = verdict;
    claim->measured = measured;
    va_start(args, text);
    /* Cut if it is too long. */
    (void)vsnprintf(claim->text, sizeof claim->text, text, args);
    va_end(args);
}

/* Prints the lines of a text, set in. */
static void print_lines(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        printf("    %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static int
write_claims(const struct asq_claim *claims, size_t count, const char *path)
{
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    asq_json_put(&json, "[");
    for (size_t i = 0; i < count; i++) {
        asq_json_put(&json, "%s  {\"claim\": ", i == 0 ? "\n" : ",\n");
        asq_json_text(&json, claims[i].id);
        asq_json_put(&json, ", \"verdict\": ");
        asq_json_text(&json, claims[i].verdict);
        asq_json_put(&json, ", \"measured\": ");
        asq_json_number(&json, claims[i].measured);
        asq_json_put(&json, ", \"text\": ");
        asq_json_text(&json, claims[i].text);
        asq_json_put(&json, "}");
    }
    asq_json_put(&json, "\n]\n");
    return asq_json_close(&json);
}

int asq_claims_report(const struct asq_claim *claims,
                      size_t count,
                      const struct asq_options *options)
{
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        printf("%s: %s\n", claims[i].id, claims[i].verdict);
        print_lines(claims[i].text);
    }
    if (options->json != NULL)
        rc = write_claims(claims, count, options->json);
    if (rc != 0)
        (void)fprintf(stderr, "%s: %s\n", options->json, uv_strerror(rc));
    return rc == 0 ? 0 : 1;
}
