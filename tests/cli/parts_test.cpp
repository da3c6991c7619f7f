#include <gtest/gtest.h>

#include <fstream>

#include "cli/options.hpp"
#include "cli/sha256.hpp"
#include "cli/task.hpp"
#include "cli/train_options.hpp"
#include "tests/support/files.hpp"

// What the verbs are made of, where the program itself is too far away.
namespace sonde::cli {
namespace {

Array array(Shape shape, std::vector<float> values) { return Array(std::move(shape), values); }

TEST(Task, sees_what_labels_are) {
  const auto labels = [](const Array& y) { return task_of(y, {}, 4, "auto").labels; };
  EXPECT_EQ(labels(array({1, 4, 1}, {0, 1, 1, 0})), Labels::binary);
  EXPECT_EQ(labels(array({1, 4, 1}, {0, 0, 0, 0})), Labels::binary);
  EXPECT_EQ(labels(array({1, 4}, {0, 1, 1, 0})), Labels::binary);
  EXPECT_EQ(labels(array({1, 4, 1}, {0, 2, 1, 0})), Labels::classes);
  EXPECT_EQ(labels(array({1, 4, 1}, {0, 2.5, 1, 0})), Labels::values);
  EXPECT_EQ(labels(array({1, 4, 1}, {0, -1, 1, 0})), Labels::values);
  EXPECT_EQ(labels(array({1, 4, 1}, {0, 256, 1, 0})), Labels::values);
  EXPECT_EQ(labels(array({2, 2}, {0, 1, 1, 0})), Labels::one_hot);
  EXPECT_EQ(labels(array({2, 2}, {1, 1, 1, 0})), Labels::several);
  EXPECT_EQ(labels(array({2, 2}, {0.5, 0.5, 1, 0})), Labels::values);
}

TEST(Task, gives_one_unit_more_than_the_largest_class_number) {
  EXPECT_EQ(task_of(array({1, 4, 1}, {0, 6, 1, 0}), {}, 4, "auto").outputs, 7);
  // A softmax over one unit would always say 1.
  EXPECT_EQ(task_of(array({1, 2, 1}, {0, 0}), {}, 2, "sparse_categorical_crossentropy").outputs, 2);
}

TEST(Task, does_not_look_at_labels_without_weight) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Array y = array({1, 4, 1}, {0, 1, nan, 7}), weights = array({1, 4}, {1, 1, 0, 0});
  const Task task = task_of(y, weights, 4, "auto");
  EXPECT_EQ(task.labels, Labels::binary);
  EXPECT_EQ(task.counts, (std::vector<double>{1, 1}));
  EXPECT_EQ(task.text(), "2 classes: 0 in 50.0 %, 1 in 50.0 % of the labels");
}

TEST(Task, weighs_classes_so_that_all_weigh_the_same) {
  // scikit-learn: compute_class_weight("balanced", …) of 6, 3 and 1 labels gives 10/18, 10/9, 10/3.
  const Array y = array({1, 10, 1}, {0, 0, 0, 0, 0, 0, 1, 1, 1, 2});
  const auto weights = balanced_weights(task_of(y, {}, 10, "auto"), y, {}, 1, 10);
  ASSERT_EQ(weights.size(), 3u);
  EXPECT_FLOAT_EQ(weights[0], 10.0f / 18);
  EXPECT_FLOAT_EQ(weights[1], 10.0f / 9);
  EXPECT_FLOAT_EQ(weights[2], 10.0f / 3);
}

TEST(Options, read_words_by_the_kind_of_their_field) {
  EXPECT_EQ(Reads<Index>::from("12"), Value(12));
  EXPECT_EQ(Reads<Index>::from("12x"), Value("12x"));
  EXPECT_EQ(Reads<double>::from("1e-3"), Value(1e-3));
  EXPECT_EQ(Reads<double>::from("inf"), Value("inf"));
  EXPECT_EQ(Reads<std::optional<Index>>::from("3"), Value(3));
  EXPECT_EQ(Reads<std::string>::from("3"), Value("3"));
  EXPECT_EQ(Reads<std::vector<float>>::from("1,2.5"), Value(Value::List{1.0, 2.5}));
  EXPECT_EQ(Reads<Shape>::from("None,16"), Value(Value::List{Value(), 16}));
}

TEST(Options, every_field_of_train_is_shown_in_the_help) {
  TrainOptions options;
  std::size_t fields = 0;
  for_each_field(options, [&](std::string_view name, const auto&) {
    for (const char* table :
         {"recordings", "split", "evaluation", "augmentation", "post_processing"})
      if (name == table) return;  // of a file
    ++fields;
    const auto texts = train_texts();
    EXPECT_TRUE(std::any_of(texts.begin(), texts.end(), [&](auto& text) {
      return text.field == name;
    })) << name;
  });
  EXPECT_EQ(fields, train_texts().size());
}

TEST(Toml, what_is_written_is_read_back) {
  TrainOptions options;
  options.x = "a \"quoted\" \\ name\n";
  options.learning_rate = 1.0;
  options.window = 40;
  options.any_length = true;
  testing::TemporaryFolder folder;
  const std::string path = folder / "config.toml";
  std::ofstream(path) << write_toml(to_config(options), train_texts());
  TrainOptions read;
  read_config(read_toml(path), path, read);
  EXPECT_TRUE(same_fields(options, read));
}

TEST(Sha256, of_the_examples_of_FIPS_180) {
  testing::TemporaryFolder folder;
  const auto hash = [&](const std::string& text) {
    std::ofstream(folder / "f", std::ios::binary) << text;
    return sha256_of_file(folder / "f");
  };
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace sonde::cli
