#pragma once
#include <cstddef>
#include <cstdint>

#include "base/matrix.h"
#include "base/storage.h"
#include "kernels/activation.h"
#include "kernels/column_scaling.h"
#include "kernels/loss.h"
#include "kernels/row_groups.h"

namespace layerwise {

struct AdamStep {
  double rate, beta1, beta2, epsilon;
  // 1 - beta^t: the bias correction of the moments at step t.
  double correction1, correction2;
};

// The loops over elements, compiled once for each vector level of the processor and chosen at run time.
// Every result is a function of the arguments alone: an element's value does not depend on its place in a vector, and sums are
// taken in an order fixed by the shape. All run on the calling thread, allocate nothing and never throw.
template <typename T>
struct VectorKernels {
  // z += bias, z = f(z). bias [cols]. If column_sums is given, column_sums[j] = the sum of column j of the result. If slopes
  // [rows, cols] is given and f stores its slope, slopes = f'(z).
  void (*activate)(Activation, MatrixView<T> z, const T* bias, T* column_sums, MatrixView<T> slopes);

  // The output layer in one sweep: y = f(z + bias), z becomes D = scale * dloss/dy * f'(y) (cross_entropy: scale * (y - x)),
  // column_sums[j] = the sum of column j of D. Returns the loss summed over rows, in float64 across rows, not divided by m.
  // A row with y = x has D = 0 under euclidean; absolute takes sign(0) = 0.
  double (*output_delta)(Loss, Activation, MatrixView<T> z, const T* bias, MatrixView<const T> x, T scale, T* column_sums);

  // The same loss without the delta: z is read, not written.
  double (*output_loss)(Loss, Activation, MatrixView<const T> z, const T* bias, MatrixView<const T> x);

  // d = (d + pull[j] + l1 * sign(a)) * f', column_sums[j] = the sum of column j of d. pull may be null (0). sign(0) = 0. f' is
  // made of a, or is what activate() stored in slopes.
  void (*hidden_delta)(Activation, MatrixView<T> d, MatrixView<const T> a, MatrixView<const T> slopes, const T* pull, T l1,
                       T* column_sums);

  // x = e^x.
  void (*exponentials)(T* x, std::size_t n);

  // Sum of |a|, float64 across rows.
  double (*absolute_sum)(MatrixView<const T> a);

  // out[i] = sum over j of (y - x)^2, all in float64; and the squares themselves, y becoming (y - x)^2.
  void (*row_squared_errors)(MatrixView<const T> y, MatrixView<const T> x, double* out);
  void (*squared_differences)(MatrixView<T> y, MatrixView<const T> x);

  // out[j] = in[j] * scale, scaled where there is a scaling, one row; in float64, rounded to T once. One for each Storage, which
  // says what `in` points to; the scale of float32 and float64 is 1.
  void (*gather[kStorageCount])(const void* in, int cols, double scale, const ColumnScaling& scaling, T* out);

  // c = a op(b).
  void (*product)(Transpose trans_b, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c);
  // c = a^T b, or c += a^T b: for b and c of few columns, or few rows of them.
  void (*transposed_product)(MatrixView<const T> a, MatrixView<const T> b, bool add, MatrixView<T> c);
  // The same for b and c of many columns and rows, and the elements that its scratch has.
  void (*wide_gradient)(MatrixView<const T> a, MatrixView<const T> b, bool add, MatrixView<T> c, T* scratch);
  std::size_t gradient_scratch;
  // out = in^T.
  void (*transpose)(MatrixView<const T> in, MatrixView<T> out);

  // Groups the rows of x into the arrays that out points to: order [rows], values [most_columns, kRows], columns [most_columns],
  // starts [bands(cols) * groups + 1].
  void (*group_rows)(MatrixView<const T> x, RowGroups<T>& out);
  int (*bands)(int cols);
  // W^T as grouped_product reads it, from W [units, inputs] into panel_elements(units, inputs) elements, panel by panel, of which
  // there are panel_count(units).
  void (*transpose_panel)(MatrixView<const T> w, int panel, T* out);
  int (*panel_count)(int units);
  std::size_t (*panel_elements)(int units, int inputs);
  // z = X W^T.
  void (*grouped_product)(const RowGroups<T>& x, const T* panels, MatrixView<T> z);
  // out = D^T X, or out += D^T X: X the rows of all blocks, one after another, D [rows, units], out [units, inputs].
  void (*grouped_gradient)(const RowGroups<T>* blocks, int count, MatrixView<const T> d, bool add, MatrixView<T> out);

  // z = W x of one row, W [outputs, inputs]: from all of W, and from those rows of W^T [inputs, outputs] whose x is not zero.
  void (*matrix_vector)(MatrixView<const T> w, const T* x, T* z);
  void (*row_product)(const T* x, int inputs, const T* transposed, int outputs, T* z);

  // True if every element is finite and low <= x <= high.
  bool (*within)(MatrixView<const T> x, T low, T high);

  // One block of n parameters, g the gradient without decay; the gradient used is g + decay * theta. Each returns the sum of the
  // squares of that gradient (float64 across lanes and chunks) where `norm` is set, else 0.
  double (*gradient_descent)(T* theta, const T* g, std::size_t n, T decay, double rate, bool norm);
  // v = momentum * v + g; theta -= rate * v
  double (*momentum)(T* theta, T* v, const T* g, std::size_t n, T decay, double rate, double momentum, bool norm);
  // m = beta1 m + (1-beta1) g; v = beta2 v + (1-beta2) g^2; theta -= rate * (m / correction1) / (sqrt(v / correction2) + epsilon)
  double (*adam)(T* theta, T* m, T* v, const T* g, std::size_t n, T decay, const AdamStep& step, bool norm);

  // g += decay * theta.
  void (*add_decay)(T* g, const T* theta, std::size_t n, T decay);

  // Products accumulated in float64 in both precisions.
  double (*dot)(const T* x, const T* y, std::size_t n);
  // y += alpha x;  out = x + alpha y;  out = x - y;  y *= alpha
  void (*axpy)(T alpha, const T* x, T* y, std::size_t n);
  void (*add_scaled)(const T* x, T alpha, const T* y, T* out, std::size_t n);
  void (*subtract)(const T* x, const T* y, T* out, std::size_t n);
  void (*scale)(T alpha, T* y, std::size_t n);
};

enum class VectorLevel { baseline, avx2, avx512, neon };

// The best level this processor has, or the one named by LAYERWISE_VECTORS (baseline | avx2 | avx512) if it has that.
VectorLevel vector_level();
const char* vector_level_name(VectorLevel level);

// The kernels of one level; only levels up to vector_level()'s may be asked for on this processor.
template <typename T>
const VectorKernels<T>& vector_kernels(VectorLevel level);

// The kernels in use. Callers set DenormalsOff first (denormals.h).
template <typename T>
const VectorKernels<T>& vector_kernels();

}  // namespace layerwise
