# Run by CPack when the files of the packages are gathered. It strips programs by itself; static libraries keep their
# symbols and lose what only a debugger reads, which is most of their bytes.
file(GLOB_RECURSE libraries ${CPACK_TEMPORARY_DIRECTORY}/dev/*.a)
foreach(library IN LISTS libraries)
  execute_process(COMMAND strip --strip-debug --enable-deterministic-archives ${library} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
