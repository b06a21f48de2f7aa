#include "server/config/settings.hpp"

#include "common/protocol/event_stream.hpp"
#include "common/protocol/names.hpp"
#include "server/base/address.hpp"
#include "server/base/host_name.hpp"
#include "server/base/origin_entry.hpp"
#include "server/config/api_keys.hpp"
#include "server/config/token_settings.hpp"
#include "server/log.hpp"
#include "server/permission/question.hpp"
#include "server/text.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <type_traits>

namespace pulsewire::shell {
namespace {

template <class Number>
std::string set_number(Number& into, std::string_view text) {
    const auto number = parse_number(trimmed(text));
    if (!number || *number > std::numeric_limits<Number>::max())
        return "must be a whole number from 0 to " + std::to_string(std::numeric_limits<Number>::max());
    into = static_cast<Number>(*number);
    return {};
}

std::string set_flag(bool& into, std::string_view text) {
    if (text != "true" && text != "false" && text != "1" && text != "0") return "must be true or false";
    into = text == "true" || text == "1";
    return {};
}

std::string set_list(std::vector<std::string>& into, std::string_view text) {
    into.clear();
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        if (const auto one = trimmed(text.substr(0, comma)); !one.empty()) into.emplace_back(one);
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    return {};
}

template <class Enumeration>
one_of_names one_of(Enumeration& value, std::span<const std::string_view> names) {
    static_assert(std::is_same_v<std::underlying_type_t<Enumeration>, std::uint8_t>);
    return {reinterpret_cast<std::uint8_t*>(&value), names};
}

constexpr std::size_t drain_url_bytes_max = 255;
constexpr std::string_view durability_names[] = {"auto", "memory", "disk", "broker"};

std::string fault_of_authorize(const namespace_options& o) {
    if (o.authorize_url.empty())
        return o.authorize.empty() ? "" : "authorize says what is asked, and authorize_url is missing";
    const std::string fault = permission::fault_of_address(o.authorize_url);
    if (!fault.empty()) return "authorize_url " + fault;
    return o.authorize.has(operation::respond) || o.authorize.has(operation::show)
               ? "authorize cannot have show or respond: subscribe and request are asked instead"
               : "";
}

std::string fault_of_state(const namespace_options& o) {
    if (o.keyed && o.state_bytes_max == 0)
        return "keyed needs a bound for what the keys take together: set state_bytes_max, for example to "
               "1000000";
    return {};
}

bool any_keeps(const config& c, durability what) {
    return c.default_namespace.keeps == what ||
           std::any_of(c.namespaces.begin(), c.namespaces.end(), [what](const auto& of_name) {
               return of_name.second.keeps == what;
           });
}

// state_bytes_max of the namespace of streams, where nobody says otherwise.
constexpr std::uint32_t stream_bytes_max = 8 << 20;

// Whatever of a stream is not kept as state would go with its age, and its beginning says what it is.
std::string fault_of_streams(const config& c) {
    if (c.streams.empty()) return {};
    if (!is_channel(c.streams) || c.streams.find(':') != std::string::npos)
        return "streams is \"" + log::printable(c.streams) +
               "\"; it must be the name of a namespace: letters, digits and _ - . / @ ~ = + $ !, for example "
               "stream.";
    const auto found = c.namespaces.find(c.streams);
    if (found != c.namespaces.end() && found->second.state_bytes_max == 0)
        return "the namespace " + c.streams +
               " has the streams, and keeps no state: give it the size that one stream may have, for example "
               "\"namespaces\": {\"" +
               c.streams + "\": {\"state_bytes_max\": " + std::to_string(stream_bytes_max) + "}}.";
    if (found != c.namespaces.end() && found->second.keyed)
        return "the namespace " + c.streams + " has the streams, which have no keys: leave keyed off there.";
    return {};
}

constexpr std::uint32_t partitions_max = 256;

std::string fault_of_broker(const config& c) {
    if (c.broker.empty())
        return any_keeps(c, durability::broker)
                   ? "a namespace has the durability \"broker\", and no broker is named: use --broker, "
                     "PULSEWIRE_BROKER or \"broker\" in the config file."
                   : "";
    if (c.broker_partitions == 0 || c.broker_partitions > partitions_max)
        return "broker_partitions must be from 1 to " + std::to_string(partitions_max) + ".";
    const bool plain = !c.broker_prefix.empty() && c.broker_prefix.size() <= 64 &&
                       std::all_of(c.broker_prefix.begin(), c.broker_prefix.end(), [](char x) {
                           return (lower(x) >= 'a' && lower(x) <= 'z') || (x >= '0' && x <= '9') ||
                                  x == '-' || x == '_' || x == '.';
                       });
    if (!plain) return "broker_prefix must be 1 to 64 of A-Z a-z 0-9 - _ and the full stop.";
    // A record has room for so much beside the names.
    constexpr std::uint32_t message_bytes_max = 180 * 1024;
    if (c.bounds.message_bytes_max > message_bytes_max)
        return "message_bytes_max must be at most " + std::to_string(message_bytes_max) +
               " with a broker: larger records are refused by some in their default configuration.";
    return {};
}

// Whether clients can use it as an address: no character needs an escape in a frame, ends an item of a
// Content-Security-Policy, or begins a query or a fragment, which connect() refuses.
bool is_address(std::string_view url) {
    static constexpr std::string_view schemes[] = {"https://", "http://", "wss://", "ws://"};
    const bool known = std::any_of(std::begin(schemes), std::end(schemes), [&](std::string_view scheme) {
        return url.starts_with(scheme) && url.size() > scheme.size();
    });
    return known && url.size() <= drain_url_bytes_max && std::all_of(url.begin(), url.end(), [](char c) {
               return c > ' ' && c < 127 && std::string_view("\"\\;,'?#").find(c) == std::string_view::npos;
           });
}

// Empty, or such that every reader of URLs leaves it as it is: no escape, no name of dots.
bool is_base_path(std::string_view path) {
    while (!path.empty()) {
        if (path[0] != '/') return false;
        const std::string_view name = path.substr(1, path.find('/', 1) - 1);
        const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
            return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
                   std::string_view("-._~").find(c) != std::string_view::npos;
        });
        if (!plain || name.empty() || name == "." || name == "..") return false;
        path.remove_prefix(1 + name.size());
    }
    return true;
}

