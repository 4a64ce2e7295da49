#include "gather.h"

#include <type_traits>

#include "vector_kernels.h"

namespace layerwise {

template <typename T>
Gather<T>::Gather(const Rows& rows) : rows_(rows) {
  if (rows.shift != nullptr) {
    shift_.assign(rows.shift, rows.shift + rows.cols);
    factor_.assign(rows.factor, rows.factor + rows.cols);
  }
}

template <typename T>
MatrixView<const T> Gather<T>::in_place(int first, int count) const {
  const bool same_type = rows_.storage == (std::is_same<T, float>::value ? Storage::f32 : Storage::f64);
  if (!same_type || rows_.order != nullptr || !shift_.empty()) return {};
  return {static_cast<const T*>(rows_.data) + static_cast<std::size_t>(first) * rows_.cols, count, rows_.cols};
}

template <typename T>
void Gather<T>::read(const std::uint32_t* order, int first, MatrixView<T> out) const {
  const auto& kernels = vector_kernels<T>();
  const T* shift = shift_.empty() ? nullptr : shift_.data();
  const T* factor = factor_.empty() ? nullptr : factor_.data();
  for (int i = 0; i < out.rows; i++) {
    const std::size_t at = row_at(order, first + i) * static_cast<std::size_t>(rows_.cols);
    switch (rows_.storage) {
      case Storage::u8:
        kernels.gather_u8(static_cast<const std::uint8_t*>(rows_.data) + at, rows_.cols, rows_.scale, shift, factor, out.row(i));
        break;
      case Storage::f32:
        kernels.gather_f32(static_cast<const float*>(rows_.data) + at, rows_.cols, shift, factor, out.row(i));
        break;
      case Storage::f64:
        kernels.gather_f64(static_cast<const double*>(rows_.data) + at, rows_.cols, shift, factor, out.row(i));
        break;
    }
  }
}

template class Gather<float>;
template class Gather<double>;

}  // namespace layerwise
