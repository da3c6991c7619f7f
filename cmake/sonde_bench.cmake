# All of bench/*.cpp in one program, build/<preset>/sonde_bench.

find_package(benchmark)
file(GLOB benchmarks CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/*.cpp")
if(benchmark_FOUND AND benchmarks)
  add_executable(sonde_bench ${benchmarks})
  target_include_directories(sonde_bench PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(sonde_bench PRIVATE sonde::sonde sonde_flags fmt::fmt
                        benchmark::benchmark benchmark::benchmark_main)
endif()
