/* test_store_as_tx_random - the tests of test_tx_random hold for a store, too
 */
#define FIXTURE_STORE
#include "test_tx_random.c"
