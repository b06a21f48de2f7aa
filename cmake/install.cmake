# What `cmake --install` installs beside the programs: the library for programs of their own,
#
#   find_package(pulsewire REQUIRED)
#   target_link_libraries(my_server PRIVATE pulsewire::server)
#
# with the include paths that a subdirectory gives ("server/server.hpp").
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/pulsewire)
set_target_properties(pulsewire_server PROPERTIES EXPORT_NAME server)
set_target_properties(pulsewire_common PROPERTIES EXPORT_NAME common)
target_include_directories(pulsewire_options INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/pulsewire>)

install(
  TARGETS pulsewire_server pulsewire_common pulsewire_options pulsewire_boost pulsewire_rocksdb EXPORT pulsewire
  COMPONENT dev)
install(EXPORT pulsewire NAMESPACE pulsewire:: FILE pulsewire-targets.cmake DESTINATION ${package} COMPONENT dev)
foreach(layer common server)
  install(
    DIRECTORY ${PROJECT_SOURCE_DIR}/${layer}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pulsewire
    COMPONENT dev
    FILES_MATCHING
    PATTERN "*.hpp"
    PATTERN "*_test.hpp" EXCLUDE
    PATTERN "test_*.hpp" EXCLUDE
    PATTERN "testing" EXCLUDE
    PATTERN "examples" EXCLUDE
    PATTERN "sim" EXCLUDE)
endforeach()

configure_file(${PROJECT_SOURCE_DIR}/cmake/pulsewire-config.cmake.in pulsewire-config.cmake @ONLY)
# Before 1.0 a minor version may change what programs rely on.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pulsewire-config-version.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/pulsewire-config.cmake ${PROJECT_BINARY_DIR}/pulsewire-config-version.cmake
  DESTINATION ${package}
  COMPONENT dev)
