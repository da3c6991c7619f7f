# What every file of this project is compiled with. Programs that link the library inherit only C++20.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(SONDE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(SONDE_CCACHE_PROGRAM ccache)
  mark_as_advanced(SONDE_CCACHE_PROGRAM)
  if(SONDE_CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${SONDE_CCACHE_PROGRAM}")
  endif()
endif()

add_library(sonde_flags INTERFACE)
# The same bits on every thread count and build: the compiler may not fuse a * b + c on its own,
# and neither fast-math nor -march=native may appear (docs/decisions/0008).
target_compile_options(sonde_flags INTERFACE -ffp-contract=off -Wall -Wextra)
if(SONDE_WERROR)
  target_compile_options(sonde_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlapping copies in string + "literal" that are not there (GCC bug 105329), and
  # members of other alternatives read when a std::variant is moved (GCC bug 105562).
  target_compile_options(sonde_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()

if(SONDE_SANITIZE)
  target_compile_options(sonde_flags INTERFACE -fsanitize=${SONDE_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(sonde_flags INTERFACE -fsanitize=${SONDE_SANITIZE})
endif()
if(SONDE_FUZZ)
  target_compile_options(sonde_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SONDE_COVERAGE)
  # Relative paths, so that an object from the compiler's cache does not name another folder.
  target_compile_options(sonde_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping
                         -fcoverage-compilation-dir=.)
  target_link_options(sonde_flags INTERFACE -fprofile-instr-generate)
endif()
