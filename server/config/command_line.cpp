#include "server/config/command_line.hpp"

#include "server/config/config_file.hpp"
#include "server/config/settings.hpp"
#include "server/log.hpp"
#include "server/version.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace pulsewire {
namespace shell {
namespace {

constexpr const char* footer = R"(
Every setting can also stand in the config file ("queue_bytes_max": 2097152) or in the environment
(PULSEWIRE_QUEUE_BYTES_MAX=2097152). Flags come before the environment, the environment before the file.
docs/operating.md lists all settings with their defaults and what happens beyond each limit.)";

std::string environment_name(std::string_view setting_name) {
    std::string name = "PULSEWIRE_";
    for (const char c : setting_name)
        name.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    return name;
}

void apply_environment(const environment& env, config& c) {
    for (const setting& s : settings_of(c)) {
        const std::string name = environment_name(s.name);
        const auto value = env(name);
        if (!value) continue;
        if (const std::string wrong = set_from_text(s, *value); !wrong.empty())
            throw std::runtime_error("environment variable " + name + " " + wrong);
    }
}

// A warning and no fault: others may set variables that begin so, as Kubernetes does for a service
// "pulsewire".
std::string unknown_variables(const std::vector<std::string>& names) {
    config any;
    std::vector<std::string> known = {"PULSEWIRE_CONFIG"};
    for (const setting& s : settings_of(any)) known.push_back(environment_name(s.name));
    std::string lines;
    for (const std::string& name : names)
        if (name.starts_with("PULSEWIRE_") && std::find(known.begin(), known.end(), name) == known.end())
            lines += "warning: the environment variable " + log::printable(name) +
                     " is no setting and changes nothing; docs/operating.md lists them\n";
    return lines;
}

// The flags, each into `c`. CLI11 leaves a member as it is when its flag is not given.
void add_flags(CLI::App& app, config& c, std::string& config_file) {
    app.add_option("--port", c.port, "TCP port to listen on; 0 takes any free one and prints it")
        ->check(CLI::Range(0, 65535))
        ->capture_default_str();
    app.add_option("--address", c.address, "IP address to listen on; 0.0.0.0 for all networks")
        ->capture_default_str();
    app.add_option("--threads", c.threads, "Event loops, each with a thread; 0 for one per core")
        ->capture_default_str();
    app.add_option(
           "--tls-certificate", c.tls_certificate,
           "Certificate with those that lead to its issuer (PEM); with it the port speaks https and wss"
    )
        ->type_name("FILE");
    app.add_option("--tls-key", c.tls_key, "Private key of the certificate (PEM)")->type_name("FILE");
    app.add_option("--web-root", c.web_root, "Folder of files to serve")->type_name("FOLDER");
    app.add_option("--data", c.data, "Folder for the durable log; without it everything is kept in memory")
        ->type_name("FOLDER");
    app.add_flag("--standby", c.standby, "Wait while another server uses the data folder, then take over");
    app.add_option("--config", config_file, "Config file: JSON with comments")->type_name("FILE");
    app.add_option(
           "--api-key", c.api_key, "Key that /api/ and /metrics require as \"Authorization: Bearer <key>\""
    )
        ->type_name("KEY");
    app.add_option("--api-key-file", c.api_key_file, "File of API keys, one a line; read again at SIGHUP")
        ->type_name("FILE");
    app.add_option("--allow-host", c.allowed_hosts, "Name of this server in URLs; can be repeated")
        ->type_name("HOST");
    app.add_option(
           "--allow-origin", c.allowed_origins,
           "Page on another host that may use this server; can be repeated"
    )
        ->type_name("ORIGIN");
    app.add_option("--log-level", c.log_level, "debug, info, warning, error or off")->capture_default_str();
    app.add_option(
           "--shutdown-timeout", c.shell.shutdown_timeout_ms,
           "Milliseconds from SIGTERM to the end of the process, whatever is still open"
    )
        ->capture_default_str();
    app.add_flag("--insecure-open-api", c.insecure_open_api, "Allow a public address without an API key");
    app.add_flag(
    app.add_option("--base-path", c.base_path, "Path below which everything is served, for example /realtime")
        ->type_name("PATH");
        "--insecure-open-clients", c.insecure_open_clients,
        "Allow a public address where every client may subscribe and publish"
    );
    app.add_flag(
        "--print-typescript", c.print_typescript, "Print the TypeScript of the registered messages and end"
    );
}

void parse(CLI::App& app, int argc, const char* const* argv, config& c, std::string& config_file) {
    app.set_version_flag("--version", "pulsewire " + std::string(version));
    app.footer(footer);
    add_flags(app, c, config_file);
    app.parse(argc, argv);
}

}  // namespace

command_line read_command_line(
    int argc, const char* const* argv, const environment& env, config defaults,
    const std::vector<std::string>& names
) {
    const std::string about = "Pulsewire: real-time messaging for web applications";
    command_line result;
    result.settings = defaults;
    result.warnings = unknown_variables(names);
    try {
        // Parsed once for --config, --help and mistakes, and again on top of the
        // values of file and environment.
        std::string config_file;
        CLI::App first(about);
        config probe = defaults;
        try {
            parse(first, argc, argv, probe, config_file);
        } catch (const CLI::ParseError& e) {
            std::ostringstream out, err;
            result.exit_code = first.exit(e, out, err) == 0 ? 0 : 2;
            result.text = out.str() + err.str();
            return result;
        }
        if (config_file.empty()) config_file = env("PULSEWIRE_CONFIG").value_or("");
        if (!config_file.empty()) apply_config_file(config_file, result.settings);
        apply_environment(env, result.settings);
        CLI::App second(about);
        parse(second, argc, argv, result.settings, config_file);
        if (const std::string fault = fault_of(result.settings); !fault.empty())
            throw std::runtime_error(fault);
    } catch (const std::runtime_error& e) {
        result.exit_code = 2;
        result.text = std::string("error: ") + e.what() + "\n";
    }
    return result;
}

}  // namespace shell

config config::from_command_line(int argc, char** argv, config defaults) {
    const auto env = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    std::vector<std::string> names;
    for (char** one = environ; *one != nullptr; ++one) {
        const std::string_view text = *one;
        names.emplace_back(text.substr(0, text.find('=')));
    }
    shell::command_line read = shell::read_command_line(argc, argv, env, std::move(defaults), names);
    std::fputs(read.warnings.c_str(), stderr);
    if (!read.exit_code) return std::move(read.settings);
    std::fputs(read.text.c_str(), *read.exit_code == 0 ? stdout : stderr);
    std::exit(*read.exit_code);
}

config config::from_command_line(int argc, char** argv) {
    return from_command_line(argc, argv, config());
}

}  // namespace pulsewire
