# sonde_embed(formats NAME FILE): the text of FILE as sonde::report::assets::NAME, with its SHA-256 in
# hexadecimal (src/report/assets.hpp). A missing FILE gives an empty text.
# Run by itself (cmake -DNAME=… -DFILE=… -DOUT=… -P sonde_embed.cmake) it writes that source.

if(CMAKE_SCRIPT_MODE_FILE)
  set(text "")
  if(FILE)
    file(READ "${FILE}" text)
    # A page of one file has no source map; a browser's tools would ask the net for it.
    string(REGEX REPLACE "[\r\n]*//# sourceMappingURL=[^\n]*" "" text "${text}")
  endif()
  string(SHA256 hash "${text}")
  file(WRITE "${OUT}.text" "${text}")
  file(READ "${OUT}.text" bytes HEX)
  file(REMOVE "${OUT}.text")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  file(WRITE "${OUT}" "#include \"report/assets.hpp\"\n\nnamespace sonde::report::assets {\n"
       "namespace {\nconstexpr char text[] = {${bytes}0};\n}\n"
       "const Asset ${NAME} = {{text, sizeof(text) - 1}, \"${hash}\"};\n}\n")
  return()
endif()

set(sonde_embed_script "${CMAKE_CURRENT_LIST_FILE}")

function(sonde_embed component name file)
  set(out "${PROJECT_BINARY_DIR}/embedded/${name}.cpp")
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/embedded")
  if(NOT file)
    set(file "")
  endif()
  add_custom_command(
    OUTPUT "${out}"
    COMMAND "${CMAKE_COMMAND}" "-DNAME=${name}" "-DFILE=${file}" "-DOUT=${out}" -P
            "${sonde_embed_script}"
    DEPENDS ${file} "${sonde_embed_script}"
    VERBATIM)
  target_sources(sonde_${component} PRIVATE "${out}")
endfunction()

# The report's page, and the curves one can zoom into (Debian: libjs-dygraphs). Without dygraphs the
# curves are pictures.
function(sonde_embed_report)
  set(page "${PROJECT_SOURCE_DIR}/src/report/page")
  find_file(SONDE_DYGRAPHS dygraph.min.js
            PATHS /usr/share/javascript/dygraphs /usr/share/javascript/dygraphs/dist)
  mark_as_advanced(SONDE_DYGRAPHS)
  if(NOT SONDE_DYGRAPHS)
    message(STATUS "dygraphs not found (Debian: libjs-dygraphs): reports have still curves")
  endif()
  sonde_embed(formats dygraphs "${SONDE_DYGRAPHS}")
  sonde_embed(formats report_css "${page}/report.css")
  sonde_embed(formats charts_js "${page}/charts.js")
  sonde_embed(formats signals_js "${page}/signals.js")
  sonde_embed(formats viewer_js "${page}/viewer.js")
endfunction()
