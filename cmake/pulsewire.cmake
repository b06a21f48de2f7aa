# What every target of ours shares: warnings, the include root, sanitizers, and how sources are collected.

set(PULSEWIRE_SANITIZE "" CACHE STRING "Sanitizers for everything, as -fsanitize takes them (address,undefined or thread)")
set(PULSEWIRE_TEST_OPTIONS "" CACHE STRING "Compiler options for the sources of tests alone")
option(PULSEWIRE_TESTS "Build the C++ tests (where GoogleTest is installed)" ${PROJECT_IS_TOP_LEVEL})
option(PULSEWIRE_FUZZ "Build common/ and the targets of fuzz/, and nothing else; takes clang" OFF)
option(PULSEWIRE_HARDEN "Let the linker and the processor make an attacker's work harder; what is installed has it" OFF)
option(PULSEWIRE_PRECOMPILED_HEADERS "Read the standard library once for each target; without it every file shows that it includes what it uses" OFF)
option(PULSEWIRE_UNITY "Compile several files of a library at once: a third less work from nothing, more after an edit" OFF)
option(PULSEWIRE_WERROR "Warnings in our own code are errors; off where a compiler we never saw must still do" ON)

# Warnings, include root ("common/protocol/names.hpp") and sanitizers, as one target to link. An application that has this
# tree as a subdirectory gets the include root and the language, and keeps its own opinion of warnings.
add_library(pulsewire_options INTERFACE)
target_include_directories(pulsewire_options INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
target_compile_features(pulsewire_options INTERFACE cxx_std_20)
if(PROJECT_IS_TOP_LEVEL)
  # For us alone: who finds the installed library keeps an opinion of warnings, too.
  target_compile_options(
    pulsewire_options INTERFACE $<BUILD_INTERFACE:-Wall> $<BUILD_INTERFACE:-Wextra> $<BUILD_INTERFACE:-Wpedantic>
                                $<$<BOOL:${PULSEWIRE_WERROR}>:$<BUILD_INTERFACE:-Werror>>)
endif()

if(PULSEWIRE_SANITIZE)
  # Everything gets them, GoogleTest and Boost's compiled half too; a finding ends the program.
  add_compile_options(-fsanitize=${PULSEWIRE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PULSEWIRE_SANITIZE})
  # g++ 12 sees overruns in the standard library's own headers that sanitizer instrumentation put there.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(
      pulsewire_options INTERFACE -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow -Wno-error=array-bounds -Wno-error=restrict)
  endif()
endif()
if(PULSEWIRE_HARDEN AND NOT EMSCRIPTEN)
  # Full RELRO: all symbols are bound at the start, and their table is read-only from then on.
  add_link_options(-Wl,-z,relro,-z,now)
  # The processor checks where calls and returns lead; each architecture has its own word for it.
  include(CheckCXXCompilerFlag)
  foreach(flag -fcf-protection=full -mbranch-protection=standard)
    string(MAKE_C_IDENTIFIER "PULSEWIRE_HAS_${flag}" known)
    check_cxx_compiler_flag(${flag} ${known})
    if(${known})
      add_compile_options(${flag})
    endif()
  endforeach()
endif()
if(PULSEWIRE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "PULSEWIRE_FUZZ takes clang, for libFuzzer: cmake --preset fuzz (script/bootstrap installs it)")
  endif()
  # What guides libFuzzer through the code, and what tells afterwards which lines it reached.
  add_compile_options(-fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
if(PULSEWIRE_SANITIZE MATCHES thread)
  # ThreadSanitizer does not know fences, and with Asio's it would overlook what they hide; its locks it knows.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()

# Halves the time of a small file. ccache can keep what such a file becomes where it is told that the macros of the
# precompiled header are always the same.
set(pulsewire_precompiled
    <algorithm> <array> <chrono> <cstdint> <cstring> <functional> <map> <memory> <optional> <set> <span> <stdexcept> <string>
    <string_view> <unordered_map> <utility> <variant> <vector>)
function(pulsewire_precompile target)
  if(PULSEWIRE_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} PRIVATE ${pulsewire_precompiled} ${ARGN})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -fpch-preprocess)
    endif()
    if(PULSEWIRE_CCACHE)
      set_target_properties(
        ${target} PROPERTIES CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${PULSEWIRE_CCACHE}")
    endif()
  endif()
endfunction()

# pulsewire_sources(<variable> TESTS <variable> FOLDERS <folder>...)
# The .cpp files below the folders, those that end in _test.cpp apart from the others.
function(pulsewire_sources sources)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TESTS" "FOLDERS")
  list(TRANSFORM arg_FOLDERS APPEND "/*.cpp")
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${arg_FOLDERS})
  set(tests ${found})
  list(FILTER found EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(${sources} ${found} PARENT_SCOPE)
  if(arg_TESTS)
    set(${arg_TESTS} ${tests} PARENT_SCOPE)
  endif()
endfunction()

# pulsewire_library(<name> SOURCES <file>... LINK <target>...)
# A static library; a header-only one as long as its folders hold no source file.
function(pulsewire_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC pulsewire_options ${arg_LINK})
    pulsewire_precompile(${name})
    if(PULSEWIRE_UNITY)
      set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
      # A class in an unnamed namespace is no header's fault because its file is included.
      target_compile_options(${name} PRIVATE -Wno-subobject-linkage)
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE pulsewire_options ${arg_LINK})
  endif()
endfunction()

# The programs of tests and what is only built so that a change of a function's face is seen: cmake --build … --target pulsewire_tests
add_custom_target(pulsewire_tests)

# pulsewire_test(<name> SOURCES <file>... LINK <target>...)
# One program for all tests of a layer, run once: starting it per case costs more than the cases do.
function(pulsewire_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  if(NOT PULSEWIRE_TESTS OR NOT arg_SOURCES)
    return()
  endif()
  if(NOT TARGET GTest::gmock)
    message(STATUS "${name} is not built: GoogleTest is missing (script/bootstrap installs it)")
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${PULSEWIRE_TEST_OPTIONS})
  add_dependencies(pulsewire_tests ${name})
  pulsewire_precompile(${name} <gmock/gmock.h> <gtest/gtest.h>)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endfunction()
