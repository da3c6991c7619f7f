#include <set>

#include "tests/support/evaluate.hpp"
#include "tests/support/laws.hpp"

namespace sonde {
namespace {

using namespace testing;

TEST(BuiltinLayers, each_has_its_laws) {
  std::set<std::string> with_laws;
  const auto& program = *::testing::UnitTest::GetInstance();
  for (int s = 0; s < program.total_test_suite_count(); ++s) {
    const auto& suite = *program.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t)
      if (std::string_view(suite.GetTestInfo(t)->name()) == "obeys_its_laws")
        with_laws.insert(suite.name());
  }
  for_each_type(BuiltinLayers{}, [&]<class L>() {
    EXPECT_TRUE(with_laws.count(std::string(L::type)))
        << "no TEST(" << L::type << ", obeys_its_laws)";
  });
}

TEST(BuiltinLayers, write_every_argument_into_their_config) {
  for_each_type(BuiltinLayers{}, []<class L>() {
    constexpr std::size_t fields = std::tuple_size_v<decltype(L::fields())>;
    // self stays out, and two of Keras' layers have no `trainable`.
    constexpr bool no_trainable =
        std::is_same_v<L, InputLayer> || std::is_same_v<L, SpatialDropout1D>;
    constexpr std::size_t hidden = no_trainable ? 2 : 1;
    EXPECT_EQ(arity<L>(), fields + hidden) << L::type;
  });
}

TEST(BuiltinLayers, have_different_names) {
  std::set<std::string_view> names;
  for_each_type(BuiltinLayers{}, [&]<class L>() {
    EXPECT_TRUE(names.insert(L::type).second) << L::type << " stands twice in the list";
  });
}

TEST(BuiltinLayers, are_read_by_name) {
  const AnyLayer layer = layer_from_config(
      "MaxPooling1D", {{"pool_size", Value::List{Value(4)}}, {"padding", "same"}, {"name", "pool"}},
      "pool");
  EXPECT_EQ(layer.as<MaxPooling1D>()->pool_size, 4);
  EXPECT_EQ(layer.as<MaxPooling1D>()->strides, std::nullopt);
  EXPECT_EQ(layer.as<MaxPooling1D>()->padding, Padding::same);
  EXPECT_EQ(layer.name(), "pool");
}

TEST(BuiltinLayers, refuse_unknown_names_and_arguments) {
  EXPECT_EQ(refusal([] { layer_from_config("Conv2", {}, "model.keras"); }),
            "model.keras: \"Conv2\" is not known. Did you mean \"Conv2D\"?");
  EXPECT_EQ(refusal([] {
              layer_from_config("Dense", {{"unit", 3}, {"units", 3}}, "Dense \"d\"");
            }),
            "Dense \"d\": \"unit\" is not known. Did you mean \"units\"?");
  EXPECT_EQ(refusal([] { layer_from_config("LSTM", {}, "LSTM \"l\""); }),
            "LSTM \"l\": units is required and was not given.");
}

}  // namespace
}  // namespace sonde
