#include "server/config/command_line.hpp"

#include "server/config/config_file.hpp"
#include "server/config/nearest_name.hpp"
#include "server/config/print_config.hpp"
#include "server/config/reload.hpp"
#include "server/config/settings.hpp"
#include "server/config/token_command.hpp"
#include "server/config/token_settings.hpp"
#include "server/log.hpp"
#include "server/text.hpp"
#include "server/version.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace pulsewire {
namespace shell {
namespace {

constexpr const char* footer = R"(
Every setting can also stand in the config file ("queue_bytes_max": 2097152) or in the environment
(PULSEWIRE_QUEUE_BYTES_MAX=2097152). Flags come before the environment, the environment before the file.
docs/operating.md lists all settings with their defaults and what happens beyond each limit.

pulsewired token --help says how to make a token for trying.
pulsewired backup, verify, repair, export and import care for the data folder; each has a --help of its own.)";

std::string environment_name(std::string_view setting_name) {
    std::string name = "PULSEWIRE_";
    for (const char c : setting_name)
        name.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    return name;
}

void apply_environment(const environment& env, config& c, setting_sources& from) {
    for (const setting& s : settings_of(c)) {
        const std::string name = environment_name(s.name);
        const auto value = env(name);
        if (!value) continue;
        from[std::string(s.name)] = "environment " + name;
        if (const std::string wrong = set_from_text(s, *value); !wrong.empty())
            throw std::runtime_error("environment variable " + name + " " + wrong);
    }
}

constexpr std::string_view prefix = "PULSEWIRE_";

// Otherwise the letters that all have in common would make them near to each other.
std::vector<std::string> without_prefix(std::vector<std::string> names) {
    for (std::string& name : names) name.erase(0, prefix.size());
    return names;
}

// A warning and no fault: others may set variables that begin so, as Kubernetes does for a service
// "pulsewire".
std::string unknown_variables(const std::vector<std::string>& names) {
    config any;
    std::vector<std::string> known = {"PULSEWIRE_CONFIG"};
    for (const setting& s : settings_of(any)) known.push_back(environment_name(s.name));
    std::string lines;
    for (const std::string& name : names) {
        if (!name.starts_with("PULSEWIRE_") || std::find(known.begin(), known.end(), name) != known.end())
            continue;
        const std::string nearest = nearest_name(name.substr(prefix.size()), without_prefix(known));
        lines += "warning: the environment variable " + log::printable(name) +
                 " is no setting and changes nothing; " +
                 (nearest.empty() ? "" : "did you mean " + std::string(prefix) + nearest + "? ") +
                 "docs/operating.md lists them\n";
    }
    return lines;
}

// The wishes that flags express beside the settings.
struct wishes {
    std::string config_file;
    bool check = false;
    bool print = false;
    std::string token;  // to be checked; "-": that on standard input
};

// All flags go into `c`. CLI11 leaves a member as it is when its flag is not given.

// Those of the issuer, which `pulsewired token` has, too.
void add_token_flags(CLI::App& app, config& c) {
    app.add_option(
           "--token-issuer", c.issuer_of_settings.issuer,
           "Who signs the tokens of clients: their \"iss\" (docs/auth.md)"
    )
        ->type_name("ISS");
    app.add_option(
           "--token-audience", c.issuer_of_settings.audience,
           "What this server is called in tokens: their \"aud\""
    )
        ->type_name("AUD");
    app.add_option(
           "--token-secret-file", c.issuer_of_settings.secret_file,
           "File of the secrets that tokens are signed with, one a line"
    )
        ->type_name("FILE");
    app.add_option(
           "--token-secret", c.issuer_of_settings.secret,
           "Such a secret; others on this machine can see flags"
    )
        ->type_name("SECRET");
    app.add_option(
           "--token-key-file", c.issuer_of_settings.key_file,
           "File of the issuer's public keys: PEM, JWK or JWKS"
    )
        ->type_name("FILE");
    app.add_option("--token-jwks-url", c.issuer_of_settings.jwks_url, "Address of the issuer's public keys")
        ->type_name("URL");
    app.add_option("--token-user-claim", c.issuer_of_settings.user_claim, "Claim that names the user")
        ->capture_default_str();
}

void add_flags(CLI::App& app, config& c, wishes& w) {
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
    app.add_option("--base-path", c.base_path, "Path below which everything is served, for example /realtime")
        ->type_name("PATH");
    app.add_option("--streams", c.streams, "Namespace whose channels are streams at /streams/<name>")
        ->type_name("NAMESPACE");
    app.add_option("--web-root", c.web_root, "Folder of files to serve")->type_name("FOLDER");
    app.add_option("--data", c.data, "Folder for the durable log; without it everything is kept in memory")
        ->type_name("FOLDER");
    app.add_flag("--standby", c.standby, "Wait while another server uses the data folder, then take over");
    app.add_option(
           "--broker", c.broker, "What several servers share: redis://host:6379 and others (docs/cluster.md)"
    )
        ->type_name("URL");
    app.add_option("--config", w.config_file, "Config file: JSON with comments")->type_name("FILE");
    app.add_option(
           "--api-key", c.api_key, "Key that /api/ and /metrics require as \"Authorization: Bearer <key>\""
    )
        ->type_name("KEY");
    app.add_option("--api-key-file", c.api_key_file, "File of API keys, one a line; read again at SIGHUP")
        ->type_name("FILE");
    add_token_flags(app, c);
    app.add_flag(
        "--anonymous", c.anonymous, "Let clients connect without a token although there is an issuer"
    );
    app.add_option("--allow-host", c.allowed_hosts, "Name of this server in URLs; can be repeated")
        ->type_name("HOST");
    app.add_option(
           "--allow-origin", c.allowed_origins,
           "Page on another host that may use this server; can be repeated"
    )
        ->type_name("ORIGIN");
    app.add_option("--log-level", c.log_level, "debug, info, warning, error or off")->capture_default_str();
    app.add_option("--log-format", c.log_format, "text, or json: one object a line")->capture_default_str();
    app.add_option(
           "--shutdown-timeout", c.shell.shutdown_timeout_ms,
           "Milliseconds from SIGTERM to the end of the process, whatever is still open"
    )
        ->capture_default_str();
    app.add_flag("--insecure-open-api", c.insecure_open_api, "Allow a public address without an API key");
    app.add_flag(
        "--insecure-open-clients", c.insecure_open_clients,
        "Allow a public address where every client may subscribe and publish"
    );
    app.add_flag("--check-config", w.check, "Check flags, environment and config file, and end");
    app.add_option(
           "--check-token", w.token,
           "Say who a token is and what it allows, or why it is refused, and end; -: standard input"
    )
        ->type_name("TOKEN");
    app.add_flag(
        "--print-config", w.print, "Print every setting with its value and where it comes from, and end"
    );
    app.add_flag(
        "--print-typescript", c.print_typescript,
        "Print the TypeScript of the registered messages and of those with a schema, and end"
    );
    app.add_flag("--print-schemas", c.print_schemas, "Print the registered messages as JSON Schema, and end");
}

void parse(CLI::App& app, int argc, const char* const* argv, config& c, wishes& w) {
    app.set_version_flag("--version", "pulsewire " + std::string(version));
    app.footer(footer);
    add_flags(app, c, w);
    app.parse(argc, argv);
}

// The settings of the flags that were given.
void note_flags(const CLI::App& app, setting_sources& from) {
    static constexpr std::pair<std::string_view, std::string_view> renamed[] = {
        {"allow_host", "allowed_hosts"},
        {"allow_origin", "allowed_origins"},
        {"shutdown_timeout", "shutdown_timeout_ms"}};
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() == 0 || option->get_lnames().empty()) continue;
        const std::string flag = option->get_lnames().front();
        std::string name = flag;
        std::replace(name.begin(), name.end(), '-', '_');
        for (const auto& [as_flag, as_setting] : renamed)
            if (name == as_flag) name = as_setting;
        from[name] = "flag --" + flag;
    }
}

