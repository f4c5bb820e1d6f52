/* test_store_as_conn_memory - the tests of test_conn_memory hold for a store,
 * too */
#define FIXTURE_STORE
#include "test_conn_memory.c"
