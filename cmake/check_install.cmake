# cmake -DBUILD_DIR=… -DCONSUMER_DIR=… -DCXX_COMPILER=… [-DLARGEST_LABELLER=BYTES -DNM=… -DSTRIP=…] -P check_install.cmake
# Installs a built tree into a fresh prefix, and builds and runs small programs against it.

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
run("${stage}/build/labelling_consumer")
if(LARGEST_LABELLER)
  execute_process(COMMAND "${NM}" -C "${stage}/build/labelling_consumer" OUTPUT_VARIABLE symbols)
  foreach(unwanted IN ITEMS sonde::OutputJudge sonde::judge_shard "sonde::Model::compile[(]" sonde::diagnose
                            sonde::GRU::plan)
    if(symbols MATCHES "${unwanted}")
      message(FATAL_ERROR "A program that only labels links ${unwanted}. Something that predict() needs refers "
                          "to what only training or other layers need.")
    endif()
  endforeach()
  if(NOT symbols MATCHES "sonde::LSTM::plan")
    message(FATAL_ERROR "${NM} shows no symbols of the library: nothing was looked at.")
  endif()
  run("${STRIP}" "${stage}/build/labelling_consumer")
  file(SIZE "${stage}/build/labelling_consumer" size)
  message(STATUS "a program that only labels takes ${size} bytes")
  if(size GREATER LARGEST_LABELLER)
    message(FATAL_ERROR "A program that only labels takes ${size} bytes, ${LARGEST_LABELLER} at most.")
  endif()
endif()
file(REMOVE_RECURSE "${stage}")