// CLI11 lists what it did not understand in another order, values among it.
std::string unknown_flags(const CLI::App& app, int argc, const char* const* argv) {
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    std::string text;
    for (int i = 1; i < argc; ++i) {
        const std::string_view all = argv[i];
        const std::string flag(all.substr(0, all.find('=')));
        if (!flag.starts_with("--") || std::find(known.begin(), known.end(), flag) != known.end()) continue;
        const std::string nearest = nearest_name(flag, known);
        text += "error: there is no flag " + log::printable(flag) +
                (nearest.empty() ? "; --help lists them" : "; did you mean " + nearest + "?") + "\n";
    }
    return text;
}

// The faults that otherwise only the start would find, as far as they can be seen from here.
std::string fault_of_files(const config& c) {
    for (const std::string& path : {c.tls_certificate, c.tls_key})
        if (!path.empty() && ::access(path.c_str(), R_OK) != 0)
            return "the file " + log::printable(path) +
                   " cannot be read: " + std::generic_category().message(errno) + ".";
    return {};
}

std::string too_many_threads(const config& c) {
    constexpr std::uint32_t loops_per_core = 8;
    const std::uint32_t cores = std::thread::hardware_concurrency();
    if (cores == 0 || c.threads <= cores * loops_per_core) return {};
    return "warning: threads is " + std::to_string(c.threads) + " and this machine has " +
           std::to_string(cores) + (cores == 1 ? " core" : " cores") +
           "; more loops than cores make a server slower\n";
}

