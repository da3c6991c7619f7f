#include <cmath>
#include <limits>

#include "tests/training/loss_case.hpp"

namespace sonde {
namespace {

using testing::Case;
using testing::class_p;
using testing::class_z;
using testing::List;
using testing::one_hot;
using testing::spread;
using testing::wide_pred;
using testing::wide_true;

// Expected numbers from here to the next mark: Keras 3.15.1, keras/src/losses/losses_test.py.
TEST(MeanSquaredError, agrees_with_keras) {
  const MeanSquaredError mse;
  EXPECT_NEAR((Case{mse, wide_pred, wide_true, 3}.reduced()), 49.5, 1e-5);
  EXPECT_NEAR((Case{mse, wide_pred, wide_true, 3, {2.3, 2.3}}.reduced()), 113.85, 1e-4);
  EXPECT_NEAR((Case{mse, wide_pred, wide_true, 3, {1.2, 3.4}}.reduced()), 767.8 / 6, 1e-4);
  EXPECT_NEAR((Case{mse, wide_pred, wide_true, 1, {3, 6, 5, 0, 4, 2}}.reduced()), 97.833336, 1e-4);
  EXPECT_EQ((Case{mse, wide_pred, wide_true, 3, {0, 0}}.reduced()), 0);
  EXPECT_NEAR(
      (Case{MeanSquaredError{Reduction::sum}, wide_pred, wide_true, 3, {2.3, 2.3}}.reduced()),
      227.69998, 1e-3);
  EXPECT_NEAR(
      (Case{
          MeanSquaredError{Reduction::mean_with_sample_weight}, wide_pred, wide_true, 3, {1.2, 3.4}}
           .reduced()),
      (110.0 / 3 * 1.2 + 187.0 / 3 * 3.4) / (1.2 + 3.4), 1e-4);
}

TEST(MeanAbsoluteError, agrees_with_keras) {
  const MeanAbsoluteError mae;
  EXPECT_NEAR((Case{mae, wide_pred, wide_true, 3}.reduced()), 5.5, 1e-6);
  EXPECT_NEAR((Case{mae, wide_pred, wide_true, 3, {1.2, 3.4}}.reduced()), 81.4 / 6, 1e-5);
  EXPECT_NEAR((Case{mae, wide_pred, wide_true, 1, {3, 6, 5, 0, 4, 2}}.reduced()), 13.833333, 1e-5);
  EXPECT_NEAR(
      (Case{MeanAbsoluteError{Reduction::sum}, wide_pred, wide_true, 3, {2.3, 2.3}}.reduced()),
      25.29999, 1e-4);
}

TEST(Huber, agrees_with_keras) {
  const List y{0.9, 0.2, 0.2, 0.8, 0.4, 0.6}, t{1, 0, 1, 1, 0, 0};
  // Errors 0.1 0.2 0.8 0.2 0.4 0.6: halves of their squares, or beyond delta a straight line.
  EXPECT_NEAR((Case{Huber{}, y, t, 3}.reduced()), 0.625 / 6, 1e-6);
  EXPECT_NEAR((Case{Huber{0.5}, y, t, 3}.reduced()),
              (0.5 * (0.01 + 0.04 + 0.04 + 0.16) + 0.5 * 0.8 - 0.125 + 0.5 * 0.6 - 0.125) / 6,
              1e-6);
}

TEST(BinaryCrossentropy, agrees_with_keras_on_probabilities) {
  const List eye{1, 0, 0, 0, 1, 0, 0, 0, 1};
  EXPECT_NEAR((Case{BinaryCrossentropy{}, eye, eye, 3}.reduced()), 0, 1e-6);
  EXPECT_NEAR(
      (Case{BinaryCrossentropy{}, {0.9, 0.1, 0.2, 0.3, 0.8, 0.1, 0.1, 0.2, 0.7}, eye, 3}.reduced()),
      0.20046903, 1e-6);
  // The clip at 1e-7 is seen in float only: in double it is not the same number.
  EXPECT_NEAR((Case{BinaryCrossentropy{}, {1, 1, 1, 0}, {1, 0, 1, 0}, 2}.sum<float>() / 2), 3.98559,
              1e-4);
  EXPECT_NEAR(
      (Case{BinaryCrossentropy{}, {1, 1, 1, 0}, {1, 0, 1, 0}, 2, {1.2, 3.4}}.sum<float>() / 2),
      4.7827, 1e-4);
}

TEST(BinaryCrossentropy, agrees_with_keras_on_logits) {
  const BinaryCrossentropy logits{.from_logits = true};
  const List z{10, -10, 10, 10, 10, -10}, t{1, 0, 1, 0, 1, 1};
  EXPECT_NEAR((Case{logits, z, t, 3}.reduced()), 3.3333, 1e-4);
  EXPECT_NEAR((Case{logits, z, t, 3, {2.3, 2.3}}.reduced()), 7.666, 1e-3);
  EXPECT_NEAR((Case{logits, z, t, 3, {4, 3}}.reduced()), 10.0, 1e-3);
  const BinaryCrossentropy smooth{.from_logits = true, .label_smoothing = 0.1};
  EXPECT_NEAR((Case{smooth, {10, -10, -10}, {1, 0, 1}, 3}.reduced()), 10.5 / 3, 1e-4);
}

const List numbers{0, 1, 2};

TEST(CategoricalCrossentropy, agrees_with_keras) {
  const CategoricalCrossentropy p, z{.from_logits = true};
  EXPECT_NEAR((Case{p, one_hot, one_hot, 3}.reduced()), 0, 1e-6);
  EXPECT_NEAR((Case{p, class_p, one_hot, 3}.reduced()), 0.3239, 1e-4);
  EXPECT_NEAR((Case{z, class_z, one_hot, 3}.reduced()), 0.0573, 1e-4);
  EXPECT_NEAR((Case{p, class_p, one_hot, 3, {1.2, 3.4, 5.6}}.reduced()), 1.0696, 1e-4);
  EXPECT_NEAR((Case{z, class_z, one_hot, 3, {1.2, 3.4, 5.6}}.reduced()), 0.31829, 1e-4);
  const CategoricalCrossentropy smooth{.from_logits = true, .label_smoothing = 0.1};
  EXPECT_NEAR((Case{smooth, {100, -100, -100}, {1, 0, 0}, 3}.reduced()), 40.0 / 3, 1e-4);
}

TEST(SparseCategoricalCrossentropy, agrees_with_keras) {
  const SparseCategoricalCrossentropy p, z{.from_logits = true};
  EXPECT_NEAR((Case{p, class_p, numbers, 3}.reduced()), 0.3239, 1e-4);
  EXPECT_NEAR((Case{z, class_z, numbers, 3}.reduced()), 0.0573, 1e-4);
  EXPECT_NEAR((Case{p, class_p, numbers, 3, {1.2, 3.4, 5.6}}.reduced()), 1.0696, 1e-4);
  EXPECT_NEAR((Case{z, class_z, numbers, 3, {1.2, 3.4, 5.6}}.reduced()), 0.31829, 1e-4);
  for (std::size_t i = 0; i < 3; ++i) {
    const List row(class_z.begin() + static_cast<Index>(3 * i),
                   class_z.begin() + static_cast<Index>(3 * i) + 3);
    EXPECT_NEAR((Case{z, row, {numbers[i]}, 3}.reduced()), (List{0.001822, 0.000459, 0.169846}[i]),
                1e-6);
  }
}

TEST(SparseCategoricalCrossentropy, an_ignored_class_has_no_value_and_is_not_counted) {
  const SparseCategoricalCrossentropy ignoring{.from_logits = true, .ignore_class = -1};
  const Case c{ignoring, {0.854, 0.698, 0.598, 0.088, 0.86, 0.018}, {-1, 2}, 3};
  EXPECT_NEAR(c.reduced(), 1.480129, 1e-6);  // the mean over the one step that counts
  std::vector<float> dy;
  c.sum<float>(1, &dy);
  EXPECT_EQ(dy[0], 0);
  EXPECT_NE(dy[3], 0);
}
// End of the numbers from losses_test.py.

TEST(Loss, on_logits_agrees_with_probabilities_from_the_same_head) {
  const double z[] = {-2, 0.5, 3};
  double sum = 0;
  List p, s;
  for (const double v : z) sum += std::exp(v);
  for (const double v : z) {
    p.push_back(std::exp(v) / sum);
    s.push_back(1 / (1 + std::exp(-v)));
  }
  const List logits(z, z + 3), t{0, 0.3, 0.7};
  EXPECT_NEAR((Case{BinaryCrossentropy{}, logits, t, 3, {}, Head::sigmoid}.reduced()),
              (Case{BinaryCrossentropy{}, s, t, 3}.reduced()), 1e-6);
  EXPECT_NEAR((Case{CategoricalCrossentropy{}, logits, t, 3, {}, Head::softmax}.reduced()),
              (Case{CategoricalCrossentropy{}, p, t, 3}.reduced()), 1e-6);
  EXPECT_NEAR((Case{SparseCategoricalCrossentropy{}, logits, {1}, 3, {}, Head::softmax}.reduced()),
              (Case{SparseCategoricalCrossentropy{}, p, {1}, 3}.reduced()), 1e-6);
}

TEST(Loss, on_logits_does_not_saturate) {
  const Case far{BinaryCrossentropy{}, {-1000, 1000, 80, -80}, {1, 0, 1, 0}, 1, {}, Head::sigmoid};
  std::vector<float> dy;
  EXPECT_NEAR(far.sum<float>(1, &dy), 2000, 1e-3);
  EXPECT_EQ(dy, (std::vector<float>{-1, 1, 0, dy[3]}));
  EXPECT_NEAR(dy[3], 0, 1e-30);
  const Case classes{SparseCategoricalCrossentropy{}, {500, -500}, {1}, 2, {}, Head::softmax};
  EXPECT_NEAR(classes.sum<float>(1, &dy), 1000, 1e-3);
  EXPECT_EQ(dy, (std::vector<float>{1, -1}));
}

struct Named {
  const char* name;
  Case c;
};

List hot(std::size_t count, std::size_t width) {
  List list(count * width);
  for (std::size_t i = 0; i < count; ++i) list[i * width + (i * 7) % width] = 1;
  return list;
}

List classes(std::size_t count, std::size_t width) {
  List list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(static_cast<double>((i * 7) % width));
  return list;
}

std::vector<Named> gradient_cases() {
  std::vector<Named> all;
  for (const std::size_t width : {1, 3, 130, 700}) {
    const std::size_t count = width == 1 ? 301 : width == 3 ? 190 : 3, n = count * width;
    const List soft = spread(n, 0, 1), weights = spread(count, 0.1, 2);
    const auto w = static_cast<Index>(width);
    const auto add = [&](const char* name, Loss loss, List y, List t, Head head) {
      all.push_back({name, {loss, y, t, w, {}, head}});
      all.push_back({name, {loss, std::move(y), std::move(t), w, weights, head}});
    };
    const List z = spread(n, -4, 4), p = spread(n, 0.02, 0.98);
    add("mse", MeanSquaredError{}, z, soft, Head::values);
    add("mae", MeanAbsoluteError{}, z, soft, Head::values);
    add("huber", Huber{0.7}, z, soft, Head::values);
    add("bce", BinaryCrossentropy{}, p, soft, Head::values);
    add("bce sigmoid", BinaryCrossentropy{}, z, soft, Head::sigmoid);
    add("bce smooth", BinaryCrossentropy{.from_logits = true, .label_smoothing = 0.2}, z, soft,
        Head::values);
    add("mape", MeanAbsolutePercentageError{}, z, spread(n, 0.1, 2), Head::values);
    add("msle", MeanSquaredLogarithmicError{}, spread(n, 0.1, 4), soft, Head::values);
    add("log cosh", LogCosh{}, spread(n, -40, 40), soft, Head::values);
    add("poisson", Poisson{}, spread(n, 0.1, 4), soft, Head::values);
    add("hinge", Hinge{}, z, hot(count, width), Head::values);
    add("squared hinge", SquaredHinge{}, z, hot(count, width), Head::values);
    add("focal", BinaryFocalCrossentropy{.label_smoothing = 0.1}, p, soft, Head::values);
    add("focal sigmoid", BinaryFocalCrossentropy{.apply_class_balancing = true, .gamma = 0.5}, z,
        hot(count, width), Head::sigmoid);
    add("focal soft", BinaryFocalCrossentropy{.gamma = 3}, z, soft, Head::sigmoid);
    if (width == 1) continue;
    add("kl", KLDivergence{}, p, soft, Head::values);
    add("cosine", CosineSimilarity{}, z, soft, Head::values);
    add("class hinge", CategoricalHinge{}, z, hot(count, width), Head::values);
    add("class focal", CategoricalFocalCrossentropy{.label_smoothing = 0.1}, p, soft, Head::values);
    add("class focal softmax", CategoricalFocalCrossentropy{.gamma = 0.5}, z, hot(count, width),
        Head::softmax);
    add("class focal any", CategoricalFocalCrossentropy{.gamma = 3}, z, soft, Head::softmax);
    add("cce", CategoricalCrossentropy{}, p, soft, Head::values);
    add("cce softmax", CategoricalCrossentropy{}, z, hot(count, width), Head::softmax);
    add("cce any labels", CategoricalCrossentropy{}, z, soft, Head::softmax);
    add("cce smooth", CategoricalCrossentropy{.from_logits = true, .label_smoothing = 0.3}, z,
        hot(count, width), Head::values);
    add("sparse", SparseCategoricalCrossentropy{}, p, classes(count, width), Head::values);
    add("sparse softmax", SparseCategoricalCrossentropy{.ignore_class = 0}, z,
        classes(count, width), Head::softmax);
  }
  return all;
}

TEST(Loss, gradients_agree_with_central_differences) {
  for (const auto& [name, c] : gradient_cases()) {
    std::vector<double> dy;
    const double scale = 0.125;
    c.sum<double>(scale, &dy);
    for (std::size_t i = 0; i < c.y.size(); i += 1 + c.y.size() / 37) {
      const double h = 1e-6;
      Case up = c, down = c;
      up.y[i] += h;
      down.y[i] -= h;
      const double difference = scale * (up.sum<double>() - down.sum<double>()) / (2 * h);
      EXPECT_NEAR(dy[i], difference, 1e-7 * std::max(1.0, std::abs(c.sum<double>())))
          << name << " width " << c.width << " at " << i;
    }
  }
}

TEST(Loss, float_agrees_with_double) {
  for (const auto& [name, c] : gradient_cases()) {
    std::vector<double> exact;
    std::vector<float> dy;
    const double sum = c.sum<double>(1, &exact);
    EXPECT_NEAR(c.sum<float>(1, &dy) / sum, 1, 3e-6) << name << " width " << c.width;
    for (std::size_t i = 0; i < dy.size(); ++i)
      EXPECT_NEAR(dy[i], exact[i], 2e-5 * std::max(1.0, std::abs(exact[i]))) << name;
  }
}

TEST(Loss, is_the_sum_over_its_rows) {
  for (const auto& [name, c] : gradient_cases()) {
    std::vector<float> whole, part;
    const double sum = c.sum<float>(0.5f, &whole);
    double parts = 0;
    const std::size_t units = c.target.size() / static_cast<std::size_t>(c.count());
    const auto cut = [](const List& list, std::size_t row, std::size_t width) {
      if (list.empty()) return List{};
      const auto begin = list.begin() + static_cast<Index>(row * width);
      return List(begin, begin + static_cast<Index>(width));
    };
    for (std::size_t row = 0; row < static_cast<std::size_t>(c.count()); ++row) {
      const auto width = static_cast<std::size_t>(c.width);
      const Case one{c.loss,  cut(c.y, row, width),   cut(c.target, row, units),
                     c.width, cut(c.weights, row, 1), c.head};
      parts += one.sum<float>(0.5f, &part);
      for (std::size_t k = 0; k < width; ++k)
        EXPECT_EQ(part[k], whole[row * width + k]) << name << ": the same bits alone and together";
    }
    EXPECT_NEAR(parts / sum, 1, 1e-12) << name;
  }
}

TEST(Loss, a_step_with_weight_0_may_hold_anything) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Head head : {Head::values, Head::sigmoid, Head::softmax}) {
    for (const Loss& loss : {Loss(BinaryCrossentropy{}), Loss(CategoricalCrossentropy{}),
                             Loss(MeanSquaredError{}), Loss(Huber{})}) {
      const Case c{loss, {nan, nan, 0.4, 0.6}, {nan, nan, 0, 1}, 2, {0, 1}, head};
      std::vector<float> dy;
      EXPECT_TRUE(std::isfinite(c.sum<float>(1, &dy)));
      EXPECT_EQ(dy[0], 0);
      EXPECT_EQ(dy[1], 0);
      EXPECT_TRUE(std::isfinite(dy[2]));
    }
    const Case sparse{
        SparseCategoricalCrossentropy{}, {nan, nan, 0.4, 0.6}, {nan, 1}, 2, {0, 1}, head};
    EXPECT_TRUE(std::isfinite(sparse.sum<float>()));
  }
}

