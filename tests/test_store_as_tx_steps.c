/* test_store_as_tx_steps - the tests of test_tx_steps hold for a store, too */
#define FIXTURE_STORE
#include "test_tx_steps.c"
