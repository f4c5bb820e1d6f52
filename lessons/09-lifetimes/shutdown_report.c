/* shutdown_report - a line that says how the end of a connection was */
#include "09-lifetimes/shutdown_report.h"

#include "09-lifetimes/shutdown.h"

#include <stdarg.h>
#include <stdio.h>

/* A line that is being written: a name, then what was left. */
struct line {
    char *text;
    size_t size, length;
    const char *before; /* the next item */
};

static void add(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
    size_t room = line->size - line->length;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line->text + line->length, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room)
        line->length = line->size - 1; /* it is cut */
    else
        line->length += (size_t)length;
}

static void
add_count(struct line *line, int64_t count, const char *what, const char *how)
{
    if (count <= 0)
        return;
    add(line, "%s%lld %s%s %s", line->before, (long long)count, what,
        count == 1 ? "" : "s", how);
    line->before = ", ";
}

static void add_text(struct line *line, const char *text)
{
    add(line, "%s%s", line->before, text);
    line->before = ", ";
}

static void add_checkpoint(struct line *line,
                           const struct asq_shutdown_part *part)
{
    int status = part->checkpoint_status;

    if (part->wal_left > 0)
        add_count(line, part->wal_left, "frame", "left in the WAL");
    else if (status == UV_ETIMEDOUT || status == SQLITE_INTERRUPT)
        add_text(line, "the checkpoint cut short");
    else if (status < 0)
        add_text(line, "no checkpoint");
    else if (status > 0)
        add_text(line, "the WAL not emptied");
}

bool asq_shutdown_report(const struct asq_shutdown_part *part,
                         char *text,
                         size_t size)
{
    const struct asq_left_open nothing = {0};
    const struct asq_left_open *left_open =
        part->conn == NULL ? &nothing : &part->conn->left_open;
    struct line line = {.text = text, .size = size, .before = ": "};

    if (size == 0)
        return false;
    add(&line, "%s", part->name);
    add_count(&line, left_open->holds, "hold", "not ended");
    add_count(&line, left_open->statements, "statement", "not released");
    add_count(&line, left_open->transactions, "transaction", "rolled back");
    add_count(&line, left_open->handles, "blob handle or backup", "not closed");
    add_count(&line, (int64_t)part->cancelled, "request", "cancelled");
    add_checkpoint(&line, part);
    if (line.before[0] == ',')
        return true;
    text[0] = '\0';
    return false;
}
