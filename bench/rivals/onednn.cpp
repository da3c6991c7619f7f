// oneDNN's LSTM primitive by itself: training (forward, backward, weights packed and gradients
// zeroed for each batch, as an optimizer makes it necessary) or inference (packed once).
//
//   onednn UNITS CHANNELS STEPS BATCH BATCHES ROUNDS train|predict f32|bf16
//
// prints {"seconds": […], "update_seconds": […], "version": "oneDNN …"}. The first has neither loss
// nor optimizer, and bf16 finds its input converted: all of it in the rival's favour. The second is
// what Adam takes beside it, which oneDNN does not have: one pass over four blocks, on all threads.
// For oneDNN 3; OMP_NUM_THREADS says on how many threads.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "oneapi/dnnl/dnnl.hpp"

using namespace dnnl;
using Tag = memory::format_tag;
using Type = memory::data_type;
using Arguments = std::unordered_map<int, memory>;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

struct Sizes {
  memory::dim units, channels, steps, batch;
};

/// All that both directions of one LSTM layer need, over one batch.
struct Layer {
  Layer(const Sizes& s, bool training, Type type)
      : x({{s.steps, s.batch, s.channels}, type, Tag::tnc}),
        y({{s.steps, s.batch, s.units}, type, Tag::tnc}),
        w({{1, 1, s.channels, 4, s.units}, Type::f32, Tag::ldigo}),
        u({{1, 1, s.units, 4, s.units}, Type::f32, Tag::ldigo}),
        b({{1, 1, 4, s.units}, Type::f32, Tag::ldgo}),
        any_w({{1, 1, s.channels, 4, s.units}, type, Tag::any}),
        any_u({{1, 1, s.units, 4, s.units}, type, Tag::any}),
        any_dw({{1, 1, s.channels, 4, s.units}, Type::f32, Tag::any}),
        any_du({{1, 1, s.units, 4, s.units}, Type::f32, Tag::any}),
        forward(engine_, training ? prop_kind::forward_training : prop_kind::forward_inference,
                rnn_direction::unidirectional_left2right, x, none, none, any_w, any_u, b, y, none,
                none) {
    plain_w = filled(w, 0.1f);
    plain_u = filled(u, 0.1f);
    forward_arguments = {{DNNL_ARG_SRC_LAYER, converted(x)},
                         {DNNL_ARG_WEIGHTS_LAYER, memory(forward.weights_layer_desc(), engine_)},
                         {DNNL_ARG_WEIGHTS_ITER, memory(forward.weights_iter_desc(), engine_)},
                         {DNNL_ARG_BIAS, filled(b, 0.1f)},
                         {DNNL_ARG_DST_LAYER, memory(y, engine_)}};
    run_forward = lstm_forward(forward);
    if (training) add_backward();
  }

  void pack(memory from, memory to) { reorder(from, to).execute(stream_, from, to); }

  void pack_forward() {
    pack(plain_w, forward_arguments.at(DNNL_ARG_WEIGHTS_LAYER));
    pack(plain_u, forward_arguments.at(DNNL_ARG_WEIGHTS_ITER));
  }

  void infer() {
    run_forward.execute(stream_, forward_arguments);
    stream_.wait();
  }

  void train() {
    pack_forward();
    run_forward.execute(stream_, forward_arguments);
    pack(plain_w, backward_arguments.at(DNNL_ARG_WEIGHTS_LAYER));
    pack(plain_u, backward_arguments.at(DNNL_ARG_WEIGHTS_ITER));
    stream_.wait();
    for (const int sum :
         {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS}) {
      const memory& gradient = backward_arguments.at(sum);
      std::memset(gradient.get_data_handle(), 0, gradient.get_desc().get_size());
    }
    run_backward.execute(stream_, backward_arguments);
    pack(backward_arguments.at(DNNL_ARG_DIFF_WEIGHTS_LAYER), plain_dw);
    pack(backward_arguments.at(DNNL_ARG_DIFF_WEIGHTS_ITER), plain_du);
    stream_.wait();
  }

  /// Adam, Keras' defaults.
  void update() {
    const float rate = 1e-3f, mean_decay = 0.9f, square_decay = 0.999f;
    for (Trained& each : trained) {
      const auto size = static_cast<long>(each.mean.size());
      auto* weight = static_cast<float*>(each.weights.get_data_handle());
      const auto* gradient = static_cast<const float*>(each.gradients.get_data_handle());
      float* mean = each.mean.data();
      float* square = each.square.data();
#pragma omp parallel for simd
      for (long i = 0; i < size; ++i) {
        mean[i] = mean_decay * mean[i] + (1 - mean_decay) * gradient[i];
        square[i] = square_decay * square[i] + (1 - square_decay) * gradient[i] * gradient[i];
        weight[i] -= rate * mean[i] / (std::sqrt(square[i]) + 1e-7f);
      }
    }
  }

 private:
  /// Weights as they are learned, and Adam's moments of them.
  struct Trained {
    memory weights, gradients;
    std::vector<float> mean, square;

    Trained(memory w, memory dw)
        : weights(w), gradients(dw), mean(w.get_desc().get_size() / sizeof(float)), square(mean) {}
  };

