#include "bench/load/options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/dialect.hpp"
#include "bench/load/process.hpp"
#include "bench/load/stamp.hpp"

namespace pulsewire::bench {
namespace {

constexpr const char* about =
    R"(pulsewire-bench: loads a Pulsewire server, over WebSocket and SSE, and says what it stands.

    pulsewire-bench fanout --url ws://127.0.0.1:8080 --server-pid $(pidof pulsewired))";

constexpr const char* footer = R"(
Scenarios, with their defaults:
  fanout    one publisher, 1,000 subscribers of one channel, 32 publishes in flight (--window). A publish is
            finished, and the next one sent, when every subscriber has it
  rate      the same at a constant rate, 100,000 deliveries a second (--rate), however late the server is. Latency
            counts from when a message was meant to be sent, so a stall of the server is not left out
  rooms     500 channels (--channels) with 2 members each (--members); one of them publishes over its WebSocket, the
            next when all members have it
  sse       1,000 subscribers of an event stream, 8 publishers by HTTP POST (--publishers) over kept connections
  publish   one publisher (--publishers) that sends its next when the server has acknowledged the one before
            (--window), and one subscriber that checks: what durable channels cost. Pulsewire only
  idle      10,000 subscribers that do nothing: the server's memory for each (needs --server-pid)
  connect   5,000 connections until they are subscribed; over TLS each with a full handshake. With --tokens all of
            them then lose their connections and come back with the tokens that they showed before
  storm     1,000 subscribers lose their connections at once, come back, and recover the same 100 messages each.
            Pulsewire only
  channels  100,000 channels (--channels): 10 connections subscribe to 10,000 each, publish into each, and leave them
            again. Pulsewire only; the server wants channels_per_connection_max to be raised

With --server-pid (several with commas, on this machine) it tells deliveries for each second of the server's CPU, a
figure that neither other programs nor the generator's own speed change much. Every message is numbered: lost,
reordered and repeated ones are counted, and there must be none; the exit code is 1 otherwise.

A server refuses what goes beyond its limits. For one publisher at full speed: commands_per_second 0; for more than
18,000 connections: connections_max and the limit of open files. docs/operating.md lists them.)";

// CLI11's own check would print the greatest possible number. Text that is no
// number is refused by the option itself.
CLI::Validator refusing(bool (*is_wrong)(double), const char* rule) {
    const auto check = [is_wrong, rule](std::string& text) {
        double number = 0;
        return std::string(CLI::detail::lexical_cast(text, number) && is_wrong(number) ? rule : "");
    };
    return {check, ""};
}

const CLI::Validator positive = refusing([](double n) { return !(n > 0); }, "must be more than 0");
const CLI::Validator not_negative = refusing([](double n) { return !(n >= 0); }, "must be 0 or more");

// The lines of a file that have something in them.
std::vector<std::string> lines_of(const std::string& file) {
    std::vector<std::string> lines;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) lines.push_back(std::move(line));
    return lines;
}

// The fault of a combination of options, as a sentence; empty when there is none.
std::string fault_of(const options& o) {
    for (const std::string& header : o.headers)
        if (const std::size_t colon = header.find(':'); colon == header.npos || colon == 0)
            return "--header '" + header + "': a field is written \"Name: value\"";
    for (const pid_t pid : o.server_pids)
        if (!cpu_seconds(pid))
            return "--server-pid " + std::to_string(pid) + ": no such process on this machine";
    return {};
}

}  // namespace

