#pragma once
#include <sonde/shape.hpp>

namespace sonde::testing {

/// How often this thread has allocated or freed so far, through operator new and delete. Linking it
/// replaces those operators of the whole program by counting ones.
///   const Index before = allocations();
///   run(…);
///   EXPECT_EQ(allocations(), before);
Index allocations();

}  // namespace sonde::testing
