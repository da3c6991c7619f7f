#include <cmath>
#include <sonde/model.hpp>

#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(Rescaling, obeys_its_laws) {
  check_laws(Rescaling{.scale = 0.5});
  check_laws(Rescaling{.scale = {{0.5, -2.0, 3.0}}, .offset = -1});
  check_laws(Rescaling{.scale = 2, .offset = {0.1, 0.2, 0.3}}, {.time = 0});
  check_laws(Rescaling{.scale = {{1.0, 2.0}}}, {.shapes = {{17, 3, 2}}});
}

TEST(Rescaling, scales_then_shifts) {
  EXPECT_EQ(evaluate(Rescaling{.scale = 2, .offset = -1}, {2, 2}, {0, 1, 2, 3}),
            (Numbers{-1, 1, 3, 5}));
  EXPECT_EQ(evaluate(Rescaling{.scale = {{1.0, 10.0}}}, {2, 2}, {0, 1, 2, 3}),
            (Numbers{0, 10, 2, 30}));
}

TEST(Rescaling, refuses_numbers_that_are_not_one_per_feature) {
  EXPECT_EQ(refusal([] {
              Rescaling{.scale = {{1.0, 2.0}}}(Input({9, 3}));
            }),
            "Rescaling: scale must be one number, or one for each of the 3 features, got 2 "
            "numbers.");
}

TEST(Normalization, obeys_its_laws) {
  check_laws(Normalization{});
  check_laws(Normalization{.axis = {}}, {.shapes = {{17, 2, 3}}});
  check_laws(Normalization{.invert = true}, {.time = 0});
  check_laws(Normalization{.axis = 2}, {.shapes = {{17, 2, 3}}});
  check_laws(Normalization{.axis = {1, 2}}, {.streams = false, .any_length = false});
  check_laws(Normalization{.axis = 1}, {.streams = false, .any_length = false});
  check_laws(Normalization{.mean = 0.5, .variance = 4});
  check_laws(Normalization{.mean = {0.5, 0.1, -3}, .variance = {4, 1, 9}, .invert = true});
  check_laws(Normalization{.axis = {2, 3}, .mean = {0.5, 0.1}, .variance = {4, 1}},
             {.shapes = {{17, 3, 2}}});
}

TEST(Normalization, gives_the_numbers_of_keras) {
  // The examples of keras.layers.Normalization.
  const double r = std::sqrt(2.0);
  EXPECT_TRUE(near(evaluate(Normalization{.mean = 3., .variance = 2.}, {3, 1}, {1, 2, 3}),
                   Numbers{-r, -1 / r, 0}, 1e-12));
  const Array data({4, 3}, std::vector<float>{0, 7, 4, 2, 9, 6, 0, 7, 4, 2, 9, 6});
  Normalization features;
  features.adapt(data);
  EXPECT_TRUE(near(evaluate(features, {3}, {0, 7, 4}), Numbers{-1, -1, -1}, 1e-12));
  Normalization back{.invert = true};
  back.adapt(data);
  EXPECT_TRUE(near(evaluate(back, {3}, {1, 2, 3}), Numbers{2, 10, 8}, 1e-12));
  Normalization all{.axis = {}};
  all.adapt(Array({5, 1}, std::vector<float>{1, 2, 3, 4, 5}));
  EXPECT_TRUE(near(evaluate(all, {3}, {1, 2, 3}), Numbers{-r, -1 / r, 0}, 1e-12));
}

TEST(Normalization, adapts_over_all_axes_but_its_own) {
  Normalization layer{.axis = 1};
  layer.adapt(Array({2, 2, 2}, std::vector<float>{0, 2, 4, 6, 0, 2, 4, 6}));
  EXPECT_EQ(layer.mean, (OneOrMany<double>{1, 5}));
  EXPECT_EQ(layer.variance, (OneOrMany<double>{1, 1}));
}

TEST(Normalization, of_a_constant_channel_divides_by_no_zero) {
  Normalization layer;
  layer.adapt(Array({3, 1}, std::vector<float>{5, 5, 5}));
  EXPECT_EQ(evaluate(layer, {1}, {5}), (Numbers{0}));
}

TEST(Normalization, keeps_the_weights_of_keras_and_training_leaves_them) {
  const Tensor x = Input({4, 2});
  Model model(x, Dense{.units = 1}(Normalization{.name = "norm"}(x)));
  EXPECT_EQ(model.weights().entries()[0].path(), "norm/mean");
  EXPECT_EQ(model.weights().entries()[1].path(), "norm/variance");
  EXPECT_EQ(model.weights().entries()[2].path(), "norm/count");
  EXPECT_EQ(model.weights().entries()[2].shape, Shape{});
  std::vector<Array> weights = model.get_weights();
  weights[0](0) = 3;
  weights[1](0) = 4;
  model.set_weights(weights);
  model.compile({.optimizer = SGD{}, .loss = MeanSquaredError{}});
  const Array data({2, 4, 2}), labels({2, 4, 1});
  model.fit(data, labels, {.verbose = false, .threads = 1});
  EXPECT_EQ(model.get_weights()[0](0), 3);
  EXPECT_EQ(model.get_weights()[1](0), 4);
}

TEST(Normalization, refuses_what_it_cannot_use) {
  const auto of = [](Normalization layer, Shape shape) {
    return refusal([&] { layer(Input(shape)); });
  };
  EXPECT_EQ(of({.axis = 0}, {9, 2}),
            "Normalization: axis must be 1 to 2 or -2 to -1 for an input of shape (9, 2), got 0. "
            "Axis 0 is the batch; .axis = {} means one number for everything.");
  EXPECT_EQ(of({.mean = 1}, {9, 2}),
            "Normalization: mean and variance must both be one number, or one for each of the 2 "
            "places on the last axis of their own, got 1 and 0.");
  EXPECT_EQ(of({.axis = 1}, {dynamic, 2}),
            "Normalization: axis = 1 needs a known number of steps, got (None, 2). Give Input the "
            "length.");
  Normalization called{.name = "norm"};
  called(Input({9, 2}));
  EXPECT_EQ(refusal([&] {
              called.adapt(Array({3, 9, 2}));
            }),
            "Normalization \"norm\": adapt() must come before the layer is called on a tensor.");
}

}  // namespace
}  // namespace sonde
