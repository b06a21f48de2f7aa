#pragma once

// All that can be configured, with its defaults. Flags, environment, file and program set the same members;
// the names of keys are in server/config/settings.cpp, the documentation in docs/operating.md.

#include "common/access/grants.hpp"
#include "common/protocol/limits.hpp"
#include "server/identity/issuer_settings.hpp"
#include "server/limits.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pulsewire {

// An API key that the program or the config file names.
struct api_key_settings {
    std::string name;  // for the log; never the key
    std::string key;   // as it is, or "sha256:<64 hex digits>"
    // What it is for, by patterns of channels; nothing: everything.
    std::optional<access::grants> allow;
};

// Records that other systems write into a stream, a subject or a topic of a broker, and that become messages
// of channels (docs/feeds.md). Templates hold {key}, {header:name} and {/json/pointer}.
struct consume_settings {
    std::string name;            // in metrics, in the log, and at the beginning of the keys
    std::string broker;          // its address; empty: config::broker. It may hold a password
    std::string broker_ca_file;  // empty: config::broker_ca_file
    std::string from;            // the stream, the subject, the topic or the queue
    std::string field;           // Redis: of an entry, the one that holds the JSON; empty: all, as an object
    std::string channel;         // a template
    std::string type;            // a template
    std::string payload;         // a JSON pointer; empty: the whole record
    std::string key;             // for idempotency, a template; empty: the record's position
    std::string group;           // servers with the same one share the records; empty: "pulsewire-<name>"
    bool from_newest = false;    // where a group begins that was never there
    std::string dead_letters;    // where bad records go; empty: the log has the reason alone
};