// The fault of what opens the server to others; empty when there is none.
std::string fault_of_doors(const config& c) {
    const bool has_key = !c.api_key.empty() || !c.api_key_file.empty() || !c.api_keys.empty();
    const bool others_reach_it = !is_loopback_address(c.address);
    if (others_reach_it && !has_key && !c.insecure_open_api)
        return "listening on " + c.address +
               " without an API key would let everybody who reaches this machine publish through /api/. Set "
               "a key with --api-key-file, PULSEWIRE_API_KEY or \"api_key\" in the config file (for example "
               "the output of: openssl rand -hex 24), listen on 127.0.0.1 behind a proxy, or say "
               "--insecure-open-api if it is meant to be open.";
    if (std::string fault = fault_of_issuers(c); !fault.empty()) return fault;
    if (others_reach_it && !c.insecure_open_api && !c.insecure_open_clients && c.all_issuers().empty())
        return "listening on " + c.address +
               " lets every client that reaches this machine subscribe and publish in every channel, over "
               "/ws, /ws/plain, /sse and /events: the API key protects /api/ and /metrics alone. Name who "
               "signs "
               "the tokens of your users with --token-issuer (docs/auth.md), say "
               "--insecure-open-clients (\"insecure_open_clients\": true) if clients are meant to be let in "
               "without asking who they are, or listen on 127.0.0.1 behind a proxy that asks.";
    try {
        const api_keys keys(c);
    } catch (const std::runtime_error& e) {
        return std::string(e.what()) + ".";
    }
    for (const std::string& host : c.allowed_hosts)
        if (host != "*" && !is_host_pattern(host))
            return "allowed_hosts has \"" + log::printable(host) +
                   "\", which is no host: it must be a name or an address as in a URL, without scheme and "
                   "path, for example rt.example.com or *.example.com; * allows all.";
    for (const std::string& one : c.trusted_proxies)
        if (!network::parse(one))
            return "trusted_proxies has \"" + log::printable(one) +
                   "\", which is no IP address or network; for example 10.0.0.7 or 10.0.0.0/8.";
    return {};
}

// An entry that matches no page would be found out by the pages' users, not by the operator.
std::string fault_of_origins(const config& c) {
    for (const std::string& origin : c.allowed_origins) {
        if (const std::string why = fault_of_origin(origin); !why.empty())
            return "allowed_origins has \"" + log::printable(origin) +
                   "\", which no browser sends as an origin: " + log::printable(why) +
                   ". An origin is scheme and host without a path, for example https://app.example.com, or "
                   "https://*.example.com for all subdomains; * allows all.";
        if (c.allow_credentials && (origin == "*" || origin == "null"))
            return "allow_credentials with \"" + origin +
                   "\" in allowed_origins would let pages of strangers act with the cookies of their "
                   "visitors: "
                   "list the origins, or leave allow_credentials off.";
    }
    return {};
}

}  // namespace

