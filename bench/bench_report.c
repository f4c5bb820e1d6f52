/* bench_report - what was measured, for people and for programs */
#include "bench_report.h"

#include "common/table.h"
#include "peers.h"

#include <math.h>
#include <stdio.h>

static void add_ratio(struct asq_table *table, double ratio)
{
    if (isnan(ratio))
        asq_table_add(table, "-");
    else if (ratio < 0.1)
        asq_table_add(table, "%.3f", ratio);
    else
        asq_table_add(table, "%.2f", ratio);
}

static void add_row(struct asq_table *table, const struct bench_row *row)
{
    char text[16];

    asq_table_add(table, "%s", row->way);
    asq_table_add(table, "%s", asq_format_count(text, row->ops_per_s));
    add_ratio(table, row->ratio.median);
    asq_table_add(table, "%.2f-%.2f", row->ratio.low, row->ratio.high);
    add_ratio(table, row->share_of_grouped);
    asq_table_add(table, "%s", asq_format_duration(text, row->p99_us));
    asq_table_add(table, "%s", asq_format_duration(text, row->stall_us));
    asq_table_add(table, "%s", asq_format_duration(text, row->cpu_us_per_op));
}

static void print_files(const struct bench_row rows[], int count)
{
    char text[16];
    const char *between = "A file operation of libuv took";

    for (int i = 0; i < count; i++) {
        if (isnan(rows[i].file_us))
            continue;
        printf("%s %s (%s)", between,
               asq_format_duration(text, rows[i].file_us), rows[i].way);
        between = ",\n ";
    }
    if (between[0] == ',')
        printf(".\n");
}

static void print_checkpoints(const struct bench_row rows[], int count)
{
    for (int i = 0; i < count; i++) {
        if (!isnan(rows[i].checkpoints))
            printf("Checkpoints took %.0f %% of the time of %s.\n",
                   rows[i].checkpoints * 100, rows[i].way);
    }
}

int bench_print(const struct bench_row rows[], int count)
{
    static const char *const headers[] = {
        "way", "ops/s", "vs raw", "spread", "vs grp", "p99", "stall", "cpu/op"};
    struct asq_table table;
    int rc;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (int i = 0; i < count; i++) {
        if (peers_find(rows[i].way) == NULL)
            add_row(&table, &rows[i]);
    }
    printf("\n%s\n", rows[0].workload);
    rc = asq_table_print(&table, stdout);
    asq_table_destroy(&table);
    print_files(rows, count);
    print_checkpoints(rows, count);
    (void)fflush(stdout); /* asq_options_finish tells what was lost */
    return rc == 0 ? 0 : -1;
}

/* They have a table of their own, for they are other programs, with versions
 * of SQLite of their own. */
int bench_print_peers(const struct bench_row rows[], int count)
{
    static const char *const headers[] = {"peer", "workload", "ops/s", "vs raw",
                                          "spread"};
    struct asq_table table;
    char text[16];
    int found = 0, rc = 0;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (int i = 0; i < count; i++) {
        if (peers_find(rows[i].way) == NULL)
            continue;
        asq_table_add(&table, "%s", rows[i].way);
        asq_table_add(&table, "%s", rows[i].workload);
        asq_table_add(&table, "%s", asq_format_count(text, rows[i].ops_per_s));
        add_ratio(&table, rows[i].ratio.median);
        asq_table_add(&table, "%.2f-%.2f", rows[i].ratio.low,
                      rows[i].ratio.high);
        found++;
    }
    if (found > 0) {
        printf("\npeers, in the same rounds\n");
        rc = asq_table_print(&table, stdout);
    }
    asq_table_destroy(&table);
    printf("\n");
    for (int i = 0; i < PEERS; i++) {
        if (peers[i].version[0] != '\0')
            printf("%s\n", peers[i].version);
        else
            printf("not measured: %s (%s)\n", peers[i].name, peers[i].install);
    }
    (void)fflush(stdout); /* asq_options_finish tells what was lost */
    return rc == 0 ? 0 : -1;
}

/* Part of the head. */
static void write_peers(struct asq_json *json)
{
    const char *between = "";

    asq_json_put(json, ",\n    \"peers\": [");
    for (int i = 0; i < PEERS; i++) {
        if (peers[i].version[0] == '\0')
            continue;
        asq_json_put(json, "%s", between);
        asq_json_text(json, peers[i].version);
        between = ", ";
    }
    asq_json_put(json, "]");
}

static void write_number(struct asq_json *json, const char *key, double value)
{
    asq_json_put(json, ", \"%s\": ", key);
    asq_json_number(json, value);
}

static void write_row(struct asq_json *json, const struct bench_row *row)
{
    asq_json_put(json, "{\"workload\": ");
    asq_json_text(json, row->workload);
    asq_json_put(json, ", \"way\": ");
    asq_json_text(json, row->way);
    write_number(json, "ops_per_s", row->ops_per_s);
    write_number(json, "ratio_to_raw", row->ratio.median);
    write_number(json, "ratio_min", row->ratio.low);
    write_number(json, "ratio_max", row->ratio.high);
    write_number(json, "share_of_grouped", row->share_of_grouped);
    write_number(json, "p50_us", row->p50_us);
    write_number(json, "p99_us", row->p99_us);
    write_number(json, "stall_us", row->stall_us);
    write_number(json, "cpu_us_per_op", row->cpu_us_per_op);
    asq_json_put(json, ", \"runs\": %d}", row->runs);
}

/* Part of the head: it belongs to `stall` alone. */
static void
write_files(struct asq_json *json, const struct bench_row rows[], int count)
{
    const char *between = "";

    asq_json_put(json, ",\n    \"file_operation_us\": {");
    for (int i = 0; i < count; i++) {
        if (isnan(rows[i].file_us))
            continue;
        asq_json_put(json, "%s\"%s\": ", between, rows[i].way);
        asq_json_number(json, rows[i].file_us);
        between = ", ";
    }
    asq_json_put(json, "}\n  }");
}

int bench_write(const struct machine *machine,
                const struct bench_row rows[],
                int count,
                const char *path)
{
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    asq_json_put(&json, "{\n  \"head\": ");
    machine_write(machine, &json);
    write_peers(&json);
    write_files(&json, rows, count);
    asq_json_put(&json, ",\n  \"rows\": [");
    for (int i = 0; i < count; i++) {
        asq_json_put(&json, i == 0 ? "\n    " : ",\n    ");
        write_row(&json, &rows[i]);
    }
    asq_json_put(&json, "\n  ]\n}\n");
    return asq_json_close(&json);
}
