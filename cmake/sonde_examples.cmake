# Each examples/x.cpp is a program build/<preset>/examples/x that uses the public headers only.
# The tests run it with --quick in the source tree, where the example data lie.

file(GLOB examples CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/*.cpp")
foreach(source IN LISTS examples)
  cmake_path(GET source STEM example)
  add_executable(example_${example} "${source}")
  target_link_libraries(example_${example} PRIVATE sonde::sonde sonde_flags)
  set_target_properties(example_${example} PROPERTIES OUTPUT_NAME ${example}
                        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples")
  if(SONDE_TESTS)
    add_test(NAME example.${example} COMMAND example_${example} --quick
             WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(example.${example} PROPERTIES LABELS example TIMEOUT 300)
  endif()
endforeach()