bool one_of_names::set(std::string_view name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return false;
    *value = static_cast<std::uint8_t>(found - names.begin());
    return true;
}

std::string one_of_names::rule() const {
    std::string text = "must be ";
    for (std::size_t i = 0; i < names.size(); ++i)
        text.append(i == 0 ? "" : i + 1 == names.size() ? " or " : ", ").append(names[i]);
    return text;
}

std::vector<setting> settings_of(config& c) {
    limits& b = c.bounds;
    shell_limits& s = c.shell;
    return {
        {"address", &c.address},
        {"port", &c.port},
        {"threads", &c.threads},
        {"tls_certificate", &c.tls_certificate},
        {"tls_key", &c.tls_key},
        {"base_path", &c.base_path},
        {"streams", &c.streams},
        {"web_root", &c.web_root},
        {"data", &c.data},
        {"standby", &c.standby},
        {"broker", &c.broker},
        {"broker_prefix", &c.broker_prefix},
        {"broker_ca_file", &c.broker_ca_file},
        {"broker_replicas", &c.broker_replicas},
        {"broker_is_durable", &c.broker_is_durable},
        {"broker_partitions", &c.broker_partitions},
        {"api_key", &c.api_key},
        {"api_key_file", &c.api_key_file},
        {"insecure_open_api", &c.insecure_open_api},
        {"insecure_open_clients", &c.insecure_open_clients},
        {"token_issuer", &c.issuer_of_settings.issuer},
        {"token_audience", &c.issuer_of_settings.audience},
        {"token_secret", &c.issuer_of_settings.secret},
        {"token_secret_file", &c.issuer_of_settings.secret_file},
        {"token_key_file", &c.issuer_of_settings.key_file},
        {"token_jwks_url", &c.issuer_of_settings.jwks_url},
        {"token_user_claim", &c.issuer_of_settings.user_claim},
        {"anonymous", &c.anonymous},
        {"token_in_query", &c.token_in_query},
        {"token_lifetime_max_s", &c.token_lifetime_max_s},
        {"allowed_origins", &c.allowed_origins},
        {"allow_credentials", &c.allow_credentials},
        {"allowed_hosts", &c.allowed_hosts},
        {"trusted_proxies", &c.trusted_proxies},
        {"audit_log", &c.audit_log},
        {"drain_url", &c.drain_url},
        {"log_level", &c.log_level},
        {"log_format", &c.log_format},
        {"message_bytes_max", &b.message_bytes_max},
        {"channels_per_connection_max", &b.channels_per_connection_max},
        {"requests_per_connection_max", &b.requests_per_connection_max},
        {"commands_per_second", &b.commands_per_second},
        {"connect_timeout_ms", &b.connect_timeout_ms},
        {"ping_ms", &b.ping_ms},
        {"pong_ms", &b.pong_ms},
        {"request_timeout_ms", &b.request_timeout_ms},
        {"request_timeout_max_ms", &b.request_timeout_max_ms},
        {"recover_ms", &b.recover_ms},
        {"recovery_max", &b.recovery_max},
        {"presence_info_bytes_max", &b.presence_info_bytes_max},
        {"presence_leave_ms", &b.presence_leave_ms},
        {"presence_members_max", &b.presence_members_max},
        {"idempotency_ms", &b.idempotency_ms},
        {"idempotency_keys_max", &b.idempotency_keys_max},
        {"history_bytes_total_max", &b.history_bytes_total_max},
        {"channels_max", &b.channels_max},
        {"channel_idle_ms", &b.channel_idle_ms},
        {"storage_queue_bytes_max", &b.storage_queue_bytes_max},
        {"connections_max", &s.connections_max},
        {"connections_per_address_max", &s.connections_per_address_max},
        {"connects_per_address_per_second", &s.connects_per_address_per_second},
        {"requests_per_address_per_second", &s.requests_per_address_per_second},
        {"accepts_per_turn", &s.accepts_per_turn},
        {"accept_backoff_ms", &s.accept_backoff_ms},
        {"http_head_bytes_max", &s.http_head_bytes_max},
        {"http_fields_max", &s.http_fields_max},
        {"http_head_timeout_ms", &s.http_head_timeout_ms},
        {"http_body_timeout_ms", &s.http_body_timeout_ms},
        {"transfer_bytes_per_second_min", &s.transfer_bytes_per_second_min},
        {"http_idle_timeout_ms", &s.http_idle_timeout_ms},
        {"http_pipelined_bytes_max", &s.http_pipelined_bytes_max},
        {"http_answer_timeout_ms", &s.http_answer_timeout_ms},
        {"stream_poll_ms", &s.stream_poll_ms},
        {"stream_pause_ms", &s.stream_pause_ms},
        {"queue_bytes_max", &s.queue_bytes_max},
        {"replay_bytes_max", &s.replay_bytes_max},
        {"waiting_bytes_total_max", &s.waiting_bytes_total_max},
        {"mail_bytes_total_max", &s.mail_bytes_total_max},
        {"write_timeout_ms", &s.write_timeout_ms},
        {"batch_bytes_max", &s.batch_bytes_max},
        {"batch_messages_max", &s.batch_messages_max},
        {"websocket_compression", &s.websocket_compression},
        {"compression_bytes_min", &s.compression_bytes_min},
        {"turn_bytes_max", &s.turn_bytes_max},
        {"turn_slice_ms", &s.turn_slice_ms},
        {"shed_loop_lag_ms", &s.shed_loop_lag_ms},
        {"assembly_timeout_ms", &s.assembly_timeout_ms},
        {"control_frames_max", &s.control_frames_max},
        {"close_timeout_ms", &s.close_timeout_ms},
        {"application_queue_max", &s.application_queue_max},
        {"drain_delay_ms", &s.drain_delay_ms},
        {"drain_spread_ms", &s.drain_spread_ms},
        {"drain_handover", &s.drain_handover},
        {"shutdown_timeout_ms", &s.shutdown_timeout_ms},
    };
}