TEST(Loss, nan_in_the_output_is_not_hidden) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Head head : {Head::values, Head::sigmoid, Head::softmax})
    for (const Loss& loss : {Loss(BinaryCrossentropy{}), Loss(CategoricalCrossentropy{}),
                             Loss(MeanSquaredError{}), Loss(MeanAbsoluteError{})})
      EXPECT_TRUE(std::isnan((Case{loss, {nan, 0.5}, {1, 0}, 2, {}, head}.sum<float>())));
}

TEST(Loss, a_class_number_out_of_range_gives_nan_and_reads_nothing_else) {
  for (const double number : {-1.0, 2.0, 1e30, std::numeric_limits<double>::quiet_NaN()})
    for (const Head head : {Head::values, Head::softmax}) {
      const Case c{SparseCategoricalCrossentropy{}, {0.4, 0.6}, {number}, 2, {}, head};
      std::vector<float> dy;
      EXPECT_TRUE(std::isnan(c.sum<float>(1, &dy)));
    }
}

TEST(Loss, of_an_empty_batch_is_0) {
  const LossBatch<float> none{};
  EXPECT_EQ(loss_value_and_gradient<float>(MeanSquaredError{}, Head::values, none, 1, nullptr), 0);
  EXPECT_EQ(
      loss_value_and_gradient<float>(CategoricalCrossentropy{}, Head::softmax, none, 1, nullptr),
      0);
  EXPECT_EQ(loss_scale(MeanSquaredError{}, 0, 0), 0);
  EXPECT_EQ(loss_scale(MeanSquaredError{Reduction::sum}, 0, 0), 1);
}

