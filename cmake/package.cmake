# What script/package makes of the components that are installed: one Debian package each. Everything that belongs into a
# package and not below the prefix of `cmake --install` is here, and excluded from that.

# script/package makes these pages of what the programs say with --help.
set(pages ${PROJECT_BINARY_DIR}/package)
set(debian ${PROJECT_SOURCE_DIR}/ops/debian)
set(etc /etc/pulsewire)

install(FILES ${debian}/pulsewired.service DESTINATION lib/systemd/system COMPONENT pulsewired EXCLUDE_FROM_ALL)
install(FILES ${debian}/pulsewire.json DESTINATION ${etc} COMPONENT pulsewired EXCLUDE_FROM_ALL)
install(
  DIRECTORY DESTINATION ${etc}/credentials COMPONENT pulsewired EXCLUDE_FROM_ALL
  DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
install(FILES ${pages}/pulsewired.8.gz DESTINATION share/man/man8 COMPONENT pulsewired EXCLUDE_FROM_ALL)
install(FILES ${pages}/pulsewire-bench.1.gz DESTINATION share/man/man1 COMPONENT bench EXCLUDE_FROM_ALL)
install(
  FILES ${pages}/pulsewired.bash RENAME pulsewired
  DESTINATION share/bash-completion/completions COMPONENT pulsewired EXCLUDE_FROM_ALL)
install(
  DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION share/doc/pulsewired COMPONENT pulsewired EXCLUDE_FROM_ALL
  FILES_MATCHING PATTERN "*.md" PATTERN decisions EXCLUDE PATTERN images EXCLUDE)
set(proxies ${PROJECT_SOURCE_DIR}/ops/proxies)
install(
  FILES ${proxies}/pulsewire.json ${proxies}/nginx.conf ${proxies}/haproxy.cfg ${proxies}/apache.conf
        ${proxies}/Caddyfile
  DESTINATION share/doc/pulsewired/examples COMPONENT pulsewired EXCLUDE_FROM_ALL)
foreach(component pulsewired dev bench)
  set(doc share/doc/pulsewire-${component})
  if(component STREQUAL "pulsewired")
    set(doc share/doc/pulsewired)
  endif()
  install(
    FILES ${pages}/copyright ${pages}/changelog.gz ${pages}/changelog.Debian.gz
    DESTINATION ${doc} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pulsewire)
set(CPACK_PACKAGE_VENDOR "The Pulsewire authors")
# Whoever gives packages to others names themselves here.
set(PULSEWIRE_MAINTAINER "The Pulsewire authors <pulsewire@localhost.localdomain>" CACHE STRING "Maintainer of the packages")
set(CPACK_PACKAGE_CONTACT ${PULSEWIRE_MAINTAINER})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/package)
set(CPACK_COMPONENTS_ALL pulsewired dev bench)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/strip_libraries.cmake)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PULSEWIRED_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_BENCH_PACKAGE_SHLIBDEPS ON)

set(CPACK_DEBIAN_PULSEWIRED_PACKAGE_NAME pulsewired)
set(CPACK_DEBIAN_PULSEWIRED_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PULSEWIRED_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PULSEWIRED_PACKAGE_SUGGESTS "pulsewire-bench")
set(CPACK_DEBIAN_PULSEWIRED_PACKAGE_CONTROL_EXTRA
    ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_COMPONENT_PULSEWIRED_DESCRIPTION
    "real-time messaging for web applications\n\
Pulsewire carries typed JSON messages between browsers, servers and devices\n\
over WebSocket or Server-Sent Events, keeps what was acknowledged, and tells\n\
everybody who missed something.\n\
.\n\
This package has the server and its systemd unit.")

set(CPACK_DEBIAN_BENCH_PACKAGE_NAME pulsewire-bench)
set(CPACK_DEBIAN_BENCH_PACKAGE_SECTION net)
set(CPACK_COMPONENT_BENCH_DESCRIPTION
    "load generator for real-time messaging servers\n\
Tells what a machine and its disk stand before users find out, with a check\n\
of every message's order and content.")

# The library is static, so a program that links it needs what it was made with: the same Boost, and everything else.
find_package(Boost 1.81 CONFIG REQUIRED)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME pulsewire-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
    "libboost${Boost_VERSION_MAJOR}.${Boost_VERSION_MINOR}-dev, libssl-dev, libcurl4-openssl-dev, zlib1g-dev, \
libcli11-dev, libspdlog-dev, prometheus-cpp-dev, librocksdb-dev, nlohmann-json3-dev")
set(CPACK_COMPONENT_DEV_DESCRIPTION
    "C++ library behind pulsewired\n\
Programs that link pulsewire::server have typed messages, handlers and\n\
requests of their own in the server's process.")

include(CPack)
