/* test_store_as_conn - the tests of test_conn hold for a store, too */
#define FIXTURE_STORE
#include "test_conn.c"
