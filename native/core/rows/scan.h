#pragma once
#include "base/stop_flag.h"
#include "base/thread_pool.h"
#include "rows/row_source.h"

namespace layerwise {

// Looks for the first value, after scale, shift and factor, that is not finite or lies outside [low, high]. Returns false if stop
// was raised.
bool scan(Team& team, RowSource<double>& rows, double low, double high, const StopFlag& stop, FirstBadRow& bad);

// The first bad value of rows first … first+count-1, looked for slowly, once it is known that there is one: judged in T, as it
// was found, and reported in float64.
template <typename T>
void find_bad(const RowSource<T>& rows, int first, int count, T low, T high, FirstBadRow& bad);

}  // namespace layerwise
