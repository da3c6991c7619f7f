#include <cmath>
#include <sonde/model.hpp>

#include "tests/support/evaluate.hpp"
#include "tests/support/files.hpp"
#include "tests/support/laws.hpp"
#include "tests/support/near.hpp"

namespace sonde {
namespace {

using namespace testing;

const Regularizer both = L1L2{0.5, 0.25};

TEST(ActivityRegularization, obeys_its_laws) {
  check_laws(ActivityRegularization{});
  check_laws(ActivityRegularization{.l1 = 0.5, .l2 = 0.25});
  check_laws(ActivityRegularization{.l2 = 0.25}, {.time = 0, .channels = 21});
}

TEST(ActivityRegularizer, obeys_the_laws_in_every_layer_that_takes_it) {
  check_laws(Dense{.units = 3, .activation = Activation::tanh, .activity_regularizer = both});
  check_laws(Conv1D{.filters = 3, .kernel_size = 4, .activity_regularizer = both});
  check_laws(DepthwiseConv1D{.kernel_size = 3, .activity_regularizer = both});
  check_laws(SeparableConv1D{.filters = 3, .kernel_size = 3, .activity_regularizer = both});
  check_laws(Conv1DTranspose{.filters = 3, .kernel_size = 3, .activity_regularizer = both});
  check_laws(Conv2D{.filters = 2, .kernel_size = {3, 2}, .activity_regularizer = both},
             {.shapes = {{17, 4, 2}}});
  check_laws(LSTM{.units = 3, .activity_regularizer = both, .return_sequences = true});
  check_laws(GRU{.units = 3, .activity_regularizer = both}, {.streams = false});
  for (const bool gate : {false, true})
    check_laws(MultiHeadAttention{.num_heads = 2,
                                  .key_dim = 3,
                                  .value_dim = 2,
                                  .activity_regularizer = both,
                                  .use_gate = gate},
               {.time = 7, .shapes = {{7, 3}, {5, 4}}, .streams = false});
}

TEST(ActivityRegularizer, counts_outputs_that_nothing_reads) {
  const LSTM lstm{
      .units = 2, .activity_regularizer = both, .return_sequences = true, .return_state = true};
  const Tensor x = Input({5, 3});
  for (const std::size_t read : {0u, 1u, 2u})
    check_graph({x}, {lstm.outputs(x)[read]}, {.time = 5, .streams = false});
  // Two calls of one layer, of which the first one's cell is read by the second.
  const auto first = lstm.outputs(x);
  check_graph({x}, {lstm(x, {first[1], first[2]})}, {.time = 5, .streams = false});
}

/// Passes what it gets; its targets are its inputs, so that the loss is the penalty alone.
Model passing(const Regularizer& regularizer = both) {
  const Tensor x = Input({2});
  const auto& r = std::get<L1L2>(regularizer);
  Model model(x, ActivityRegularization{.l1 = r.l1, .l2 = r.l2}(x));
  model.compile({.loss = MeanSquaredError{}});
  return model;
}

TEST(ActivityRegularization, adds_to_the_loss_what_a_sample_has_on_average) {
  Model model = passing();
  const Array x({3, 2}, std::vector<float>{1, -2, 3, 0, -1, 1});
  // |x| sums to 8, x² to 16, over 3 samples, whatever the batches.
  for (const Index batch : {1, 2, 3})
    EXPECT_NEAR(model.evaluate(x, x, {.batch_size = batch}).at("loss"), (0.5 * 8 + 0.25 * 16) / 3,
                1e-6);
  const Array y = model.predict(x);
  EXPECT_TRUE(same_bits(y.values(), x.values()));
  const History history = model.fit(x, x, {.batch_size = 2, .verbose = false});
  EXPECT_NEAR(history.history.at("loss").front(), 8.0 / 3, 1e-6);
}

// The number of keras/src/layers/regularization/activity_regularization_test.py.
TEST(ActivityRegularization, counts_as_the_test_of_keras_counts) {
  Model model = passing(L1L2{0.2, 0.3});
  const Array x({1, 2}, std::vector<float>{2, 0});
  EXPECT_NEAR(model.evaluate(x, x).at("loss"), 4 * 0.3 + 2 * 0.2, 1e-6);
}

TEST(ActivityRegularizer, counts_every_call_of_a_shared_layer) {
  const Tensor a = Input({1}), b = Input({1});
  const Dense shared{.units = 1, .use_bias = false, .activity_regularizer = L1{1.0}};
  Model model({a, b}, {shared(a), shared(b)});
  model.set_weights({Array({1, 1}, std::vector<float>{1})});
  model.compile({.optimizer = SGD{.learning_rate = 0.0f},
                 .loss = std::vector<Loss>{MeanSquaredError{}, MeanSquaredError{}}});
  const Array x({1, 1}, std::vector<float>{3}), y({1, 1}, std::vector<float>{-5});
  const History history = model.fit({x, y}, {x, y}, {.verbose = false});
  EXPECT_NEAR(history.history.at("loss").front(), 3 + 5, 1e-6);
}

TEST(ActivityRegularization, is_the_same_on_any_number_of_threads) {
  Array x({150, 2});
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 7) / 3 - 1;
  Model model = passing();
  const auto loss = [&](int threads) {
    return model.evaluate(x, x, {.batch_size = 150, .threads = threads}).at("loss");
  };
  EXPECT_EQ(loss(1), loss(2));
}

TEST(ActivityRegularization, stands_beside_the_losses_of_several_outputs) {
  const Tensor x = Input({2});
  const Tensor a = ActivityRegularization{.l1 = 1.0, .name = "a"}(x);
  const Tensor b = ActivityRegularization{.l2 = 1.0, .name = "b"}(x);
  Model model({x}, {a, b});
  model.compile({.loss = std::vector<Loss>{MeanSquaredError{}, MeanSquaredError{}}});
  const Array data({1, 2}, std::vector<float>{3, -1});
  const History history = model.fit({data}, {data, data}, {.verbose = false});
  EXPECT_NEAR(history.history.at("loss").front(), 4 + 10, 1e-6);
  EXPECT_EQ(history.history.at("a_loss").front(), 0);
  EXPECT_EQ(history.history.at("b_loss").front(), 0);
}

TEST(ActivityRegularizer, sees_probabilities_and_not_logits) {
  Dense label{.units = 1, .activation = Activation::sigmoid};
  EXPECT_EQ(AnyLayer(label).final_activation(), ActivationFunction::sigmoid);
  label.activity_regularizer = L2{1.0};
  EXPECT_EQ(AnyLayer(label).final_activation(), ActivationFunction::linear);
}

TEST(ActivityRegularizer, of_the_layer_in_time_distributed_counts_nothing_and_is_refused) {
  const TimeDistributed each{.layer = Dense{.units = 2, .activity_regularizer = L2{1.0}}};
  EXPECT_EQ(refusal([&] {
              each(Input({4, 3}));
            }),
            "TimeDistributed: the penalty of its layer on activities would not count, as in Keras. "
            "Put ActivityRegularization after TimeDistributed.");
  EXPECT_PRED2(says, refusal([] {
                 TimeDistributed{.layer = ActivityRegularization{.l1 = 1.0}}(Input({4, 3}));
               }),
               "would not count");
  EXPECT_EQ(refusal([] {
              TimeDistributed{.layer = ActivityRegularization{}}(Input({4, 3}));
            }),
            "(not refused)");
}

TEST(ActivityRegularization, refuses_factors_that_are_no_penalty) {
  for (const double factor : {-1.0, HUGE_VAL})
    EXPECT_PRED2(says,
                 refusal([&] { ActivityRegularization{.l2 = factor, .name = "r"}(Input({3})); }),
                 "ActivityRegularization \"r\": l2 of its activity regularizer must be a number of "
                 "at least 0, got ");
  EXPECT_PRED2(says, refusal([] { Dense{.units = 1, .activity_regularizer = L1{-2}}(Input({3})); }),
               "Dense: l1 of its activity regularizer must be a number of at least 0, got -2.");
}

}  // namespace
}  // namespace sonde