// Publications of channels that go to another system (docs/feeds.md). Templates hold {channel}, {namespace},
// {type} and {user}.
struct forward_settings {
    std::string name;                     // in metrics and in the log; the place is remembered under it
    std::string from;                     // the channels, a pattern that begins with a namespace: "orders:**"
    std::string broker;                   // its address; empty: config::broker. It may hold a password
    std::string broker_ca_file;           // empty: config::broker_ca_file
    std::string to;                       // the stream, the subject, the topic or the queue; a template
    std::string exchange;                 // RabbitMQ: then `to` is the routing key; empty: `to` is a queue
    std::string key;                      // Kafka: of the record, a template; empty: the channel
    std::string value = "payload";        // of the record: the payload alone, or the whole message
    std::uint32_t stream_length_max = 0;  // Redis: entries that the stream keeps, about; 0: all
};

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

    // The path below which everything is served: "/realtime" for a load balancer that sends requests here by
    // their path and cannot change it. /healthz and /metrics are at their own paths, too. Empty: none.
    std::string base_path;

    // The namespace whose channels are streams at /streams/<name> (docs/streams.md). Empty: there are none.
    std::string streams;

    // A folder whose files are served; empty: none.
    std::string web_root;

    // A folder for the durable log (namespace_options::keeps), used by this server only;
    // empty: everything is kept in memory.
    std::string data;
    // Whether the server waits for a data folder that is in use and starts when it is
    // free; otherwise it does not start.
    bool standby = false;

    // What carries the log that several servers share: "redis://10.0.0.5:6379" (docs/cluster.md). Empty: this
    // server is alone. It may hold a password and is never shown.
    std::string broker;
    // Begins the names of the logs there: two clusters at one broker have different ones.
    std::string broker_prefix = "pulsewire";
    // Authorities (PEM) that may sign the broker's certificate, instead of those of the system.
    std::string broker_ca_file;
    // Replicas of the broker that must have a record before it is acknowledged. 0: a failover of the broker
    // may lose what was acknowledged, and then says so.
    std::uint32_t broker_replicas = 0;
    // Whether the broker never loses what it showed, by the operator's word. Otherwise clients are told new
    // names of their positions whenever a broker that does not say which one it is was connected anew.
    bool broker_is_durable = false;
    // The logs that channels are spread over. Fixed when the first server of a cluster starts.
    std::uint32_t broker_partitions = 16;

    // What becomes messages here though others wrote it elsewhere.
    std::vector<consume_settings> consume;
    // What is published here and is to be elsewhere, too.
    std::vector<forward_settings> forward;

    // The key that /api/ and /metrics require as "Authorization: Bearer <key>". With neither this nor a file
    // of keys the API is open to everyone who reaches the port, and the metrics to this machine.
    std::string api_key;
    // A file of further keys, one a line, each with a name before it if it has one, as it is or as
    // "sha256:<64 hex digits>", and behind it what it is for. It is read at the start and by
    // server::reload().
    std::string api_key_file;
    // Keys for some things only, or further ones for everything.
    std::vector<api_key_settings> api_keys;
    // Allows an address other than loopback without an API key, and implies insecure_open_clients.
    bool insecure_open_api = false;
    // Allows an address other than loopback where every client that reaches the port may subscribe and
    // publish, because nothing asks who it is: an API key protects /api/ and /metrics only.
    bool insecure_open_clients = false;
    // Who makes tokens for this server's users (docs/auth.md). With an issuer the server asks everybody who
    // they are, and permits what their tokens and namespace_options::allow say; with none everybody may do
    // everything.
    std::vector<token_issuer> issuers;
    // One more, of which flags, environment and file name the parts one by one: token_issuer, token_audience
    // and so on. A server adds it to the list; programs write into the list.
    token_issuer issuer_of_settings;
    // Whether clients without a token are let in beside those with one, for what namespaces allow everybody.
    bool anonymous = false;
    // Whether a token may be the parameter "token" of an address, which logs of proxies and browsers keep.
    bool token_in_query = false;
    // Tokens that live longer are refused, so that the list of revoked ones has an end; in seconds.
    std::uint32_t token_lifetime_max_s = 7 * 24 * 60 * 60;
    // The list, and before it that of the settings if there is one.
    std::vector<token_issuer> all_issuers() const;

    // Origins of pages on other hosts that may use this server, as browsers send them: "https://example.com",
    // or "https://*.example.com" for every subdomain. Pages of the server's own host always may. "*" allows
    // every page.
    std::vector<std::string> allowed_origins;
    // Whether pages of listed origins may send cookies and other credentials, which the server itself
    // ignores: those of a proxy that asks who comes, or that keeps a client at one server. Not with "*" in
    // the list.
    bool allow_credentials = false;
    // Host names of this server, as clients name it in the field Host: "rt.example.com", "*.example.com", or
    // with a port where no other will do. Other names are refused, which protects against DNS rebinding: a
    // page whose own name was made to point here. The names of loopback are always allowed. Empty: on a
    // loopback address those alone, elsewhere every name. "*" allows every name.
    std::vector<std::string> allowed_hosts;

    // Addresses and networks ("10.0.0.0/8") of proxies in front of this server. A request that comes from one
    // of them counts as that of the last address in X-Forwarded-For that is none of them.
    std::vector<std::string> trusted_proxies;
    // A file that gets one line of JSON for each refused key, page, host name and address, and for each
    // administrative act; "-": the log. Empty: none.
    std::string audit_log;

    // The address to which clients are sent when the server ends, in the form that they give to connect():
    // "https://b.example.com". Empty: the address they came from.
    std::string drain_url;

    // debug, info, warning, error or off.
    std::string log_level = "info";
    // text, or json: one object a line, with fields for programs.
    std::string log_format = "text";

    limits bounds;
    shell_limits shell;

    // Options of channels by the part of their name before the first ':'; all others have the default.
    namespace_options default_namespace;
    std::map<std::string, namespace_options> namespaces;

    // Whether run() ends the server on SIGINT and SIGTERM (a second one ends the process at once), and
    // whether SIGHUP is server::reload().
    bool handle_signals = true;
    // Whether the server prints on standard output where it listens and what it offers.
    bool print_start = true;
    // --print-typescript: run() prints the registered message types and returns.
    bool print_typescript = false;
    // --print-schemas: the same as JSON Schema.
    bool print_schemas = false;

    // Flags take precedence over the environment, that over the file named by --config, and
    // that over `defaults`. Ends the process after --help and --version, and with a sentence
    // and exit code 2 when there is a fault.
    static config from_command_line(int argc, char** argv);
    static config from_command_line(int argc, char** argv, config defaults);
};

}  // namespace pulsewire
