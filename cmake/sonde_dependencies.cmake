# Where other people's libraries come from. The build and the installed package both read this file,
# so that find_package(sonde) finds again what the static libraries link.

macro(sonde_dependencies_of_core)
  set(THREADS_PREFER_PTHREAD_FLAG ON)
  find_package(Threads REQUIRED)
  find_package(hwy REQUIRED)
  find_package(fmt REQUIRED)
endmacro()

# libzip comes through pkg-config: its own CMake files want its command line tools installed too.
macro(sonde_dependencies_of_formats)
  find_package(nlohmann_json REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(PkgConfig REQUIRED)
  if(NOT TARGET PkgConfig::SONDE_LIBZIP)
    pkg_check_modules(SONDE_LIBZIP REQUIRED QUIET IMPORTED_TARGET GLOBAL libzip)
  endif()
endmacro()