options read_options(int count, char** arguments) {
    options o;
    CLI::App app(about);
    app.footer(footer);
    app.set_version_flag("--version", "pulsewire-bench " PULSEWIRE_VERSION);
    app.add_option("scenario", o.scenario, "What to do, see below")
        ->required()
        ->check(CLI::IsMember(
            {"fanout", "rate", "rooms", "sse", "publish", "idle", "connect", "storm", "channels"}
        ));
    app.add_option(
           "--url", o.url,
           "The server: ws://host:port or http://host:port, wss:// or https:// for TLS, with a path in front "
           "if it "
           "has one"
    )
        ->capture_default_str();
    app.add_option(
           "--server-pid", o.server_pids, "Processes of the server, to count their CPU time and memory"
    )
        ->delimiter(',')
        ->type_name("PID");
    app.add_option(
           "--api-key", o.api_key, "Key for publishing over HTTP, sent as \"Authorization: Bearer <key>\""
    )
        ->type_name("KEY");
    app.add_option("--ca", o.ca, "File of certificates (PEM) to trust instead of the system's")
        ->type_name("FILE");
    app.add_flag("--insecure", o.insecure, "Trusts any certificate");
    app.add_option(
        "--header", o.headers, "Another field for every request: \"Name: value\"; can be repeated"
    );
    app.add_option_function<std::string>(
           "--tokens", [&o](const std::string& file) { o.tokens = lines_of(file); },
           "File of tokens (docs/auth.md), one a line: each connection shows one. Pulsewire only"
    )
        ->check(CLI::ExistingFile)
        ->type_name("FILE");
    app.add_option(
           "--channel", o.channel,
           "Name of the channel, or its beginning where there are several; nobody else may use it"
    )
        ->capture_default_str();
    app.add_option("--connections", o.connections, "Subscribers")->check(positive);
    app.add_option("--channels", o.channels, "Channels; the subscribers are spread over them")
        ->check(positive);
    app.add_option("--members", o.members, "Members of a room")->check(positive);
    app.add_option("--publishers", o.publishers, "Publishers of a channel")->check(positive);
    app.add_option("--window", o.window, "Publishes in flight of each publisher")->check(positive);
    app.add_option("--rate", o.rate, "Deliveries offered per second, to all subscribers together")
        ->check(positive);
    app.add_option("--messages", o.messages, "Messages that everybody recovers in a storm")
        ->check(positive)
        ->capture_default_str();
    app.add_option("--seconds", o.seconds, "How long to measure")->check(positive)->capture_default_str();
    app.add_option("--warm-up", o.warm_up_seconds, "Seconds of the same before")
        ->check(not_negative)
        ->capture_default_str();
    app.add_option("--drain", o.drain_seconds, "Seconds to wait at the end for what is on its way")
        ->check(not_negative)
        ->capture_default_str();
    app.add_option("--payload-bytes", o.payload_bytes, "Size of a payload")
        ->capture_default_str()
        ->check(CLI::Range(payload_bytes_min, std::size_t{1} << 20));
    app.add_flag_callback(
        "--json-payload", [&o] { o.filled_with = filling::json; },
        "Payloads that look like an application's JSON, for compression; at least 128 bytes"
    );
    app.add_flag_callback(
        "--binary-payload", [&o] { o.filled_with = filling::bytes; },
        "Payloads of bytes instead of JSON, in binary messages; not for every dialect"
    );
    app.add_flag(
        "--deflate", o.deflate, "Asks for permessage-deflate without context takeover; fails without"
    );
    app.add_flag("--sse", o.event_streams, "Subscribers listen to event streams instead of WebSockets");
    app.add_flag("--post", o.post, "Publishers use HTTP POST instead of WebSockets, one at a time each");
    app.add_option("--dialect", o.dialect, "Protocol of the server: " + std::string(dialect_names))
        ->capture_default_str();
    app.add_flag("--json", o.json, "Print one line of JSON instead of a table");
    try {
        app.parse(count, arguments);
    } catch (const CLI::ParseError& e) {
        std::exit(app.exit(e) == 0 ? 0 : 2);
    }
    if (const std::string fault = fault_of(o); !fault.empty()) {
        std::fprintf(stderr, "pulsewire-bench: %s\n", fault.c_str());
        std::exit(2);
    }
    if (o.filled_with == filling::json) o.payload_bytes = std::max(o.payload_bytes, json_payload_bytes_min);
    return o;
}

}  // namespace pulsewire::bench
