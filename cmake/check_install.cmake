# cmake -DBUILD_DIR=… -DCONSUMER_DIR=… -DCXX_COMPILER=… -P check_install.cmake
# Installs a built tree into a fresh prefix, and builds and runs a small program against it.

set(stage "${BUILD_DIR}/install_check")
file(REMOVE_RECURSE "${stage}")

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

run("${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${stage}/prefix")
run("${CMAKE_COMMAND}" -S "${CONSUMER_DIR}" -B "${stage}/build" -G Ninja
    "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}" "-DCMAKE_PREFIX_PATH=${stage}/prefix")
run("${CMAKE_COMMAND}" --build "${stage}/build")
run("${stage}/build/core_consumer")
run("${stage}/build/formats_consumer")
file(REMOVE_RECURSE "${stage}")
