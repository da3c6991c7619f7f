#include <gtest/gtest.h>

#include <cmath>
#include <sonde/layers.hpp>
#include <sonde/model.hpp>

#include "tests/support/near.hpp"

namespace sonde {
namespace {

Array wave(Shape shape, float step) {
  Array array(std::move(shape));
  for (Index i = 0; i < array.size(); ++i)
    array.data()[i] = std::sin(step * static_cast<float>(i + 1));
  return array;
}

const Array signals = wave({6, 10, 3}, 0.37f), labels = wave({6, 10, 1}, 0.11f),
            means = wave({6, 3}, 0.23f);
const FitOptions one_epoch{.batch_size = 6, .verbose = false, .shuffle = false, .threads = 1};

TEST(Outputs, may_lie_where_no_weight_reaches) {
  const auto make = [](bool beside) {
    const Tensor x = Input({10, 3});
    std::vector<Tensor> outputs = {Dense{.units = 1, .name = "label"}(x)};
    if (beside) outputs.push_back(GlobalAveragePooling1D{}(x));
    return Model({x}, outputs, {.seed = 2});
  };
  Model alone = make(false), both = make(true);
  alone.compile({.optimizer = SGD{}, .loss = MeanSquaredError{}});
  both.compile({.optimizer = SGD{}, .loss = {MeanSquaredError{}, MeanSquaredError{}}});
  const double less = alone.fit(signals, labels, one_epoch).history.at("loss").front();
  const double more = both.fit({signals}, {labels, means}, one_epoch).history.at("loss").front();
  EXPECT_GT(more, less);
  const std::vector<Array> got = both.get_weights(), expected = alone.get_weights();
  EXPECT_TRUE(testing::same_bits(got[0].values(), expected[0].values()));
}

TEST(Outputs, need_as_many_arrays_of_targets) {
  const Tensor x = Input({10, 3});
  Model model({x}, {Dense{.units = 1}(x), GlobalAveragePooling1D{}(x)});
  model.compile({.optimizer = SGD{}, .loss = MeanSquaredError{}});
  const auto refusal = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  const std::string fit = refusal([&] { model.fit({signals}, {labels}, one_epoch); });
  EXPECT_EQ(fit.find("The model has 2 outputs, got targets for 1."), 0u) << fit;
  const std::string evaluate = refusal([&] { model.evaluate(signals, labels); });
  EXPECT_EQ(evaluate.find("The model has 2 outputs, got targets for 1."), 0u) << evaluate;
  EXPECT_NE(refusal([&] {
              model.fit({signals}, {labels, means, means}, one_epoch);
            }).find("got targets for 3"),
            std::string::npos);
}

TEST(Outputs, need_as_many_arrays_of_targets_where_others_judge) {
  const Tensor x = Input({dynamic, 3});
  Model model({x}, {Dense{.units = 1}(x), GlobalAveragePooling1D{}(x)});
  model.compile({.optimizer = SGD{}, .loss = MeanSquaredError{}});
  const ArraySamples train({&signals}, {&labels, &means});
  const Array longer = wave({6, 14, 3}, 0.41f), later = wave({6, 14, 1}, 0.17f);
  const ArraySamples as_long({&signals}, {&labels}), of_other_length({&longer}, {&later});
  for (const ArraySamples* validation : {&as_long, &of_other_length}) {
    FitOptions options = one_epoch;
    options.validation_data = validation;
    try {
      model.fit(train, options);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const DataError& error) {
      EXPECT_EQ(std::string(error.what()).find("The model has 2 outputs, got targets for 1."), 0u)
          << error.what();
    }
  }
}

TEST(Outputs, may_all_lie_where_no_weight_reaches) {
  const Tensor x = Input({10, 3});
  Model model(x, GlobalAveragePooling1D{}(x));
  model.compile({.optimizer = Adam{.clipnorm = 1.0}, .loss = MeanSquaredError{}});
  const std::vector<double> losses =
      model.fit(signals, means, {.epochs = 2, .verbose = false, .threads = 1}).history.at("loss");
  EXPECT_EQ(losses[0], losses[1]);
  EXPECT_GT(losses[0], 0);
}

}  // namespace
}  // namespace sonde
