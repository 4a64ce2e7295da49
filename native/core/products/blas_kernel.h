#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernels/levels/best.h"

namespace layerwise {

// What OpenBLAS's choice of a kernel is judged by.
struct Processor {
  VectorLevel level;  // the best it has, and the operating system saves
  enum class Vendor { intel, amd, other } vendor;
  int family;  // as the vendor counts: base and extended family together
};

// This one.
Processor processor();

// Kernels by their names in OPENBLAS_CORETYPE, in the order in which they are to be tried; `own` is the one that OpenBLAS took by
// itself. Own comes first, unless the processor can do more; what comes after serves where one before it multiplies wrongly.
std::vector<std::string> kernels_to_try(const Processor& processor, const std::string& own);

// Has OpenBLAS, whose version is given, take the best kernel that multiplies rightly, and says in words why it is that one; empty
// where none does. `take` answers the name of the kernel that it has then, or an empty one where it cannot take what it is asked
// for; `right` whether the kernel that it has multiplies rightly.
std::string choose_kernel(const Processor& processor, const std::string& own, const std::string& version,
                          const std::function<std::string(const std::string& kernel)>& take, const std::function<bool()>& right);

// Whether a processor with such vectors can do more than this kernel does. False for kernels whose names are not known.
bool falls_short(const std::string& kernel, VectorLevel level);

// Whether two kernels use the same vectors. One may go by several names.
bool equally_capable(const std::string& a, const std::string& b);

// The kernel to ask for before OpenBLAS looks at the processor; empty: let it look. Every version up to 0.3.34 takes families of
// Intel's beyond 6 for Pentium 4.
std::string kernel_in_advance(const Processor& processor);

}  // namespace layerwise