  void add_backward() {
    // Gradients are float32 whatever the type: bf16 would not hold their sums.
    const memory::desc dx(x.get_dims(), Type::f32, Tag::tnc), dy(y.get_dims(), Type::f32, Tag::tnc);
    const lstm_backward::primitive_desc backward(
        engine_, prop_kind::backward, rnn_direction::unidirectional_left2right, x, none, none,
        any_w, any_u, b, y, none, none, dx, none, none, any_dw, any_du, b, dy, none, none, forward);
    const memory workspace(forward.workspace_desc(), engine_);
    forward_arguments[DNNL_ARG_WORKSPACE] = workspace;
    plain_dw = memory(w, engine_);
    plain_du = memory(u, engine_);
    backward_arguments = {
        {DNNL_ARG_SRC_LAYER, forward_arguments.at(DNNL_ARG_SRC_LAYER)},
        {DNNL_ARG_WEIGHTS_LAYER, memory(backward.weights_layer_desc(), engine_)},
        {DNNL_ARG_WEIGHTS_ITER, memory(backward.weights_iter_desc(), engine_)},
        {DNNL_ARG_BIAS, forward_arguments.at(DNNL_ARG_BIAS)},
        {DNNL_ARG_DST_LAYER, forward_arguments.at(DNNL_ARG_DST_LAYER)},
        {DNNL_ARG_WORKSPACE, workspace},
        {DNNL_ARG_DIFF_SRC_LAYER, memory(dx, engine_)},
        {DNNL_ARG_DIFF_WEIGHTS_LAYER, memory(backward.diff_weights_layer_desc(), engine_)},
        {DNNL_ARG_DIFF_WEIGHTS_ITER, memory(backward.diff_weights_iter_desc(), engine_)},
        {DNNL_ARG_DIFF_BIAS, memory(b, engine_)},
        {DNNL_ARG_DIFF_DST_LAYER, filled(dy, 1)}};
    trained.emplace_back(plain_w, plain_dw);
    trained.emplace_back(plain_u, plain_du);
    trained.emplace_back(forward_arguments.at(DNNL_ARG_BIAS),
                         backward_arguments.at(DNNL_ARG_DIFF_BIAS));
    run_backward = lstm_backward(backward);
  }

  /// Numbers between -scale and scale.
  memory filled(const memory::desc& desc, float scale) {
    memory numbers(desc, engine_);
    auto* values = static_cast<float*>(numbers.get_data_handle());
    unsigned state = 1;
    for (std::size_t i = 0; i < desc.get_size() / sizeof(float); ++i) {
      state = state * 1664525u + 1013904223u;
      values[i] = scale * (static_cast<float>(state >> 8) / (1 << 23) - 1);
    }
    return numbers;
  }

  /// Such numbers in the type of an activation.
  memory converted(const memory::desc& desc) {
    memory numbers = filled({desc.get_dims(), Type::f32, Tag::tnc}, 1);
    const memory result(desc, engine_);
    pack(numbers, result);
    stream_.wait();
    return result;
  }

  engine engine_{engine::kind::cpu, 0};
  stream stream_{engine_};
  memory::desc none = {};
  memory::desc x, y, w, u, b, any_w, any_u, any_dw, any_du;
  lstm_forward::primitive_desc forward;
  memory plain_w, plain_u, plain_dw, plain_du;
  std::vector<Trained> trained;
  Arguments forward_arguments, backward_arguments;
  lstm_forward run_forward;
  lstm_backward run_backward;
};

}  // namespace

int main(int count, char** words) {
  if (count != 9) {
    std::fputs("usage: onednn UNITS CHANNELS STEPS BATCH BATCHES ROUNDS train|predict f32|bf16\n",
               stderr);
    return 2;
  }
  const Sizes sizes{std::atol(words[1]), std::atol(words[2]), std::atol(words[3]),
                    std::atol(words[4])};
  const long batches = std::atol(words[5]), rounds = std::atol(words[6]);
  const bool training = std::string(words[7]) == "train";
  try {
    Layer layer(sizes, training, std::string(words[8]) == "bf16" ? Type::bf16 : Type::f32);
    layer.pack_forward();
    std::string seconds, update_seconds;
    for (long r = 0; r < rounds; ++r) {
      const auto begun = Clock::now();
      double updating = 0;
      for (long i = 0; i < batches; ++i) {
        training ? layer.train() : layer.infer();
        const auto trained = Clock::now();
        if (training) layer.update();
        updating += seconds_since(trained);
      }
      const char* comma = r > 0 ? ", " : "";
      seconds += comma + std::to_string(seconds_since(begun) - updating);
      update_seconds += comma + std::to_string(updating);
    }
    const dnnl_version_t* v = dnnl_version();
    std::printf("{\"seconds\": [%s], \"update_seconds\": [%s], \"version\": \"oneDNN %d.%d.%d\"}\n",
                seconds.c_str(), update_seconds.c_str(), v->major, v->minor, v->patch);
  } catch (const error& refused) {
    std::fprintf(stderr, "oneDNN refuses: %s\n", refused.what());
    return 1;
  }
  return 0;
}
