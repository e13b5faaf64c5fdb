# Makes one page of page.html, page.css and its scripts, with nothing else to fetch, and with a Content-Security-Policy that
# allows just that style and that script, by their hashes.
# cmake -DFOLDER=page -DOUTPUT=joined.html -P join_page.cmake
set(alphabet "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

# The base64 of a SHA-256: ten groups of three bytes, and two bytes.
function(hash_source text out)
  string(SHA256 hex "${text}")
  set(base64 "")
  foreach(group RANGE 10)
    math(EXPR at "${group} * 6")
    string(SUBSTRING "${hex}00" ${at} 6 digits)
    foreach(shift 18 12 6 0)
      math(EXPR place "0x${digits} >> ${shift} & 63")
      string(SUBSTRING "${alphabet}" ${place} 1 letter)
      string(APPEND base64 "${letter}")
    endforeach()
  endforeach()
  string(REGEX REPLACE ".$" "=" base64 "${base64}")
  set(${out} "'sha256-${base64}'" PARENT_SCOPE)
endfunction()

file(READ "${FOLDER}/page.html" page)
file(READ "${FOLDER}/page.css" style)
file(READ "${FOLDER}/draw.js" draw)
file(READ "${FOLDER}/page.js" rest)
set(script "${draw}${rest}")
hash_source("${style}" style_source)
hash_source("${script}" script_source)
set(policy "default-src 'none'; script-src ${script_source}; style-src ${style_source}; connect-src 'self'; img-src data:; ")
string(REPLACE "@POLICY@" "${policy}base-uri 'none'; form-action 'none'" page "${page}")
string(REPLACE "@STYLE@" "${style}" page "${page}")
string(REPLACE "@SCRIPT@" "${script}" page "${page}")
file(WRITE "${OUTPUT}" "${page}")
