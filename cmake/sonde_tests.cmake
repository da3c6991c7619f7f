# One test program per folder: tests/<floor>/*_test.cpp -> build/<preset>/tests/<floor>_tests.
# Tests see src/ as well as include/, and three words from here: where the sources lie, where
# the golden cases lie, and where the program lies.

find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
# The HDF5 library judges our own reader and writer, and makes the files that attack them. CMake's own
# module wants a C compiler and takes whichever HDF5 is the default, perhaps one of the parallel ones.
find_package(PkgConfig REQUIRED)
pkg_search_module(SONDE_HDF5 REQUIRED QUIET IMPORTED_TARGET hdf5-serial hdf5)

file(GLOB_RECURSE support CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/*.cpp")
list(FILTER support EXCLUDE REGEX "_test\\.cpp$")
if(support)
  add_library(sonde_test_support STATIC ${support})
  set(scope PUBLIC)
else()
  add_library(sonde_test_support INTERFACE)
  set(scope INTERFACE)
endif()
target_include_directories(sonde_test_support ${scope} "${PROJECT_SOURCE_DIR}/src"
                           "${PROJECT_SOURCE_DIR}")
target_link_libraries(
  sonde_test_support ${scope} sonde::sonde sonde_flags fmt::fmt nlohmann_json::nlohmann_json
                     PkgConfig::SONDE_LIBZIP PkgConfig::SONDE_HDF5 hwy::hwy GTest::gtest rapidcheck)
target_compile_definitions(
  sonde_test_support ${scope} SONDE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                     SONDE_GOLDEN_DIR="${PROJECT_SOURCE_DIR}/tests/golden/cases"
                     SONDE_PROGRAM_PATH="${PROJECT_BINARY_DIR}/sonde")

file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/*_test.cpp")
set(floors)
foreach(source IN LISTS sources)
  cmake_path(RELATIVE_PATH source BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/tests" OUTPUT_VARIABLE path)
  string(REGEX REPLACE "/.*" "" floor "${path}")
  list(APPEND floors "${floor}")
  list(APPEND sources_of_${floor} "${source}")
endforeach()
list(REMOVE_DUPLICATES floors)

foreach(floor IN LISTS floors)
  add_executable(${floor}_tests ${sources_of_${floor}})
  target_link_libraries(${floor}_tests PRIVATE sonde_test_support GTest::gtest_main)
  set_target_properties(${floor}_tests PROPERTIES
                        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  add_test(NAME ${floor} COMMAND ${floor}_tests --gtest_brief=1
           WORKING_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  set_tests_properties(${floor} PROPERTIES LABELS "${floor}" TIMEOUT 900)
endforeach()

# What the sanitizers build: all test programs, or those of the floors where threads meet.
add_custom_target(all_tests)
add_custom_target(thread_tests)
foreach(floor IN LISTS floors)
  add_dependencies(all_tests ${floor}_tests)
  if(floor MATCHES "^(base|plan|training|model|distributed)$")
    add_dependencies(thread_tests ${floor}_tests)
    set_property(TEST ${floor} APPEND PROPERTY LABELS threads)
  endif()
endforeach()

# The command line's tests may call its verbs, and run the program itself.
if(TARGET cli_tests AND TARGET sonde_cli)
  target_link_libraries(cli_tests PRIVATE sonde_cli)
endif()
if(TARGET cli_tests AND TARGET sonde)
  add_dependencies(cli_tests sonde)
  if(NOT SONDE_SANITIZE)  # whose libraries must come before any that is preloaded
    foreach(failing writes memory)
      add_library(failing_${failing} MODULE
                  "${PROJECT_SOURCE_DIR}/tests/cli/preload/failing_${failing}.cpp")
      target_link_libraries(failing_${failing} PRIVATE sonde_flags ${CMAKE_DL_LIBS})
      add_dependencies(cli_tests failing_${failing})
    endforeach()
    set_source_files_properties(
      "${PROJECT_SOURCE_DIR}/tests/cli/memory_test.cpp" TARGET_DIRECTORY cli_tests
      PROPERTIES COMPILE_DEFINITIONS SONDE_FAILING_MEMORY="$<TARGET_FILE:failing_memory>")
    target_compile_definitions(cli_tests
                               PRIVATE SONDE_FAILING_WRITES="$<TARGET_FILE:failing_writes>")
  endif()
endif()

# Any other source is a program of its own, for other programs to judge Sonde by: tests/golden/write_cases.cpp
# writes model files that real Keras reads, tests/data/dump_wfdb.cpp what we read of a recording.
file(GLOB programs CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/*/*.cpp")
list(FILTER programs EXCLUDE REGEX "_test\\.cpp$|/tests/(support|install|fuzz)/")
foreach(source IN LISTS programs)
  cmake_path(GET source STEM program)
  add_executable(${program} "${source}")
  target_link_libraries(${program} PRIVATE sonde_test_support)
  set_target_properties(${program} PROPERTIES
                        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
endforeach()

# The scripts of the house are tested like everything else.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  add_test(NAME tools COMMAND Python3::Interpreter -B -m unittest discover -s tests/tools -p "*_test.py"
           WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(tools PROPERTIES LABELS tools TIMEOUT 120)
endif()