TEST(Loss, has_keras_names) {
  EXPECT_EQ(loss_from_name("mse"), Loss(MeanSquaredError{}));
  EXPECT_EQ(loss_from_name("MAE"), Loss(MeanAbsoluteError{}));
  EXPECT_EQ(loss_from_name("bce"), Loss(BinaryCrossentropy{}));
  EXPECT_EQ(loss_from_name("huber"), Loss(Huber{}));
  EXPECT_EQ(loss_from_name("BinaryCrossentropy"), Loss(BinaryCrossentropy{}));
  EXPECT_EQ(loss_from_name("sparse_categorical_crossentropy"),
            Loss(SparseCategoricalCrossentropy{}));
  EXPECT_EQ(loss_from_name("dice"), Loss(Dice{}));
  EXPECT_EQ(loss_from_name("kld"), Loss(KLDivergence{}));
  EXPECT_EQ(loss_from_name("kl_divergence"), Loss(KLDivergence{}));
  EXPECT_EQ(loss_from_name("MAPE"), Loss(MeanAbsolutePercentageError{}));
  EXPECT_EQ(loss_from_name("msle"), Loss(MeanSquaredLogarithmicError{}));
  EXPECT_EQ(loss_from_name("binary_focal_crossentropy"), Loss(BinaryFocalCrossentropy{}));
  EXPECT_EQ(name_of(CategoricalCrossentropy{}), "categorical_crossentropy");
  EXPECT_THROW(loss_from_name("binary_crosentropy"), ArgumentError);
  EXPECT_THROW(loss_from_name("crossentropy"), ArgumentError);
  EXPECT_EQ(loss_from_name("crossentropy", {400, 1}, {400, 1}), Loss(BinaryCrossentropy{}));
  EXPECT_EQ(loss_from_name("ce", {400, 5}, {400}), Loss(SparseCategoricalCrossentropy{}));
  EXPECT_EQ(loss_from_name("ce", {400, 5}, {400, 1}), Loss(SparseCategoricalCrossentropy{}));
  EXPECT_EQ(loss_from_name("ce", {400, 5}, {400, 5}), Loss(CategoricalCrossentropy{}));
}