std::int64_t wall_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string first_line_of_input() {
    std::string line;
    std::getline(std::cin, line);
    return line;
}

// Those of file and environment, which precede the file.
void apply_sources(std::string config_file, const environment& env, config& c, setting_sources& from) {
    if (config_file.empty()) config_file = env("PULSEWIRE_CONFIG").value_or("");
    if (!config_file.empty()) {
        apply_config_file(config_file, c);
        for (const std::string& key : keys_of_config_file(config_file))
            from[key] = "file " + log::printable(config_file);
    }
    apply_environment(env, c, from);
}

// The end of a program whose flags cannot be read, or ask for nothing but --help.
command_line told(const CLI::App& app, const CLI::ParseError& e, int argc, const char* const* argv) {
    command_line result;
    std::ostringstream out, err;
    result.exit_code = app.exit(e, out, err) == 0 ? 0 : 2;
    const std::string unknown = *result.exit_code == 0 ? "" : unknown_flags(app, argc, argv);
    result.text = unknown.empty() ? out.str() + err.str() : unknown;
    return result;
}

constexpr const char* token_footer = R"(
The issuer, the audience and the secret are those of the server's settings: of the config file, of the environment
(PULSEWIRE_TOKEN_ISSUER, PULSEWIRE_TOKEN_AUDIENCE, PULSEWIRE_TOKEN_SECRET), or of the same flags as the server has.
docs/auth.md describes tokens.

  pulsewired token --config pulsewire.json --user anna --allow 'chat:**=subscribe,publish' --expires 1h)";

struct token_flags {
    token_wishes wanted;
    std::string config_file;
};

void add_flags(CLI::App& app, config& c, token_flags& f) {
    app.name("pulsewired token");
    app.footer(token_footer);
    app.add_option("--user", f.wanted.user, "Name of the user")->required();
    app.add_option(
           "--allow", f.wanted.allow,
           "Pattern of channels and operations, 'chat:**=subscribe,publish'; can be repeated"
    )
        ->type_name("PATTERN=OPERATIONS")
        ->expected(1)
        ->take_all();
    app.add_option(
           "--subscribe", f.wanted.subscribe,
           "Channel that the user is subscribed to without asking; can be repeated"
    )
        ->type_name("CHANNEL")
        ->expected(1)
        ->take_all();
    app.add_option("--info", f.wanted.info, "JSON object that others see beside the user")->type_name("JSON");
    app.add_option("--expires", f.wanted.expires, "Time until the token ends: 90s, 30m, 1h, 7d")
        ->capture_default_str();
    app.add_option("--issuer", f.wanted.issuer, "Which of several issuers")->type_name("ISS");
    app.add_option("--sign-with", f.wanted.sign_with, "Private key (PEM) instead of the issuer's secret")
        ->type_name("FILE");
    app.add_option("--key-id", f.wanted.key_id, "The \"kid\" of the token")->type_name("KID");
    app.add_option("--config", f.config_file, "Config file of the server")->type_name("FILE");
    add_token_flags(app, c);
}