std::vector<setting> settings_of(namespace_options& o) {
    return {
        {"history_count_max", &o.history_count_max},
        {"history_bytes_max", &o.history_bytes_max},
        {"history_age_ms", &o.history_age_ms},
        {"state_bytes_max", &o.state_bytes_max},
        {"keyed", &o.keyed},
        {"client_publish", &o.client_publish},
        {"other_types", &o.other_types},
        {"client_requests", &o.client_requests},
        {"presence", &o.presence},
        {"authorize_url", &o.authorize_url},
        {"durability", one_of(o.keeps, durability_names)},
        {"slow_consumer", one_of(o.slow_consumers, slow_consumer_names)},
    };
}

std::vector<setting> settings_of(token_issuer& issuer) {
    return {
        {"issuer", &issuer.issuer},           {"audience", &issuer.audience}, {"secret", &issuer.secret},
        {"secret_file", &issuer.secret_file}, {"key_file", &issuer.key_file}, {"jwks_url", &issuer.jwks_url},
        {"user_claim", &issuer.user_claim},
    };
}

std::vector<setting> settings_of(consume_settings& feed) {
    return {
        {"name", &feed.name},
        {"broker", &feed.broker},
        {"broker_ca_file", &feed.broker_ca_file},
        {"from", &feed.from},
        {"field", &feed.field},
        {"channel", &feed.channel},
        {"type", &feed.type},
        {"payload", &feed.payload},
        {"key", &feed.key},
        {"group", &feed.group},
        {"from_newest", &feed.from_newest},
        {"dead_letters", &feed.dead_letters},
    };
}

std::vector<setting> settings_of(forward_settings& forward) {
    return {
        {"name", &forward.name},
        {"from", &forward.from},
        {"broker", &forward.broker},
        {"broker_ca_file", &forward.broker_ca_file},
        {"to", &forward.to},
        {"exchange", &forward.exchange},
        {"key", &forward.key},
        {"value", &forward.value},
        {"stream_length_max", &forward.stream_length_max},
    };
}

bool is_secret(const setting& s) {
    return s.name == "api_key" || s.name == "token_secret" || s.name == "secret" || s.name == "broker";
}

void gather_issuers(config& c) {
    c.issuers = c.all_issuers();
    c.issuer_of_settings = token_issuer();
}

void add_stream_namespace(config& c) {
    if (c.streams.empty() || c.namespaces.contains(c.streams)) return;
    namespace_options& options = c.namespaces.emplace(c.streams, c.default_namespace).first->second;
    if (options.state_bytes_max == 0) options.state_bytes_max = stream_bytes_max;
    // Of a stream that was removed nothing stays.
    options.history_count_max = 0;
}

std::string text_of(const setting& s) {
    struct {
        std::string operator()(const std::uint16_t* n) const { return std::to_string(*n); }
        std::string operator()(const std::uint32_t* n) const { return std::to_string(*n); }
        std::string operator()(const std::uint64_t* n) const { return std::to_string(*n); }
        std::string operator()(const std::string* t) const { return *t; }
        std::string operator()(const bool* f) const { return *f ? "true" : "false"; }
        std::string operator()(const std::vector<std::string>* list) const {
            std::string joined;
            for (const std::string& one : *list) joined += (joined.empty() ? "" : ", ") + one;
            return joined;
        }
        std::string operator()(const one_of_names& one) const { return std::string(one.names[*one.value]); }
    } to_text;
    return std::visit(to_text, s.value);
}