TEST(Loss, comes_back_from_its_config) {
  for (const Loss& loss :
       {Loss(BinaryCrossentropy{.label_smoothing = 0.1}),
        Loss(SparseCategoricalCrossentropy{.ignore_class = 255}),
        Loss(Huber{.delta = 0.3, .reduction = Reduction::sum}), Loss(Dice{}),
        Loss(Dice{.axis = -1}), Loss(Tversky{.alpha = 0.7, .beta = 0.3, .axis = {0, 1}}),
        Loss(BinaryFocalCrossentropy{.apply_class_balancing = true})}) {
    Loss back;
    from_value(to_value(loss), "loss", back);
    EXPECT_EQ(back, loss);
  }
}

std::string refusal(const Loss& loss, ActivationFunction last, Index width) {
  try {
    head_of(loss, last, width, "Dense \"out\"");
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

TEST(Head, meets_the_last_activation) {
  using A = ActivationFunction;
  EXPECT_EQ(head_of(BinaryCrossentropy{}, A::sigmoid, 1, ""), Head::sigmoid);
  EXPECT_EQ(head_of(BinaryCrossentropy{}, A::linear, 1, ""), Head::values);
  EXPECT_EQ(head_of(BinaryCrossentropy{}, A::softmax, 2, ""), Head::values);
  EXPECT_EQ(head_of(CategoricalCrossentropy{}, A::softmax, 3, ""), Head::softmax);
  EXPECT_EQ(head_of(SparseCategoricalCrossentropy{}, A::softmax, 3, ""), Head::softmax);
  EXPECT_EQ(head_of(CategoricalCrossentropy{}, A::sigmoid, 3, ""), Head::values);
  EXPECT_EQ(head_of(MeanSquaredError{}, A::sigmoid, 3, ""), Head::values);
  EXPECT_EQ(head_of(BinaryFocalCrossentropy{}, A::sigmoid, 1, ""), Head::sigmoid);
  EXPECT_EQ(head_of(CategoricalFocalCrossentropy{}, A::softmax, 3, ""), Head::softmax);
  EXPECT_EQ(head_of(Dice{}, A::sigmoid, 1, ""), Head::values);
}

TEST(Head, refuses_what_cannot_learn) {
  using A = ActivationFunction;
  EXPECT_EQ(
      refusal(BinaryCrossentropy{}, A::softmax, 1),
      "Dense \"out\": a softmax over one unit always gives 1, and nothing can be learned. Use "
      "a sigmoid for two classes, or as many units as there are classes.");
  EXPECT_NE(refusal(MeanSquaredError{}, A::softmax, 1), "");
  EXPECT_NE(refusal(BinaryCrossentropy{.from_logits = true}, A::sigmoid, 1), "");
  EXPECT_NE(refusal(CategoricalCrossentropy{.from_logits = true}, A::softmax, 4), "");
  EXPECT_NE(refusal(BinaryCrossentropy{.label_smoothing = 1.5}, A::sigmoid, 1), "");
  EXPECT_NE(refusal(BinaryCrossentropy{.axis = 1}, A::sigmoid, 1), "");
  EXPECT_NE(refusal(Huber{.delta = 0}, A::linear, 1), "");
  EXPECT_EQ(refusal(BinaryFocalCrossentropy{.gamma = -1}, A::sigmoid, 1),
            "Dense \"out\": gamma must be finite and at least 0, got -1.");
  EXPECT_NE(
      refusal(BinaryFocalCrossentropy{.apply_class_balancing = true, .alpha = 2}, A::sigmoid, 1),
      "");
  EXPECT_NE(refusal(CategoricalFocalCrossentropy{.alpha = -1}, A::softmax, 3), "");
  EXPECT_NE(refusal(Tversky{.alpha = 0, .beta = 0}, A::sigmoid, 1), "");
  EXPECT_NE(refusal(CosineSimilarity{.axis = 1}, A::linear, 3), "");
  EXPECT_NE(refusal(MeanSquaredError{.reduction = Reduction::none}, A::linear, 1), "");
}

}  // namespace
}  // namespace sonde
