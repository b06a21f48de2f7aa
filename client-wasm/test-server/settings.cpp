#include "client-wasm/test-server/settings.hpp"

#include "common/access/grants.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/schema/types.hpp"

#include <charconv>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

namespace pulsewire::test_server {
namespace {

// Of the settings with the schemas in them, which nest deeper than a payload may.
constexpr int depth_max = 64;
// Of all histories together: the config file's 0, a quarter of the machine's memory, means nothing in a page.
constexpr std::uint64_t history_bytes_total = 64 << 20;

// Begins with the place of the fault; empty: there is none.
using fault = std::string;

template <class Value>
struct named {
    std::string_view name;
    Value* value;
};

// One member of an object; `place` names it from the root.
struct member {
    std::string_view key;
    std::string place;
    std::string_view value;
};

fault at(std::string_view place, std::string_view what) {
    return std::string(place).append(": ").append(what);
}

fault set(std::uint32_t& into, const member& m) {
    const char* const end = m.value.data() + m.value.size();
    const auto [stopped, error] = std::from_chars(m.value.data(), end, into);
    if (error == std::errc() && stopped == end) return {};
    return at(
        m.place,
        "must be a whole number from 0 to " + std::to_string(std::numeric_limits<std::uint32_t>::max())
    );
}

fault set(bool& into, const member& m) {
    into = m.value == "true";
    return into || m.value == "false" ? fault() : at(m.place, "must be true or false");
}

// Nothing: none of them has the name.
template <class Value>
std::optional<fault> set_named(std::span<const named<Value>> all, const member& m) {
    for (const named<Value>& one : all)
        if (one.name == m.key) return set(*one.value, m);
    return std::nullopt;
}

template <class Enumeration>
fault set_name(Enumeration& into, std::span<const std::string_view> names, const member& m) {
    std::string all;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string quoted = std::string("\"").append(names[i]).append("\"");
        if (quoted == m.value) return into = static_cast<Enumeration>(i), fault();
        all.append(i == 0 ? "" : ", ").append(quoted);
    }
    return at(m.place, "must be one of " + all);
}

// Reads an object. `set_member(member)` returns nothing for a name that it does not know.
template <class SetMember>
fault read_object(std::string_view json, const std::string& place, SetMember&& set_member) {
    json_scan scan(json);
    fault found;
    const bool complete = for_each_member(scan, depth_max, [&](std::string_view key, std::string_view value) {
        const member m{key, place.empty() ? std::string(key) : place + "." + std::string(key), value};
        const std::optional<fault> wrong = set_member(m);
        found = wrong ? *wrong : at(m.place, "there is no such option");
        return found.empty();
    });
    if (!found.empty() || complete) return found;
    return at(place.empty() ? "the options" : place, "must be an object");
}

fault read_allow(const member& m, access_rules& into) {
    into = access_rules::none();
    return read_object(m.value, m.place, [&](const member& who) -> std::optional<fault> {
        operations* const of = who.key == "anonymous" ? &into.anonymous
                               : who.key == "users"   ? &into.users
                               : who.key == "owner"   ? &into.owner
                                                      : nullptr;
        if (of == nullptr) return std::nullopt;
        auto read = access::parse_operations(who.value);
        if (!read) return at(who.place, read.error());
        *of = *read;
        return fault();
    });
}

fault read_types(const member& m, namespace_options& into) {
    auto all = std::make_shared<schema::types>();
    const fault found = read_object(m.value, m.place, [&](const member& type) -> std::optional<fault> {
        if (type.value.starts_with('"'))
            return at(type.place, "give the schema itself: a test server reads no files");
        auto rules = schema::checker::compile(type.value);
        if (!rules) return at(type.place, rules.error().message());
        all->add(unescaped(type.key), {std::move(*rules), std::string(type.value), {}});
        return fault();
    });
    into.types = all->all().empty() ? nullptr : std::move(all);
    return found;
}

fault read_namespace(const member& m, namespace_options& into) {
    static constexpr std::string_view durabilities[] = {"auto", "memory", "disk"};
    const named<std::uint32_t> numbers[] = {
        {"history_count_max", &into.history_count_max},
        {"history_bytes_max", &into.history_bytes_max},
        {"history_age_ms", &into.history_age_ms},
        {"state_bytes_max", &into.state_bytes_max},
    };
    const named<bool> flags[] = {
        {"keyed", &into.keyed},
        {"client_publish", &into.client_publish},
        {"other_types", &into.other_types},
        {"client_requests", &into.client_requests},
        {"presence", &into.presence},
    };
    fault found = read_object(m.value, m.place, [&](const member& option) -> std::optional<fault> {
        if (auto done = set_named<std::uint32_t>(numbers, option)) return done;
        if (auto done = set_named<bool>(flags, option)) return done;
        if (option.key == "durability") return set_name(into.keeps, durabilities, option);
        if (option.key == "slow_consumer") return set_name(into.slow_consumers, slow_consumer_names, option);
        if (option.key == "types") return read_types(option, into);
        if (option.key != "allow") return std::nullopt;
        into.allow_is_set = true;
        return read_allow(option, into.allow);
    });
    if (found.empty() && into.keyed && into.state_bytes_max == 0)
        return at(m.place, "keyed needs a bound for what the keys take together: set state_bytes_max");
    return found;
}

fault read_limits(std::string_view json, settings& into) {
    limits& of = into.hub.bounds;
    const named<std::uint32_t> numbers[] = {
        {"message_bytes_max", &of.message_bytes_max},
        {"channels_per_connection_max", &of.channels_per_connection_max},
        {"requests_per_connection_max", &of.requests_per_connection_max},
        {"commands_per_second", &of.commands_per_second},
        {"connect_timeout_ms", &of.connect_timeout_ms},
        {"ping_ms", &of.ping_ms},
        {"pong_ms", &of.pong_ms},
        {"request_timeout_ms", &of.request_timeout_ms},
        {"request_timeout_max_ms", &of.request_timeout_max_ms},
        {"recovery_max", &of.recovery_max},
        {"recover_ms", &of.recover_ms},
        {"presence_info_bytes_max", &of.presence_info_bytes_max},
        {"presence_leave_ms", &of.presence_leave_ms},
        {"presence_members_max", &of.presence_members_max},
        {"idempotency_ms", &of.idempotency_ms},
        {"idempotency_keys_max", &of.idempotency_keys_max},
        {"channels_max", &of.channels_max},
        {"channel_idle_ms", &of.channel_idle_ms},
        {"queue_bytes_max", &into.delivery.queue_bytes_max},
        {"replay_bytes_max", &into.delivery.replay_bytes_max},
        {"batch_bytes_max", &into.delivery.batch_bytes_max},
        {"batch_messages_max", &into.delivery.batch_messages_max},
    };
    const auto read = [&](const member& m) { return set_named<std::uint32_t>(numbers, m); };
    if (fault found = read_object(json, "limits", read); !found.empty()) return found;
    if (of.message_bytes_max < 1'024) return at("limits.message_bytes_max", "must be at least 1024");
    if (of.ping_ms == 0) return at("limits.ping_ms", "must be at least 1");
    if (into.delivery.batch_messages_max == 0) return at("limits.batch_messages_max", "must be at least 1");
    return {};
}

// As the server resolves what a namespace leaves open, with a disk.
void resolve(namespace_options& o, bool asks_who) {
    if (o.keeps == durability::automatic) o.keeps = durability::disk;
    if (!o.allow_is_set && asks_who) o.allow = access_rules::none();
}

}  // namespace

result<settings, std::string> read_settings(std::string_view json) {
    settings read;
    hub::config& c = read.hub;
    hub::interests& hears = c.observers.emplace_back();
    hears.requests = true;
    hears.authorizes = operations::all();
    const named<bool> flags[] = {
        {"tokens", &c.verifies_tokens},
        {"anonymous", &c.anonymous},
        {"publishes", &hears.publishes},
    };
    // The default namespace comes first where it is given: the others begin with its options.
    const fault found = read_object(json, {}, [&](const member& m) -> std::optional<fault> {
        if (auto done = set_named<bool>(flags, m)) return done;
        if (m.key == "limits") return read_limits(m.value, read);
        if (m.key == "default_namespace") return read_namespace(m, c.default_namespace);
        if (m.key != "namespaces") return std::nullopt;
        return read_object(m.value, m.place, [&](const member& one) -> std::optional<fault> {
            const auto made = c.namespaces.try_emplace(unescaped(one.key), c.default_namespace).first;
            return read_namespace(one, made->second);
        });
    });
    if (!found.empty()) return failure{found};
    resolve(c.default_namespace, c.verifies_tokens);
    for (auto& [name, options] : c.namespaces) resolve(options, c.verifies_tokens);
    c.bounds.history_bytes_total_max = history_bytes_total;
    return read;
}

}  // namespace pulsewire::test_server
