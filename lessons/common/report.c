/* report - the rows that every comparison of the course prints
 *
 * Owns nothing. One thread at a time may use it. Depends on table, json,
 * options and trace.
 */
#include "common/report.h"

#include "common/json.h"
#include "common/table.h"

#include <inttypes.h>
#include <string.h>

static void add_row(struct asq_table *table, const struct asq_report_row *row)
{
    char text[16];

    asq_table_add(table, "%s", row->way);
    asq_table_add(table, "%s", row->disk);
    asq_table_add(table, "%d", row->connections);
    asq_table_add(table, "%" PRIu64, row->requests);
    asq_table_add(table, "%" PRIu64, row->disk_reads);
    asq_table_add(table, "%s", asq_format_count(text, row->throughput_per_s));
    asq_table_add(table, "%s", asq_format_duration(text, row->p50_us));
    asq_table_add(table, "%s", asq_format_duration(text, row->p99_us));
    asq_table_add(table, "%s", asq_format_duration(text, row->stall_us));
}

int asq_report_print(const struct asq_report_row *rows, size_t count, FILE *out)
{
    /* The headers are short so that a row fits into 80 columns. */
    static const char *const headers[] = {"way",      "disk",  "conns",
                                          "requests", "reads", "per s",
                                          "p50",      "p99",   "stall"};
    struct asq_table table;
    int rc;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (size_t i = 0; i < count; i++)
        add_row(&table, &rows[i]);
    rc = asq_table_print(&table, out);
    asq_table_destroy(&table);
    return rc;
}

static void write_row(struct asq_json *json, const struct asq_report_row *row)
{
    asq_json_put(json, "  {\"way\": ");
    asq_json_text(json, row->way);
    asq_json_put(json, ", \"disk\": ");
    asq_json_text(json, row->disk);
    asq_json_put(json, ", \"connections\": %d", row->connections);
    asq_json_put(json, ", \"requests\": %" PRIu64, row->requests);
    asq_json_put(json, ", \"disk_reads\": %" PRIu64, row->disk_reads);
    asq_json_put(json, ", \"throughput_per_s\": ");
    asq_json_number(json, row->throughput_per_s);
    asq_json_put(json, ", \"p50_us\": ");
    asq_json_number(json, row->p50_us);
    asq_json_put(json, ", \"p99_us\": ");
    asq_json_number(json, row->p99_us);
    asq_json_put(json, ", \"stall_us\": ");
    asq_json_number(json, row->stall_us);
    asq_json_put(json, "}");
}

int asq_report_write(const struct asq_report_row *rows,
                     size_t count,
                     const char *path)
{
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    asq_json_put(&json, "[");
    for (size_t i = 0; i < count; i++) {
        asq_json_put(&json, "%s", i == 0 ? "\n" : ",\n");
        write_row(&json, &rows[i]);
    }
    asq_json_put(&json, "\n]\n");
    return asq_json_close(&json);
}

static int say(const char *path, int rc)
{
    if (rc == 0)
        return 0;
    (void)fprintf(stderr, "%s: %s\n", path, strerror(-rc));
    return 1;
}

int asq_report_save(const struct asq_report_row *rows,
                    size_t count,
                    const struct asq_trace *trace,
                    const struct asq_options *options)
{
    int status = 0;

    if (options->json != NULL)
        status =
            say(options->json, asq_report_write(rows, count, options->json));
    if (status == 0 && options->trace != NULL)
        status = say(options->trace, asq_trace_write(trace, options->trace));
    return status;
}
