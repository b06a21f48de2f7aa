#pragma once

// All that can be configured, with its defaults. Flags, environment, file and program set the same members;
// the names of keys are in server/config/settings.cpp, the documentation in docs/operating.md.

#include "common/protocol/limits.hpp"
#include "server/limits.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pulsewire {

struct config {
    // The address and port to listen on. Port 0: any free one, which is printed at the start
    // and returned by server::port().
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    // Event loops, each with a thread of its own. 0: one for each core.
    std::uint32_t threads = 0;

    // The server's certificate, followed by those that lead to its issuer, and its private key: files in PEM
    // form. Set both or none; with them the port accepts TLS only.
    std::string tls_certificate;
    std::string tls_key;

    // A folder whose files are served; empty: none.
    std::string web_root;

    // A folder for the durable log (namespace_options::keeps), used by this server only;
    // empty: everything is kept in memory.
    std::string data;
    // Whether the server waits for a data folder that is in use and starts when it is
    // free; otherwise it does not start.
    bool standby = false;

    // The key that POST and GET below /api/ require as "Authorization: Bearer <key>"; empty: open
    // to everyone who reaches the port.
    std::string api_key;
    // Allows an address other than loopback without an API key.
    bool insecure_open_api = false;
    // Origins of pages on other hosts that may use this server, as browsers send them: "https://example.com".
    // Pages of the server's own host always may. "*" allows every page.
    std::vector<std::string> allowed_origins;

    // The address to which clients are sent when the server ends, in the form that they give to connect():
    // "https://b.example.com". Empty: the address they came from.
    std::string drain_url;

    // debug, info, warning, error or off.
    std::string log_level = "info";

    limits bounds;
    shell_limits shell;

    // Options of channels by the part of their name before the first ':'; all others have the default.
    namespace_options default_namespace;
    std::map<std::string, namespace_options> namespaces;

    // Whether run() ends the server on SIGINT and SIGTERM; a second one ends the process at once. With TLS,
    // whether SIGHUP is server::reload_tls().
    bool handle_signals = true;
    // Whether the server prints on standard output where it listens and what it offers.
    bool print_start = true;
    // --print-typescript: run() prints the registered message types and returns.
    bool print_typescript = false;

    // Flags take precedence over the environment, that over the file named by --config, and
    // that over `defaults`. Ends the process after --help and --version, and with a sentence
    // and exit code 2 when there is a fault.
    static config from_command_line(int argc, char** argv);
    static config from_command_line(int argc, char** argv, config defaults);
};

}  // namespace pulsewire
