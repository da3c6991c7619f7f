# After `cmake --install build/release --prefix P`: find_package(sonde COMPONENTS core formats).

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/sonde")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/sonde" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(TARGET sonde)
  install(TARGETS sonde DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

# One export set per component: core can be used where libzip and HDF5 are not installed.
set(core_targets sonde_core)
set(formats_targets sonde_formats sonde_all)
foreach(component IN ITEMS core formats)
  install(TARGETS ${${component}_targets} EXPORT sonde_${component}
          DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(EXPORT sonde_${component} NAMESPACE sonde:: DESTINATION "${package_dir}"
          FILE sonde_${component}_targets.cmake)
endforeach()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/sonde-config.cmake.in"
                              "${PROJECT_BINARY_DIR}/sonde-config.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/sonde-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/sonde-config.cmake"
              "${PROJECT_BINARY_DIR}/sonde-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/sonde_dependencies.cmake"
        DESTINATION "${package_dir}")

# A program outside this tree finds, compiles against and links what was just installed.
if(SONDE_TESTS AND NOT SONDE_SANITIZE AND NOT SONDE_COVERAGE)
  set(largest_labeller 0)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND
     CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND NOT BUILD_SHARED_LIBS)
    set(largest_labeller 1000000)
  endif()
  add_test(NAME install
           COMMAND "${CMAKE_COMMAND}" -DBUILD_DIR=${PROJECT_BINARY_DIR}
                   -DCONSUMER_DIR=${PROJECT_SOURCE_DIR}/tests/install
                   -DCXX_COMPILER=${CMAKE_CXX_COMPILER}
                   -DLARGEST_LABELLER=${largest_labeller} -DNM=${CMAKE_NM} -DSTRIP=${CMAKE_STRIP} -P
                   "${PROJECT_SOURCE_DIR}/cmake/check_install.cmake")
  set_tests_properties(install PROPERTIES LABELS install TIMEOUT 300)
endif()