// `pulsewired token …`: argv[1] is its name. Parsed twice, as the server's flags are.
command_line token_command(int argc, const char* const* argv, const environment& env, config defaults) {
    const std::string about = "Make a token for trying";
    command_line result;
    token_flags first_read, flags;
    CLI::App first(about);
    config probe = defaults;
    add_flags(first, probe, first_read);
    try {
        first.parse(argc - 1, argv + 1);
    } catch (const CLI::ParseError& e) {
        return told(first, e, argc - 1, argv + 1);
    }
    setting_sources ignored;
    apply_sources(first_read.config_file, env, defaults, ignored);
    CLI::App second(about);
    add_flags(second, defaults, flags);
    second.parse(argc - 1, argv + 1);
    if (const std::string fault = fault_of_issuers(defaults); !fault.empty()) throw std::runtime_error(fault);
    result.text = make_token(defaults, flags.wanted, wall_ms()) + "\n";
    result.exit_code = 0;
    return result;
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
        if (argc > 1 && std::string_view(argv[1]) == "token") return token_command(argc, argv, env, defaults);
        // Parsed once for --config, --help and mistakes, and again on top of the
        // values of file and environment.
        wishes wanted;
        CLI::App first(about);
        config probe = defaults;
        try {
            parse(first, argc, argv, probe, wanted);
        } catch (const CLI::ParseError& e) {
            command_line end = told(first, e, argc, argv);
            end.warnings = std::move(result.warnings);
            end.settings = std::move(result.settings);
            return end;
        }
        setting_sources from;
        apply_sources(wanted.config_file, env, result.settings, from);
        CLI::App second(about);
        parse(second, argc, argv, result.settings, wanted);
        note_flags(second, from);
        add_stream_namespace(result.settings);
        if (const std::string fault = fault_of(result.settings); !fault.empty())
            throw std::runtime_error(fault);
        if (second.count("--check-token") > 0) {
            const std::string shown = wanted.token == "-" ? first_line_of_input() : wanted.token;
            if (trimmed(shown).empty())
                throw std::runtime_error(
                    "--check-token has no token: name one, or - and one on standard input"
                );
            const token_report report = report_on_token(result.settings, trimmed(shown), wall_ms());
            result.exit_code = report.good ? 0 : 1;
            result.text = report.text;
            return result;
        }
        result.warnings += too_many_threads(result.settings);
        if (!wanted.check && !wanted.print) {
            gather_issuers(result.settings);
            return result;
        }
        if (const std::string fault = fault_of_files(result.settings); !fault.empty())
            throw std::runtime_error(fault);
        result.exit_code = 0;
        result.text = wanted.print ? print_config(result.settings, from) : "the configuration can be used\n";
    } catch (const std::runtime_error& e) {
        result.exit_code = 2;
        result.text = std::string("error: ") + e.what() + "\n";
    }
    return result;
}

config read_sources(const std::string& config_file, const environment& env) {
    config c;
    setting_sources ignored;
    apply_sources(config_file, env, c, ignored);
    return c;
}

std::optional<std::string> variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

namespace {

// Of the process, which has one command line. Read and written by the thread of main().
struct remembered {
    std::vector<std::string> arguments;
    config defaults;
    config read;
};
std::optional<remembered>& last_read() {
    static std::optional<remembered> one;
    return one;
}

}  // namespace

std::optional<read_again> read_command_line_again() {
    const auto& last = last_read();
    if (!last) return std::nullopt;
    std::vector<const char*> arguments;
    for (const std::string& one : last->arguments) arguments.push_back(one.c_str());
    command_line now =
        read_command_line(static_cast<int>(arguments.size()), arguments.data(), variable, last->defaults, {});
    if (now.exit_code) {
        std::string_view why = trimmed(now.text);
        constexpr std::string_view error = "error: ";
        if (why.starts_with(error)) why.remove_prefix(error.size());
        while (why.ends_with('\n') || why.ends_with('.')) why.remove_suffix(1);
        throw std::runtime_error(std::string(why));
    }
    return read_again{last->read, std::move(now.settings)};
}

void remember_as_read(const config& now) {
    if (auto& last = last_read()) last->read = now;
}

void forget_command_line() {
    last_read().reset();
}

}  // namespace shell

config config::from_command_line(int argc, char** argv, config defaults) {
    std::vector<std::string> names;
    for (char** one = environ; *one != nullptr; ++one) {
        const std::string_view text = *one;
        names.emplace_back(text.substr(0, text.find('=')));
    }
    shell::command_line read = shell::read_command_line(argc, argv, shell::variable, defaults, names);
    std::fputs(read.warnings.c_str(), stderr);
    if (!read.exit_code) {
        shell::last_read() = {{argv, argv + argc}, std::move(defaults), read.settings};
        return std::move(read.settings);
    }
    std::fputs(read.text.c_str(), *read.exit_code == 0 ? stdout : stderr);
    std::exit(*read.exit_code);
}

config config::from_command_line(int argc, char** argv) {
    return from_command_line(argc, argv, config());
}

}  // namespace pulsewire
