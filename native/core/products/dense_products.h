#pragma once
#include "products/dense_layer.h"
#include "products/products.h"
#include "products/ways.h"

namespace layerwise {

// Products of rows that lie dense.
template <typename T>
class DenseProducts : public Products<T> {
 public:
  DenseProducts(const DenseLayer& layer, const Ways& ways) : layer_(layer), ways_(ways) {}

  void prepare(const T* theta) override { weights_ = layer_.weights(theta); }
  void forward(const LayerInput<T>& input, MatrixView<T> out) override;
  void backward(MatrixView<const T> d, MatrixView<T> before) const override;
  void gradient(MatrixView<const T> d, const LayerInput<T>& input, int first, bool add, MatrixView<T> out,
                T* scratch) const override;
  std::size_t scratch_elements() const override { return gradient_scratch<T>(ways_.gradient); }

 protected:
  const DenseLayer& layer() const { return layer_; }
  // As stored.
  MatrixView<const T> weights() const { return weights_; }

 private:
  DenseLayer layer_;
  Ways ways_;
  MatrixView<const T> weights_;
};

}  // namespace layerwise
