// pulsewired: the server without handlers of its own, and the commands that care for its data folder. A
// program with handlers is server/examples/hello.cpp.

#include "server/care/commands.hpp"
#include "server/config.hpp"
#include "server/server.hpp"

#include <iostream>

int main(int argc, char** argv) {
    const pulsewire::care::streams streams{std::cin, std::cout, std::cerr};
    if (const auto code = pulsewire::care::run_command(argc, argv, pulsewire::shell::variable, streams))
        return *code;
    pulsewire::server server(pulsewire::config::from_command_line(argc, argv));
    return server.run();
}
