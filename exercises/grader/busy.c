/* busy - how much longer everything takes because others use the machine
 *
 * Owns nothing. Any thread may enter.
 */
#include "runner.h"

#include <unistd.h>

double test__busy_of(double load, long processors)
{
    const double most = TEST__BUSY_MOST;
    double factor = processors > 0 ? load / (double)processors : load;

    if (!(factor > 1)) /* NaN counts as no load */
        return 1;
    return factor < most ? factor : most;
}

double test__busy(void)
{
    double averages[3] = {0, 0, 0}; /* stay 0 where the system has none */

    uv_loadavg(averages);
    return test__busy_of(averages[0], sysconf(_SC_NPROCESSORS_ONLN));
}
