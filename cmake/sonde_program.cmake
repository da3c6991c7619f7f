# build/<preset>/sonde. Everything but main.cpp lies in a library of its own, so that tests can call it.

find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)

file(GLOB_RECURSE verbs CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/cli/*.cpp")
set(main "${PROJECT_SOURCE_DIR}/src/cli/main.cpp")
list(REMOVE_ITEM verbs "${main}")

if(verbs)
  add_library(sonde_cli STATIC ${verbs})
  set(scope PUBLIC)
  target_link_libraries(sonde_cli PRIVATE sonde_flags)
else()
  add_library(sonde_cli INTERFACE)
  set(scope INTERFACE)
endif()
target_include_directories(sonde_cli ${scope} "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(sonde_cli ${scope} sonde::sonde CLI11::CLI11 tomlplusplus::tomlplusplus
                      nlohmann_json::nlohmann_json fmt::fmt)

if(EXISTS "${main}")
  add_executable(sonde "${main}")
  target_link_libraries(sonde PRIVATE sonde_cli sonde_flags)
  set_target_properties(sonde PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endif()
