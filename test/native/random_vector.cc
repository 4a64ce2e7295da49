#include <cstdint>
#include <random>

#include "vector_testing.h"

namespace layerwise {

template <typename T>
std::vector<T> random_vector(std::size_t n, double low, double high, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> draw(low, high);
  std::vector<T> out(n);
  for (T& x : out) x = static_cast<T>(draw(engine));
  return out;
}

template std::vector<float> random_vector(std::size_t, double, double, unsigned);
template std::vector<double> random_vector(std::size_t, double, double, unsigned);
template std::vector<std::uint8_t> random_vector(std::size_t, double, double, unsigned);

}  // namespace layerwise
