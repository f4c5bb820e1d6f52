/* test_store_as_conn_open - the tests of test_conn_open hold for a store, too
 */
#define FIXTURE_STORE
#include "test_conn_open.c"
