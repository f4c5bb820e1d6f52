/* test_store_as_tx_stopped - the tests of test_tx_stopped hold for a store, too
 */
#define FIXTURE_STORE
#include "test_tx_stopped.c"
