/* test_store_as_conn_hold - the tests of test_conn_hold hold for a store, too
 */
#define FIXTURE_STORE
#include "test_conn_hold.c"
