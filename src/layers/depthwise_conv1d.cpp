#include <sonde/layers/depthwise_conv1d.hpp>

#include "layers/depthwise.hpp"
#include "layers/final_activation.hpp"

namespace sonde {
namespace {

struct DepthwiseConv1DOp {
  Depthwise window;
  Slot kernel, bias;
  FinalActivation activation;
  StreamWindow stream;
  bool streaming = false;

  template <class T>
  Depthwise over(const View<T>& v) const {
    Depthwise w = window;
    w.rows = v.rows();
    return w;
  }
  template <class T>
  void forward(const View<T>& v) const {
    Depthwise w = over(v);
    if (streaming) {
      const auto held = stream.append(v, T(0));
      v.produce(held.outputs);
      w.steps_in = held.steps;
      w.steps_out = held.outputs;
      w.left = 0;
      w.forward<T>(held.data, v[kernel], v[bias], activation.sums(v));
      stream.release(v, held);
    } else {
      w.forward<T>(v.x().data, v[kernel], v[bias], activation.sums(v));
    }
    activation.apply(v);
  }
  template <class T>
  void backward(const View<T>& v) const {
    const T* dz = activation.backward(v);
    const Depthwise w = over(v);
    w.backward_weights<T>(v.x().data, dz, v.gradient(kernel), v.gradient(bias));
    if (v.dx()) w.backward_input<T>(dz, v[kernel], v.dx().data);
  }
};

}  // namespace

AnyOp DepthwiseConv1D::plan(Planner& planner) const {
  const auto geometry =
      plan_conv_geometry(planner, *kernel_size, strides, dilation_rate, padding, false);
  planner.at_least("depth_multiplier", depth_multiplier, 1);
  const Index channels = planner.input()[1];

  DepthwiseConv1DOp op;
  op.window =
      Depthwise::of(planner, geometry, *kernel_size, strides, dilation_rate, depth_multiplier);
  op.kernel = planner.weight("kernel", {*kernel_size, channels, depth_multiplier},
                             {depthwise_initializer, depthwise_regularizer, depthwise_constraint});
  if (use_bias)
    op.bias = planner.weight("bias", {op.window.width()},
                             {bias_initializer, bias_regularizer, bias_constraint});
  planner.timing(geometry.timing(strides));
  planner.keep_input();

  Shape output{geometry.steps_out, op.window.width()};
  if (planner.streaming()) {
    op.streaming = true;
    op.stream = plan_conv_stream(planner, geometry, strides, padding);
    output[0] = op.stream.plan(planner);
  }
  planner.output(output);
  op.activation = FinalActivation::plan(planner, activation, output);
  return op;
}

Tensor DepthwiseConv1D::operator()(Tensor x) const { return apply(*this, {std::move(x)}).front(); }

}  // namespace sonde
