# One program for each reader of files from outside, fed by libFuzzer (Clang): ./check fuzz runs them.

file(GLOB targets CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_*.cpp")
add_custom_target(fuzz_targets)
foreach(source IN LISTS targets)
  cmake_path(GET source STEM target)
  add_executable(${target} "${source}")
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE sonde::sonde sonde_cli sonde_flags fmt::fmt
                        PkgConfig::SONDE_LIBZIP)
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
  add_dependencies(fuzz_targets ${target})
endforeach()