std::string set_from_text(const setting& s, std::string_view text) {
    struct {
        std::string_view text;
        std::string operator()(std::uint16_t* n) const { return set_number(*n, text); }
        std::string operator()(std::uint32_t* n) const { return set_number(*n, text); }
        std::string operator()(std::uint64_t* n) const { return set_number(*n, text); }
        std::string operator()(std::string* t) const { return *t = text, std::string(); }
        std::string operator()(bool* f) const { return set_flag(*f, text); }
        std::string operator()(std::vector<std::string>* list) const { return set_list(*list, text); }
        std::string operator()(const one_of_names& one) const {
            return one.set(trimmed(text)) ? std::string() : one.rule();
        }
    } set{text};
    return std::visit(set, s.value);
}

std::string fault_of(const config& c) {
    if (std::string fault = fault_of_doors(c); !fault.empty()) return fault;
    constexpr std::uint32_t threads_max = 1'024;
    if (c.threads > threads_max) return "threads must be from 0 to " + std::to_string(threads_max) + ".";
    if (c.tls_certificate.empty() != c.tls_key.empty())
        return "TLS needs a certificate and its key, and only " +
               std::string(c.tls_key.empty() ? "tls_certificate" : "tls_key") +
               " is set: name both files, with --tls-certificate and --tls-key or in the config file, or "
               "none.";
    if (!is_base_path(c.base_path))
        return "base_path is \"" + log::printable(c.base_path) +
               "\"; it must be a path as it stands in URLs, with a slash before each of its names and none "
               "at "
               "its end, for example /realtime; without one leave it empty.";
    if (std::string fault = fault_of_streams(c); !fault.empty()) return fault;
    if (std::error_code ignored; !c.web_root.empty() && !std::filesystem::is_directory(c.web_root, ignored))
        return "web_root is " + log::printable(c.web_root) +
               ", and there is no such folder. Is the path right, as seen from where the server was started?";
    if (std::string fault = fault_of_origins(c); !fault.empty()) return fault;
    if (!log::is_level(c.log_level))
        return "log_level is \"" + c.log_level + "\"; it must be debug, info, warning, error or off.";
    if (!log::is_format(c.log_format))
        return "log_format is \"" + log::printable(c.log_format) + "\"; it must be text or json.";
    if (c.bounds.message_bytes_max < 1'024 || c.bounds.message_bytes_max > 16 * 1024 * 1024)
        return "message_bytes_max must be from 1024 to 16777216.";
    if (c.shell.http_head_bytes_max < 1'024 || c.shell.http_head_bytes_max > 64 * 1024)
        return "http_head_bytes_max must be from 1024 to 65536.";
    if (c.shell.batch_messages_max == 0 || c.shell.accepts_per_turn == 0)
        return "batch_messages_max and accepts_per_turn must be at least 1.";
    if (std::string fault = fault_of_broker(c); !fault.empty()) return fault;
    for (const auto fault_of : {fault_of_authorize, fault_of_state}) {
        if (const std::string fault = fault_of(c.default_namespace); !fault.empty())
            return "default_namespace: " + fault + ".";
        for (const auto& [name, options] : c.namespaces)
            if (const std::string fault = fault_of(options); !fault.empty())
                return "namespace " + name + ": " + fault + ".";
    }
    if (any_keeps(c, durability::disk) && c.data.empty())
        return "a namespace has the durability \"disk\", and there is no folder for it: name one "
               "with --data, PULSEWIRE_DATA or \"data\" in the config file.";
    if (!c.drain_url.empty() && !is_address(c.drain_url))
        return "drain_url is \"" + log::printable(c.drain_url) +
               "\"; it must be the address of a server, for example https://b.example.com.";
    if (c.standby && c.data.empty())
        return "standby is to wait for a data folder, and none is named: use --data, PULSEWIRE_DATA or "
               "\"data\" "
               "in the config file.";
    if (c.standby && c.shell.drain_handover)
        return "standby and drain_handover exclude each other: the next server serves when this one has let "
               "go of "
               "the data folder, not before. Leave drain_handover off.";
    if (c.bounds.ping_ms == 0) return "ping_ms must be at least 1.";
    return {};
}

}  // namespace pulsewire::shell
