# Debian packages, by `cpack -G DEB` in a build folder: collide, and libcollide-dev for programs that link its libraries. What they
# depend on is read off the programs; an OpenCL driver is the administrator's choice.

# As other tools that make Debian packages: who builds them answers for them.
set(COLLIDE_MAINTAINER "" CACHE STRING "Maintainer of the Debian packages: \"NAME <ADDRESS>\"")
set(maintainer "${COLLIDE_MAINTAINER}")
if(NOT maintainer AND DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
if(NOT maintainer)
  execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} log -1 "--format=%an <%ae>" OUTPUT_VARIABLE maintainer
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()

set(CPACK_PACKAGE_CONTACT "${maintainer}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "learned-hash compressed embeddings over OpenCL")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL collide dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
    WORLD_EXECUTE)

set(CPACK_DEBIAN_COLLIDE_PACKAGE_NAME collide)
set(CPACK_DEBIAN_COLLIDE_PACKAGE_SECTION science)
set(CPACK_DEBIAN_COLLIDE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COLLIDE_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
set(CPACK_DEBIAN_COLLIDE_DESCRIPTION
    "Learns from an interaction log which ids share an embedding row, and serves
scores and best items from the compressed model over HTTP, AF_XDP, UDP and
shared memory, on any OpenCL device.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libcollide-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "collide (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEV_DESCRIPTION
    "Headers, static libraries and pkg-config files of libcollide, which scores
from a compressed model, and libcollide-client, which asks a server.")
install(FILES ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libcollide-dev COMPONENT dev)
include(CPack)
