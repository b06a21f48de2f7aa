# Toolchain of the preset `wasm`: Debian's Emscripten with its configuration corrected (cmake/emconfig.py).
include(/usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake)

# As a flag and not through the environment, so that a bare `ninja -C build/wasm` finds it too; at the link only, which
# alone runs JavaScript, because ccache takes the file for a second source.
set(CMAKE_EXE_LINKER_FLAGS_INIT "--em-config ${CMAKE_CURRENT_LIST_DIR}/emconfig.py")

# Debian's toolchain file passes --experimental-wasm-threads to node, which Node 20 refuses.
find_program(PULSEWIRE_NODE node REQUIRED NO_CMAKE_FIND_ROOT_PATH)
set(CMAKE_CROSSCOMPILING_EMULATOR ${PULSEWIRE_NODE})
