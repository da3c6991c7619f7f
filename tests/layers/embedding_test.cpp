#include <cmath>
#include <sonde/model.hpp>

#include "tests/support/evaluate.hpp"
#include "tests/support/files.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

/// Numbers between -1 and 1 become numbers of classes, far enough from whole ones for a derivative.
const Rescaling as_classes{.scale = 2.45, .offset = 2.5};

TEST(Embedding, obeys_its_laws) {
  const auto check = [](Shape shape, LawOptions options) {
    const Tensor x = Input(shape);
    check_graph({x}, {Embedding{.input_dim = 5, .output_dim = 3}(Rescaling(as_classes)(x))},
                options);
  };
  check({17, 2}, {});
  check({dynamic, 1}, {});
  check({17, 2, 2}, {});
  check({17}, {.streams = false});
  check_laws(Embedding{.input_dim = 5,
                       .output_dim = 3,
                       .activity_regularizer = L1L2{0.5, 0.25},
                       .mask_zero = true},
             {.time = 0, .channels = 17});
  check_round_trip(Embedding{.input_dim = 5, .output_dim = 3, .mask_zero = true});
}

TEST(Embedding, gives_the_vector_of_each_number) {
  Trial trial(Embedding{.input_dim = 3, .output_dim = 2}, {{2}}, 2);
  const Numbers table{0, 1, 10, 11, 20, 21};
  std::copy(table.begin(), table.end(), trial.weight("embeddings").begin());
  EXPECT_EQ(trial({{2, 0, 1, 1}}).front(), (Numbers{20, 21, 0, 1, 10, 11, 10, 11}));
  EXPECT_EQ((Embedding{.input_dim = 3, .output_dim = 2}(Input({400}))).shape(), (Shape{400, 2}));
  EXPECT_EQ((Embedding{.input_dim = 3, .output_dim = 2}(Input({dynamic, 4}))).shape(),
            (Shape{dynamic, 4, 2}));
}

TEST(Embedding, adds_up_the_gradients_of_equal_numbers) {
  Trial trial(Embedding{.input_dim = 3, .output_dim = 1}, {{3}}, 1, Mode::train);
  trial({{2, 0, 2}});
  trial.backward({{1, 10, 100}});
  EXPECT_EQ(trial.runner.gradients()[0], 10);
  EXPECT_EQ(trial.runner.gradients()[1], 0);
  EXPECT_EQ(trial.runner.gradients()[2], 101);
}

TEST(Embedding, shows_numbers_out_of_range_as_nan_and_never_reads_outside) {
  for (const double out : {5.0, -1.0, 1e30, -1e30, std::nan("")}) {
    const Numbers y = evaluate(Embedding{.input_dim = 5, .output_dim = 2}, {1}, {out});
    EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1])) << out;
  }
}

TEST(Embedding, has_its_data_checked_before_anything_runs) {
  const Tensor x = Input({3}, {.name = "activity"});
  Model model(x, Embedding{.input_dim = 4, .output_dim = 2, .name = "embed"}(x));
  const auto refused = [&](float number) {
    Array data({2, 3});
    data(1, 2) = number;
    return refused_with<DataError>([&] { model.predict(data, {.threads = 1}); });
  };
  EXPECT_EQ(refused(4),
            "Input \"activity\": sample 1 holds 4 at position 2; Embedding \"embed\" takes whole "
            "numbers from 0 to 3. Raise its input_dim, or number the classes from 0.");
  EXPECT_PRED2(says, refused(-1), "holds -1");
  EXPECT_PRED2(says, refused(0.5f), "holds 0.5");
  EXPECT_EQ(refused(3), "(not refused)");
}

TEST(Embedding, refuses_what_it_cannot_do) {
  EXPECT_EQ(refusal([] { Embedding{.input_dim = 0, .output_dim = 2}(Input({4})); }),
            "Embedding: input_dim must be at least 1, got 0.");
}

}  // namespace
}  // namespace sonde
