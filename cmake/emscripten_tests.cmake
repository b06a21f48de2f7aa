# What the tests of common/ need to be compiled to WebAssembly: GoogleTest from Debian's sources (its library is
# native), nlohmann_json by a private include folder, and Node as the machine to run on.

# Tests and GoogleTest throw; the SDK's own module is built apart, without exceptions (client-wasm/).
add_compile_options(-O1 -fwasm-exceptions)
add_link_options(-O1 -fwasm-exceptions)

# NODERAWFS lets GoogleTest write its report to the real disk. Synchronous compilation, because Emscripten 3.1.6 would
# fetch() the module from a file path, which Node >= 18 refuses.
function(pulsewire_runs_in_node target)
  set_target_properties(${target} PROPERTIES SUFFIX .cjs)
  target_link_options(
    ${target}
    PRIVATE
    -sNODERAWFS=1
    -sWASM_ASYNC_COMPILATION=0
    -sEXIT_RUNTIME=1
    -sALLOW_MEMORY_GROWTH=1
    -sTOTAL_STACK=1MB
    -sENVIRONMENT=node)
endfunction()

# -I/usr/include would put the C library's headers of the host before Emscripten's.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK /usr/include/nlohmann ${PROJECT_BINARY_DIR}/include/nlohmann SYMBOLIC)
add_library(nlohmann_json INTERFACE)
add_library(nlohmann_json::nlohmann_json ALIAS nlohmann_json)
target_include_directories(nlohmann_json SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/include)

if(NOT EXISTS /usr/src/googletest/CMakeLists.txt)
  return()
endif()
set(gtest_disable_pthreads ON CACHE BOOL "" FORCE)
set(INSTALL_GTEST OFF CACHE BOOL "" FORCE)
add_subdirectory(/usr/src/googletest ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL SYSTEM)
if(NOT TARGET GTest::gmock)
  add_library(GTest::gmock ALIAS gmock)
  add_library(GTest::gtest_main ALIAS gtest_main)
endif()
