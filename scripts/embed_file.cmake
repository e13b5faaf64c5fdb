cmake_minimum_required(VERSION 3.25)
# Turns a file into a C file that holds its bytes, a 0 behind them, as <NAME> and <NAME>_bytes of HEADER.
# cmake -DFILE=redirect.o -DNAME=redirect_object -DHEADER=xdp/redirect_object.h -DOUTPUT=redirect_object.c -P embed_file.cmake
file(READ "${FILE}" hex HEX)
string(LENGTH "${hex}" n_digits)
math(EXPR n_bytes "${n_digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
string(REGEX REPLACE "(................................................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include \"${HEADER}\"\n\n_Alignas(8) const char ${NAME}[] = {\n${bytes}0};\nconst size_t ${NAME}_bytes = ${n_bytes};\n")
