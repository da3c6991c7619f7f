# A component is a static library made of whole floors (src/floors.txt). A floor's folder may be
# empty or absent; a component without any source is header-only.

# sonde_component(core FLOORS base kernels …) -> target sonde_core, alias sonde::core
function(sonde_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FLOORS")
  set(sources)
  foreach(floor IN LISTS arg_FLOORS)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${floor}/*.cpp")
    list(APPEND sources ${found})
  endforeach()

  if(sources)
    add_library(sonde_${name} STATIC ${sources})
    target_include_directories(sonde_${name} PRIVATE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(sonde_${name} PRIVATE $<BUILD_INTERFACE:sonde_flags>)
    set(scope PUBLIC)
  else()
    add_library(sonde_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(sonde::${name} ALIAS sonde_${name})
  set_target_properties(sonde_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(sonde_${name} ${scope} cxx_std_20)
  target_include_directories(
    sonde_${name} ${scope} $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                           $<INSTALL_INTERFACE:include>)
endfunction()

# sonde_link(core hwy::hwy …): what the component's sources use, and no header of ours shows.
function(sonde_link name)
  get_target_property(type sonde_${name} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    target_link_libraries(sonde_${name} INTERFACE ${ARGN})
  else()
    target_link_libraries(sonde_${name} PRIVATE ${ARGN})
  endif()
endfunction()

# Kernels are optimized in every build: a test that trains has to end. But only a little where each
# line is instrumented: there the compiler would take minutes over one file, and speed is lost anyway.
function(sonde_fast_loops)
  file(GLOB_RECURSE kernels CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/kernels/*.cpp")
  set(options -O3)
  if(SONDE_COVERAGE OR SONDE_SANITIZE)
    set(options -O1)
  endif()
  # Highway counts AES among NEON's instructions, and GCC inlines nothing from there into code that may
  # not use it. No kernel does.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    list(APPEND options -march=armv8-a+crypto)
  endif()
  set_source_files_properties(${kernels} PROPERTIES COMPILE_OPTIONS "${options}")
  if(SONDE_COVERAGE OR SONDE_SANITIZE)
    return()
  endif()
  # Loops over weights and labels that are no kernels. Roots need no errno; the bits stay the same.
  set(loops optimizer.cpp loss.cpp class_loss.cpp vector_loss.cpp overlap_loss.cpp penalty.cpp)
  list(TRANSFORM loops PREPEND "${PROJECT_SOURCE_DIR}/src/training/")
  set_source_files_properties(${loops} PROPERTIES COMPILE_OPTIONS "-O3;-fno-math-errno")
endfunction()

# What plans, and does not run, is compiled for size: nobody waits for it, and it makes up a fourth
# of a program that only labels.
function(sonde_small_planning)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    return()
  endif()
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/src/" OUTPUT_VARIABLE files)
  set_source_files_properties(${files} PROPERTIES COMPILE_OPTIONS -Os)
endfunction()
