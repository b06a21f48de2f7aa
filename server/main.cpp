// pulsewired: the server without handlers of its own. A program with handlers is server/examples/hello.cpp.

#include "server/config.hpp"
#include "server/server.hpp"

int main(int argc, char** argv) {
    pulsewire::server server(pulsewire::config::from_command_line(argc, argv));
    return server.run();
}
