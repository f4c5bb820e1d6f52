/* profile - how a connection is set up, as one documented struct */
#include "01-blocking/profile.h"

struct asq_profile asq_profile_default(const char *path)
{
    return (struct asq_profile){
        .path = path,
        .mode = ASQ_OPEN_CREATE,
        .vfs = NULL,
        .wal = true,
        .synchronous = 1,
        .foreign_keys = true,
        .cache_kib = 2000,
        .busy_ms = 5000,
        .statements = 32,
        .result_limit = (size_t)64 << 20,
        .trusted_schema = true,
        .wal_autocheckpoint = 1000,
        .journal_size_limit = -1,
        .mmap_size = 0,
        .temp_store = ASQ_TEMP_DEFAULT,
        .immutable = false,
        .open_ms = 0,
        .on_open_db = NULL,
        .on_open_data = NULL,
    };
}
