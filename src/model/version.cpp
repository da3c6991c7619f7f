#include <sonde/version.hpp>

#include "kernels/bf16.hpp"
#include "kernels/level.hpp"

namespace sonde {

std::string_view kernel_level() { return kernels::level_name(kernels::level_in_use()); }
std::string_view bfloat16_level() { return kernels::bf16_name(kernels::bf16_in_use()); }

}  // namespace sonde
