#include <sonde/version.hpp>

#include "kernels/level.hpp"

namespace sonde {

std::string_view kernel_level() { return kernels::level_name(kernels::level_in_use()); }

}  // namespace sonde
